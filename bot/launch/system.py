"""The calls of Linux that Python 3.11 has no name for, each as its man page says."""

import ctypes
import os

_LIBC = "libc.so.6"

# unshare(2), from <linux/sched.h>.
NEW_MOUNTS = 0x00020000
NEW_IPC = 0x08000000
NEW_USER = 0x10000000
NEW_PIDS = 0x20000000
NEW_NETWORK = 0x40000000

# mount(2) and umount2(2), from <linux/mount.h>.
NO_SETUID = 0x2
NO_DEVICES = 0x4
NO_EXECUTION = 0x8
BIND = 0x1000
RECURSIVE = 0x4000
PRIVATE = 0x40000
DETACH = 0x2

# mount_setattr(2), from <linux/mount.h>; the number is the same on every architecture (Linux 5.12).
_MOUNT_SETATTR = 442
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
ATTR_READ_ONLY = 0x1
ATTR_NO_SETUID = 0x2
ATTR_NO_DEVICES = 0x4

_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "s390x": 217, "ppc64le": 203}
"""pivot_root(2) has no wrapper in libc; numbers from each architecture's table of system calls."""

# prctl(2), from <linux/prctl.h>.
_DEATH_SIGNAL = 1
_NO_NEW_PRIVILEGES = 38
_CHILD_SUBREAPER = 36


class _Attributes(ctypes.Structure):
    """`struct mount_attr`."""

    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def _call(name: str, *arguments: object) -> None:
    """Call a function of libc that gives -1 where it fails; OSError then."""
    found = getattr(ctypes.CDLL(_LIBC, use_errno=True), name)
    if found(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _prctl(option: int, value: int) -> None:
    unused = ctypes.c_ulong(0)
    _call("prctl", option, ctypes.c_ulong(value), unused, unused, unused)


def unshare(flags: int) -> None:
    """Go into new namespaces; of processes, only children do."""
    _call("unshare", flags)


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """Mount a file system, or bind what is at `source`."""
    named = None if kind is None else os.fsencode(kind)
    _call("mount", os.fsencode(source), os.fsencode(target), named, ctypes.c_ulong(flags), options.encode())


def mount_attributes(path: str, attributes: int, *, below: bool) -> None:
    """Set attributes of a mount, and of all mounts below it."""
    wanted = _Attributes(attr_set=attributes)
    flags = ctypes.c_uint(_AT_RECURSIVE if below else 0)
    size = ctypes.c_size_t(ctypes.sizeof(wanted))
    number = ctypes.c_long(_MOUNT_SETATTR)
    _call("syscall", number, ctypes.c_int(_AT_FDCWD), os.fsencode(path), flags, ctypes.byref(wanted), size)


def root_here() -> None:
    """Make the working directory the root, and let go of the old one: pivot_root(2), "pivot_root(".", ".")"."""
    number = _PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise OSError(f"the number of pivot_root is not known for {os.uname().machine}")
    _call("syscall", ctypes.c_long(number), b".", b".")
    _call("umount2", b".", DETACH)
    os.chdir("/")


def die_with_parent(signal: int) -> None:
    """Have this process sent a signal when the thread that made it ends."""
    _prctl(_DEATH_SIGNAL, signal)


def no_new_privileges() -> None:
    """No program that is started from here on gains rights by its file's set-user-id bit or capabilities."""
    _prctl(_NO_NEW_PRIVILEGES, 1)


def adopt_orphans() -> None:
    """Become the parent of all descendants whose own parent ends."""
    _prctl(_CHILD_SUBREAPER, 1)
