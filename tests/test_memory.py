"""What is kept for a while, on a real Redis."""

import pytest

from bot.memory import ANSWER, ANSWERS_KEPT, Answer, Memory
from bot.pending import connect

REPO, ONE, OTHER = "registry.example.com/shop/api", f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
UNPINNED = Answer("refused", "", "", "no service pins it", "")
OPENED = Answer("opened", "shop", "nonprod", "waits", "https://forge.example.com/1")


@pytest.fixture
def memory(redis_url: str) -> Memory:
    return Memory(connect(redis_url, 5))


def test_a_text_is_kept_and_forgotten(memory: Memory) -> None:
    assert memory.get("a") is None
    memory.set("a", "text", 60)
    assert memory.get("a") == "text"
    memory.delete("a")
    assert memory.get("a") is None


def test_the_newest_answer_of_a_stage_counts(memory: Memory, redis_url: str) -> None:
    memory.note_answer(REPO, ONE, Answer("waiting", "shop", "nonprod", "waits", ""))
    memory.note_answer(REPO, ONE, OPENED)
    assert memory.answers(REPO, ONE) == (OPENED,)
    assert 0 < connect(redis_url, 5).ttl(f"{ANSWER}{REPO}@{ONE}") <= ANSWERS_KEPT


def test_that_nobody_pins_an_image_is_taken_back_and_nothing_else(memory: Memory) -> None:
    for digest in (ONE, OTHER):
        memory.note_answer(REPO, digest, UNPINNED)
        memory.note_answer(REPO, digest, OPENED)
    memory.forget_answers(REPO, [ONE, OTHER])
    assert memory.answers(REPO, ONE) == memory.answers(REPO, OTHER) == (OPENED,)


def test_there_may_be_nothing_to_take_back(memory: Memory) -> None:
    memory.forget_answers(REPO, [])
    memory.forget_answers(REPO, [ONE])
    assert memory.answers(REPO, ONE) == ()
