"""What a started program can see and use: namespaces, a root of its own, resource limits."""

import os
import resource
import signal
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from bot.launch import system

STAGE = "/sys"
"""Where the new root is put together: a folder that every Linux has and of which nothing is shown."""
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
SETTINGS = (
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/group",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/resolv.conf",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
)
DEVICES = ("/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero")
NOBODY = 65534
ADDRESSES = 64
"""How many times the memory that may be used may be reserved: programs in Go reserve much that they never touch."""
FILES = 1024
SLACK = 2
"""How many times as many processes the kernel lets through as may run: we want to see that there are too many."""
FEWEST_IDS = 512
"""The kernel takes no pid_max of 300 or less."""


class Orders(TypedDict):
    """What is to be started, and how."""

    argv: list[str]
    path: str
    """The program, without symbolic links."""
    folder: str
    """Where it runs, without symbolic links."""
    home: str
    """A folder for what it keeps for itself; it may write here and to `folder` alone."""
    environment: dict[str, str]
    namespaces: bool
    network: bool
    readable: list[str]
    """What it may read besides the system's folders."""
    seconds: float
    memory: int
    processes: int
    """Threads count."""
    disk: int
    standing: int
    """Threads that the same user has already: setrlimit(2) counts them, without a namespace, or before Linux 5.14."""


def apart(network: bool) -> None:
    """Go into namespaces of our own: no rights of ours but over what is in them, no network unless it is allowed."""
    outer_user, outer_group = os.geteuid(), os.getegid()
    with suppress(PermissionError):
        os.setgroups([])
    shared = 0 if network else system.NEW_NETWORK
    system.unshare(system.NEW_USER | system.NEW_PIDS | system.NEW_IPC | shared)
    # user_namespaces(7): without a right in the parent, one line each, and only once setgroups(2) is given up. Inside
    # we are nobody in particular, so that a program that is started has no capability left.
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{outer_user or NOBODY} {outer_user} 1"),
        ("gid_map", f"{outer_group or NOBODY} {outer_group} 1"),
    ):
        Path("/proc/self", name).write_text(text)


def new_root(orders: Orders) -> None:
    """Make a root of which only `folder` and `home` can be written, with what programs need and nobody's secrets."""
    system.unshare(system.NEW_MOUNTS)
    system.mount("none", "/", None, system.PRIVATE | system.RECURSIVE)
    system.mount("none", STAGE, "tmpfs", system.NO_SETUID | system.NO_DEVICES, "mode=0755,size=1m")
    shown = [*SYSTEM, *SETTINGS, *orders["readable"], orders["path"]]
    for path in sorted(set(shown), key=lambda one: one.count("/")):
        _show(path, system.ATTR_READ_ONLY | system.ATTR_NO_SETUID | system.ATTR_NO_DEVICES)
    for path in DEVICES:
        _show(path, system.ATTR_NO_SETUID)
    _own_processes(orders["processes"])
    for path in (orders["folder"], orders["home"]):
        _bind(path, system.ATTR_NO_SETUID | system.ATTR_NO_DEVICES)
    os.chdir(STAGE)
    system.root_here()
    system.mount_attributes("/", system.ATTR_READ_ONLY, below=False)


def _show(path: str, attributes: int) -> None:
    """Bind a file or folder to the same place below the new root, unless what is bound already shows it."""
    place = Path(STAGE + path)
    if os.access(path, os.F_OK) and not os.path.lexists(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        if Path(path).is_symlink() and Path(path).is_dir():
            place.symlink_to(Path(path).readlink())
        else:
            _bind(path, attributes)


def _bind(path: str, attributes: int) -> None:
    place = Path(STAGE + path)
    if Path(path).is_dir():
        place.mkdir(parents=True, exist_ok=True)
    else:
        place.touch()
    system.mount(path, str(place), None, system.BIND | system.RECURSIVE)
    system.mount_attributes(str(place), attributes, below=True)


def _own_processes(most: int) -> None:
    """A /proc that shows the program's own processes alone; where the kernel allows none, an empty folder."""
    place = Path(STAGE, "proc")
    place.mkdir()
    flags = system.NO_SETUID | system.NO_DEVICES | system.NO_EXECUTION
    with suppress(OSError):
        system.mount("none", str(place), "proc", flags)
        # No namespaces within these: they would give the program rights over parts of the kernel it has no use for.
        (place / "sys/user/max_user_namespaces").write_text("0")
        # What bounds root's processes too, whom RLIMIT_NPROC does not: a namespace's own pid_max, since Linux 6.14.
        (place / "sys/kernel/pid_max").write_text(str(max(FEWEST_IDS, SLACK * most)))


def limited(orders: Orders) -> None:
    """Resource limits of each process: setrlimit(2). What all of them use together is watched from outside."""
    seconds = max(1, round(orders["seconds"] + 0.5))
    processes = orders["standing"] + SLACK * orders["processes"]
    wanted = {
        resource.RLIMIT_NPROC: (processes, processes),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_CPU: (seconds, seconds + 1),
        # One more, so that who has reached it has written more than he may.
        resource.RLIMIT_FSIZE: (orders["disk"] + 1,) * 2,
        resource.RLIMIT_AS: (orders["memory"] * ADDRESSES,) * 2,
        resource.RLIMIT_NOFILE: (FILES, FILES),
    }
    for name, (soft, hard) in wanted.items():
        most = resource.getrlimit(name)[1]
        highest = hard if most == resource.RLIM_INFINITY else min(hard, most)
        resource.setrlimit(name, (min(soft, highest), highest))
    # The kernel's own choice, where memory runs out before we look: proc_pid_oom_score_adj(5).
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def as_new(orders: Orders) -> None:
    """What a program expects of the process it is started in: no signal ignored or held back, nothing inherited."""
    os.umask(0o077)
    os.chdir(orders["folder"])
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    system.no_new_privileges()
