"""The answer to a comment: each line with what became of it, all or none, and nothing in it is alive (S9)."""

from collections.abc import Sequence

import pytest

from policies.commands.lines import Mistake
from policies.commands.model import Done, Refused
from policies.model import User
from policies.state import State
from policies.wording.answers import Said, answer, answered, reaction
from policies.wording.steering import because, hold_line, rows, said, when
from tests import builders as a
from tests.policies.commands import scenes as s
from tests.policies.commands.test_unhold import hold
from tests.policies.texts import golden

HELD = Said("/hold payments it broke", s.done("/hold payments it broke"))
FROZEN = Said("/freeze ring-1 for 2h the audit", s.done("/freeze ring-1 for 2h the audit"))
WAITS = Said("/override checks flaky", Done(State(), "It waits for a second person.", seen_only=True))
REFUSED = Said("/promote payments ring-2 v9", Refused(s.refused("/promote payments ring-2 v9")))
TYPO = Said("/hodl payments", Mistake("there is no such command", "hold"))
ODD = Said("/hold `@all`", Mistake("a quote is opened and not closed", known=True))


@pytest.mark.parametrize(
    ("name", "head", "results"),
    [
        ("answer-done", None, [HELD]),
        ("answer-several", a.HEAD, [HELD, FROZEN]),
        ("answer-waits", a.HEAD, [HELD, WAITS]),
        ("answer-refused", a.HEAD, [REFUSED]),
        ("answer-none", a.HEAD, [HELD, REFUSED, WAITS]),
        ("answer-mistake", None, [TYPO]),
        ("answer-mistakes", None, [TYPO, ODD]),
    ],
)
def test_the_answer_in_each_case(name: str, head: str | None, results: Sequence[Said]) -> None:
    assert answer(s.comment(), head, results) == golden(name)


@pytest.mark.parametrize(
    ("results", "sign"),
    [([HELD], "🎉"), ([HELD, WAITS], "👀"), ([HELD, REFUSED], "👎"), ([TYPO], "👎"), ([WAITS, TYPO], "👎")],
)
def test_what_to_react_with(results: Sequence[Said], sign: str) -> None:
    assert reaction(results) == sign


def test_an_answer_says_which_comment_it_answers() -> None:
    assert answered(answer(s.comment(number=345), None, [HELD])) == 345


@pytest.mark.parametrize(
    "body",
    [
        "",
        "I saw <!-- towpath:answer 345 -->",
        "<!-- towpath:answer x -->",
        "\n<!-- towpath:answer 345 -->",
        "<!-- towpath:answer 12345678901234567890 -->",
        "<!-- towpath:report -->",
    ],
)
def test_what_is_no_answer(body: str) -> None:
    assert answered(body) is None


def test_S9_whoever_is_answered_is_not_mentioned() -> None:
    odd = s.comment(User(1, "`@all` <!-- "))
    assert answer(odd, None, [HELD]).split("\n")[2] == "``@`@all` <!--``:"


def test_no_line_of_an_answer_begins_like_a_command() -> None:
    for results in ([HELD], [HELD, FROZEN], [REFUSED], [TYPO, ODD], [WAITS]):
        assert not [line for line in answer(s.comment(), a.HEAD, results).split("\n") if line.startswith("/")]


def test_an_answer_fits_into_a_comment() -> None:
    assert len(answer(s.comment(), None, [Said("/status", Done(State(), "x\n" * 60_000))])) < 65_536


@pytest.mark.parametrize(
    ("where", "link"),
    [
        (s.WHERE, f" ([comment]({s.WHERE}))"),
        ("", ""),
        ("javascript:alert(1)", ""),
        ("https://x/)[y](z", ""),
        ("https://x/a b", ""),
    ],
)
def test_S9_only_an_address_becomes_a_link(where: str, link: str) -> None:
    words = "by `@dev` on 2026-05-04 11:00 UTC: it broke"
    assert said(hold(where=where)) == f"{words}{link}"


def test_a_hold_of_one_merge_request() -> None:
    assert hold_line(hold(request=12, where="")) == "!12 is held by `@dev` on 2026-05-04 11:00 UTC: it broke"


def test_small_words() -> None:
    assert (because(" "), because("x"), because("@x")) == ("", ": x", ": `@x`")
    assert (rows([]), rows(["a", "b"])) == ("", "\n- a\n- b")
    assert when(a.NOW) == "2026-05-04 12:00 UTC"
