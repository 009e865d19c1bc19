"""The launcher, with real programs: whatever they do, they end within their limits, and nothing of them stays."""

import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bot.validators.launching import Absent, Ended, Isolation, Launcher, Limits, Stopped, Unconfined
from tests.validators.starting import (
    READABLE,
    as_nobody,
    gone,
    killed_while_running,
    needs,
    outcome,
    python,
    refusal,
    without_namespaces,
)

MEBI = 1024 * 1024
ISOLATIONS: list[Isolation] = ["namespaces", "process"]
both = pytest.mark.parametrize("isolation", ISOLATIONS)
apart = pytest.mark.skipif(bool(refusal()), reason=refusal())


def word() -> str:
    """Seconds that nobody else sleeps."""
    return f"{random.randint(10**6, 10**7)}.{random.randint(10**6, 10**7)}"


def stopped(found: object) -> str:
    assert isinstance(found, Stopped)
    return str(found)


@both
def test_a_program_is_given_its_words_and_its_input_and_heard_in_full(isolation: Isolation) -> None:
    script = 'echo "$1"; cat; echo err >&2; exit 3'
    found = outcome(isolation, ["sh", "-c", script, "sh", "a b;$(c)"], given=b"x" * MEBI)
    assert found == Ended(3, b"a b;$(c)\n" + b"x" * MEBI, b"err\n")


@both
def test_input_that_nobody_reads_holds_nothing_up(isolation: Isolation) -> None:
    assert outcome(isolation, ["true"], given=b"x" * 8 * MEBI) == Ended(0, b"", b"")


@both
def test_S8_the_environment_is_empty(isolation: Isolation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOWPATH_SEAL", "a-seal-key")
    found = outcome(isolation, ["env"])
    assert isinstance(found, Ended)
    names = {line.partition(b"=")[0] for line in found.out.splitlines()}
    assert names == {b"HOME", b"TMPDIR", b"PATH", b"LC_ALL"}


@both
def test_S8_what_a_repository_holds_is_nobodys_configuration(isolation: Isolation) -> None:
    found = outcome(isolation, ["sh", "-c", 'pwd; echo "$HOME"; ls -A "$HOME"; touch "$HOME/x" ./y && echo writes'])
    assert isinstance(found, Ended)
    folder, home, *rest = found.out.split()
    assert folder != home
    assert rest == [b"writes"]


@both
def test_S8_a_program_that_hangs_and_wants_no_end_is_ended(isolation: Isolation) -> None:
    mine = word()
    found = outcome(isolation, ["sh", "-c", f"trap '' TERM INT HUP QUIT; sleep {mine}"], Limits(seconds=1))
    assert stopped(found) == "sh did not end within 1 s"
    assert gone(mine)


@both
def test_S8_nothing_survives_its_end(isolation: Isolation) -> None:
    mine = word()
    script = f"(setsid sh -c 'setsid sleep {mine} & sleep {mine}' >/dev/null 2>&1 &); echo done"
    assert outcome(isolation, ["sh", "-c", script]) == Ended(0, b"done\n", b"")
    assert gone(mine)


@both
def test_S8_nothing_survives_the_end_of_a_worker_that_is_killed(isolation: Isolation) -> None:
    mine = word()
    killed_while_running(isolation, mine)
    assert gone(mine)


@both
def test_S8_too_many_processes(isolation: Isolation) -> None:
    mine = word()
    script = f"for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep {mine} & done; wait"
    found = outcome(isolation, ["sh", "-c", script], Limits(processes=8))
    assert stopped(found) == "sh ran more than 8 processes and threads"
    assert gone(mine)


@both
def test_S8_a_fork_bomb_is_bounded(isolation: Isolation) -> None:
    """Either we see it, or the kernel lets it make no more processes and it ends by itself: never with success."""
    mine = word()
    code = f"""
import os, sys
try:
    while True:
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", "{mine}"])
except OSError as error:
    sys.exit(f"stopped by the kernel: {{error}}")
"""
    found = python(isolation, code, Limits(processes=32))
    assert isinstance(found, Stopped) or (isinstance(found, Ended) and found.code == 1)
    assert gone(mine)


@both
def test_S8_too_much_memory(isolation: Isolation) -> None:
    found = python(isolation, "x = b'x' * (400 << 20); import time; time.sleep(60)", Limits(memory=100 * MEBI))
    assert stopped(found).endswith("used more than 100 MiB of memory")


@both
def test_S8_memory_counts_for_all_processes_together_and_once_where_they_share_it(isolation: Isolation) -> None:
    begin = "import os, sys, time\nx = b'x' * (60 << 20)\n"
    shared = begin + "for _ in range(5):\n if not os.fork(): time.sleep(1); os._exit(0)\nfor _ in range(5): os.wait()"
    assert python(isolation, shared, Limits(memory=200 * MEBI)) == Ended(0, b"", b"")
    own = begin + "for _ in range(5):\n if not os.fork(): y = b'y' * (60 << 20); time.sleep(60)\ntime.sleep(60)"
    assert stopped(python(isolation, own, Limits(memory=200 * MEBI))).endswith("used more than 200 MiB of memory")


@apart
def test_S8_memory_that_is_shared_and_let_go_counts() -> None:
    code = """import ctypes, time
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
for _ in range(50):
    segment = libc.shmget(0, 4 << 20, 0o1600)
    place = ctypes.c_void_p(libc.shmat(segment, None, 0))
    ctypes.memset(place, 1, 4 << 20)
    libc.shmdt(place)
time.sleep(60)"""
    found = python("namespaces", code, Limits(memory=100 * MEBI, seconds=10))
    assert stopped(found).endswith("used more than 100 MiB of memory")


@both
def test_S8_a_program_that_reserves_much_and_touches_little_runs(isolation: Isolation) -> None:
    assert python(isolation, "import mmap; m = mmap.mmap(-1, 4 << 30)", Limits(memory=100 * MEBI)) == Ended(0, b"", b"")


@both
@pytest.mark.parametrize("stream", ["", ">&2"])
def test_S8_a_program_that_prints_without_end(isolation: Isolation, stream: str) -> None:
    found = outcome(isolation, ["sh", "-c", f"yes {stream}"], Limits(output=MEBI))
    assert stopped(found) == "sh printed more than 1 MiB"


DISK = {
    "one file": "while :; do cat /dev/zero > x; done",
    "a file and a child that is ended for it": "cat /dev/zero > x; sleep 60",
    "many files": "i=0; while :; do i=$((i+1)); head -c 100000 /dev/zero > f$i; done",
    "folders alone": "i=0; while :; do i=$((i+1)); mkdir -p $i/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p; done",
    "its home": 'cd "$HOME"; i=0; while :; do i=$((i+1)); head -c 100000 /dev/zero > f$i; done',
}


@both
@pytest.mark.parametrize("script", DISK.values(), ids=list(DISK))
def test_S8_a_program_that_fills_the_disk(isolation: Isolation, script: str) -> None:
    assert stopped(outcome(isolation, ["sh", "-c", script], Limits(disk=2 * MEBI))) == "sh wrote more than 2 MiB"


@both
@pytest.mark.parametrize("made", ["open(f'f{i}', 'wb', 0)", "open(os.memfd_create('x'), 'wb', 0)"])
def test_S8_a_program_that_fills_files_which_no_folder_shows(isolation: Isolation, made: str) -> None:
    code = f"""
import os, time
kept = []
for i in range(20):
    kept.append({made})
    if os.path.exists(f'f{{i}}'): os.unlink(f'f{{i}}')
    kept[-1].write(b'x' * (1 << 20))
time.sleep(60)
"""
    found = python(isolation, code, Limits(disk=4 * MEBI))
    assert stopped(found).endswith("wrote more than 4 MiB")


@both
def test_S8_folders_too_deep_for_us_are_told_and_removed(isolation: Isolation) -> None:
    code = "import os\nfor _ in range(3000): os.mkdir('d' * 40); os.chdir('d' * 40)"
    assert stopped(python(isolation, code)).endswith("made folders too deep to measure, or that cannot be read")


def test_S8_a_folder_that_nobody_may_read_hides_nothing() -> None:
    found = outcome("process", ["sh", "-c", "mkdir x; head -c 100000 /dev/zero > x/y; chmod 0 x"])
    assert stopped(found) == "sh made folders too deep to measure, or that cannot be read"


@both
def test_S8_computing_without_end(isolation: Isolation) -> None:
    found = outcome(isolation, ["sh", "-c", "while :; do :; done"], Limits(seconds=1))
    assert stopped(found) in {"sh did not end within 1 s", "sh used more than 1 s of CPU"}


@both
def test_a_program_that_dies_by_a_signal(isolation: Isolation) -> None:
    assert stopped(outcome(isolation, ["sh", "-c", "kill -SEGV $$"])) == "sh was ended by SIGSEGV"
    assert stopped(outcome(isolation, ["sh", "-c", "kill -KILL $$"])) == "sh was ended by SIGKILL"
    found = outcome(isolation, ["sh", "-c", "ls core* 2>/dev/null; ulimit -c; ulimit -n"])
    assert found == Ended(0, b"0\n1024\n", b"")


def test_a_program_that_is_not_there_or_cannot_be_started(tmp_path: Path) -> None:
    needs("namespaces")
    with pytest.raises(Absent, match=r"^nothing-of-this-name is not installed$"):
        Launcher().run(["nothing-of-this-name"], tmp_path)
    plain = tmp_path / "plain"
    plain.write_text("echo no")
    with pytest.raises(Absent):
        Launcher().run([str(plain)], tmp_path)
    assert stopped(ending(Launcher({"plain": str(plain)}), tmp_path)) == "plain cannot be started: Permission denied"
    plain.chmod(0o755)
    assert stopped(ending(Launcher(), tmp_path, str(plain))) == "plain cannot be started: Exec format error"
    plain.write_text("#!/nowhere/python\n")
    told = stopped(ending(Launcher(), tmp_path, str(plain)))
    assert "No such file or directory" in told
    assert "TOWPATH_VALIDATORS_READABLE" in told
    assert "null" in stopped(ending(Launcher(), tmp_path, "echo", "a\0b"))


def ending(launcher: Launcher, folder: Path, *argv: str) -> object:
    try:
        return launcher.run(argv or ["plain"], folder)
    except (Absent, Stopped) as error:
        return error


@apart
def test_S8_no_network_is_reached_unless_it_is_allowed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5); print('reached')"
        argv = ["python", "-c", code]
        launcher = Launcher({"python": os.path.realpath(sys.executable)}, readable=READABLE)
        alone = launcher.run(argv, tmp_path)
        assert alone.code == 1
        assert b"unreachable" in alone.err
        assert launcher.run(argv, tmp_path, network=True) == Ended(0, b"reached\n", b"")


@apart
def test_S10_no_secret_of_ours_is_in_reach(tmp_path: Path) -> None:
    (tmp_path / "seal").write_text("a-seal-key")
    (tmp_path / "checkout").mkdir()
    places = "cat ../seal /proc/*/environ; for place in root home var run; do ls /$place; done; echo x > /usr/x"
    script = f"cat {tmp_path}/seal; {places}; echo; ls -d /proc/[0-9]* | wc -l"
    with subprocess.Popen(["sleep", "600"], env={"TOWPATH_SEAL": "a-seal-key"}) as ours:
        try:
            found = Launcher().run(["sh", "-c", script], tmp_path / "checkout")
        finally:
            ours.kill()
    assert b"a-seal-key" not in found.out + found.err
    for place in ("root", "home", "var", "run"):
        assert f"'/{place}'".encode() in found.err
    assert b"Read-only file system" in found.err
    assert int(found.out.split()[-1]) <= 5, "it sees only its own processes: the first, sh, ls and wc"


@apart
def test_S8_a_program_gets_no_right_that_nobody_has(tmp_path: Path) -> None:
    script = "grep -E 'Cap(Prm|Eff|Amb)|NoNewPrivs' /proc/self/status; unshare -r true; echo $?; id -u"
    found = Launcher().run(["sh", "-c", script], tmp_path)
    *rights, new, namespaces, user = found.out.split()[1::2][:4] + found.out.split()[-2:]
    assert {int(right, 16) for right in rights} == {0}
    assert (new, namespaces) == (b"1", b"1")
    assert user == (str(os.geteuid()).encode() if os.geteuid() else b"65534")


@apart
def test_S8_what_is_named_readable_is_and_no_more(tmp_path: Path) -> None:
    for name in ("shown", "hidden", "checkout"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    (tmp_path / "link").symlink_to(tmp_path / "shown")
    launcher = Launcher(readable=[str(tmp_path / "link"), str(tmp_path / "nothing")])
    script = f"cat {tmp_path}/link/file {tmp_path}/hidden/file; echo x > {tmp_path}/shown/file"
    found = launcher.run(["sh", "-c", script], tmp_path / "checkout")
    assert found.out == b"shown"
    assert b"No such file" in found.err
    assert (tmp_path / "shown/file").read_text() == "shown"


def test_S8_where_the_kernel_allows_no_namespaces_nothing_is_started_unless_it_is_said() -> None:
    needs("namespaces")
    needs("process")

    def work() -> tuple[object, object, str | None]:
        asked, accepted = outcome("namespaces", ["echo", "x"]), outcome("process", ["echo", "x"])
        return asked, accepted, Launcher().version("sh")

    asked, accepted, version = without_namespaces(work)
    assert isinstance(asked, Unconfined)
    assert "set TOWPATH_VALIDATORS_ISOLATION=process where" in str(asked)
    assert accepted == Ended(0, b"x\n", b"")
    assert version is None


@pytest.mark.skipif(os.geteuid() != 0, reason="is about root")
def test_S8_root_starts_nothing_without_namespaces(tmp_path: Path) -> None:
    with pytest.raises(Unconfined, match=r"bounds nothing that root starts"):
        Launcher(isolation="process").run(["true"], tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="is about root")
@apart
def test_S8_namespaces_are_for_users_without_rights_too() -> None:
    def work() -> object:
        return outcome("namespaces", ["sh", "-c", "id -u; echo 0 > x; cat x"])

    assert as_nobody(work) == Ended(0, b"65534\n0\n", b"")


def fake(folder: Path, script: str, name: str = "helm") -> Launcher:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return Launcher({name: str(file)})


@apart
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('[ "$*" = "version --short" ] && echo v3.99.1 && echo more', "v3.99.1"),
        ("echo v3 >&2", "v3"),
        (r"printf '\033[31mv3\033[0m\007\n'", "[31mv3[0m"),
        ("head -c 900 /dev/zero | tr '\\0' a", "a" * 200),
        ("exit 1", "sha256:"),
        ("yes", "sha256:"),
        ("kill -9 $$", "sha256:"),
        ("", "sha256:"),
    ],
)
def test_a_program_is_asked_for_its_version_and_known_by_its_content_where_it_says_none(
    tmp_path: Path, script: str, said: str
) -> None:
    found = fake(tmp_path, script).version("helm") or ""
    assert found == said or (said == "sha256:" and found.startswith(said))


@apart
def test_a_version_is_remembered_until_the_program_is_another(tmp_path: Path) -> None:
    launcher = fake(tmp_path, "date +%N%N%N; cat /proc/sys/kernel/random/uuid")
    first = launcher.version("helm")
    assert launcher.version("helm") == first
    fake(tmp_path, "echo a longer one than before, so that the file has another size")
    assert launcher.version("helm") == "a longer one than before, so that the file has another size"


@apart
def test_a_program_that_is_no_known_one_is_not_started_for_its_version(tmp_path: Path) -> None:
    launcher = fake(tmp_path, "echo started", "lint")
    assert (launcher.version("lint") or "").startswith("sha256:")
    assert launcher.version("nothing-of-this-name") is None
