"""Git's failures: what each means, against a forge that fails so, or in the words that Git has for it."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bot.errors import OutsideError, Permanent, RateLimited, Transient
from bot.forges.base import GitAccess
from bot.git import Identity, LeaseLost, Mirror
from bot.git.failures import of
from tests.flows.direct import DirectForge

ACCESS = GitAccess("https://gitlab.example.com/not found.git", "towpath", "very-secret-token")
URL = "fatal: unable to access 'https://gitlab.example.com/not found.git/': "


@pytest.fixture
def forge(tmp_path: Path) -> DirectForge:
    made = DirectForge(tmp_path / "forge.git")
    made.commit_as({"a": "1"})
    return made


@pytest.fixture
def answers() -> Iterator[Callable[[int], GitAccess]]:
    """A web server that answers everything with one status."""

    class Answering(BaseHTTPRequestHandler):
        status = 200

        def do_GET(self) -> None:
            self.send_response(self.status)
            self.send_header("Location", "http://127.0.0.1:1/x.git/info/refs?service=git-upload-pack")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    def answering(status: int) -> GitAccess:
        Answering.status = status
        return GitAccess(f"http://127.0.0.1:{server.server_port}/a/b.git", "towpath", "very-secret-token")

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield answering
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (301, Permanent, "the repository moved, or the forge's URL is another one"),
        (401, Permanent, "the token is wrong, expired or revoked"),
        (403, Permanent, "may not do this"),
        (404, Permanent, "does not exist or the token's user cannot see it"),
        (410, Permanent, "410"),
        (408, Transient, "408"),
        (429, RateLimited, "rate limited until"),
        (500, Transient, "500"),
        (503, Transient, "503"),
    ],
)
def test_the_status_decides(
    answers: Callable[[int], GitAccess], tmp_path: Path, status: int, kind: type[OutsideError], words: str
) -> None:
    access = answers(status)
    with pytest.raises(OutsideError, match=words) as caught:
        Mirror(tmp_path / "m.git", lambda: access).fetch()
    assert type(caught.value) is kind
    if isinstance(caught.value, RateLimited):
        wait = caught.value.retry_at - datetime.now(UTC)
        assert timedelta(seconds=30) < wait <= timedelta(minutes=1)


@pytest.mark.parametrize(
    ("complained", "kind"),
    [
        (URL + "SSL certificate problem: unable to get local issuer certificate", Permanent),
        (URL + "server certificate verification failed. CAfile: none CRLfile: none", Permanent),
        (URL + "Could not resolve host: gitlab.example.com", Transient),
        (URL + "The requested URL returned error: 502\nremote: upstream not found", Transient),
        (URL + "The requested URL returned error: 302", Permanent),
        ("error: RPC failed; HTTP 504 curl 22 The requested URL returned error: 504", Transient),
        ("fatal: unable to update url base from redirection:\n  asked for: a\n   redirect: b", Permanent),
        ("fatal: repository 'https://gitlab.example.com/not found.git/' not found", Permanent),
        ("fatal: Authentication failed for 'https://gitlab.example.com/not found.git/'", Permanent),
        ("fatal: remote error: upload-pack: not our ref 0000", Permanent),
        ("error: cannot lock ref 'refs/heads/t/a': 'refs/heads/t' exists", Transient),
        ("fatal: write error: No space left on device", Transient),
        ("fatal: fsck error in packed object", Permanent),
        ("remote: not found [rejected] stale info non-fast-forward\nfatal: the remote end hung up", Transient),
        ("remote: x\rfatal: fsck error\x0bfatal: fsck error\u2028fatal: fsck error", Transient),
        ("", Transient),
    ],
)
def test_gits_own_words_decide_and_a_fetch_never_loses_a_lease(complained: str, kind: type[OutsideError]) -> None:
    assert type(of("fetch", ACCESS, "", complained)) is kind


@pytest.mark.parametrize(
    ("summary", "kind"),
    [
        ("[rejected] (stale info)", LeaseLost),
        ("[rejected] (fetch first)", LeaseLost),
        ("[remote rejected] (pre-receive hook declined)", Permanent),
        ("[remote rejected] (protected branch hook declined)", Permanent),
        ("[remote rejected] (reference already exists)", LeaseLost),
        ("[remote rejected] (cannot lock ref 'refs/heads/b': is at 0a1b but expected 2c3d)", LeaseLost),
        ("[remote rejected] (cannot lock ref 'refs/heads/b': 'refs/heads/b/c' exists; cannot create it)", Permanent),
        ("[remote rejected] (cannot lock ref 'refs/heads/b': Unable to create 'b.lock': File exists.)", Transient),
        ("[remote rejected] (failed to update ref)", Transient),
        ("[remote failure] (remote failed to report status)", Transient),
    ],
)
def test_what_became_of_a_push_stands_on_its_own_line(summary: str, kind: type[OutsideError]) -> None:
    said = (
        "remote: [rejected] stale info, non-fast-forward, cannot lock ref, returned error: 404\nerror: failed to push"
    )
    failed = of("push b to", ACCESS, f"To somewhere\n!\t0a1b:refs/heads/b\t{summary}\nDone\n", said)
    assert type(failed) is kind
    assert "very-secret-token" not in str(failed)


def test_what_a_hook_prints_does_not_decide(forge: DirectForge, tmp_path: Path) -> None:
    hook = forge.folder / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nprintf '[rejected] (stale info): non-fast-forward only\\n' >&2\nexit 1\n")
    hook.chmod(0o755)
    mirror = Mirror(tmp_path / "m.git", lambda: forge.access(""))
    head = mirror.fetch()["main"]
    commit = mirror.commit(head, mirror.tree(head), "m", Identity("b", "b@c"), datetime(2026, 1, 2, tzinfo=UTC))
    with pytest.raises(Permanent, match="pre-receive hook declined"):
        mirror.push("work", commit, None)


def test_a_fetch_that_takes_too_long_leaves_no_process_behind(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a/b.git"
        access = GitAccess(url, "towpath", "very-secret-token")
        with pytest.raises(Transient, match="no answer within 1 s"):
            Mirror(tmp_path / "m.git", lambda: access, timeout=1).fetch()
        deadline = time.monotonic() + 2
        while (left := _running(url)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert left == []


def _running(url: str) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "stat,args"], check=True, capture_output=True, text=True).stdout
    return [line for line in listed.splitlines() if url in line and not line.startswith("Z")]


@pytest.mark.parametrize(
    ("people", "refused"),
    [
        ("author a <a@b> 1 +051800\ncommitter a <a@b> 1 +051800", False),
        ("author a <a@b>1 +0000\ncommitter a <a@b>1 +0000", False),
        ("author a <a@b> 1 +0000\nauthor b <a@b> 1 +0000\ncommitter a <a@b> 1 +0000", True),
    ],
)
def test_old_faults_of_a_history_are_fetched_and_worse_ones_are_permanent(
    forge: DirectForge, tmp_path: Path, people: str, refused: bool
) -> None:
    folder = f"--git-dir={forge.folder}"
    tree = forge.git[forge.head("", "main")].tree.id
    written = subprocess.run(
        ["git", folder, "hash-object", "-t", "commit", "-w", "--stdin", "--literally"],
        input=f"tree {tree}\n{people}\n\nx\n".encode(),
        check=True,
        capture_output=True,
    )
    commit = written.stdout.decode().strip()
    (forge.folder / "refs/heads/old").write_text(commit + "\n")
    mirror = Mirror(tmp_path / "m.git", lambda: forge.access(""))
    if refused:
        with pytest.raises(Permanent, match="its history has to be mended"):
            mirror.fetch()
    else:
        assert mirror.fetch()["old"] == commit
