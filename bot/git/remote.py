"""Runs the Git program for the two things that cross the network: fetch and push."""

import base64
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bot.errors import Conflict, Permanent, Transient
from bot.forges.base import GitAccess

_AUTH = re.compile(
    r"Authentication failed|could not read Username|HTTP 40[13]|error: 40[13]|403 Forbidden|401 Unauthorized",
    re.IGNORECASE,
)
_LEASE = re.compile(r"stale info|\[rejected\]|reference already exists|cannot lock ref|fetch first|non-fast-forward")
_GONE = re.compile(r"not found|does not exist|error: 404|does not appear to be a git repository", re.IGNORECASE)
_REFUSED = re.compile(r"\[remote rejected\]|pre-receive hook declined|protected branch", re.IGNORECASE)
_MISSING = re.compile(r"not our ref|couldn't find remote ref|no such remote ref", re.IGNORECASE)


class LeaseLost(Conflict):
    """The remote branch is not what the push expected."""


def environment(access: GitAccess) -> dict[str, str]:
    """A minimal environment: no system or user configuration, credentials only for this one address (S8, S10, S11)."""
    config = {
        "http.followRedirects": "false",
        "protocol.allow": "never",
        "protocol.http.allow": "always",
        "protocol.https.allow": "always",
        "gc.auto": "0",
        "fetch.fsckObjects": "true",
        "transfer.hideRefs": "refs/pull",
        "core.hooksPath": "/dev/null",
    }
    if "://" not in access.url or access.url.startswith("file://"):
        config["protocol.file.allow"] = "always"
    else:
        basic = base64.b64encode(f"{access.username}:{access.password}".encode()).decode()
        config[f"http.{access.url}.extraHeader"] = f"Authorization: Basic {basic}"
    if access.ca_file:
        config["http.sslCAInfo"] = access.ca_file
    numbered = {f"GIT_CONFIG_KEY_{index}": key for index, key in enumerate(config)}
    numbered |= {f"GIT_CONFIG_VALUE_{index}": value for index, value in enumerate(config.values())}
    return {
        "PATH": os.defpath,
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": str(len(config)),
        **numbered,
    }


def run(folder: Path, access: GitAccess, arguments: list[str], operation: str, timeout: float) -> str:
    """Run Git in the mirror and give what it printed; Transient, Permanent or LeaseLost where it fails."""
    command = ["git", f"--git-dir={folder}", *arguments]
    try:
        done = subprocess.run(
            command,
            env=environment(access),
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            errors="replace",
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Transient(operation, access.url, f"no answer within {timeout:g} s") from error
    if done.returncode != 0:
        raise _classified(operation, access, f"{done.stdout}\n{done.stderr}")
    return done.stdout


def _classified(operation: str, access: GitAccess, output: str) -> Conflict | Permanent | Transient:
    told = _told(output, access.password)
    if re.search(
        r"stale info|\[rejected\]|reference already exists|cannot lock ref|fetch first|non-fast-forward", output
    ):
        return LeaseLost(operation, access.url, told)
    if _AUTH.search(output) or _GONE.search(output) or _REFUSED.search(output) or _MISSING.search(output):
        return Permanent(operation, access.url, told)
    return Transient(operation, access.url, told)


def _told(output: str, secret: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.startswith(("To ", "Done"))]
    text = "; ".join(lines[-6:])
    return text.replace(secret, "***") if secret else text


def no_locks_left(folder: Path) -> None:
    """Remove what a killed Git left behind; call only while holding the mirror's own lock."""
    for name in ("shallow.lock", "packed-refs.lock", "HEAD.lock", "config.lock"):
        (folder / name).unlink(missing_ok=True)
    for lock in (folder / "refs").rglob("*.lock"):
        lock.unlink(missing_ok=True)


Heads = Mapping[str, str]
