"""Signs with Towpath's own key, by OpenSSH or GnuPG: what `git verify-commit` accepts, and so Argo CD or Flux (S23).

The key is read anew for each signature, so that it can be replaced while everything runs."""

import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.errors import Permanent, Transient

TIMEOUT = 30.0
"""Seconds that a program may take; one that asks for a passphrase which nobody will give ends by this at the latest."""
OPERATION, SUBJECT = "sign with", "Towpath's key"
MOST = 64 * 1024
"""Bytes of the longest signature that is believed to be one."""
PREFIX = "towpath-sign-"
MEMORY = Path("/dev/shm")  # noqa: S108 # a file system in memory; the folder in it is one's own
OLD = 3600
"""Seconds after which a folder is no signature's under way."""
_FINGERPRINT = re.compile(r"^sec:.*\n(?:(?!sec:|fpr:).*\n)*fpr:{9}([0-9A-F]{40,64}):", re.MULTILINE)


class SigningFailed(Permanent):
    """The key or its program is no good; it is not the forge that refuses."""

    def __init__(self, cause: str) -> None:
        super().__init__(OPERATION, SUBJECT, cause)


class Signer(Protocol):
    """Signs what a commit says."""

    def sign(self, content: bytes) -> str:
        """The armored signature, with no end of line after it. SigningFailed where no key makes one."""
        ...


@dataclass(frozen=True)
class SshSigner:
    """By `ssh-keygen -Y sign` with a private key that has no passphrase."""

    key_file: Path
    timeout: float = TIMEOUT

    def sign(self, content: bytes) -> str:
        """See `Signer`."""
        with _folder() as folder:
            key, secret = folder / "key", _key(self.key_file)
            # A copy only where OpenSSH would refuse the file: a killed worker leaves nothing of the key behind.
            if _is_taken(self.key_file, secret):
                key.symlink_to(self.key_file.absolute())
            else:
                _private(key, secret)
            command = ["ssh-keygen", "-Y", "sign", "-n", "git", "-f", str(key)]
            return _armored(_run(folder, command, content, self.timeout))


@dataclass(frozen=True)
class OpenPgpSigner:
    """By `gpg --detach-sign` with the first private key of a file, which has no passphrase."""

    key_file: Path
    timeout: float = TIMEOUT

    def sign(self, content: bytes) -> str:
        """See `Signer`."""
        with _folder() as folder:
            try:
                self._gpg(folder, ["--import"], _key(self.key_file))
                listed = self._gpg(folder, ["--with-colons", "--list-secret-keys"], b"").decode("ascii", "replace")
                found = _FINGERPRINT.search(listed)
                if found is None:
                    raise SigningFailed("the file holds no OpenPGP private key")
                return _armored(self._gpg(folder, ["--armor", "--local-user", found[1], "--detach-sign"], content))
            finally:
                # Its agent would outlive the folder, one for each signature.
                with suppress(Permanent, Transient):
                    _run(folder, ["gpgconf", "--homedir", str(folder), "--kill", "all"], b"", self.timeout)

    def _gpg(self, folder: Path, arguments: list[str], given: bytes) -> bytes:
        fixed = ["--homedir", str(folder), "--batch", "--no-tty", "--quiet", "--pinentry-mode", "error"]
        return _run(folder, ["gpg", *fixed, *arguments], given, self.timeout)


def _run(folder: Path, command: list[str], given: bytes, timeout: float) -> bytes:
    """What a program prints for what it is given; it knows nothing but its folder (S8)."""
    environment = {"PATH": os.defpath, "HOME": str(folder), "LC_ALL": "C"}
    pipe = subprocess.PIPE
    try:
        running = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
    except FileNotFoundError as error:
        raise SigningFailed(f"{command[0]} is not installed where the worker runs") from error
    with running:
        try:
            printed, complained = running.communicate(given, timeout)
        except subprocess.TimeoutExpired as error:
            raise Transient(OPERATION, SUBJECT, f"{command[0]} did not end within {timeout:g} s") from error
        finally:
            _end(running)
    if running.returncode != 0 or len(printed) > MOST:
        raise SigningFailed(f"{command[0]} refused it: {_told(folder, complained)}")
    return printed


def _end(running: "subprocess.Popen[bytes]") -> None:
    """Kill what still runs, with its children."""
    if running.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for one signature, in memory where there is such a place: it may hold a copy of the key."""
    places = _places()
    for place in places:
        _sweep(place)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=places[0], ignore_cleanup_errors=True) as made:
        yield Path(made)


def _places() -> list[Path]:
    """Where such folders may stand, the best one first."""
    plain = Path(tempfile.gettempdir())
    return [MEMORY, plain] if MEMORY.is_dir() and os.access(MEMORY, os.W_OK | os.X_OK) else [plain]


def _sweep(place: Path) -> None:
    """Remove what a worker that was killed left there an hour ago."""
    for left in place.glob(f"{PREFIX}*"):
        with suppress(OSError):
            found = left.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and time.time() - found.st_mtime > OLD:
                shutil.rmtree(left, ignore_errors=True)


def _key(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SigningFailed(f"its file cannot be read: {error.strerror}") from error


def _private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(_ended(content))


def _ended(content: bytes) -> bytes:
    """OpenSSH asks for the last end of line, which a secret that was pasted somewhere often lacks."""
    return content.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"


def _is_taken(file: Path, content: bytes) -> bool:
    """Whether OpenSSH takes the file as it is: whole, and where it is our own, closed to everybody else."""
    found = file.stat()
    closed = found.st_uid != os.geteuid() or not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    return closed and content == _ended(content)


def _armored(printed: bytes) -> str:
    text = printed.decode("ascii", "replace").rstrip("\n")
    if not text.startswith("-----BEGIN "):
        raise SigningFailed("what came of it is no signature")
    return text


def _told(folder: Path, complained: bytes) -> str:
    lines = complained.decode("utf-8", "replace").replace(str(folder), "…").splitlines()
    return "; ".join(line.strip() for line in lines if line.strip())[-500:]
