"""The mirror against real bare repositories."""

import subprocess
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import Permanent, Transient
from bot.forges.base import GitAccess
from bot.formats import Refused, helm_values
from bot.git import Conflicting, Identity, LeaseLost, Merged, Mirror
from bot.git.remote import environment
from bot.yaml import MOST_BYTES
from tests.flows.direct import DirectForge

WHO = Identity("Towpath", "towpath@example.com")
AT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def forge(tmp_path: Path) -> DirectForge:
    made = DirectForge(tmp_path / "forge.git")
    made.commit_as({"a/one": "1", "b/two": "2"})
    return made


@pytest.fixture
def mirror(forge: DirectForge, tmp_path: Path) -> Mirror:
    found = Mirror(tmp_path / "mirrors" / "config.git", lambda: forge.access(""))
    found.fetch()
    return found


def spliced(mirror: Mirror, forge: DirectForge, text: bytes = b"new", message: str = "m\n") -> str:
    head = forge.head("", "main")
    return mirror.commit(head, mirror.with_files(head, {"a/one": text}), message, WHO, AT)


def test_a_commit_is_made_pushed_and_seen_on_the_forge(forge: DirectForge, mirror: Mirror) -> None:
    commit = spliced(mirror, forge)
    mirror.push("towpath/p/x/y/1-1", commit, None)
    assert forge.head("", "towpath/p/x/y/1-1") == commit
    assert mirror.branches("towpath/p/x/") == {"towpath/p/x/y/1-1": commit}
    assert mirror.changed(forge.head("", "main"), commit) == ("a/one",)


def test_the_same_commit_has_the_same_id(forge: DirectForge, mirror: Mirror) -> None:
    assert spliced(mirror, forge) == spliced(mirror, forge)


def test_S17_a_branch_that_exists_is_never_overwritten(forge: DirectForge, mirror: Mirror) -> None:
    forge.commit_as({"squat": "x"}, "towpath/p/x/y/1-1", base=forge.head("", "main"))
    squatted = forge.head("", "towpath/p/x/y/1-1")
    with pytest.raises(LeaseLost):
        mirror.push("towpath/p/x/y/1-1", spliced(mirror, forge), None)
    assert forge.head("", "towpath/p/x/y/1-1") == squatted


def test_a_push_with_a_lease_moves_only_what_is_where_it_was_thought(forge: DirectForge, mirror: Mirror) -> None:
    first, second = spliced(mirror, forge), spliced(mirror, forge, b"newer")
    mirror.push("work", first, None)
    mirror.push("work", second, first)
    with pytest.raises(LeaseLost):
        mirror.push("work", first, first)
    mirror.delete("work", second)
    assert "work" not in mirror.branches()


def test_our_own_branch_is_noted_when_no_fetch_is_under_way(forge: DirectForge, mirror: Mirror) -> None:
    """A fetch that asked before the push would prune the branch, or its folder from under the new one."""
    commit = spliced(mirror, forge)
    pushing = threading.Thread(target=mirror.push, args=("work/one", commit, None))
    with mirror._alone():
        pushing.start()
        deadline = time.monotonic() + 20
        while forge.git.references.get("refs/heads/work/one") is None and time.monotonic() < deadline:
            time.sleep(0.01)
        pushing.join(0.3)
        assert "work/one" not in mirror.branches()
    pushing.join()
    assert mirror.branches()["work/one"] == commit


@pytest.mark.parametrize("in_the_way", ["locked", "folder"])
def test_a_push_that_was_taken_is_told_as_done_whatever_our_own_branches_say(
    forge: DirectForge, mirror: Mirror, in_the_way: str
) -> None:
    commit = spliced(mirror, forge)
    if in_the_way == "locked":
        (mirror.folder / "refs/heads/work.lock").write_text("")
    else:
        forge.commit_as({"x": "1"}, "work/gone", base=forge.head("", "main"))
        mirror.fetch()
        forge.git.references.delete("refs/heads/work/gone")
    mirror.push("work", commit, None)
    assert forge.head("", "work") == commit
    assert mirror.fetch()["work"] == commit


def test_of_a_file_that_is_too_large_only_its_beginning_is_read(forge: DirectForge, mirror: Mirror) -> None:
    text = "image: {repository: x, tag: v1}\n" + "#" * MOST_BYTES
    forge.commit_as({"a/large": text, "a/largest": text[:MOST_BYTES]})
    head = forge.head("", "main")
    mirror.ensure(head)
    found = mirror.read(head, "a/large")
    assert found == text[: MOST_BYTES + 1].encode()
    with pytest.raises(Refused, match="larger than 4 MiB"):
        helm_values.pins(found)
    assert mirror.read(head, "a/largest") == text[:MOST_BYTES].encode()


def test_a_missing_commit_is_fetched_once_and_an_unknown_one_is_permanent(forge: DirectForge, mirror: Mirror) -> None:
    new = forge.commit_as({"a/one": "2"})
    assert not mirror.has(new)
    mirror.ensure(new)
    assert mirror.read(new, "a/one") == b"2"
    with pytest.raises(Permanent, match="0000"):
        mirror.ensure("0" * 40)


def test_branches_that_are_gone_are_forgotten(forge: DirectForge, mirror: Mirror) -> None:
    forge.commit_as({"x": "1"}, "short", base=forge.head("", "main"))
    assert "short" in mirror.fetch()
    forge.git.references.delete("refs/heads/short")
    assert "short" not in mirror.fetch()


def test_a_merge_is_clean_or_names_its_conflicts(forge: DirectForge, mirror: Mirror) -> None:
    commit = spliced(mirror, forge)
    mirror.push("work", commit, None)
    forge.commit_as({"b/two": "3"})
    mirror.ensure(forge.head("", "main"))
    merged = mirror.merge(forge.head("", "main"), commit)
    assert isinstance(merged, Merged) and mirror.read(merged.tree, "b/two") == b"3"
    forge.commit_as({"a/one": "other"})
    mirror.ensure(forge.head("", "main"))
    assert mirror.merge(forge.head("", "main"), commit) == Conflicting(("a/one",))


def test_history_holds_now_and_each_change_and_grows_from_what_is_known(forge: DirectForge, mirror: Mirror) -> None:
    def texts(head: str) -> list[bytes | None]:
        entries = mirror.history(head, ("a/one",), 100)
        return [mirror.blob(entry.blobs[0]) if entry.blobs[0] else None for entry in entries]

    first = forge.head("", "main")
    assert texts(first) == [b"1"]
    forge.commit_as({"b/two": "9"})
    quiet = forge.head("", "main")
    mirror.ensure(quiet)
    assert texts(quiet) == [b"1", b"1"]
    forge.commit_as({"a/one": "2"})
    forge.commit_as({"b/two": "10"})
    newest = forge.head("", "main")
    mirror.ensure(newest)
    known, fresh = texts(newest), Mirror(mirror.folder, lambda: forge.access(""))
    assert known == [b"2", b"2", b"1"]
    assert fresh.history(newest, ("a/one",), 100) == mirror.history(newest, ("a/one",), 100)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.sampled_from(["a/one", "b/two", "c"]), st.integers(0, 3), st.booleans()), max_size=8),
    paths=st.sampled_from([("a/one", "b/two"), ("c",)]),
    limit=st.sampled_from([1, 2, 3, 50]),
)
def test_history_is_the_same_whether_known_before_or_not(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, int, bool]],
    paths: tuple[str, ...],
    limit: int,
) -> None:
    folder = tmp_path_factory.mktemp("history")
    forge = DirectForge(folder / "forge.git")
    forge.commit_as({"a/one": "x", "b/two": "x"})
    warm = Mirror(folder / "warm.git", lambda: forge.access(""))
    for path, text, look in steps:
        forge.commit_as({path: str(text)})
        if look:
            warm.ensure(forge.head("", "main"))
            warm.history(forge.head("", "main"), paths, limit)
    head = forge.head("", "main")
    cold = Mirror(folder / "cold.git", lambda: forge.access(""))
    for mirror in (warm, cold):
        mirror.ensure(head)
    assert warm.history(head, paths, limit) == cold.history(head, paths, limit)


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", "a/../b", "", "a/.git/config", "a/\0"])
def test_S9_no_path_leaves_the_repository(forge: DirectForge, mirror: Mirror, path: str) -> None:
    head = forge.head("", "main")
    with pytest.raises(Permanent):
        mirror.with_files(head, {path: b"x"})
    with pytest.raises(Permanent):
        mirror.read(head, path)


def test_modes_are_kept_and_symlinks_are_no_files(forge: DirectForge, mirror: Mirror, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    _git("clone", "-q", str(forge.folder), str(clone))
    (clone / "run.sh").write_text("#!/bin/sh\n")
    (clone / "run.sh").chmod(0o755)
    (clone / "link").symlink_to("a/one")
    for command in (["add", "."], ["commit", "-qm", "modes"], ["push", "-q", "origin", "HEAD:main"]):
        _git("-C", str(clone), *command)
    head = forge.head("", "main")
    mirror.ensure(head)
    assert mirror.read(head, "link") is None and mirror.read(head, "a") is None
    tree = mirror.with_files(head, {"run.sh": b"echo\n"})
    listed = _git("-C", str(mirror.folder), "ls-tree", tree, "run.sh", "link")
    assert [line.split()[0] for line in listed.splitlines()] == ["120000", "100755"]


def _git(*arguments: str) -> str:
    who = ["-c", "user.name=Mira", "-c", "user.email=mira@example.com", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *who, *arguments], check=True, capture_output=True, text=True).stdout


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents=st.dictionaries(st.sampled_from(["a/one", "b/two", "n", "a/b/c"]), st.binary(max_size=20), max_size=4))
def test_only_the_given_files_differ(forge: DirectForge, mirror: Mirror, contents: dict[str, bytes]) -> None:
    head = forge.head("", "main")
    tree = mirror.with_files(head, contents)
    differ = {path for path, text in contents.items() if mirror.read(head, path) != text}
    assert set(mirror.changed(head, tree)) == differ
    assert all(mirror.read(tree, path) == text for path, text in contents.items())


def test_a_half_made_folder_and_left_over_locks_heal(forge: DirectForge, tmp_path: Path) -> None:
    folder = tmp_path / "half.git"
    (folder / "refs" / "heads").mkdir(parents=True)
    (folder / "refs" / "heads" / "main.lock").write_text("")
    (folder / "packed-refs.lock").write_text("")
    assert "main" in Mirror(folder, lambda: forge.access("")).fetch()


def test_S10_no_error_holds_the_password(tmp_path: Path) -> None:
    access = GitAccess("http://127.0.0.1:1/platform/config.git", "towpath", "very-secret-token")
    with pytest.raises(Transient) as caught:
        Mirror(tmp_path / "m.git", lambda: access).fetch()
    assert "very-secret-token" not in str(caught.value) + repr(access)


def test_S8_git_gets_a_small_environment_and_no_credential_in_its_arguments() -> None:
    given = environment(GitAccess("https://gitlab.example.com/a/b.git", "towpath", "very-secret-token"))
    assert not {"TOWPATH_SEAL", "SSH_AUTH_SOCK", "GIT_ASKPASS"} & given.keys()
    assert given["GIT_CONFIG_NOSYSTEM"] == "1" and given["GIT_TERMINAL_PROMPT"] == "0"
    config = {
        given[f"GIT_CONFIG_KEY_{n}"]: given[f"GIT_CONFIG_VALUE_{n}"] for n in range(int(given["GIT_CONFIG_COUNT"]))
    }
    assert config["http.followRedirects"] == "false" and config["protocol.allow"] == "never"
    assert config["http.https://gitlab.example.com/a/b.git.extraHeader"].startswith("Authorization: Basic ")
