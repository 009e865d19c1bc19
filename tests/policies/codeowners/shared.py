"""The collected cases, where they lie; tests skip without them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

CASES = Path(__file__).parents[3].parent / "shared" / "codeowners"


def rows(name: str) -> list[dict[str, Any]]:
    """Every row of a file of cases."""
    file = CASES / name
    if not file.exists():
        pytest.skip("the collected cases are not here")
    return [json.loads(line) for line in file.read_text().splitlines()]


def lowered(owners: Iterable[str]) -> list[str]:
    return sorted({owner.lower() for owner in owners})
