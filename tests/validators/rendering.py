"""What the renderers' tests share: a launcher that answers as it was told to, and one look at a change."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.validators import Change, Validator, jobs, look
from bot.validators.base import Bench
from bot.validators.launching import LIMITS, Ended, Launcher, Limits
from bot.validators.rendering import Renderings
from policies.findings import Checked
from policies.validating import Validating
from tests.validators import programs

TARGET = "environments/prod/eu/shop/values.yaml"


@dataclass(frozen=True)
class Started:
    """One start of a program, and the files that it found."""

    argv: tuple[str, ...]
    files: Mapping[str, bytes]
    limits: Limits
    network: bool


Answer = Callable[[Started], Ended]


@dataclass
class Answering(Launcher):
    """A launcher that starts nothing: it answers each start, and remembers it."""

    answer: Answer
    started: list[Started] = field(default_factory=list)

    def version(self, program: str) -> str | None:
        return "v1"

    def run(
        self, argv: Sequence[str], folder: Path, *, limits: Limits = LIMITS, network: bool = False, given: bytes = b""
    ) -> Ended:
        found = {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}
        self.started.append(Started(tuple(argv), found, limits, network))
        return self.answer(self.started[-1])


def printing(out: bytes) -> Answer:
    """A program that prints the same whatever it is given."""
    return lambda _: Ended(0, out, b"")


def failing(err: str) -> Answer:
    """A program that fails with these words."""
    return lambda _: Ended(1, b"", err.encode())


def rules(**checks: object) -> Validating:
    return Validating.model_validate({"checks": checks})


def looks(change: Change, validator: Validator, launcher: Launcher) -> list[Checked]:
    """What a validator says of each part of a change; nothing is left in its scratch folder."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        bench = Bench(launcher, scratch=scratch, rendered=Renderings(launcher, scratch))
        found = [look(change, job, bench) for job in jobs(change, [validator], {})]
        assert list(scratch.iterdir()) == []
        return found


def real(program: str) -> Launcher:
    """A launcher that starts the program itself, under all its limits."""
    return Launcher({program: programs.real(program)})
