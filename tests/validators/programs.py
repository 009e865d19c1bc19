"""The outside programs of validators: the real ones where they are installed, and stand-ins for the others.

`make tools` builds helm, kustomize and kubeconform from deploy/tools/go.sum, with ALL=1 conftest too. Others take too
long to build or are not to be had as modules: of kyverno, trivy and cosign, and of conftest where it is not built, the
contract is recorded from their documentation and source. A stand-in takes the arguments that the real program takes and
no others, and prints what the real one prints; the versions stand beside each."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bot.validators import Bench, Change, Target
from bot.validators.base import Lookup, NoRegistries, Rendered
from bot.validators.launching import LIMITS, Absent, Ended, Launcher, Limits

BUILT = Path(__file__).parents[2] / ".cache/tools/bin"
READY = BUILT.parent / "ready"
"""Is written once `make building` has come to its end."""
LONGEST_BUILD = 900
"""Seconds that tests under CI wait for it."""
FOR_CERTAIN = {"helm", "kustomize", "kubeconform"}
"""Under CI `make tools` has built these, so one that is missing is a failure."""

STRICT = '''
import json, pathlib, re, sys

def arguments(words, valued, bare, fail):
    """Options with and without a value as `cobra` and `pflag` read them, then everything else."""
    given, rest, words = {}, [], list(words)
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if not word.startswith("-") or word == "-":
            rest.append(word)
        elif name in valued:
            if not equals and not words:
                fail(f"flag needs an argument: {word}")
            given.setdefault(name, []).append(value if equals else words.pop(0))
        elif name in bare:
            given[name] = [value or "true"]
        else:
            fail(f"unknown flag: {name}")
    return given, rest

def fail(why, code=1):
    print(f"Error: {why}", file=sys.stderr)
    sys.exit(code)

def named(text, key):
    found = re.search(rf"^ *{key}: (\\S+)", text, re.M)
    return found[1] if found else ""
'''
"""What the stand-ins have in common."""


def real(program: str) -> str:
    """The path of a program that is built or installed; the test is skipped where it is not, and fails under CI."""
    if program in FOR_CERTAIN and _is_ci():
        _wait()
    found = BUILT / program if (BUILT / program).exists() else shutil.which(program)
    if found is None:
        why = f"{program} is not installed; `make tools` builds it" + ("" if program in FOR_CERTAIN else " with ALL=1")
        if program in FOR_CERTAIN and _is_ci():
            pytest.fail(f"{why}; {BUILT.parent / 'log'} says why it did not")
        pytest.skip(why)
    return str(found)


def _is_ci() -> bool:
    return os.environ.get("CI", "0") not in {"", "0", "false"}


def _wait() -> None:
    """Until the programs are built, which goes on beside the tests; these come last."""
    end = time.monotonic() + LONGEST_BUILD
    while not READY.exists() and time.monotonic() < end:
        time.sleep(1)


def stand_in(folder: Path, program: str, script: str) -> str:
    """Write a program in Python that runs by itself."""
    path = folder / program
    path.write_text(f"#!{sys.executable} -IS\n{STRICT}\n{script}")
    path.chmod(0o755)
    return str(path)


class Straight(Launcher):
    """A launcher without confinement, which has tests of its own: with any user's rights, and soon done."""

    def version(self, program: str) -> str | None:
        """The path tells one version from another."""
        return self.find(program)

    def run(
        self, argv: Sequence[str], folder: Path, *, limits: Limits = LIMITS, network: bool = False, given: bytes = b""
    ) -> Ended:
        """Run a program in a folder, with an empty environment."""
        del network
        path = self.find(argv[0])
        if path is None:
            raise Absent(f"{argv[0]} is not installed")
        command = [path, *argv[1:]]
        ended = subprocess.run(
            command,
            cwd=folder,
            env={"HOME": str(folder)},
            input=given,
            capture_output=True,
            timeout=limits.seconds,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)


def bench(
    scratch: Path,
    programs: Mapping[str, str],
    rendered: tuple[str | None, str | None] = (None, None),
    registries: Lookup | None = None,
) -> Bench:
    """A bench at which every target is rendered to these two texts."""
    before, after = (None if text is None else text.encode() for text in rendered)

    def render(_change: Change, _target: Target) -> Rendered:
        return Rendered(before, after, "v1")

    return Bench(Straight(programs), registries or NoRegistries(), scratch, render)


def object_of(kind: str, name: str, body: str = "", api: str = "apps/v1") -> str:
    """One object, as a renderer prints it."""
    return f"---\napiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {name}\n{body}"
