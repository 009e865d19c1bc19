"""Exact content: what a release makes of a tree, and what merging a head would give (S13)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.errors import Permanent
from bot.formats import Format, Refused
from bot.git import Merged, Mirror
from policies.model import Image, Pin, Release, Trouble
from policies.snapshot import Integrity, Splice


@dataclass(frozen=True)
class Editor:
    """Where content is read and written, and in which format."""

    mirror: Mirror
    format: Format


def splice(editor: Editor, base: str, paths: Iterable[str], release: Release) -> Splice | tuple[Trouble, ...]:
    """The tree of `base` with the release's digests in these files, or every file that refuses, and why."""
    files: dict[str, bytes] = {}
    troubles: list[Trouble] = []
    for path in paths:
        text = editor.mirror.read(base, path)
        if text is None:
            troubles.append(Trouble(path, None, "the file is gone"))
            continue
        try:
            edited = edit(editor.format, text, release)
        except Refused as refused:
            troubles.append(Trouble(path, refused.line, refused.reason))
            continue
        if edited != text:
            files[path] = edited
    return tuple(troubles) if troubles else Splice(editor.mirror.with_files(base, files), tuple(files))


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
    editor: Editor, base: str, head: str, wanted: Splice | tuple[Trouble, ...] | None, release: Release
) -> Integrity:
    """How merging `head` into `base` compares with the wanted content."""
    merged = editor.mirror.merge(base, head)
    tree = merged.tree if isinstance(merged, Merged) else None
    expected = wanted.tree if isinstance(wanted, Splice) else None
    if not isinstance(merged, Merged):
        differing = merged.paths
    elif expected is None or expected == merged.tree:
        differing = ()
    else:
        differing = editor.mirror.changed(expected, merged.tree)
    return Integrity(expected, tree, differing, is_own(editor, base, head, release), "")


def is_own(editor: Editor, base: str, head: str, release: Release) -> bool:
    """Whether `head` is one commit on top of a commit of the target branch, and changes nothing but these digests."""
    mirror, parents = editor.mirror, editor.mirror.parents(head)
    if len(parents) != 1 or not mirror.is_ancestor(parents[0], base):
        return False
    return all(_is_edit(editor, (parents[0], head), path, release) for path in mirror.changed(parents[0], head))


def _is_edit(editor: Editor, commits: tuple[str, str], path: str, release: Release) -> bool:
    before, after = (editor.mirror.read(commit, path) for commit in commits)
    if before is None or after is None:
        return False
    try:
        return edit(editor.format, before, release) == after
    except (Refused, Permanent):
        return False
