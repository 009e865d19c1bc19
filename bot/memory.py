"""Small caches in Redis, which may be emptied at any moment: `towpath:v1:memo:*` and `towpath:v1:answer:*`."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

import redis

MEMO = "towpath:v1:memo:"
ANSWER = "towpath:v1:answer:"
ANSWERS_KEPT = 24 * 3600
"""Seconds for which `towpath publish --wait` can ask what became of an image."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a published image in one first stage."""

    state: Literal["waiting", "branch", "opened", "done", "refused"]
    unit: str
    stage: str
    text: str
    url: str


class Forgetful:
    """A memory that keeps nothing, for a look that needs no Redis."""

    def get(self, key: str) -> str | None:  # noqa: ARG002 # as a memory is asked
        """Nothing."""
        return None

    def set(self, key: str, value: str, seconds: int) -> None:
        """Keep nothing."""

    def delete(self, key: str) -> None:
        """Nothing to forget."""


class Memory:
    """Texts by key, each with a life of its own. Errors of Redis are let through."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def get(self, key: str) -> str | None:
        """What is kept under a key, or None."""
        found = self._redis.get(MEMO + key)
        return found.decode() if isinstance(found, bytes) else None

    def set(self, key: str, value: str, seconds: int) -> None:
        """Keep a text for so many seconds."""
        self._redis.set(MEMO + key, value, ex=seconds)

    def delete(self, key: str) -> None:
        """Forget a key."""
        self._redis.delete(MEMO + key)

    def note_answer(self, repository: str, digest: str, answer: Answer) -> None:
        """Keep what became of an image; the newest of each unit and stage counts."""
        key = f"{ANSWER}{repository}@{digest}"
        with self._redis.pipeline() as together:
            together.hset(key, f"{answer.unit}\n{answer.stage}", json.dumps(asdict(answer)))
            together.expire(key, ANSWERS_KEPT)
            together.execute()

    def forget_answers(self, repository: str, digests: Iterable[str], unit: str = "", stage: str = "") -> None:
        """Take back what was said of images in one unit and stage; without them, what was said of no service at all."""
        with self._redis.pipeline() as together:
            for digest in digests:
                together.hdel(f"{ANSWER}{repository}@{digest}", f"{unit}\n{stage}")
            together.execute()

    def answers(self, repository: str, digest: str) -> tuple[Answer, ...]:
        """What became of an image so far, by unit and stage."""
        rows = self._redis.hgetall(f"{ANSWER}{repository}@{digest}")
        return tuple(Answer(**json.loads(rows[name])) for name in sorted(rows))
