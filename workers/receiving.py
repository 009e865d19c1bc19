"""Joins the receiver, the hooks and the work queue: from verified bytes to marks."""

import fnmatch
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from bot.hooks import HOOKS, Hook
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

    def forge(name: str, headers: Mapping[str, str], body: bytes) -> Told:
        return _forge(settings, pending, Post(name, headers, body, clock()))

    def image(name: str, headers: Mapping[str, str], body: bytes) -> Told:
        return _image(settings, pending, Post(name, headers, body, clock()))

    def answers(name: str, headers: Mapping[str, str], body: bytes) -> tuple[Answer, ...]:
        return _answers(settings, memory, Post(name, headers, body, clock()))

    return Ports(forge, image, answers, pending.ping)


# A forge's webhook.


def _forge(settings: Settings, pending: Pending, post: Post) -> Told:
    forge = settings.forges.get(post.name)
    if forge is None:
        raise Refusal(404, "there is no forge of this name")
    sender = Credentials(forge.hook_tokens(), forge.hook_signing_secrets())
    hook = HOOKS[forge.kind]
    _verify(hook, post, sender)
    delivery = f"{post.name}:{hook.delivery(post.headers, post.body)}"
    try:
        events = hook.parse(post.headers, post.body)
    except Malformed as malformed:
        return _dead_letter(pending, f"forge {post.name}", delivery, malformed)
    works = [work for event in events for work in _works(post.name, forge.repositories, event)]
    ignored = tuple(event.reason for event in events if isinstance(event, Ignored))
    cause = post.headers.get("x-gitlab-event", "")[:60]
    new = bool(works) and pending.mark(works, post.now, delivery=delivery, cause=cause)
    outcome = "accepted" if new else "duplicate" if works else "ignored"
    log.info("received", delivery=delivery, outcome=outcome, works=len(works), ignored=list(ignored))
    return Told(int(new), bool(works) and not new, ignored)


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


def _image(settings: Settings, pending: Pending, post: Post) -> Told:
    source = _source(settings, post.name)
    sender = Credentials(source.credentials())
    hook = HOOKS[source.kind]
    _verify(hook, post, sender)
    delivery = f"{post.name}:{hook.delivery(post.headers, post.body)}"
    try:
        events = hook.parse(post.headers, post.body, source.registry)
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
    return _publish(pending, allowed, post.now, delivery, tuple(ignored))


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
    pending.dead_letter({"source": source, "delivery": delivery, "error": json.dumps(str(malformed))})
    return Told(0, ignored=(f"not understood: {malformed}",))
