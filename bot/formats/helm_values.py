"""`helm-values`: every mapping that holds `repository` and `digest` or `tag`, with or without `registry`, at any depth.

A mapping under a key `image` or `...Image` pins an image by `repository` alone too. What comes by a merge key (`<<`)
counts as absent; what an alias stands for is read but never edited. A digest may also stand inside the tag
(`tag: v1@sha256:...` or `tag: sha256:...`)."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from bot.formats.locate import Entry, Place, Source, locate
from bot.formats.names import canonical
from bot.formats.refusals import Reason, Refused
from bot.formats.splice import Edit, apply, check_keys, check_way, insertion, replacement
from bot.yaml import PARSER, Parser
from policies.model import DIGEST, Image, Pin

_KEYS = ("registry", "repository", "tag", "digest")
_SIGNS = {"mac": "SOPS", "kind": "Sealed Secrets"}
"""Keys that may tell an encrypted file."""
_MOST_COMPARED = 200
_LONGEST_NAME = 300


@dataclass(frozen=True, slots=True)
class Block:
    """One mapping that pins an image."""

    place: Place
    pin: Pin


def pins(text: bytes, parser: Parser = PARSER) -> tuple[Pin, ...]:
    """Every place that pins an image, in file order; Refused where the file cannot be read or is encrypted.

    A repository is named as the file writes it, after its registry where there is one."""
    return tuple(block.pin for block in _blocks(_open(text, parser)))


def set_images(text: bytes, images: Mapping[str, Image], parser: Parser = PARSER) -> bytes:
    """The text with the digests of these images (repository to image), and their tags where it has tags.

    Every mapping that pins one of them is edited, or the file is Refused. What already says the wanted digest and
    tag is left as it is; where all does, the very same bytes are returned."""
    source = _open(text, parser)
    blocks = _blocks(source)
    wanted = _wanted(blocks, images)
    edits = [edit for block, image in wanted for edit in _edits(source, block, image)]
    return apply(source, edits) if edits else text


def _open(text: bytes, parser: Parser) -> Source:
    source = locate(text, (*_KEYS, *_SIGNS), parser)
    for place in source.found:
        if place.name == "sops" and "mac" in place.entries and place.parent is not None and place.parent.is_root:
            raise Refused(Reason.encrypted, place.line, _SIGNS["mac"])
        kind = place.entries.get("kind")
        if kind is not None and kind.text == "SealedSecret" and place.is_root:
            raise Refused(Reason.encrypted, kind.line, _SIGNS["kind"])
    return source


def _blocks(source: Source) -> list[Block]:
    blocks = [Block(place, _pin(place)) for place in source.found if _is_image(place)]
    return sorted(blocks, key=lambda block: block.place.entries["repository"].number)


def _is_image(place: Place) -> bool:
    repository = place.entries.get("repository")
    if repository is None or not repository.text:
        return False
    name = place.name or ""
    return bool({"tag", "digest"} & place.entries.keys()) or name == "image" or name.endswith("Image")


def _pin(place: Place) -> Pin:
    registry, repository, tag, digest = (_text(place, key) for key in _KEYS)
    name, inside = _parts(tag)
    digest = digest or inside
    full = f"{registry.rstrip('/')}/{repository.lstrip('/')}" if registry else repository
    line = place.entries["repository"].line
    return Pin(full, digest if DIGEST.match(digest) else None, name or None, line)


def _text(place: Place, key: str) -> str:
    entry = place.entries.get(key)
    return "" if entry is None else entry.text


def _parts(tag: str) -> tuple[str, str]:
    """A tag's name, and the digest that stands inside it: either may be empty."""
    if DIGEST.match(tag):
        return "", tag
    name, at, digest = tag.rpartition("@")
    return (name, digest) if at and DIGEST.match(digest) else (tag, "")


def _wanted(blocks: list[Block], images: Mapping[str, Image]) -> list[tuple[Block, Image]]:
    """The mappings to edit, each with its image; Refused where an image has none."""
    known = {canonical(block.pin.repository): block.pin.repository for block in blocks}
    by_name = {canonical(repository): image for repository, image in images.items()}
    for repository in images:
        if canonical(repository) not in known:
            raise Refused(Reason.not_found, None, repository, _nearest(repository, known.values()))
    named = ((block, by_name.get(canonical(block.pin.repository))) for block in blocks)
    return [(block, image) for block, image in named if image is not None]


def _nearest(repository: str, known: Iterable[str]) -> str:
    """A hint at a slip of the pen, from as many names as are compared at once: a file may hold tens of thousands."""
    short = (name for name in known if len(name) <= _LONGEST_NAME)
    nearest = difflib.get_close_matches(repository, islice(short, _MOST_COMPARED), n=1)
    return f"; the nearest is {nearest[0]}" if nearest else ""


def _edits(source: Source, block: Block, image: Image) -> Iterator[Edit]:
    place = block.place
    check_keys(place, *_KEYS)
    new = _new_values(place, image)
    if not new:
        return
    check_way(place)
    _check_values(place, block.pin, image)
    for key, value in new.items():
        if key in place.entries:
            yield replacement(source, place, key, value)
        else:
            yield insertion(source, place, "tag" if "tag" in place.entries else "repository", key, value)


def _new_values(place: Place, image: Image) -> dict[str, str]:
    """Key to new value, for the keys that must change; the tag comes before the digest that may be put behind it."""
    tag, digest = place.entries.get("tag"), _text(place, "digest")
    name, inside = _parts(_text(place, "tag"))
    if inside and not digest:
        named = image.tag if name and image.tag is not None else name
        wanted = {"tag": f"{named}@{image.digest}" if named else image.digest}
    elif tag is not None and image.tag is not None:
        wanted = {"tag": image.tag, "digest": image.digest}
    else:
        wanted = {"digest": image.digest}
    return {key: value for key, value in wanted.items() if not _says(place.entries.get(key), value)}


def _says(entry: Entry | None, value: str) -> bool:
    return entry is not None and entry.scalar is not None and entry.scalar.value == value


def _check_values(place: Place, pin: Pin, image: Image) -> None:
    if not DIGEST.match(image.digest):
        raise Refused(Reason.bad_value, pin.line, "digest", "no sha256 digest")
    if _parts(_text(place, "tag"))[1] and _text(place, "digest"):
        raise Refused(Reason.two_digests, place.entries["tag"].line)
