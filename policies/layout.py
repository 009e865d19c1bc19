"""Path templates: how a config repository's folders name its services, clusters and environments."""

import re
from collections.abc import Mapping
from functools import lru_cache

CAPTURE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""One `{name}` of a template; it stands for one path segment or a part of one."""


def names(template: str) -> tuple[str, ...]:
    """The names that a template captures, in order of appearance."""
    return tuple(CAPTURE.findall(template))


@lru_cache(maxsize=256)
def _pattern(template: str) -> re.Pattern[str]:
    pieces = CAPTURE.split(template)
    seen: set[str] = set()
    source = []
    for index, piece in enumerate(pieces):
        if index % 2 == 0:
            source.append(re.escape(piece))
        elif piece in seen:
            source.append(f"(?P={piece})")
        else:
            seen.add(piece)
            source.append(f"(?P<{piece}>[^/]+)")
    return re.compile("".join(source))


def capture(template: str, path: str) -> dict[str, str] | None:
    """What `template` captures from `path`, or None where the path does not fit. No segment may be `.` or `..` (S9)."""
    found = _pattern(template).fullmatch(path)
    if found is None or any(value in {".", ".."} for value in found.groupdict().values()):
        return None
    return found.groupdict()


def selected(where: Mapping[str, tuple[str, ...]], captured: Mapping[str, str]) -> bool:
    """Whether the captured names satisfy a stage's `where`: each named key has one of the wanted values."""
    return all(captured.get(key) in wanted for key, wanted in where.items())
