"""What programs print, understood: each format in a file of its own, bytes to findings; all of it may be hostile."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from bot.validators.reports import junit, lines, sarif
from bot.validators.reports.places import Place, place_in
from bot.validators.reports.unreadable import MOST_READ, Unreadable
from policies.findings import Finding

__all__ = ["FORMATS", "MOST_READ", "Place", "Unreadable", "place_in"]

Read: TypeAlias = Callable[[bytes, Place], Iterator[Finding]]
"""Findings as they come, any number; Unreadable, perhaps after some, where the rest is not of that format."""

FORMATS: Mapping[str, Read] = {"lines": lines.read, "junit": junit.read, "sarif": sarif.read}
