"""Exact content: what a release makes of a tree, and what merging a head would give (S13)."""

from collections.abc import Iterable, Mapping

from bot.errors import Permanent
from bot.formats import Format, Refused
from bot.git import Merged, Mirror
from policies.model import Image, Pin, Release, Trouble
from policies.snapshot import Integrity, Splice


def splice(
    mirror: Mirror, format_: Format, base: str, paths: Iterable[str], release: Release
) -> Splice | tuple[Trouble, ...]:
    """The tree of `base` with the release's digests in these files, or every file that refuses, and why."""
    files: dict[str, bytes] = {}
    troubles: list[Trouble] = []
    for path in paths:
        text = mirror.read(base, path)
        if text is None:
            troubles.append(Trouble(path, None, "the file is gone"))
            continue
        try:
            edited = edit(format_, text, release)
        except Refused as refused:
            troubles.append(Trouble(path, refused.line, refused.reason))
            continue
        if edited != text:
            files[path] = edited
    return tuple(troubles) if troubles else Splice(mirror.with_files(base, files), tuple(files))


def edit(format_: Format, text: bytes, release: Release) -> bytes:
    """One file with the digests of those of the release's images that it pins; Refused where that is not exact."""
    return format_.set_images(text, _moving(format_.pins(text), release))


def _moving(pins: tuple[Pin, ...], release: Release) -> Mapping[str, Image]:
    """Only what differs: a file that pins the digest already keeps even its tag."""
    return {
        image.repository: image
        for image in release.images
        if any(pin.repository == image.repository and pin.digest != image.digest for pin in pins)
    }


def prove(
    mirror: Mirror, format_: Format, base: str, head: str, wanted: Splice | tuple[Trouble, ...] | None, release: Release
) -> Integrity:
    """How merging `head` into `base` compares with the wanted content."""
    merged = mirror.merge(base, head)
    tree = merged.tree if isinstance(merged, Merged) else None
    expected = wanted.tree if isinstance(wanted, Splice) else None
    if not isinstance(merged, Merged):
        differing = merged.paths
    elif expected is None or expected == merged.tree:
        differing = ()
    else:
        differing = mirror.changed(expected, merged.tree)
    return Integrity(expected, tree, differing, is_own(mirror, format_, base, head, release), "")


def is_own(mirror: Mirror, format_: Format, base: str, head: str, release: Release) -> bool:
    """Whether `head` is one commit on top of a commit of the target branch, and changes nothing but these digests."""
    parents = mirror.parents(head)
    if len(parents) != 1 or not mirror.is_ancestor(parents[0], base):
        return False
    return all(_is_edit(mirror, format_, parents[0], head, path, release) for path in mirror.changed(parents[0], head))


def _is_edit(mirror: Mirror, format_: Format, parent: str, head: str, path: str, release: Release) -> bool:
    before, after = mirror.read(parent, path), mirror.read(head, path)
    if before is None or after is None:
        return False
    try:
        return edit(format_, before, release) == after
    except (Refused, Permanent):
        return False
