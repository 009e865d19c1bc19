"""The words that answers to commands share: places, people, times, reasons; nobody's text is alive in them (S9)."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from policies.model import Release
from policies.state import Asked, Freeze, Hold, Override, Person, Quarantine, public_reason
from policies.wording.promotion import release_name
from policies.wording.quote import code, plain

_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&*+,;=%-]+")


def place(service: str | None, stage: str | None) -> str:
    """Where something reaches."""
    if service is None and stage is None:
        return "every service in every stage"
    what = code(service) if service is not None else "every service"
    return f"{what} in {code(stage) if stage is not None else 'every stage'}"


def sentence(text: str) -> str:
    """The text with a capital at its start."""
    return f"{text[:1].upper()}{text[1:]}"


def when(moment: datetime) -> str:
    """A time, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def who(person: Person) -> str:
    """A person as they were called then, without a mention that fires."""
    return code(f"@{person.name}")


def named(release: Release) -> str:
    """A release as people call it, with the digits that name it for good."""
    return f"{code(release_name(release))} ({code(release.name)})"


def because(reason: str) -> str:
    """`: the reason`, or nothing."""
    return f": {plain(reason)}" if reason.strip() else ""


def said(entry: Hold | Freeze | Quarantine | Asked | Override) -> str:
    """Who, since when, until when, why and where."""
    ends = f" until {when(entry.until)}" if isinstance(entry, (Hold, Freeze, Override)) and entry.until else ""
    link = f" ([comment]({entry.where}))" if _ADDRESS.fullmatch(entry.where) else ""
    return f"by {who(entry.by)} on {when(entry.at)}{ends}{because(public_reason(entry))}{link}"


def hold_line(hold: Hold) -> str:
    """One hold: what is held, and who says so."""
    what = f"!{hold.request}" if hold.request is not None else place(hold.service, hold.stage)
    return f"{what} is held {said(hold)}"


def freeze_line(freeze: Freeze) -> str:
    """One freeze."""
    return f"{code(freeze.stage)} is frozen {said(freeze)}"


def quarantine_line(one: Quarantine) -> str:
    """One release that must not run."""
    where = f" in {', '.join(code(stage) for stage in one.stages)}" if one.stages else " everywhere"
    name = f"{code(one.tag)} ({code(one.release)})" if one.tag else code(one.release)
    return f"{name} of {code(one.service)} is quarantined{where} {said(one)}"


def rows(lines: Iterable[str]) -> str:
    """A list, one line each; nothing where it is empty."""
    return "".join(f"\n- {line}" for line in lines)
