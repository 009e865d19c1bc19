"""Signing keys made by the real programs, and the real Git that verifies what they signed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.git import OpenPgpSigner, Signer, SshSigner

SSH, OPENPGP = "ssh", "openpgp"
KINDS = [
    pytest.param(SSH, marks=pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="OpenSSH is not installed")),
    pytest.param(OPENPGP, marks=pytest.mark.skipif(not shutil.which("gpg"), reason="GnuPG is not installed")),
]
MAIL = "towpath@localhost"


@dataclass(frozen=True)
class Key:
    """A private key in a file, and what somebody needs who is to verify its signatures."""

    kind: str
    file: Path
    options: tuple[str, ...] = ()
    variables: Mapping[str, str] | None = None

    @property
    def signer(self) -> Signer:
        return SshSigner(self.file) if self.kind == SSH else OpenPgpSigner(self.file)

    def verify(self, repository: Path, commit: str) -> tuple[bool, str]:
        """What `git verify-commit` of somebody who trusts this key alone makes of a commit."""
        command = ["git", f"--git-dir={repository}", *self.options, "verify-commit", commit]
        done = run(command, dict(self.variables or {}))
        return done.returncode == 0, done.stderr


def run(command: list[str], variables: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """With no configuration of whoever runs the tests."""
    fixed = {"PATH": os.environ["PATH"], "HOME": os.devnull, "LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        command, env={**fixed, **(variables or {})}, capture_output=True, text=True, check=False, timeout=60
    )


def make(kind: str, folder: Path, passphrase: str = "") -> Key:
    """A new key in a folder of its own."""
    folder.mkdir(parents=True)
    return _ssh(folder, passphrase) if kind == SSH else _openpgp(folder, passphrase)


def _ssh(folder: Path, passphrase: str) -> Key:
    file, allowed = folder / "key", folder / "allowed"
    done = run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "", "-f", str(file)])
    assert done.returncode == 0, done.stderr
    allowed.write_text(f'{MAIL} namespaces="git" {(folder / "key.pub").read_text()}')
    return Key(SSH, file, ("-c", f"gpg.ssh.allowedSignersFile={allowed}"))


def _openpgp(folder: Path, passphrase: str) -> Key:
    home, file = folder / "home", folder / "key.asc"
    home.mkdir(mode=0o700)
    # The agent's socket is in there, whose path may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="gpg-", dir="/tmp", ignore_cleanup_errors=True) as short:
        gpg = ["gpg", "--homedir", short, "--batch", "--pinentry-mode", "loopback", "--passphrase", passphrase]
        done = run([*gpg, "--quick-generate-key", f"Towpath <{MAIL}>", "ed25519", "sign", "never"])
        assert done.returncode == 0, done.stderr
        file.write_text(run([*gpg, "--armor", "--export-secret-keys"]).stdout)
        run(["gpgconf", "--homedir", short, "--kill", "all"])
        for name in ("pubring.kbx", "trustdb.gpg"):
            shutil.copy(Path(short) / name, home / name)
    return Key(OPENPGP, file, (), {"GNUPGHOME": str(home)})
