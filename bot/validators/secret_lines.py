"""Lines of YAML or of any text, each with what the lines around it say of it: whose value it is, what it is part of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Zone(Enum):
    """What a line is part of."""

    plain = "plain"
    secret = "secret"  # noqa: S105 # a zone's name
    """`data` or `stringData` of a Secret."""
    sealed = "sealed"
    """A SealedSecret."""
    encoded = "encoded"
    """A certificate, a public key, an encrypted message in PEM, or what SOPS writes of itself."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a text."""

    number: int
    """Counted from 1."""
    text: str
    label: str = ""
    """The name that an earlier line gives to its value: `name: DB_PASSWORD`, `- --password`, `password: |`."""
    pair: tuple[str, int] | None = None
    """The key that stands on it as YAML, and where its value begins."""
    zone: Zone = Zone.plain


_PAIR = re.compile(
    r"(?P<dent>[ \t]{0,200}(?:- {1,8}){0,4})"
    r"(?P<key>\"[^\"]{1,200}\"|'[^']{1,200}'|[A-Za-z_.][\w./-]{0,200}) {0,4}:(?: +|\t+|$)"
)
_ITEM = re.compile(r"\s{0,200}- {1,8}[\"']?(?P<flag>--?[A-Za-z][\w-]{1,80})[\"']?,?\s{0,8}$")
_BLOCK = re.compile(r"(?:[&!][\w./-]{1,60} {1,4})?(?:[|>][-+0-9]{0,2})?\s{0,8}(?:#.{0,300})?$")
_KIND = re.compile(r"^kind: {0,8}[\"']?(Secret|SealedSecret)[\"']?\s{0,8}(?:#.*)?$", re.MULTILINE)
_SECTION = re.compile(r"(data|stringData|sops)\s{0,8}:")
_PEM = re.compile(r"-----(BEGIN|END) ([A-Z0-9 ]{1,60})-----")
_BASE64_LINE = re.compile(r"[\s>|]{0,200}[A-Za-z0-9+/=-]{1,100}\s{0,8}")


def lines(text: str) -> Iterator[Line]:
    """Each line of a text, in one pass; what is no YAML comes out as plain lines."""
    number = 1
    for document in re.split(r"(?m)^(?=---(?:\s|$))", text):
        found = document.split("\n")
        yield from _document(document, found, number)
        number += len(found) - 1


def _document(document: str, texts: list[str], number: int) -> Iterator[Line]:
    zones = _zones(document, texts)
    labels = _Labels()
    for at, (text, zone) in enumerate(zip(texts, zones, strict=True)):
        if at == len(texts) - 1 and not text:
            return  # what stands after the last line's end
        found = _PAIR.match(text)
        pair = (found["key"].strip("\"'"), found.end()) if found else None
        yield Line(number + at, text, labels.of(text, pair, found["dent"] if found else ""), pair, zone)


def _zones(document: str, texts: list[str]) -> Iterator[Zone]:
    said = _KIND.search(document)
    kind = said[1] if said else ""
    usual = Zone.sealed if kind == "SealedSecret" else Zone.plain
    section, in_pem = usual, False
    for text in texts:
        if text[:1].strip() and not text.startswith(("#", "-", "}")):
            top = _SECTION.match(text)
            section = _section(top[1], kind, document) if top else usual
        pem = _PEM.search(text)
        if pem:
            in_pem = pem[1] == "BEGIN" and "PRIVATE" not in pem[2]
        in_pem = in_pem and (pem is not None or _BASE64_LINE.fullmatch(text) is not None)
        yield Zone.encoded if in_pem and section is Zone.plain else section


def _section(name: str, kind: str, document: str) -> Zone:
    if name == "sops":
        return Zone.encoded if "mac: ENC[" in document else Zone.plain
    return Zone.secret if kind == "Secret" else Zone.plain


class _Labels:
    """Remembers which name an earlier line gave."""

    def __init__(self) -> None:
        self._block: tuple[int, str] | None = None
        self._named: tuple[int, str] | None = None
        self._flag = ""

    def of(self, text: str, pair: tuple[str, int] | None, dent: str) -> str:
        """The name for this line's value, where an earlier line gave one."""
        indent = len(text) - len(text.lstrip(" "))
        if self._block is not None and (indent > self._block[0] or not text.strip()):
            return self._block[1]
        self._block = None
        flag, self._flag = self._flag, ""
        if pair is None:
            item = _ITEM.match(text)
            self._flag = item["flag"] if item else ""
            return flag
        return self._of_pair(text, pair, len(dent))

    def _of_pair(self, text: str, pair: tuple[str, int], column: int) -> str:
        key, at = pair
        value = text[at:]
        if _BLOCK.fullmatch(value[:400]):
            # An empty value may be a mapping, whose own lines speak for themselves.
            self._block = (column, key) if value.strip()[:1] in {"|", ">"} else None
        if key == "name":
            self._named = (column, value.strip().strip("\"'"))
        elif key == "value" and self._named is not None and self._named[0] == column:
            return self._named[1]
        return ""
