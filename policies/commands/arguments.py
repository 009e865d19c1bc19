"""What a command is called with: which service and stage, until when, which release, and the free text behind it."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches

from policies import naming
from policies.commands import times
from policies.commands.lines import Call, options_before, rest_from
from policies.commands.model import Command, Declined, Situation, Takes
from policies.wording.quote import code, listed
from policies.wording.steering import sentence

NEAR = 0.8
"""How like a known name a word must be to be taken for a slip of the pen, and not for the first word of a reason."""
MOST_TEXT = 300
SCOPE = frozenset({"service", "stage"})
TIME = frozenset({"until", "for"})


@dataclass(frozen=True, slots=True)
class Arguments:
    """What was understood."""

    service: str | None = None
    stage: str | None = None
    until: datetime | None = None
    release: str | None = None
    """What stands behind `to` and is no stage."""
    back: int | None = None
    flags: frozenset[str] = frozenset()
    others: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What words are understood by: the names of services and stages, and the time of the comment."""

    services: tuple[str, ...]
    stages: tuple[str, ...]
    at: datetime


@dataclass(slots=True)
class _Reader:
    """Takes the words of a call one after the other."""

    known: Known
    call: Call
    takes: Takes
    found: Arguments = field(default_factory=Arguments)
    at: int = 0

    def read(self) -> Arguments:
        """Raises Declined."""
        words = self._without_end(self.call)
        while self.at < len(words.words):
            if not self._take(words.words):
                break
        for key, value in options_before(words, self.at).items():
            self._option(key, value)
        if self.takes.text:
            self._text(words)
        elif self.at < len(words.words):
            raise Declined(_unknown(words.words[self.at], self._names()))
        return self.found

    def _without_end(self, call: Call) -> Call:
        """The call without a last `for 2h`: people write the time where they think of it."""
        known = self.takes.text and self.takes.words & TIME and len(call.words) > 2
        if known and call.words[-2].lower() in TIME:
            end = times.until(call.words[-1], self.known.at)
            if isinstance(end, datetime):
                self.found = replace(self.found, until=end)
                raw = call.raw[: call.starts[-2]].rstrip()
                kept = [(one, at) for one, at in zip(call.options, call.option_starts, strict=True) if at < len(raw)]
                options, starts = tuple(one for one, _ in kept), tuple(at for _, at in kept)
                return Call(call.name, call.words[:-2], options, raw, call.starts[:-2], starts)
        return call

    def _take(self, words: tuple[str, ...]) -> bool:
        """Take what begins at the next word; False where the free text begins there."""
        word, rest = words[self.at], words[self.at + 1 :]
        count = self._keyword(word.lower(), rest) if self._is_bare(word) else 0
        count = count or self._place(word) or self._other(word)
        self.at += count
        return count > 0

    def _is_bare(self, word: str) -> bool:
        """Whether a word stands without quotes: what is quoted is a name or text, and no word with a meaning."""
        return self.call.raw.startswith(word, self.call.starts[self.at]) or not self.takes.text

    def _keyword(self, word: str, rest: tuple[str, ...]) -> int:
        takes = self.takes.words
        if word in TIME & takes and rest:
            return self._time(rest)
        if word == "to" and "to" in takes and rest:
            self._to(rest[0])
            return 2
        if "back" in takes and word.isdecimal() and rest and rest[0].lower() == "back":
            self.found = replace(self.found, back=_count(word))
            return 2
        if word in takes & {"all", "everywhere"} and word not in self._names():
            self.found = replace(self.found, flags=self.found.flags | {word})
            return 1
        return 0

    def _time(self, rest: tuple[str, ...]) -> int:
        base, whole = self.known.at, " ".join(rest[:2])
        both = times.until(whole, base) if len(rest) > 1 and ":" in rest[1] else ""
        end = both if isinstance(both, datetime) else times.until(rest[0], base)
        if isinstance(end, str):
            raise Declined(f"{code(rest[0])}: {end}")
        self.found = replace(self.found, until=end)
        return 3 if isinstance(both, datetime) else 2

    def _to(self, word: str) -> None:
        if "stage" in self.takes.words and word in self.known.stages:
            self._set("stage", word)
        else:
            self.found = replace(self.found, release=word)

    def _place(self, word: str) -> int:
        kinds = [kind for kind in ("service", "stage") if kind in self.takes.words and word in self._known(kind)]
        free = [kind for kind in kinds if getattr(self.found, kind) is None]
        if len(free) > 1:
            both = f"write {code(f'service={word}')} or {code(f'stage={word}')}"
            raise Declined(f"{code(word)} is both a service and a stage: {both}")
        if kinds and not free and not (self.takes.text and word == getattr(self.found, kinds[0])):
            raise Declined(f"two {kinds[0]}s are named: {code(str(getattr(self.found, kinds[0])))} and {code(word)}")
        if free:
            self._set(free[0], word)
        return len(free)

    def _other(self, word: str) -> int:
        if len(self.found.others) < self.takes.others:
            self.found = replace(self.found, others=(*self.found.others, word))
            return 1
        near = get_close_matches(word, self._names(), n=1, cutoff=NEAR)
        if self.takes.text and near and near[0] != word and self._is_bare(word):
            raise Declined(f"{_unknown(word, near)} If it begins the reason, put the reason into quotes")
        return 0

    def _option(self, key: str, value: str) -> None:
        if key in SCOPE & self.takes.words:
            if value not in self._known(key):
                raise Declined(_unknown(value, self._known(key)))
            self._set(key, value)
        elif key in TIME & self.takes.words:
            self._time((value,))
        elif key == "to" and "to" in self.takes.words:
            self._to(value)
        elif key == "reason" and self.takes.text:
            self.found = replace(self.found, text=value)
        else:
            raise Declined(f"{code(f'{key}=')} is nothing that this command knows")

    def _set(self, kind: str, word: str) -> None:
        before = getattr(self.found, kind)
        if before not in (None, word):
            raise Declined(f"two {kind}s are named: {code(before)} and {code(word)}")
        service, stage = (word, self.found.stage) if kind == "service" else (self.found.service, word)
        self.found = replace(self.found, service=service, stage=stage)

    def _text(self, words: Call) -> None:
        text = rest_from(words, self.at) or self.found.text
        if len(text) > MOST_TEXT:
            raise Declined(f"the reason is longer than {MOST_TEXT:,} characters")
        self.found = replace(self.found, text=text)

    def _known(self, kind: str) -> tuple[str, ...]:
        return self.known.services if kind == "service" else self.known.stages

    def _names(self) -> tuple[str, ...]:
        return tuple(name for kind in ("service", "stage") if kind in self.takes.words for name in self._known(kind))


def read(situation: Situation, call: Call, takes: Takes) -> Arguments:
    """The arguments of a call; Declined says what is wrong with them, and the nearest right word."""
    names = Known(situation.services, _stages(situation), situation.comment.at)
    try:
        return _Reader(names, call, takes).read()
    except Declined as unclear:
        text = sentence(str(unclear))
        raise Declined(text if text.endswith(("?", ".")) else f"{text}.") from unclear


def service_named(command: Command, call: Call, known: Known) -> str | None:
    """The service whose snapshot a command needs, as it will read it itself; None where it names none."""
    try:
        return _Reader(known, call, command.takes).read().service
    except Declined:
        return None


def own_unit(situation: Situation) -> str | None:
    """The unit of the promotion on which the comment stands."""
    if situation.request is None or situation.stage is None:
        return None
    branch = naming.parse_branch(situation.request.source_branch)
    return branch.unit if branch is not None else situation.snapshot.unit


def with_defaults(situation: Situation, found: Arguments) -> Arguments:
    """The arguments with the promotion's own service, and its stage where they are about its own service."""
    unit = own_unit(situation)
    service = found.service or unit
    stage = found.stage or (situation.stage if service == unit else None)
    return replace(found, service=service, stage=stage)


def service_of(situation: Situation, found: Arguments) -> str:
    """The service; Declined names what could stand there."""
    if found.service is None:
        raise Declined(f"Name a service: {_listed(situation.services)}.")
    return found.service


def stage_of(situation: Situation, found: Arguments) -> str:
    """The stage; Declined names what could stand there."""
    if found.stage is None:
        raise Declined(f"Name a stage: {_listed(_stages(situation))}.")
    return known(situation, found.stage)


def known(situation: Situation, stage: str) -> str:
    """The stage; Declined where policy has it no more, such as that of a merge request that was opened before."""
    if stage not in _stages(situation):
        raise Declined(f"There is no stage {code(stage)} any more; there are: {_listed(_stages(situation))}.")
    return stage


def reason_of(found: Arguments) -> str:
    """The reason; Declined where none is given."""
    if not found.text.strip():
        raise Declined("Give a reason: it is written down, and shown to whoever wonders later.")
    return found.text


def _listed(names: tuple[str, ...]) -> str:
    return listed(tuple(code(name) for name in names)) or "there is none"


def _stages(situation: Situation) -> tuple[str, ...]:
    return tuple(stage.name for stage in situation.snapshot.policy.stages)


def _unknown(word: str, known: Collection[str]) -> str:
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    meant = f"did you mean {code(near[0])}?" if near else "and nothing else is expected there"
    return f"{code(word)} is no service or stage here; {meant}"


def _count(word: str) -> int:
    number = int(word[:4])
    if number < 1:
        raise Declined("count from `1 back`, the release before the present one")
    return number
