"""The work queue: what is to be looked at, not before when, and who holds it. A message may vanish, a mark may not."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bot import pending_scripts as scripts
from policies.model import Image, Sighting

Work = tuple[str, ...]
"""(`unit`, forge, repository, unit), (`image`, repository), (`repository`, ...), (`branch`, ..., branch),
(`request`, ..., iid), (`sweep`,)."""

PREFIX = "towpath:v1:"
NAMES = ("due", "flight", "leases", "again", "causes", "failures", "wake", "blocked", "handed")
KEYS = [PREFIX + name for name in NAMES]
DELIVERY_KEPT = 7 * 24 * 3600
"""Seconds for which a delivery is known as seen."""
MOST_SIGHTINGS = 200
"""Sightings kept of each image repository, the newest."""
MOST_LETTERS = 1_000
LONGEST_PAUSE = 600.0
"""Seconds that a failing work waits at most until it is tried again."""
GIVE_UP = 8
"""Failures in a row after which a work is on the dead-letter list; it is still tried, at the longest pause."""
MOST_DOUBLED = 5
"""Times that a work is handed out, each after twice the pause before: with no worker the broker would fill up."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A work in flight, held by whoever has the token."""

    work: Work
    token: str
    cause: str
    failures: int
    """How often in a row it failed before."""


def connect(url: str, timeout: float = 0.5) -> "redis.Redis":
    """A client with short timeouts and no retry: whoever waits for us would rather hear 503 (R1)."""
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,
    )


class Pending:
    """The work queue in Redis; all times are seconds since the epoch. Errors of Redis are let through."""

    def __init__(self, client: "redis.Redis", lease: float = 120.0) -> None:
        self.lease = lease
        self._redis = client
        self._mark = client.register_script(scripts.MARK)
        self._hand_out = client.register_script(scripts.HAND_OUT)
        self._claim = client.register_script(scripts.CLAIM)
        self._release = client.register_script(scripts.RELEASE)
        self._expire = client.register_script(scripts.EXPIRE)

    def mark(
        self, works: Sequence[Work], at: float, *, delivery: str = "", sighting: Sighting | None = None, cause: str = ""
    ) -> bool:
        """Mark works as due at `at` (an earlier mark wins) and store a sighting; False for a delivery seen before (R2).

        A mark on a work in flight is remembered until it is released."""
        repository, digest = (sighting.image.repository, sighting.image.digest) if sighting is not None else ("", "")
        keys = [
            *KEYS,
            f"{PREFIX}delivery:{delivery}",
            f"{PREFIX}sightings:{repository}",
            f"{PREFIX}order:{repository}",
        ]
        fact = _packed(sighting) if sighting is not None else ""
        names = [_name(work) for work in works]
        return bool(self._mark(keys, [delivery, DELIVERY_KEPT, digest, fact, MOST_SIGHTINGS, at, cause, *names]))

    def hand_out(self, now: float, limit: int, again_at: float) -> tuple[Work, ...]:
        """Take due works to send to the workers; they are due again at `again_at` unless claimed before.

        The second time in a row it takes twice as long until then, the third time four times, up to sixteen times."""
        return tuple(_work(name) for name in self._hand_out(KEYS, [now, limit, again_at, MOST_DOUBLED]))

    def claim(self, work: Work, now: float, lease: float | None = None) -> Claim | None:
        """Take a due work into flight until the lease ends; None where it is not due yet or somebody has it.

        `lease` is in seconds; left out, it is that of all works."""
        token = secrets.token_hex(8)
        found = self._claim(KEYS, [_name(work), token, now + (self.lease if lease is None else lease), now])
        return Claim(work, token, found[0].decode(), int(found[1])) if found else None

    def release(self, claim: Claim, at: float | None = None, *, failed: bool = False, blocks: bool = True) -> None:
        """End the flight, if the token still holds it: due again at `at` or at the mark made meanwhile, or gone.

        A failure `blocks` (unless said otherwise): then no mark, made meanwhile or later, makes it due before `at`."""
        how = ("blocks" if blocks else "failed") if failed else ""
        self._release(KEYS, [_name(claim.work), claim.token, "" if at is None else at, how])

    def expire(self, now: float) -> tuple[Work, ...]:
        """Make the works whose lease has ended due again; each has failed: what kills its worker never says so."""
        ended = self._expire(KEYS, [now, LONGEST_PAUSE])
        found = [(_work(name), failures, cause.decode()) for name, failures, cause in ended]
        for work, failures, cause in found:
            if failures == GIVE_UP:
                error = "whoever held it died, or took longer than its lease"
                self.dead_letter({"work": " ".join(work), "cause": cause, "error": error})
        return tuple(work for work, _, _ in found)

    def wait(self, seconds: float) -> bool:
        """Until something is marked or the seconds are over; True when marked."""
        return self._redis.blpop([PREFIX + "wake"], timeout=seconds) is not None

    def next_at(self) -> float | None:
        """When the next work is due; None where none is marked."""
        found = self._redis.zrange(KEYS[0], 0, 0, withscores=True)
        return float(found[0][1]) if found else None

    def sightings(self, repository: str) -> tuple[Sighting, ...]:
        """What was announced of an image repository, newest first."""
        facts = self._redis.hvals(f"{PREFIX}sightings:{repository}")
        found = [_unpacked(repository, json.loads(fact)) for fact in facts]
        return tuple(sorted(found, key=lambda one: (one.seen_at, one.image.digest), reverse=True))

    def ping(self) -> None:
        """Raise redis.RedisError where Redis does not answer."""
        self._redis.ping()

    def dead_letter(self, letter: Mapping[str, str]) -> None:
        """Keep what could not be understood or done, where people find it (R10)."""
        with self._redis.pipeline() as together:
            together.lpush(f"{PREFIX}dead", json.dumps(dict(letter)))
            together.ltrim(f"{PREFIX}dead", 0, MOST_LETTERS - 1)
            together.execute()

    def dead_letters(self, limit: int = 100) -> tuple[dict[str, str], ...]:
        """The dead letters, newest first."""
        return tuple(json.loads(letter) for letter in self._redis.lrange(f"{PREFIX}dead", 0, limit - 1))


def _name(work: Work) -> str:
    return json.dumps(work, separators=(",", ":"))


def _work(name: bytes) -> Work:
    return tuple(json.loads(name))


def _packed(sighting: Sighting) -> str:
    known = {
        "digest": sighting.image.digest,
        "seen": sighting.seen_at.timestamp(),
        "tag": sighting.image.tag,
        "revision": sighting.revision,
        "source": sighting.source,
        "created": sighting.created.isoformat() if sighting.created else None,
    }
    lists = {"tags": sighting.tags, "revisions": sighting.revisions, "links": dict(sighting.links)}
    return json.dumps({key: value for key, value in known.items() if value is not None} | lists)


def _unpacked(repository: str, fact: dict[str, object]) -> Sighting:
    def text(name: str) -> str | None:
        found = fact.get(name)
        return found if isinstance(found, str) else None

    def texts(name: str) -> tuple[str, ...]:
        found = fact.get(name)
        # Lua writes an empty list as an empty object.
        return tuple(str(one) for one in found) if isinstance(found, list) else ()

    seen, created, links = fact["seen"], text("created"), fact.get("links")
    return Sighting(
        Image(repository, str(fact["digest"]), text("tag")),
        datetime.fromtimestamp(float(str(seen)), UTC),
        texts("tags"),
        text("revision"),
        texts("revisions"),
        text("source"),
        datetime.fromisoformat(created) if created else None,
        {str(key): str(value) for key, value in links.items()} if isinstance(links, dict) else {},
    )
