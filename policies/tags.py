"""Which tags may enter a first stage, and how they order: `semver RANGE` or a pattern with `*`."""

import fnmatch
from functools import lru_cache

from semantic_version import SimpleSpec, Version

SEMVER = "semver "


def check(rule: str) -> None:
    """ValueError that says what is wrong, where `rule` is none."""
    if rule.startswith(SEMVER):
        _range(rule.removeprefix(SEMVER))
    elif not rule.strip() or set(rule) & set(" <>=~^"):
        raise ValueError(f"{rule!r} is no tag rule: write 'semver >=1.0' or a pattern such as 'release-*'")


@lru_cache(maxsize=64)
def _range(text: str) -> SimpleSpec:
    try:
        return SimpleSpec(text.strip().replace(" ", ","))
    except ValueError as error:
        raise ValueError(f"{text!r} is no range of versions: write 'semver >=1.0' or 'semver >=1.2 <2'") from error


@lru_cache(maxsize=4096)
def version(tag: str | None) -> Version | None:
    """The semantic version that a tag writes, with or without a leading `v` (semver.org 2.0.0); None for others.

    Without build metadata, which section 10 leaves out of the order."""
    try:
        return Version((tag or "").removeprefix("v").partition("+")[0])
    except ValueError:
        return None


def ordered_by_version(rule: str | None) -> bool:
    """Whether the rule orders images by version and not by first sighting."""
    return rule is not None and rule.startswith(SEMVER)


def admits(rule: str | None, tag: str) -> bool:
    """Whether an image with this tag may enter."""
    if rule is None:
        return True
    if ordered_by_version(rule):
        found = version(tag)
        return found is not None and _in_range(found, rule.removeprefix(SEMVER))
    return fnmatch.fnmatchcase(tag, rule)


def _in_range(found: Version, text: str) -> bool:
    # A pre-release is no release: it enters only where the rule itself names one, as npm and Cargo do.
    return found in _range(text) and ("-" in text or not found.prerelease)


def admitted(rule: str | None, tags: tuple[str, ...]) -> str | None:
    """The tag under which an image may enter: the highest version, or the first that fits; None where none does."""
    fitting = [tag for tag in tags if admits(rule, tag)]
    if not ordered_by_version(rule):
        return fitting[0] if fitting else None
    return max(fitting, key=lambda tag: version(tag) or Version("0.0.0"), default=None)
