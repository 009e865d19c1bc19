"""Names that Towpath gives on the forge: branches, labels, the status; and how to read them back."""

import hashlib
import re
from dataclasses import dataclass

PREFIX = "towpath/p/"
STATUS = "towpath"
LABEL = "towpath"
REPORT_MARK = "<!-- towpath:report -->"
SUPERSEDED = "towpath:superseded"
REFRESHED = "towpath:refreshed"
DONE = "towpath:done"
WITHDRAWN = "towpath:withdrawn"
CONTROL = "towpath:control"
"""On an open issue: commands for services and stages are heard there."""
HOLD = "towpath:hold"
"""On a merge request: nothing merges it, whoever set the label."""
LABEL_LIMIT = 50
"""GitHub's limit for a label's name; GitLab's is larger."""

_BRANCH = re.compile(
    r"towpath/p/(?P<stage>[a-z0-9-]+)/(?P<unit>[^/]+)/(?P<release>[0-9a-f]{12})-(?P<attempt>[1-9][0-9]*)"
)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]|^\.|\.(?=\.)|\.(?=lock$)|\.$|^-")


@dataclass(frozen=True, slots=True)
class BranchName:
    """What a promotion's branch says of it."""

    stage: str
    unit: str
    release: str
    attempt: int


def quoted(unit: str) -> str:
    """A unit's name as one component of a Git ref: what `git check-ref-format` refuses is written `=XX` (S9).

    A name that is not UTF-8 has one too, though nothing is ever promoted under it."""
    return _UNSAFE.sub(lambda found: "".join(f"={byte:02X}" for byte in _encoded(found.group())), unit)


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def unquoted(component: str) -> str:
    """The unit's name that `quoted` wrote."""
    return re.sub(
        r"(?:=[0-9A-F]{2})+",
        lambda found: bytes.fromhex(found.group().replace("=", "")).decode(errors="replace"),
        component,
    )


def branch(name: BranchName) -> str:
    """The branch of a promotion's attempt."""
    return f"{PREFIX}{name.stage}/{quoted(name.unit)}/{name.release}-{name.attempt}"


def parse_branch(text: str) -> BranchName | None:
    """What a branch name says, or None where it is not of this form."""
    found = _BRANCH.fullmatch(text)
    if found is None:
        return None
    return BranchName(found["stage"], unquoted(found["unit"]), found["release"], int(found["attempt"]))


def label(unit: str) -> str:
    """The label by which a unit's promotions are listed; long or odd names are shortened to a hash."""
    plain = f"{LABEL}:{unit}"
    taken = plain in {SUPERSEDED, REFRESHED, DONE, WITHDRAWN, HOLD, CONTROL}
    if not taken and len(plain) <= LABEL_LIMIT and re.fullmatch(r"[A-Za-z0-9:._/ -]+", plain):
        return plain
    return f"{LABEL}:{hashlib.sha256(_encoded(unit)).hexdigest()[:16]}"
