"""What the validators that render have in common: one side of a change to render, its faults, and what it changes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bot.validators.base import LONGEST_MESSAGE, Bench, Change, Part, Skipped, Told, Tree, both, bounded
from bot.validators.differences import Compared, differences
from bot.validators.documents import MOST_BYTES
from bot.validators.export import export
from bot.validators.launching import Ended, Launcher, Limits
from bot.validators.objects import objects
from bot.validators.redaction import line
from policies.findings import Finding, Severity

LIMITS = Limits(output=MOST_BYTES)
"""More could not be read afterwards."""
CHECKOUT = ".repository"
"""The repository's files below a side's folder, which is also the program's HOME: no file of theirs is its setting."""
LONGEST = 400
_BEGINNING = 150
"""Letters that are kept of a message that is cut; the cause mostly stands at its end."""
_CHECKED_OUT = re.compile(r"(?<![^\s'\"(\[])[^\s'\"(\[]*" + re.escape(CHECKOUT) + "/")
"""It is tried at the beginning of a word alone: at each letter of a long one it would take the square of its length."""
_REPEATED = re.compile(
    # What kustomize repeats of what it was given (sigs.k8s.io/kustomize/api: kv, resmap, internal/target), and Go's
    # YAML of a value of another type: all up to the last mark that could end it, or to the end of what it says.
    r"\A(?P<key>[^\"]*)\".*\"(?= is not a valid key name)|(?P<line>\bhas invalid utf8 bytes : ).*"
    r"|(?P<config>\bwith config: )(?:`.*`|`.*)|(?P<patch>\bfrom \[patch: )(?:\".*\"\]|\".*)|(?P<typed>!!\w+ )`[^`]*`"
    r"|(?P<literals>\bliteral sources? )(?:.*(?=, expected key=value)|.*)",
    re.DOTALL,
)
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


class Unrenderable(Skipped):
    """The renderer finds fault with what it is to render, so there are no objects to look at."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(f"it cannot be rendered: {findings[0].message}"[:LONGEST_MESSAGE])
        self.findings = findings
        self.version = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One state of the repository, and an empty folder in which it is rendered."""

    tree: Tree
    folder: Path
    launcher: Launcher

    def run(self, argv: Iterable[str], below: Iterable[str]) -> Ended:
        """Start a renderer with these files and folders of the repository below `CHECKOUT`, and without a network."""
        export(self.tree, self.folder / CHECKOUT, below)
        return self.launcher.run([*argv], self.folder, limits=LIMITS)


def said(err: bytes, names: Mapping[str, str]) -> str:
    """What a program says of its failure, in one line, without our folders; `names` are our files' names to theirs."""
    text = _CHECKED_OUT.sub("", _ANSI.sub("", err[: 64 * 1024].decode(errors="replace")))
    for ours, theirs in names.items():
        text = text.replace(ours, theirs)
    shown = "".join(letter if letter.isprintable() else " " for letter in line(_unrepeated(text)))
    told = " ".join(shown.split()).removeprefix("Error: ") or "it says nothing"
    return told if len(told) <= LONGEST else f"{told[:_BEGINNING]} … {told[_BEGINNING - LONGEST :]}"


def _unrepeated(text: str) -> str:
    """What a program says without the content that it repeats, which nobody could tell from a secret (S10)."""
    return _REPEATED.sub(lambda found: f"{found[found.lastgroup or 0]}…", text)


def left_out(tree: Tree, folder: str) -> str:
    """What to add to a fault where links were left out, which may be its cause."""
    found = next(iter(tree.links(folder)), None)
    return "" if found is None else f" (links are not followed: {found})"


def differing(change: Change, paths: Iterable[str], *words: str) -> tuple[str, ...]:
    """The words, and the paths with their ids before and after; nothing where all the ids are the same."""
    ids = [(path, *both(change, path)) for path in paths]
    if all(before == after for _, before, after in ids):
        return ()
    return (*words, *(text for one in ids for text in one))


def compared(change: Change, part: Part, bench: Bench) -> Told:
    """The objects that a change adds, removes or alters, and what is wrong with them afterwards."""
    if part.target is None or bench.rendered is None:
        raise Skipped("policy names no renderer")
    try:
        rendered = bench.rendered(change, part.target)
    except Unrenderable as fault:
        return Told(bounded(fault.findings), version=fault.version)
    after = objects(rendered.after)
    findings = [replace(one, path=part.subject) for one in after.findings]
    if rendered.unknown:
        message = f"what changes is not known, for before it could not be rendered: {rendered.unknown}"
        findings.append(Finding(message, Severity.note, part.subject, rule="before"))
        return Told(bounded(findings), version=rendered.version)
    found = differences(objects(rendered.before), after, part.subject)
    return Told(bounded([*findings, *_more(found, part.subject)]), found.changes, rendered.version)


def _more(found: Compared, path: str) -> Iterable[Finding]:
    if found.more:
        message = f"{found.more} more objects differ beside the {len(found.changes)} that are shown"
        yield Finding(message, Severity.note, path, rule="more")
