"""/unquarantine: a release may run again."""

from policies.commands.arguments import read, reason_of, service_of, with_defaults
from policies.commands.entries import allow
from policies.commands.lines import Call
from policies.commands.model import Command, Declined, Done, Situation, Takes, refusing
from policies.commands.releases import is_digest
from policies.model import Image
from policies.state import Quarantine, State
from policies.wording.quote import code, listed
from policies.wording.steering import because, quarantine_line, rows

TAKES = Takes(frozenset({"service"}), others=1, text=True)


@refusing
def apply(situation: Situation, state: State, call: Call) -> Done:
    """Take what a word means out of the quarantine, but nothing that is younger than the comment."""
    found = with_defaults(situation, read(situation, call, TAKES))
    service = service_of(situation, found)
    there = [one for one in state.quarantine if one.service == service]
    word = next(iter(found.others), "")
    meant = [one for one in there if _means(one, word) and one.at <= situation.comment.at]
    for stage in {name for one in meant for name in one.stages or (None,)} or {None}:
        allow(situation, "unquarantine", service, stage)
    _one(service, word, there, meant)
    reason = reason_of(found)
    after = state.model_copy(update={"quarantine": tuple(one for one in state.quarantine if one not in meant)})
    name = meant[0].tag or meant[0].release
    return Done(after, f"{code(name)} of {code(service)} may run again{because(reason)}.", (service,))


def _one(service: str, word: str, there: list[Quarantine], meant: list[Quarantine]) -> None:
    """Declined where a word means none or several."""
    if not meant:
        lines = rows(quarantine_line(one) for one in there)
        known = f"What is:\n{lines}" if there else "Nothing of it is."
        raise Declined(f"{code(word)} of {code(service)} is not quarantined. {known}")
    if len({tuple(sorted(one.images.items())) for one in meant}) > 1:
        names = listed(tuple(dict.fromkeys(code(one.release) for one in meant)))
        raise Declined(f"{code(word)} could be {names}: name one of these.")


def _means(one: Quarantine, word: str) -> bool:
    images = (Image(repository, digest) for repository, digest in one.images.items())
    return word.lower() == one.release or word == one.tag != "" or any(is_digest(image, word) for image in images)


COMMAND = Command(
    "unquarantine",
    "/unquarantine RELEASE [SERVICE] REASON",
    "allows a quarantined release again",
    "unquarantine",
    apply,
    TAKES,
)
