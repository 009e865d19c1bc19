"""Git over smart HTTP: clone, fetch and push, with GitLab's rules checked before a push is taken.

The protocol is that of gitprotocol-http(5) and gitprotocol-pack(5); the real `git` answers it.
"""

import base64
import binascii
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox import errors, rulesets
from bot.sandbox.branches import Move, may_force, refusal, settle
from bot.sandbox.gitdisk import DiskRepository
from bot.sandbox.model import Project, Role, Token
from bot.sandbox.state import State, require_code, role

SERVICES = ("git-upload-pack", "git-receive-pack")
HEADS = "refs/heads/"
NOTHING = "0" * 40
CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class GitAnswer:
    """Status, content type and body of a Git request; the body may come in parts."""

    status: int
    kind: str
    body: bytes | Iterator[bytes]


@dataclass(frozen=True, slots=True)
class GitCall:
    """A Git request whose project and user are known and allowed; `protocol` is its Git-Protocol header."""

    state: State
    project: Project
    token: Token | None
    service: str
    protocol: str


def authorize(state: State, path: str, service: str, authorization: str) -> tuple[Project, Token | None]:
    """The project, and whose token it is. Unauthenticated, NotFound or Forbidden as GitLab answers Git clients."""
    with state.lock:
        token = _token(state, authorization)
        user = token.user if token else None
        try:
            project = state.project(path, user)
        except errors.NotFound:
            if token is None:
                raise errors.Unauthenticated from None
            raise
        if token is not None and not state.reaches(token.installation, project):
            raise errors.NotFound
        require_code(project, user)
        if service == "git-receive-pack":
            if token is None:
                raise errors.Unauthenticated
            if token.read_only or role(project, user) < Role.developer:
                raise errors.Forbidden("You are not allowed to push code to this project.")
        return project, token


def advertise(call: GitCall) -> GitAnswer:
    """The refs, as `GET info/refs?service=...` asks for them."""
    refs = _git(call, ["--advertise-refs"], b"")
    head = _packet(f"# service={call.service}\n".encode()) + b"0000"
    return GitAnswer(200, f"application/x-{call.service}-advertisement", head + refs)


def upload(call: GitCall, body: bytes) -> GitAnswer:
    """What a fetch asks for, in parts as Git makes them."""
    return GitAnswer(200, "application/x-git-upload-pack-result", _stream(call, body))


def receive(call: GitCall, body: bytes) -> GitAnswer:
    """Take a push whole, or refuse it whole in the words of GitLab's pre-receive check."""
    kind = "application/x-git-receive-pack-result"
    user = call.token.user if call.token else None
    with call.state.lock:
        moves, capabilities, refs, pack = commands(body)
        if user is None:
            raise errors.Unauthenticated
        if any(move.old and move.new and not may_force(call.project, move.branch) for move in moves):
            _take_objects(call, pack)
        for move in moves:
            reason = refusal(call.project, user, move) or rulesets.refusal(call.state, call.project, user, move.branch)
            if reason:
                return GitAnswer(200, kind, declined(refs, capabilities, f"GitLab: {reason}"))
        before = call.project.git.heads()
        answer = _git(call, [], body)
        after = call.project.git.heads()
        names = [move.branch for move in moves if before.get(move.branch) != after.get(move.branch)]
        done = [Move(name, before.get(name), after.get(name)) for name in names]
        settle(call.state, call.project, user, done)
    return GitAnswer(200, kind, answer)


def commands(body: bytes) -> tuple[list[Move], str, list[str], bytes]:
    """The branch moves of a push, its capabilities, all refs that it names, and the pack after them.

    Invalid where it is not made of Git's packets."""
    moves, refs, capabilities, at = [], [], "", 0
    while at + 4 <= len(body):
        size = _size(body[at : at + 4])
        if size == 0:
            at += 4
            break
        if size <= 4 or at + size > len(body):
            raise errors.Invalid("body", "bad line length")
        line, at = body[at + 4 : at + size].decode("utf-8", "replace"), at + size
        command, _, given = line.rstrip("\n").partition("\0")
        capabilities = capabilities or given
        words = command.split(" ", 2)
        if len(words) == 3 and len(words[0]) == len(NOTHING):
            old, new, ref = words
            refs.append(ref)
            if ref.startswith(HEADS):
                moves.append(Move(ref.removeprefix(HEADS), _or_none(old), _or_none(new)))
    return moves, capabilities, refs, body[at:]


def declined(refs: list[str], capabilities: str, reason: str) -> bytes:
    """The answer to a refused push: no ref was taken, and why."""
    report = _packet(b"unpack ok\n") + b"".join(
        _packet(f"ng {ref} pre-receive hook declined\n".encode()) for ref in refs
    )
    report += b"0000"
    if "side-band-64k" not in capabilities:
        return report
    return _packet(b"\x02" + reason.encode() + b"\n") + _packet(b"\x01" + report) + b"0000"


def _take_objects(call: GitCall, pack: bytes) -> None:
    """Store a push's objects without any ref, so that what they lose can be seen."""
    if pack:
        command = ["git", "index-pack", "--stdin", "--fix-thin"]
        done = subprocess.run(
            command, cwd=_folder(call), input=pack, env=_environment(""), capture_output=True, check=False
        )
        if done.returncode != 0:
            raise errors.Invalid("body", "bad pack")


def _git(call: GitCall, options: list[str], body: bytes) -> bytes:
    command = [*_command(call), *options, "."]
    done = subprocess.run(
        command, cwd=_folder(call), input=body, env=_environment(call.protocol), capture_output=True, check=False
    )
    return done.stdout


def _stream(call: GitCall, body: bytes) -> Iterator[bytes]:
    with tempfile.TemporaryFile() as given:
        given.write(body)
        given.seek(0)
        command = [*_command(call), "."]
        with subprocess.Popen(
            command, cwd=_folder(call), stdin=given, stdout=subprocess.PIPE, env=_environment(call.protocol)
        ) as running:
            while running.stdout and (part := running.stdout.read(CHUNK)):
                yield part


def _command(call: GitCall) -> list[str]:
    return ["git", call.service.removeprefix("git-"), "--stateless-rpc"]


def _folder(call: GitCall) -> Path:
    if not isinstance(call.project.git, DiskRepository):
        raise errors.NotFound("Repository")
    return call.project.git.folder


def _environment(protocol: str) -> dict[str, str]:
    fixed = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C", "GIT_CONFIG_NOSYSTEM": "1", "HOME": os.devnull}
    return fixed | ({"GIT_PROTOCOL": protocol} if protocol else {})


def _token(state: State, authorization: str) -> Token | None:
    """The token that stands as password; any user name will do."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        password = base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError) as wrong:
        raise errors.Unauthenticated from wrong
    return state.token(password)


def _size(digits: bytes) -> int:
    """The length at a packet's start; `int` alone would take signs and spaces."""
    if not re.fullmatch(rb"[0-9a-fA-F]{4}", digits):
        raise errors.Invalid("body", "bad line length character")
    return int(digits, 16)


def _packet(content: bytes) -> bytes:
    return f"{len(content) + 4:04x}".encode() + content


def _or_none(sha: str) -> str | None:
    return None if sha == NOTHING else sha
