"""One of the operator's own validators: a program of theirs that looks at each change."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import Field, field_validator

from bot.settings.secrets import Part
from policies.validating import BUILT_IN, COMMAND

Absolute = Annotated[str, Field(pattern=r"^/[^\x00]+$")]
"""A path from the root; not the root itself."""


class ValidatorSettings(Part):
    """One program; it runs in a checkout of what would be merged, under limits and without a network."""

    command: tuple[str, ...] = Field(min_length=1)
    """The program, by its name on the PATH or by its absolute path, and its arguments."""
    format: Literal["lines", "junit", "sarif"] = "lines"
    network: bool = False
    seconds: float = Field(default=60, gt=0, le=600)
    paths: tuple[str, ...] = Field(default=("*",), min_length=1)
    folders: tuple[str, ...] = Field(default=("",), min_length=1)

    @field_validator("command")
    @classmethod
    def _names_a_program(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        program = command[0]
        if not program or program.startswith("-") or ("/" in program and not program.startswith("/")):
            raise ValueError("a program's name or its absolute path is wanted first, and nothing from a repository")
        if any("\0" in word for word in command) or program == "{paths}":
            raise ValueError("holds what no program can be given")
        return command

    @field_validator("folders")
    @classmethod
    def _stay_inside(cls, folders: tuple[str, ...]) -> tuple[str, ...]:
        for one in folders:
            if one and (
                one != str(PurePosixPath(one)) or one.startswith("/") or {".", "..", ".git"} & set(one.split("/"))
            ):
                raise ValueError("folders are relative to the repository's root, such as environments/prod")
        return folders


def named(validators: dict[str, ValidatorSettings]) -> dict[str, ValidatorSettings]:
    """The same by the names under which `towpath.yaml` knows them: a variable's `_` is a `-` there."""
    found = {name.replace("_", "-"): one for name, one in validators.items()}
    wrong = [name for name in found if not re.fullmatch(COMMAND, name)]
    if wrong or len(found) != len(validators):
        raise ValueError("names begin with a letter and have at most 40 letters, digits and `_`, no two the same")
    taken = sorted(BUILT_IN & set(found))
    if taken:
        raise ValueError(f"{', '.join(taken)}: a validator of Towpath's own has this name")
    return found
