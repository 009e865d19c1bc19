"""The report comment in each of its states, and the status that mirrors it."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from policies.codeowners import Dialect
from policies.config import Fault, PolicyError, Stage, parse_policy
from policies.findings import Validation
from policies.gates import checks, integrity
from policies.model import Check, CheckState, Mergeable, Trouble
from policies.naming import REPORT_MARK
from policies.snapshot import Promotion
from policies.verdict import Outcome, Verdict, block, combine, passed, wait
from policies.wording import report as words
from policies.wording.preview import Preview, preview
from tests import builders as a
from tests.policies.texts import golden

LOOKED = Validation("")
AUTO = a.stage(merge="auto")
MANUAL = a.stage()
PROPOSE = a.stage(merge="auto", mode="propose")
NOT_YET = a.promotion(request=a.request(mergeable=Mergeable.no, merge_reason="not_approved"))
RED = a.promotion(checks=(Check("lint", CheckState.failed), Check("unit", CheckState.failed)))
RUNS = a.promotion(checks=(Check("e2e", CheckState.pending),))
FOREIGN = a.promotion(integrity=a.FOREIGN)
LOST = replace(a.promotion(integrity=a.GONE), release=None)
BROKEN = (Trouble("environments/prod/eu/payments/values.yaml", 3, "it is no YAML"), Trouble("b.yaml", None, "gone"))
DECLINED = block(
    "wanted", "`v3` was declined: merge request !5 was closed by a person", "reopen !5, or publish a newer image"
)
MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})
DIALECTS: tuple[Dialect, ...] = ("gitlab", "github")


def judged(one: Promotion, stage: Stage, *before: Verdict) -> Verdict:
    """What the gates say together."""
    return combine("promotion", (*before, integrity.judge(one), checks.judge(one.checks, stage.checks, a.BOT.id)))


@pytest.mark.parametrize(
    ("name", "one", "stage", "before", "troubles"),
    [
        ("report-merges", a.promotion(), AUTO, (), ()),
        ("report-manual", a.promotion(), MANUAL, (), ()),
        ("report-manual", a.promotion(), PROPOSE, (), ()),
        ("report-forge-not-yet", NOT_YET, AUTO, (), ()),
        ("report-waits", RUNS, AUTO, (), ()),
        ("report-failed", RED, AUTO, (), ()),
        ("report-foreign", FOREIGN, AUTO, (), ()),
        ("report-lost", LOST, AUTO, (), ()),
        ("report-declined", a.promotion(), AUTO, (DECLINED,), ()),
        ("report-broken", a.promotion(), AUTO, (), BROKEN),
    ],
)
def test_the_report_in_each_state(
    name: str, one: Promotion, stage: Stage, before: tuple[Verdict, ...], troubles: tuple[Trouble, ...]
) -> None:
    assert words.report(one, stage, judged(one, stage, *before), troubles) == golden(name)


def test_a_verdict_without_children_is_its_own_row() -> None:
    text = words.report(a.promotion(), AUTO, wait("wanted", "nothing to want", "publish one"))
    assert "\n| wanted | ⏳ | nothing to want |\n" in text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("superseded", words.superseded(a.release("v3"), 8, "https://gitlab.example.com/x/-/merge_requests/8")),
        ("superseded-before", words.superseded(a.release("v3"), None, "")),
        ("superseded-unknown", words.superseded(None, 8, "https://gitlab.example.com/x/-/merge_requests/8")),
        ("finished", words.finished("prod", a.release("v3"))),
        ("finished-several", words.finished("prod", a.release("v3", "v3"))),
        ("outdated", words.outdated("the stage is gone")),
        ("merged", words.merged("prod", a.release("v3"), a.MADE)),
        ("alarm", words.alarm(a.MADE, ("a.yaml", "b/c.yaml"))),
        ("unproved", words.unproved("prod", "the commit is @gone")),
        ("around", words.around((("shop", "prod"),), block("promotion", "needs 1 of `@sre` (1 person)", "x"))),
        (
            "preview-loosened",
            preview(Preview(loosened=("`prod`: `checks` goes from `required` to `optional`",), validation=LOOKED)),
        ),
        (
            "preview-bad-and-loosened",
            preview(Preview((), BROKEN[1:], ("`prod`, which asked for approvals, is gone",), validation=LOOKED)),
        ),
        ("preview-good", preview(Preview(validation=LOOKED))),
        (
            "preview-bad",
            preview(
                Preview(
                    (Fault(("stages", 0, "merge"), "is 'atuo': write 'auto' or 'manual'", 12), Fault((), "is empty")),
                    BROKEN,
                    validation=LOOKED,
                )
            ),
        ),
    ],
)
def test_the_other_reports(name: str, text: str) -> None:
    assert text == golden(name)


@pytest.mark.parametrize(
    ("verdict", "state", "text"),
    [
        (passed("promotion", "every gate passes"), CheckState.success, "Every gate passes"),
        (
            wait("promotion", "soaks"),
            CheckState.pending,
            "Waits: Towpath's comment on the merge request says for what",
        ),
        (block("promotion", "`lint` failed", "mend it"), CheckState.failed, "Blocked: lint failed"),
        (block("promotion", "x" * 132, "y"), CheckState.failed, "Blocked: " + "x" * 130 + "…"),
        (block("promotion", "x" * 131, "y"), CheckState.failed, "Blocked: " + "x" * 131),
        (block("promotion", "a\nb\x1b", "y"), CheckState.failed, "Blocked: a b"),
    ],
)
def test_the_status(verdict: Verdict, state: CheckState, text: str) -> None:
    assert words.status(verdict, "gitlab") == (state, text)


def test_on_github_the_status_says_what_is_waited_for() -> None:
    told = words.status(wait("promotion", "`ci` is still running"), "github")
    assert told == (CheckState.pending, "Waits: ci is still running")
    assert words.status(wait("promotion", "x" * 134), "github")[1] == "Waits: " + "x" * 132 + "…"


@given(st.text(max_size=400), st.sampled_from(Outcome), st.sampled_from(DIALECTS))
def test_S9_the_status_is_one_short_line(reason: str, outcome: Outcome, kind: Dialect) -> None:
    _, text = words.status(Verdict("promotion", outcome, reason), kind)
    assert 0 < len(text) <= words.STATUS_LIMIT
    assert len(text.splitlines()) == 1


# Others' text.

HOSTILE = st.one_of(
    st.sampled_from(
        ["@all", "a | b", "`x`", "<img src=x>", "![x](https://evil.example.com/x.png)", "a\n\n- @all", "#1"]
    ),
    st.text(alphabet="@|`<>![]()#\n\\*_ ab", max_size=30),
)


def live(text: str) -> str:
    """What of a comment is no code: where a mention, link or reference would be alive."""
    found: list[str] = []
    waiting = MARKDOWN.parse(text)
    while waiting:
        token = waiting.pop()
        waiting += token.children or []
        if token.type not in {"code_inline", "inline"}:
            found += [token.content, str(token.attrs.get("src", "")), str(token.attrs.get("href", ""))]
    return " ".join(found)


MARK = "evilword"


def alive(text: str) -> list[str]:
    """What of a comment mentions, refers, links or shows something: all of it would be somebody else's doing."""
    found: list[str] = []
    waiting = MARKDOWN.parse(text)
    while waiting:
        token = waiting.pop()
        waiting += token.children or []
        if token.type in {"link_open", "image", "html_inline"}:
            found.append(token.type)
        if token.type == "text" and re.search(r"[@#!~%&$]\w|://", token.content):
            found.append(token.content)
    return found


@given(HOSTILE)
def test_S9_a_fault_of_somebodys_policy_mentions_nobody(text: str) -> None:
    """Whoever can open a merge request makes Towpath show what is wrong in it."""
    fault = Fault(("stages", text, 0), f"is '{text}{MARK}{text}': write 'auto'", 3)
    assert alive(preview(Preview((fault,)))) == []


def test_S9_a_policy_that_mentions_everybody_is_told_of_without_mentioning_them() -> None:
    with pytest.raises(PolicyError) as refused:
        parse_policy({"version": 1, "services": {"path": "{service}"}, "stages": [{"name": "a", "merge": f"@{MARK}"}]})
    assert alive(preview(Preview(refused.value.faults))) == []


@given(HOSTILE)
def test_S9_a_broken_file_mentions_nobody(text: str) -> None:
    trouble = Trouble(f"{text}{MARK}", 3, f"no place pins {text}{MARK}{text}")
    assert alive(preview(Preview((), (trouble,)))) == []
    assert alive(words.report(a.promotion(), AUTO, judged(a.promotion(), AUTO), (trouble,))) == []


@given(HOSTILE)
def test_S9_what_a_release_is_called_mentions_nobody(text: str) -> None:
    release = replace(a.release("v2"), images=(replace(a.image("v2"), tag=f"{text}{MARK}{text}"),))
    one = a.promotion(word=release)
    texts = [
        words.report(one, AUTO, judged(one, AUTO)),
        words.superseded(release, 1, "https://gitlab.example.com/x"),
        words.finished("prod", release),
        words.merged("prod", release, a.MADE),
    ]
    assert [text for text in texts if MARK in live(text)] == []
    assert all(text.startswith(REPORT_MARK) for text in texts)


@given(HOSTILE)
def test_S9_whatever_a_unit_or_image_is_called_a_refusal_mentions_nobody(text: str) -> None:
    unit, image = f"{text}{MARK}{text}", f"registry.example.com/{text}{MARK}{text}"
    later = a.stage("prod", after="nonprod")
    half: a.Pins = {"nonprod": ("v1", None), "prod": "v1"}
    cases = [
        a.snapshot(MANUAL, later, pins=[{"prod": "v1"}], images=(image,)),
        a.snapshot(MANUAL, later, pins=[{"nonprod": "tag:1", "prod": "v1"}], images=(image,)),
        a.snapshot(MANUAL, later, pins=[half], images=(a.API, image)),
        a.snapshot(MANUAL, pins=[{"nonprod": "v1"}], images=(a.API, image), seen=[a.sighting("v2", 1, image)]),
        a.snapshot(MANUAL, pins=[{"nonprod": "v1"}], images=(a.API, image), seen=[a.built("v2", 1, text or "r1")]),
    ]
    for case in cases:
        for stage in a.plan_of(replace(case, unit=unit)).stages:
            body = words.report(a.promotion(), MANUAL, combine("promotion", (stage.verdict,)))
            assert MARK not in live(body), body
