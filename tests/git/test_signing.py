"""Signatures of Towpath's own keys, as the real Git verifies them."""

import os
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import Transient
from bot.git import Identity, Mirror, OpenPgpSigner, SigningFailed, SshSigner, signing
from tests.flows.direct import DirectForge
from tests.git import keys
from tests.git.keys import Key

WHO = Identity("Towpath", keys.MAIL)
AT = datetime(2026, 1, 2, tzinfo=UTC)
MESSAGE = "Promote shöp\n\nMerge request !7\n\nTowpath-Stage: prod\n"


@pytest.fixture(params=keys.KINDS)
def key(request: pytest.FixtureRequest, tmp_path: Path) -> Key:
    return keys.make(request.param, tmp_path / "key")


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """A branch `work` that left `main` before `main` went on."""
    forge = DirectForge(tmp_path / "forge.git")
    base = forge.commit_as({"a": "1"})
    forge.commit_as({"b": "2"}, "work", base=base)
    forge.commit_as({"c": "3"})
    made = Mirror(tmp_path / "mirror.git", lambda: forge.access(""))
    made.fetch()
    return made


def text_of(mirror: Mirror) -> bytes:
    heads = mirror.branches()
    parents = (heads["main"], heads["work"])
    return mirror.merge_text(parents, mirror.tree(heads["work"]), MESSAGE, WHO, AT)


def test_git_accepts_the_signature_and_reads_the_commit_as_meant(key: Key, mirror: Mirror) -> None:
    text = text_of(mirror)
    commit = mirror.signed(text, key.signer.sign(text))
    verified, told = key.verify(mirror.folder, commit)
    assert verified, told
    heads = mirror.branches()
    assert mirror.parents(commit) == (heads["main"], heads["work"])
    assert mirror.tree(commit) == mirror.tree(heads["work"])
    assert mirror.message(commit) == MESSAGE
    assert keys.run(["git", f"--git-dir={mirror.folder}", "fsck", "--strict"]).returncode == 0


def test_git_refuses_the_signature_on_anything_else(key: Key, mirror: Mirror) -> None:
    text = text_of(mirror)
    commit = mirror.signed(text.replace(b"Merge request !7", b"Merge request !8"), key.signer.sign(text))
    assert not key.verify(mirror.folder, commit)[0]


def test_git_refuses_the_signature_of_another_key(key: Key, mirror: Mirror, tmp_path: Path) -> None:
    text = text_of(mirror)
    other = keys.make(key.kind, tmp_path / "other")
    assert not key.verify(mirror.folder, mirror.signed(text, other.signer.sign(text)))[0]


def test_a_key_that_a_group_may_read_or_that_lost_its_last_line_end_signs(
    key: Key, mirror: Mirror, tmp_path: Path
) -> None:
    """As Kubernetes mounts secrets; OpenSSH takes neither by itself."""
    file = tmp_path / "mounted"
    file.write_text(key.file.read_text().rstrip("\n"))
    file.chmod(0o644)
    text = text_of(mirror)
    signed = (SshSigner if key.kind == keys.SSH else OpenPgpSigner)(file).sign(text)
    assert key.verify(mirror.folder, mirror.signed(text, signed))[0]


def test_S8_nothing_of_the_key_is_left_behind(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="sign-", dir="/tmp") as left:
        monkeypatch.setattr(tempfile, "tempdir", left)
        key.signer.sign(b"text")
        assert list(Path(left).iterdir()) == []
        assert [one for one in Path("/proc").glob("[0-9]*/cmdline") if left.encode() in _read(one)] == []


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # the process ended
        return b""


def test_the_environment_of_the_worker_says_nothing_to_the_programs(
    key: Key, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "bin"
    broken.mkdir()
    for program in ("ssh-keygen", "gpg"):
        (broken / program).write_text("#!/bin/sh\nexit 1\n")
        (broken / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(broken))
    monkeypatch.setenv("GNUPGHOME", "/nonexistent")
    assert key.signer.sign(b"text").startswith("-----BEGIN ")


@pytest.mark.parametrize("kind", keys.KINDS)
def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked(kind: str, tmp_path: Path) -> None:
    locked = keys.make(kind, tmp_path / "locked", "a passphrase")
    with pytest.raises(SigningFailed) as caught:
        locked.signer.sign(b"text")
    told = str(caught.value)
    assert str(tmp_path) not in told and tempfile.gettempdir() not in told


def test_a_program_that_is_not_installed_is_named(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "defpath", "/nonexistent")
    with pytest.raises(SigningFailed, match="is not installed where the worker runs"):
        key.signer.sign(b"text")


@pytest.mark.parametrize("kind", keys.KINDS)
def test_a_file_that_holds_no_key_is_refused(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("no key\n")
    signer = SshSigner(file) if kind == keys.SSH else OpenPgpSigner(file)
    with pytest.raises(SigningFailed, match="refused it"):
        signer.sign(b"text")
    file.unlink()
    with pytest.raises(SigningFailed, match="cannot be read"):
        signer.sign(b"text")


def test_S8_a_program_that_does_not_end_is_ended(key: Key) -> None:
    signer = (SshSigner if key.kind == keys.SSH else OpenPgpSigner)(key.file, timeout=0.0001)
    with pytest.raises(Transient, match="did not end within"):
        signer.sign(b"text")


def left_in(place: Path) -> list[Path]:
    files = (one for one in place.rglob("*") if one.is_file() and not one.is_symlink())
    return [one for one in files if b"PRIVATE KEY" in _read(one)]


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="OpenSSH is not installed")
def test_S10_a_killed_worker_leaves_no_copy_of_a_key_that_OpenSSH_takes_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "memory"
    place.mkdir()
    monkeypatch.setattr(signing, "MEMORY", place)
    key, seen = keys.make(keys.SSH, tmp_path / "key"), []
    run = signing._run  # what stands there while the program runs

    def noted(folder: Path, command: list[str], given: bytes, timeout: float) -> bytes:
        seen.append(left_in(place))
        return run(folder, command, given, timeout)

    monkeypatch.setattr(signing, "_run", noted)
    key.signer.sign(b"text")
    key.file.chmod(0o640)
    key.signer.sign(b"text")
    assert [len(one) for one in seen] == [0, 1]
    assert seen[1][0].is_relative_to(place)


def test_S10_what_a_killed_worker_left_is_swept_an_hour_later(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    # In a short path, for the socket of an agent.
    with tempfile.TemporaryDirectory(prefix="s-", dir="/tmp") as short:
        memory, plain = Path(short) / "memory", Path(short) / "plain"
        monkeypatch.setattr(signing, "MEMORY", memory)
        monkeypatch.setattr(tempfile, "tempdir", str(plain))
        for place in (memory, plain):
            for name, age in (("old", 3700), ("new", 60)):
                folder = place / f"towpath-sign-{name}"
                folder.mkdir(parents=True)
                (folder / "key").write_text("PRIVATE KEY")
                os.utime(folder, (time.time() - age, time.time() - age))
        key.signer.sign(b"text")
        assert sorted(one.parent.name for one in left_in(Path(short))) == ["towpath-sign-new"] * 2
