"""Commits as anybody can write them by hand: unknown encodings, times that are no times, nobody's name."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pygit2
import pytest

from bot.errors import Permanent
from bot.git import Identity, Mirror
from tests.flows.direct import DirectForge

WHO = Identity("Towpath", "towpath@example.com")
AT = datetime(2026, 1, 2, tzinfo=UTC)
SECONDS = int(AT.timestamp())


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    forge = DirectForge(tmp_path / "forge.git")
    forge.commit_as({"a/one": "1"})
    found = Mirror(tmp_path / "mirrors" / "config.git", lambda: forge.access(""))
    found.fetch()
    return found


def written(mirror: Mirror, who: bytes, message: bytes = b"x\n", header: bytes = b"", at: int = SECONDS) -> str:
    """A commit object with these very bytes."""
    parent = mirror.branches()["main"]
    tree = mirror.tree(parent)
    line = b"%b %d +0000\n" % (who, at)
    text = f"tree {tree}\nparent {parent}\n".encode() + b"author " + line + b"committer " + line + header
    repository = pygit2.Repository(str(mirror.folder))
    return str(repository.odb.write(pygit2.enums.ObjectType.COMMIT, text + b"\n" + message))


@pytest.mark.parametrize(
    ("header", "message", "read"),
    [
        (b"encoding no-such\n", b"abc\n", "abc\n"),
        (b"encoding utf-16\n", b"abc", "abc"),
        (b"encoding idna\n", b"\xff", "\ufffd"),
        (b"encoding latin-1\n", b"caf\xe9", "caf\ufffd"),
        (b"encoding utf-7\n", b"+2AA-", "+2AA-"),
        (b"", b"caf\xe9", "caf\ufffd"),
        (b"", "café\n".encode(), "café\n"),
    ],
)
def test_a_message_is_read_as_utf_8_whatever_encoding_its_commit_names(
    mirror: Mirror, header: bytes, message: bytes, read: str
) -> None:
    commit = written(mirror, b"Jonas <j@x>", message, header)
    assert mirror.message(commit) == read
    assert mirror.author(commit) == mirror.committer(commit) == f"Jonas <j@x> {SECONDS}"
    assert mirror.is_plain(commit) is (not header and "\ufffd" not in read)


@pytest.mark.parametrize(
    ("who", "read"),
    [
        (b" <>", " <>"),
        (b"a <>", "a <>"),
        (b"caf\xe9 <\xff@x>", "caf\ufffd <\ufffd@x>"),
        ("Zoë <zoe@x>".encode(), "Zoë <zoe@x>"),
    ],
)
def test_anybodys_name_is_read(mirror: Mirror, who: bytes, read: str) -> None:
    for header in (b"", b"encoding no-such\n"):
        commit = written(mirror, who, header=header)
        assert mirror.author(commit) == mirror.committer(commit) == f"{read} {SECONDS}"
        assert mirror.is_plain(commit) in (False, read.startswith(("Zoë", "a", " ")) and not header)


@pytest.mark.parametrize("seconds", [253402300800, 999999999999999, 2**63 - 1, -1, 0, SECONDS])
def test_a_commits_time_can_be_reckoned_with_whatever_it_says(mirror: Mirror, seconds: int) -> None:
    commit = written(mirror, b"Jonas <j@x>", at=seconds)
    (newest, *_) = mirror.history(commit, ("a/one",), 5)
    assert newest.commit == commit
    assert newest.at - timedelta(days=400) < newest.at < newest.at + timedelta(days=400)
    assert newest.at.year in (1970, 2026, 9000)
    assert isinstance(mirror.is_plain(commit), bool)


def test_what_towpath_commits_is_plain_and_nothing_that_says_more(mirror: Mirror) -> None:
    head = mirror.branches()["main"]
    own = mirror.commit(head, mirror.tree(head), "Promote é\n\nTowpath-Seal: x\n", WHO, AT)
    assert mirror.is_plain(own)
    root = mirror.commit(None, mirror.tree(head), "Begin\n", WHO, AT)
    assert mirror.is_plain(root)
    same = b"Towpath <towpath@example.com>"
    assert mirror.is_plain(written(mirror, same))
    for header in (b"encoding utf-8\n", b"gpgsig x\n", b"x y\n"):
        assert not mirror.is_plain(written(mirror, same, header=header))
    assert not mirror.is_plain(written(mirror, same, b"x\n\0hidden"))


def test_a_path_that_is_not_utf_8_is_written_nowhere(mirror: Mirror) -> None:
    for path in ("caf\udce9/values.yaml", "a/caf\udce9.yaml"):
        with pytest.raises(Permanent, match="not UTF-8"):
            mirror.with_files(mirror.branches()["main"], {path: b"x"})
