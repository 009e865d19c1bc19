"""The full text of a report: what memory keeps of it for the page that the report comment leads to."""

from dataclasses import dataclass

from pydantic import TypeAdapter

from policies.findings import Validation


@dataclass(frozen=True, slots=True)
class Top:
    """The verdict and the gates of a report, each text as Markdown of one line."""

    verdict: str = ""
    gates: tuple[tuple[str, str, str], ...] = ()
    """Gate, sign and reason."""


@dataclass(frozen=True, slots=True)
class Full:
    """Everything that validators said of one head of a merge request; secrets are redacted (S10)."""

    forge: str
    repository: str
    iid: int
    head: str
    url: str
    """The merge request's web address."""
    validation: Validation
    top: Top = Top()
    """As last reported; empty where nothing is reported yet."""


FULL = TypeAdapter(Full)
TOP = TypeAdapter(Top)
"""To and from JSON."""
