"""Runs the Git program for the two things that cross the network: fetch and push."""

import base64
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from bot.errors import Transient
from bot.forges.base import GitAccess
from bot.git import failures


def environment(access: GitAccess) -> dict[str, str]:
    """A minimal environment: no system or user configuration, credentials only for this one address (S8, S10, S11)."""
    config = {
        "http.followRedirects": "false",
        "protocol.allow": "never",
        "protocol.http.allow": "always",
        "protocol.https.allow": "always",
        "gc.auto": "0",
        "fetch.fsckObjects": "true",
        # Old tools wrote these into many a history; they hurt nobody, and history cannot be mended.
        "fetch.fsck.badTimezone": "ignore",
        "fetch.fsck.missingSpaceBeforeDate": "ignore",
        "fetch.fsck.zeroPaddedFilemode": "ignore",
        # So that a Git whose worker was killed ends by itself; a forge's hooks may well be silent for half a minute.
        "http.lowSpeedLimit": "1",
        "http.lowSpeedTime": "60",
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
    """Run Git in the mirror and give what it printed; what `failures` makes of it where it fails."""
    command = ["git", f"--git-dir={folder}", *arguments]
    with subprocess.Popen(
        command,
        env=environment(access),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as running:
        try:
            printed, complained = running.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise Transient(operation, access.url, f"no answer within {timeout:g} s") from error
        finally:
            _end(running)
    if running.returncode != 0:
        raise failures.of(operation, access, printed, complained)
    return printed


def _end(running: "subprocess.Popen[str]") -> None:
    """Kill what still runs, with its children: it is a child of Git that speaks HTTP, and it could yet finish a push
    that has been told as failed."""
    if running.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def no_locks_left(folder: Path) -> None:
    """Remove what a killed Git left behind; call only while holding the mirror's own lock."""
    for name in ("shallow.lock", "packed-refs.lock", "HEAD.lock", "config.lock"):
        (folder / name).unlink(missing_ok=True)
    for lock in (folder / "refs").rglob("*.lock"):
        lock.unlink(missing_ok=True)
