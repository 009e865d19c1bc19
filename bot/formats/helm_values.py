"""`helm-values`: every mapping with `repository` and `digest` or `tag`, with or without `registry`, at any depth."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.formats.splice import Edit, Refused, apply, insertion, outline, read, replacement
from bot.yaml import Node, Text, Unreadable, decode
from policies.model import DIGEST, Image, Pin

KEYS = ("registry", "repository", "tag", "digest")


@dataclass(frozen=True, slots=True)
class Block:
    """One mapping that pins an image, with the nodes of its keys."""

    mapping: Node
    keys: Mapping[str, Node]
    values: Mapping[str, Node]
    pin: Pin


def pins(text: bytes) -> tuple[Pin, ...]:
    """Every place that pins an image, in file order."""
    roots = read(_decoded(text).text)
    return tuple(block.pin for block in _blocks(roots))


def set_images(text: bytes, images: Mapping[str, Image]) -> bytes:
    """The text with these images' digests, and tags where the file writes tags; proved by parsing it again."""
    found = _decoded(text)
    plain = found.text
    roots = read(plain)
    if any(root.kind == "mapping" and root.get("sops") is not None for root in roots):
        raise Refused("the file is encrypted by SOPS", 1)
    blocks = list(_blocks(roots))
    _all_found(blocks, images)
    moving = [(block, images[block.pin.repository]) for block in blocks if block.pin.repository in images]
    edits = [edit for block, image in moving for edit in _edits(plain, block, image)]
    if not edits:
        return text
    edited = apply(plain, edits)
    _prove(roots, edited, images)
    return found.encoded(edited)


def _decoded(text: bytes) -> Text:
    try:
        return decode(text)
    except Unreadable as error:
        raise Refused(error.reason, error.line) from error


def _all_found(blocks: list[Block], images: Mapping[str, Image]) -> None:
    known = [block.pin.repository for block in blocks]
    for repository in images:
        if repository not in known:
            nearest = difflib.get_close_matches(repository, known, n=1)
            raise Refused(f"no place pins {repository}" + (f"; the nearest is {nearest[0]}" if nearest else ""))


def _blocks(roots: list[Node]) -> Iterator[Block]:
    waiting = list(reversed(roots))
    while waiting:
        node = waiting.pop()
        if node.kind == "mapping":
            block = _block(node)
            if block is not None:
                yield block
        waiting.extend(reversed(node.items))


def _block(node: Node) -> Block | None:
    keys: dict[str, Node] = {}
    values: dict[str, Node] = {}
    for key, value in node.pairs():
        if key.kind == "scalar" and key.value in KEYS:
            if key.value in keys and "repository" in (*keys, key.value):
                keys[f"twice {key.value}"] = key
            keys[key.value], values[key.value] = key, value
    repository = values.get("repository")
    if repository is None or repository.kind != "scalar" or not repository.value or not {"tag", "digest"} & keys.keys():
        return None
    return Block(node, keys, values, _pin(values))


def _pin(values: Mapping[str, Node]) -> Pin:
    registry = values.get("registry")
    host = registry.value if registry is not None and registry.kind == "scalar" else ""
    name = values["repository"].value
    tag, _, inside = _text(values.get("tag")).partition("@")
    digest = _text(values.get("digest")) or inside
    repository = f"{host}/{name}" if host else name
    return Pin(repository, digest if DIGEST.match(digest) else None, tag or None, values["repository"].line)


def _text(node: Node | None) -> str:
    return node.value if node is not None and node.kind == "scalar" and node.value not in {"~", "null"} else ""


def _edits(text: str, block: Block, image: Image) -> Iterator[Edit]:
    twice = next((key for name, key in block.keys.items() if name.startswith("twice ")), None)
    if twice is not None:
        raise Refused(f"the key {twice.value} is written twice", twice.line)
    if block.mapping.anchor:
        raise Refused("the image has an anchor, so other places may follow it", block.mapping.line)
    tag, digest = block.values.get("tag"), block.values.get("digest")
    inside = tag is not None and "@" in _text(tag) and digest is None
    if tag is not None and inside:
        name = image.tag or _text(tag).partition("@")[0]
        yield replacement(text, block.mapping, block.keys["tag"], tag, f"{name}@{image.digest}")
        return
    if tag is not None and image.tag is not None and _text(tag) != image.tag:
        yield replacement(text, block.mapping, block.keys["tag"], tag, image.tag)
    if digest is None:
        beside = "tag" if tag is not None and _text(tag) else "repository"
        yield insertion(text, block.mapping, block.keys[beside], block.values[beside], "digest", image.digest)
    elif _text(digest) != image.digest:
        yield replacement(text, block.mapping, block.keys["digest"], digest, image.digest)


def _prove(roots: list[Node], edited: str, images: Mapping[str, Image]) -> None:
    """Everything but the digests and tags of these images must be as before, whatever the edits did to the text."""
    after = read(edited)
    for block in _blocks(after):
        image = images.get(block.pin.repository)
        if image is not None and block.pin.digest != image.digest:
            raise Refused("the edit would not give the wanted digest", block.pin.line)
    if _blanked(roots, images) != _blanked(after, images):
        raise Refused("the edit would change more than the digest")


def _blanked(roots: list[Node], images: Mapping[str, Image]) -> list[tuple[str, str, str, str, str]]:
    dropped: set[int] = set()
    for block in _blocks(roots):
        if block.pin.repository in images:
            for name in ("tag", "digest"):
                if name in block.keys:
                    dropped |= {id(block.keys[name]), id(block.values[name])}
    return outline_without(roots, dropped)


def outline_without(roots: list[Node], dropped: set[int]) -> list[tuple[str, str, str, str, str]]:
    """The outline without some nodes."""
    for node in _all(roots):
        if node.items and any(id(item) in dropped for item in node.items):
            node.items = [item for item in node.items if id(item) not in dropped]
    return outline(roots)


def _all(roots: list[Node]) -> Iterator[Node]:
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.items)
