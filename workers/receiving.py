"""Joins the receiver, the hooks and the work queue: from verified bytes to marks."""

import fnmatch
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from bot.hooks import HOOKS, Hook
from bot.hooks.distribution import Bad, PartlyMalformed
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
from workers.observe import full

log = structlog.get_logger(__name__)

MOST_LETTERS = 20
"""Dead letters of one envelope: a registry that sends a thousand bad events must not push everybody else's out."""

Clock = Callable[[], float]
"""Seconds since the epoch."""


@dataclass(frozen=True)
class Post:
    """One request as it came: the sender's name from the address, headers in lower case, the raw body, the time."""

    name: str
    headers: Mapping[str, str]
    body: bytes
    now: float


def may_speak_for(images: tuple[str, ...], repository: str) -> bool:
    """Whether a source's credential may announce this repository (S4): a prefix ends in `/`, `*` is a wildcard."""
    return any(
        repository.startswith(allowed) if allowed.endswith("/") else fnmatch.fnmatchcase(repository, allowed)
        for allowed in images
    )


def make_ports(settings: Settings, pending: Pending, memory: Memory, clock: Clock) -> Ports:
    """What the receiver's addresses lead to."""

    def forge(kind: str, name: str, headers: Mapping[str, str], body: bytes) -> Told:
        return _forge(settings, pending, kind, Post(name, headers, body, clock()))

    def image(name: str, headers: Mapping[str, str], body: bytes) -> Told:
        return _image(settings, pending, memory, Post(name, headers, body, clock()))

    def answers(name: str, headers: Mapping[str, str], body: bytes) -> tuple[Answer, ...]:
        return _answers(settings, memory, Post(name, headers, body, clock()))

    return Ports(forge, image, answers, pending.ping, lambda token: full.found(memory, token))


# A forge's webhook.


def _forge(settings: Settings, pending: Pending, kind: str, post: Post) -> Told:
    forge = settings.forges.get(post.name)
    if forge is None:
        raise Refusal(404, "there is no forge of this name")
    if forge.kind != kind:
        raise Refusal(404, f"this forge is a {forge.kind}: its webhooks go to /hooks/{forge.kind}/{post.name}")
    sender = Credentials(forge.hook_secrets(), forge.hook_signing_secrets())
    hook = HOOKS[forge.kind]
    _verify(hook, post, sender)
    delivery = f"{post.name}:{hook.delivery(post.headers, post.body)}"
    try:
        events = hook.parse(post.headers, post.body)
    except Malformed as malformed:
        return _dead_letter(pending, f"forge {post.name}", delivery, malformed)
    routed = [_work(post.name, forge.repositories, event) for event in events]
    works = [one for one in routed if not isinstance(one, str)]
    ignored = tuple(dict.fromkeys(one for one in routed if isinstance(one, str)))
    cause = (post.headers.get("x-gitlab-event") or post.headers.get("x-github-event") or "")[:60]
    new = bool(works) and pending.mark(works, post.now, delivery=delivery, cause=cause)
    outcome = "accepted" if new else "duplicate" if works else "ignored"
    log.info("received", delivery=delivery, outcome=outcome, works=len(works), ignored=list(ignored))
    return Told(int(new), bool(works) and not new, ignored)


def _work(forge: str, repositories: tuple[str, ...], event: Event) -> Work | str:
    """What is to be looked at, or why nothing is."""
    if isinstance(event, Ignored):
        return event.reason
    if not isinstance(event, Changed):
        return "images are announced by their registry or CI, not by a forge"
    # Forges send the path as its owner last wrote it, and find it under any case.
    configured = next((one for one in repositories if one.lower() == event.repository.lower()), None)
    if configured is None:
        return f"{event.repository} is no configured repository of this forge"
    place = (forge, configured)
    if event.issue is not None:
        return ("issue", *place, str(event.issue))
    if event.talk and event.iid is not None:
        return ("request", *place, str(event.iid))
    branch = event.source_branch or event.branch or ""
    if branch.startswith(naming.PREFIX):
        return ("branch", *place, branch)
    if event.iid is not None:
        return ("request", *place, str(event.iid))
    return ("repository", *place)


# An announcement of an image.


def _image(settings: Settings, pending: Pending, memory: Memory, post: Post) -> Told:
    source = _source(settings, post.name)
    sender = Credentials(source.credentials())
    hook = HOOKS[source.kind]
    _verify(hook, post, sender)
    delivery = f"{post.name}:{hook.delivery(post.headers, post.body)}"
    bad: tuple[Bad, ...] = ()
    try:
        events = hook.parse(post.headers, post.body, source.registry)
    except PartlyMalformed as partly:
        events, bad = partly.understood, partly.bad
    except Malformed as malformed:
        if source.kind == "ci":
            raise Refusal(400, str(malformed), malformed.field) from malformed
        # A registry stops its whole queue behind a 400 (S2).
        return _dead_letter(pending, f"source {post.name}", delivery, malformed)
    published = [event for event in events if isinstance(event, ImagePublished)]
    allowed = [event for event in published if may_speak_for(source.images, event.repository)]
    strangers = [event.repository for event in published if event not in allowed]
    if strangers and source.kind == "ci":
        raise Refusal(403, f"this source may not speak for {strangers[0]}, only for {', '.join(source.images)}")
    ignored = [event.reason for event in events if isinstance(event, Ignored)]
    ignored += [f"{stranger}: not one of this source's images" for stranger in strangers]
    new = _publish(pending, allowed, post.now, delivery)
    ignored += _bad_events(pending, f"source {post.name}", delivery, bad)
    # Whoever announces an image again waits for what becomes of it now, not for what was said before it was pinned.
    for event in new:
        memory.forget_answers(event.repository, [event.digest])
    outcome = "accepted" if new else "duplicate" if allowed else "ignored"
    log.info("received", delivery=delivery, outcome=outcome, images=len(allowed), ignored=len(ignored))
    return Told(len(new), bool(allowed) and not new, tuple(ignored))


def _publish(pending: Pending, events: list[ImagePublished], now: float, delivery: str) -> list[ImagePublished]:
    """Store what was announced; those that were not known before."""
    return [
        event
        for event in events
        if pending.mark(
            [("image", event.repository)],
            now,
            delivery=f"{delivery}:{event.repository}@{event.digest}:{event.tag}",
            sighting=_sighting(event, now),
            cause=f"{event.repository}@{event.digest[:19]} was published",
        )
    ]


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


def _answers(settings: Settings, memory: Memory, post: Post) -> tuple[Answer, ...]:
    source = _source(settings, post.name)
    if source.kind != "ci":
        raise Refusal(404, "only sources of kind ci are answered")
    sender = Credentials(source.credentials())
    hook = HOOKS[source.kind]
    _verify(hook, post, sender)
    try:
        event = hook.parse(post.headers, post.body)[0]
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


def _verify(hook: Hook, post: Post, sender: Credentials) -> None:
    try:
        hook.verify(post.headers, post.body, sender, datetime.fromtimestamp(post.now, UTC))
    except Unverified as unverified:
        raise Refusal(401, str(unverified)) from unverified


def _dead_letter(pending: Pending, source: str, delivery: str, malformed: Malformed) -> Told:
    log.warning("not understood", source=source, delivery=delivery, field=malformed.field, why=malformed.message)
    pending.dead_letter({"source": source, "delivery": delivery, "error": str(malformed)})
    return Told(0, ignored=(f"not understood: {malformed}",))


def _bad_events(pending: Pending, source: str, delivery: str, bad: tuple[Bad, ...]) -> list[str]:
    """Keep the events of an envelope that could not be understood; what their sender is told of them."""
    if bad:
        log.warning("not understood", source=source, delivery=delivery, events=len(bad), why=str(bad[0].malformed))
    for one in bad[:MOST_LETTERS]:
        letter = {"source": source, "delivery": delivery, "error": str(one.malformed), "event": one.raw}
        pending.dead_letter(letter)
    return [f"not understood: {one.malformed}" for one in bad]
