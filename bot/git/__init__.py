"""The bare mirror of a config repository: objects in process, fetch and push by the Git program."""

from bot.git.failures import LeaseLost
from bot.git.history import HistoryEntry
from bot.git.mirror import Identity, Mirror
from bot.git.signing import OpenPgpSigner, Signer, SigningFailed, SshSigner
from bot.git.trees import Conflicting, Merged

__all__ = [
    "Conflicting",
    "HistoryEntry",
    "Identity",
    "LeaseLost",
    "Merged",
    "Mirror",
    "OpenPgpSigner",
    "Signer",
    "SigningFailed",
    "SshSigner",
]
