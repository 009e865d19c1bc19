"""Joins the receiver, the hooks and the work queue: from verified bytes to marks."""

import fnmatch
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import structlog

from bot.hooks import HOOKS
from bot.hooks.events import Changed, Event, Ignored, ImagePublished, Malformed, Unverified
from bot.hooks.signatures import Credentials
from bot.memory import Answer, Memory
from bot.pending import Pending, Work
from bot.settings import Settings, SourceSettings
from bot.web import Ports
from bot.web.receive import Refusal, Told
from policies import naming
from policies.model import Image, Sighting
from policies.sightings import announced

log = structlog.get_logger(__name__)

Clock = Callable[[], float]


def may_speak_for(images: tuple[str, ...], repository: str) -> bool:
    """Whether a source's credential may announce this repository (S4): a prefix ends in `/`, `*` is a wildcard."""
    return any(
        repository.startswith(allowed) if allowed.endswith("/") else fnmatch.fnmatchcase(repository, allowed)
        for allowed in images
    )


def make_ports(settings: Settings, pending: Pending, memory: Memory, clock: Clock) -> Ports:
    """What the receiver's addresses lead to."""

    def forge(name: str, headers: Mapping[str, str], body: bytes) -> Told:
        return _forge(settings, pending, clock(), name, headers, body)

    def image(name: str, headers: Mapping[str, str], body: bytes) -> Told:
        return _image(settings, pending, clock(), name, headers, body)

    def answers(name: str, headers: Mapping[str, str], body: bytes) -> tuple[Answer, ...]:
        return _answers(settings, memory, clock(), name, headers, body)

    return Ports(forge, image, answers, pending.ping)


# A forge's webhook.


def _forge(
    settings: Settings, pending: Pending, now: float, name: str, headers: Mapping[str, str], body: bytes
) -> Told:
    forge = settings.forges.get(name)
    if forge is None:
        raise Refusal(404, "there is no forge of this name")
    sender = Credentials(forge.hook_tokens(), forge.hook_signing_secrets())
    hook = HOOKS[forge.kind]
    _verify(hook.verify, headers, body, sender, now)
    delivery = f"{name}:{hook.delivery(headers, body)}"
    try:
        events = hook.parse(headers, body)
    except Malformed as malformed:
        return _dead_letter(pending, f"forge {name}", delivery, malformed)
    works = [work for event in events for work in _works(name, forge.repositories, event)]
    ignored = tuple(event.reason for event in events if isinstance(event, Ignored))
    return _store(pending, works, now, delivery, ignored, headers.get("x-gitlab-event", ""))


def _works(forge: str, repositories: tuple[str, ...], event: Event) -> list[Work]:
    if not isinstance(event, Changed) or event.repository not in repositories:
        return []
    place = (forge, event.repository)
    branch = event.source_branch or event.branch or ""
    if branch.startswith(naming.PREFIX):
        return [("branch", *place, branch)]
    if event.iid is not None:
        return [("request", *place, str(event.iid))]
    return [("repository", *place)]


# An announcement of an image.


def _image(
    settings: Settings, pending: Pending, now: float, name: str, headers: Mapping[str, str], body: bytes
) -> Told:
    source = _source(settings, name)
    sender = Credentials(source.credentials())
    hook = HOOKS[source.kind]
    _verify(hook.verify, headers, body, sender, now)
    delivery = f"{name}:{hook.delivery(headers, body)}"
    try:
        events = hook.parse(headers, body, source.registry)
    except Malformed as malformed:
        if source.kind == "ci":
            raise Refusal(400, str(malformed), malformed.field) from malformed
        # A registry stops its whole queue behind a 400 (S2).
        return _dead_letter(pending, f"source {name}", delivery, malformed)
    published = [event for event in events if isinstance(event, ImagePublished)]
    allowed = [event for event in published if may_speak_for(source.images, event.repository)]
    strangers = [event.repository for event in published if event not in allowed]
    if strangers and source.kind == "ci":
        raise Refusal(403, f"this source may not speak for {strangers[0]}, only for {', '.join(source.images)}")
    ignored = [event.reason for event in events if isinstance(event, Ignored)]
    ignored += [f"{stranger}: not one of this source's images" for stranger in strangers]
    return _publish(pending, allowed, now, delivery, tuple(ignored))


def _publish(
    pending: Pending, events: list[ImagePublished], now: float, delivery: str, ignored: tuple[str, ...]
) -> Told:
    new = [
        pending.mark(
            [("image", event.repository)],
            now,
            delivery=f"{delivery}:{event.repository}@{event.digest}:{event.tag}",
            sighting=_sighting(event, now),
            cause=f"{event.repository}@{event.digest[:19]} was published",
        )
        for event in events
    ]
    outcome = "accepted" if any(new) else "duplicate" if events else "ignored"
    log.info("received", delivery=delivery, outcome=outcome, images=len(events), ignored=len(ignored))
    return Told(sum(new), bool(events) and not any(new), ignored)


def _sighting(event: ImagePublished, now: float) -> Sighting:
    return announced(
        Sighting(
            Image(event.repository, event.digest, event.tag),
            datetime.fromtimestamp(now, UTC),
            (event.tag,) if event.tag else (),
            event.revision,
            source=event.source,
            created=event.created,
            links=event.links,
        )
    )


def _answers(
    settings: Settings, memory: Memory, now: float, name: str, headers: Mapping[str, str], body: bytes
) -> tuple[Answer, ...]:
    source = _source(settings, name)
    if source.kind != "ci":
        raise Refusal(404, "only sources of kind ci are answered")
    sender = Credentials(source.credentials())
    hook = HOOKS[source.kind]
    _verify(hook.verify, headers, body, sender, now)
    try:
        event = hook.parse(headers, body)[0]
    except Malformed as malformed:
        raise Refusal(400, str(malformed), malformed.field) from malformed
    if not isinstance(event, ImagePublished) or not may_speak_for(source.images, event.repository):
        raise Refusal(403, f"this source may not ask for it, only for {', '.join(source.images)}")
    return memory.answers(event.repository, event.digest)


# What both share.


def _source(settings: Settings, name: str) -> SourceSettings:
    source = settings.sources.get(name)
    if source is None:
        raise Refusal(404, "there is no source of this name")
    return source


def _verify(
    verify: Callable[[Mapping[str, str], bytes, Credentials, datetime], None],
    headers: Mapping[str, str],
    body: bytes,
    sender: Credentials,
    now: float,
) -> None:
    try:
        verify(headers, body, sender, datetime.fromtimestamp(now, UTC))
    except Unverified as unverified:
        raise Refusal(401, str(unverified)) from unverified


def _store(
    pending: Pending, works: list[Work], now: float, delivery: str, ignored: tuple[str, ...], cause: str
) -> Told:
    new = pending.mark(works, now, delivery=delivery, cause=cause[:60]) if works else False
    outcome = "accepted" if new else "duplicate" if works else "ignored"
    log.info("received", delivery=delivery, outcome=outcome, works=len(works), ignored=list(ignored))
    return Told(int(new), bool(works) and not new, ignored)


def _dead_letter(pending: Pending, source: str, delivery: str, malformed: Malformed) -> Told:
    log.warning("not understood", source=source, delivery=delivery, field=malformed.field, why=malformed.message)
    pending.dead_letter({"source": source, "delivery": delivery, "error": json.dumps(str(malformed))})
    return Told(0, ignored=(f"not understood: {malformed}",))
