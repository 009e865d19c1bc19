"""A config repository as its policy divides it: which files each stage selects, and what they pin."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.formats import Format, Refused
from policies import layout
from policies.config import Policy, Services, Stage
from policies.model import Image, Pin, Trouble

TRIAL_DIGEST = f"sha256:{'0' * 64}"
TRIAL_TAG = "0.0.0-trial"
"""What a trial edit writes: a digest and a tag that no file has."""
MOST_TRIALS = 64
MOST_TRIED = 8 * 1024 * 1024
"""Trials and bytes: each trial reads its whole file, the largest in seconds. The next check tells what is left."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One file: what it pins of the images that policy speaks of, and why it could not be edited."""

    pins: tuple[Pin, ...] = ()
    repositories: tuple[str, ...] = ()
    """All image repositories that it pins, also those that policy does not speak of."""
    troubles: tuple[Trouble, ...] = ()
    readable: bool = True
    """False: what it pins is not known."""


@dataclass(frozen=True, slots=True)
class Reach:
    """A stage with the files that it selects."""

    index: int
    """Its place in the policy."""
    stage: Stage
    files: Mapping[str, Looked]
    services: Mapping[str, frozenset[str]]
    """Service to the image repositories that it pins here; none where its files cannot be read."""
    unreadable: frozenset[str]
    """The services of which a file here cannot be read."""


@dataclass(frozen=True, slots=True)
class Survey:
    """A policy with the files around it."""

    policy: Policy
    paths: tuple[str, ...]
    """Every path of the repository."""
    fits: Mapping[str, Mapping[str, str]]
    """Each path that fits the template, with what it captures."""
    looked: Mapping[str, Looked]
    """Each file that some stage selects."""
    reaches: tuple[Reach, ...]
    """The stages, as the policy lists them."""


def survey(policy: Policy, files: Mapping[str, bytes], format_: Format) -> Survey:
    """Read every file that a stage selects, once; what cannot be read is a trouble of that file."""
    captured = ((path, layout.capture(policy.services.path, path)) for path in sorted(files))
    fits = {path: names for path, names in captured if names is not None}
    staged = (path for path, names in fits.items() if any(layout.selected(one.where, names) for one in policy.stages))
    looked = {path: _look(path, files, format_, policy.services) for path in staged}
    reaches = tuple(_reach(index, stage, fits, looked) for index, stage in enumerate(policy.stages))
    return Survey(policy, tuple(files), fits, looked, reaches)


def _reach(index: int, stage: Stage, fits: Mapping[str, Mapping[str, str]], looked: Mapping[str, Looked]) -> Reach:
    files = {path: found for path, found in looked.items() if layout.selected(stage.where, fits[path])}
    services: dict[str, frozenset[str]] = {}
    for path, found in files.items():
        name = fits[path]["service"]
        if found.pins or not found.readable:
            services[name] = services.get(name, frozenset()) | {pin.repository for pin in found.pins}
    unreadable = frozenset(fits[path]["service"] for path, found in files.items() if not found.readable)
    return Reach(index, stage, files, services, unreadable)


def _look(path: str, files: Mapping[str, bytes], format_: Format, services: Services) -> Looked:
    try:
        text = files[path]
        pins = format_.pins(text)
    except OSError as error:
        return Looked(troubles=(Trouble(path, None, cannot_be_read(error)),), readable=False)
    except Refused as refused:
        return Looked(troubles=(Trouble(path, refused.line, refused.reason),), readable=False)
    admitted = tuple(pin for pin in pins if not services.registries or pin.repository.startswith(services.registries))
    named = tuple(dict.fromkeys(pin.repository for pin in pins))
    return Looked(admitted, named, _trial(path, text, format_, admitted))


def cannot_be_read(error: OSError) -> str:
    """What the system says of a file that does not open."""
    return f"cannot be read: {error.strerror or error}"


def _trial(path: str, text: bytes, format_: Format, pins: tuple[Pin, ...]) -> tuple[Trouble, ...]:
    """Why moving these images would be refused; of very many reasons the first."""
    lines: dict[str, int] = {}
    for pin in pins:
        lines.setdefault(pin.repository, pin.line)
    left = iter(range(min(MOST_TRIALS, MOST_TRIED // (len(text) + 1))))

    def reasons(some: Mapping[str, int]) -> tuple[Trouble, ...]:
        """Of all at once, then of either half: one image among hundreds is found without trying each alone."""
        refused = _refusal(path, text, format_, some) if next(left, None) is not None else None
        if refused is None:
            return ()
        items, middle = list(some.items()), len(some) // 2
        halves = (items[:middle], items[middle:]) if middle else ()
        return tuple(trouble for half in halves for trouble in reasons(dict(half))) or (refused,)

    return tuple(dict.fromkeys(reasons(lines)))


def _refusal(path: str, text: bytes, format_: Format, lines: Mapping[str, int]) -> Trouble | None:
    images = {repository: Image(repository, TRIAL_DIGEST, TRIAL_TAG) for repository in lines}
    try:
        format_.set_images(text, images)
    except Refused as refused:
        where = refused.line or min(lines.values())
        return Trouble(path, where, f"cannot be edited exactly: {refused.reason}")
    return None
