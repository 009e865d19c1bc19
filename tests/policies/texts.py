"""Texts that people read, as they must stand: one file each, beside the tests."""

from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def golden(name: str) -> str:
    """The text of `golden/<name>.md`, without the newline that ends every file."""
    return (FOLDER / f"{name}.md").read_text("utf-8").removesuffix("\n")
