"""What validators found, as the report and a terminal show it."""

import html
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from policies.findings import Checked, Finding, ObjectChange, Ran, Severity, Validation
from policies.full import Top
from policies.gates import checks, integrity
from policies.gates import validation as gate
from policies.naming import REPORT_MARK
from policies.validating import Validating
from policies.verdict import combine
from policies.wording import report as words
from policies.wording.findings import MOST_LETTERS, MOST_LINES, MOST_OPEN, plain
from policies.wording.objects import counted, grouped, shortened
from policies.wording.quote import LONGEST_COMMENT, visible
from tests import builders as a
from tests.policies.texts import golden

AUTO = a.stage(merge="auto")
URL = "https://towpath.example.com/reports/" + "5e" * 32
CLUSTERS = ("azure/westeurope", "azure/northeurope", "aws/eu-central-1", "gcp/europe-west4")
TARGETS = tuple(f"environments/prod/{cluster}/payments/values.yaml" for cluster in CLUSTERS)
IMAGE = """\
@@ spec.template.spec.containers.0 @@
   name: api
-  image: registry.example.com/commerce/payments-api@sha256:4f5b7ad21e0c
+  image: registry.example.com/commerce/payments-api@sha256:91c3d0a7be52
   ports:"""
FLAG = '@@ data @@\n-  FEATURE_REFUNDS: "false"\n+  FEATURE_REFUNDS: "true"'
CHANGES = (
    *(ObjectChange("Deployment", "payments-api", "payments", "changed", IMAGE, target) for target in TARGETS),
    *(ObjectChange("ConfigMap", "flags", "payments", "changed", FLAG, target) for target in TARGETS[:2]),
    ObjectChange("Service", "payments-legacy", "payments", "removed", "-apiVersion: v1\n-kind: Service", TARGETS[0]),
)
HELM = Checked("helm", TARGETS[0], version="v3.16.1", changes=CHANGES)
LIMITS = tuple(Finding("container api has no CPU limit", Severity.warning, path, rule="KSV011") for path in TARGETS)
LATEST = Finding("the tag `latest` moves", Severity.error, TARGETS[2], 4, "latest")
PARITY = tuple(Finding("replicas is 3 here and 2 before", Severity.note, path, 12, "differs") for path in TARGETS[:2])
ABSENT = tuple(Checked("kubeconform", path, Ran.skipped, why="its program is not installed") for path in TARGETS)
HUNG = Checked("cosign", a.API, Ran.broken, why="stopped after 30 s")
FOUND = Validation(
    "key",
    (
        Checked("wellformed", TARGETS[0]),
        Checked("pinned", TARGETS[2], findings=(LATEST,)),
        Checked("parity", findings=PARITY),
        HELM,
        Checked("trivy", TARGETS[0], findings=LIMITS, version="0.58.0"),
        *(*ABSENT, HUNG),
    ),
)
FINE = Validation("key", (Checked("wellformed", TARGETS[0]), HELM))


def report(validation: Validation, full: str = "") -> str:
    """The report of a promotion of which validators say this."""
    one = replace(a.promotion(), validation=validation, full=full)
    now = one.request.created_at + timedelta(minutes=1)
    gates = (integrity.judge(one), *gate.judge(one, Validating(), now), checks.judge(one.checks, AUTO.checks, a.BOT.id))
    return words.report(one, AUTO, combine("promotion", gates))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("report-found", report(FOUND, URL)),
        ("report-fine", report(FINE)),
        ("report-looked", report(Validation("key", (Checked("wellformed", TARGETS[0]),)), URL)),
        (
            "merged-looked",
            words.merged("prod", a.release("v2"), a.MADE, replace(a.promotion(), validation=FINE, full=URL)),
        ),
        ("found", plain(FOUND)),
    ],
)
def test_what_was_found_in_each_state(name: str, text: str) -> None:
    assert text == golden(name)


@pytest.mark.parametrize("validation", [None, Validation("")])
def test_where_nothing_was_looked_at_the_report_says_nothing_of_it(validation: Validation | None) -> None:
    one = replace(a.promotion(), validation=validation, full=URL)
    gates = combine("promotion", (integrity.judge(one), checks.judge(one.checks, AUTO.checks, a.BOT.id)))
    assert words.report(one, AUTO, gates) == golden("report-merges")
    assert words.merged("prod", a.release("v3"), a.MADE, one) == golden("merged")
    assert validation is None or plain(validation) == "Nothing to validate."


def test_the_top_of_a_report_is_its_verdict_and_its_gates() -> None:
    assert words.top_of(report(FOUND, URL)) == Top(
        "⛔ Blocked: `pinned` found 1 error.",
        (
            ("integrity", "✅", "merging changes exactly this release's digests"),
            ("validation", "⛔", "`pinned` found 1 error"),
            ("checks", "✅", "`ci` succeeded"),
        ),
    )
    assert words.top_of(words.outdated("gone")) == Top("Closed: gone.")


def test_after_ten_findings_the_others_are_folded() -> None:
    many = tuple(Finding(f"wrong {number}", path="a.yaml", line=number) for number in range(1, MOST_OPEN + 4))
    text = report(Validation("key", (Checked("x", "a.yaml", findings=many),)))
    seen, folded, rest = text.partition("<details><summary>3 more findings</summary>")
    assert (seen.count("\n- ⛔ "), bool(folded), rest.count("\n- ⛔ ")) == (MOST_OPEN, True, 3)


def test_errors_stand_before_warnings_whatever_validator_they_are_of() -> None:
    text = report(
        Validation("key", (Checked("a", findings=LIMITS[:1]), Checked("b", findings=(LATEST,)))),
    )
    assert 0 < text.index("- ⛔") < text.index("- ⚠️")


# Objects.


def test_the_same_change_is_shown_once_with_all_its_targets() -> None:
    found = grouped(CHANGES)
    assert [(one.name, one.where, one.size) for one in found] == [
        ("Service payments/payments-legacy", "removed in 1 target", "+0 -2"),
        ("Deployment payments/payments-api", "in 4 targets", "+1 -1"),
        ("ConfigMap payments/flags", "in 2 targets", "+1 -1"),
    ]
    assert found[1].targets == TARGETS


def test_what_is_not_shown_whole_is_never_taken_for_the_same() -> None:
    cut = replace(CHANGES[0], diff="-a\n+b\n… 12 more lines")
    other = replace(cut, target=TARGETS[1])
    assert [(one.targets, one.size) for one in grouped((cut, other))] == [((TARGETS[0],), ""), ((TARGETS[1],), "")]


def test_another_namespace_kind_or_way_is_another_object() -> None:
    one = CHANGES[0]
    others = (replace(one, namespace="x"), replace(one, kind="StatefulSet"), replace(one, how="added"))
    assert len(grouped((one, *others))) == 4


def test_what_goes_is_said_before_what_changes_and_comes() -> None:
    come = ObjectChange("NetworkPolicy", "allow", how="added", target=TARGETS[0])
    assert counted((come, replace(come, name="deny"), *CHANGES)) == (
        "Removes 1 object in 1 target: 1 Service. "
        "Changes 2 objects in 4 targets: 1 ConfigMap and 1 Deployment. "
        "Adds 2 objects in 1 target: 2 NetworkPolicies."
    )
    assert counted(()) == ""


@pytest.mark.parametrize(
    ("paths", "shared", "each"),
    [
        (("a/b/c.yaml",), "", ("a/b/c.yaml",)),
        (("a/b/c.yaml", "a/d/c.yaml"), "a/…/c.yaml", ("b", "d")),
        (("a/b/x/c.yaml", "a/d/c.yaml"), "a/…/c.yaml", ("b/x", "d")),
        (("a/b", "a/d"), "a/…", ("b", "d")),
        (("b/a", "d/a"), "…/a", ("b", "d")),
        (("a", "b"), "", ("a", "b")),
        (("a/a", "a/a/a"), "a/…", ("a", "a/a")),
        (("", "a"), "", ("", "a")),
    ],
)
def test_what_paths_share_is_said_once(paths: tuple[str, ...], shared: str, each: tuple[str, ...]) -> None:
    assert shortened(paths) == (shared, each)


def test_a_long_diff_is_cut_at_a_line_and_leads_to_the_full_text() -> None:
    short = replace(CHANGES[0], diff="\n".join(["+x"] * (MOST_LINES + 5)))
    assert f"+x\n```\n\n… 5 more lines: [the full report]({URL})\n" in report(with_changes(short), URL)
    wide = replace(CHANGES[0], diff="\n".join(["+" + "x" * 9999] * 100))
    text = report(with_changes(wide))
    assert "x…\n" in text
    assert len(text) < MOST_LETTERS + 2000


def with_changes(*changes: ObjectChange) -> Validation:
    return Validation("key", (replace(HELM, changes=changes),))


def test_an_object_without_a_diff_has_no_fence() -> None:
    assert "```" not in report(with_changes(replace(CHANGES[0], diff="", target="")))


def test_the_diffs_go_before_any_error() -> None:
    """Fifty errors of 500 letters each, and more diffs than a comment holds."""
    errors = tuple(Finding(f"{number} {'x' * 450}", path="a.yaml") for number in range(50))
    diffs = tuple(
        replace(CHANGES[0], name=f"n{number}", diff="\n".join(["+" + "x" * 200] * 99)) for number in range(40)
    )
    text = report(Validation("key", (Checked("x", findings=errors), replace(HELM, changes=diffs))), URL)
    assert text.count("\n- ⛔ ") == 50
    assert "more objects" in text
    assert LONGEST_COMMENT - 20_000 < len(text) <= LONGEST_COMMENT
    assert text.startswith(f"{REPORT_MARK}\n**⛔ Blocked: ")
    assert text.endswith(f"[Full report]({URL}).")


# As both forges render it.

GITHUB = MarkdownIt("gfm-like", {"linkify": True, "breaks": True})
GITLAB = MarkdownIt("gfm-like", {"linkify": True})
"""GitHub's comments break lines where their writer did; both make links of bare addresses."""
FORGES = (GITHUB, GITLAB)


@pytest.mark.parametrize("forge", FORGES)
@pytest.mark.parametrize("name", ["report-found", "report-fine", "report-looked", "report-merges", "report-failed"])
def test_a_report_is_rendered_as_it_is_meant(forge: MarkdownIt, name: str) -> None:
    page = forge.render(golden(name))
    assert page.startswith(f"{REPORT_MARK}\n<p><strong>")
    assert page.count("<table>") == 1
    assert page.count("<details>") == page.count("</details>") == golden(name).count("<details>")
    assert page.count('<pre><code class="language-diff">') == golden(name).count("```diff")
    text = re.sub(r"<(pre|code)\b.*?</\1>|<a\b[^>]*>", "", page, flags=re.DOTALL)
    assert not re.search(r"[`|@#]|\*\*|&lt;", text)
    # What is folded is read as Markdown there, not shown as it was written.
    assert not re.search(r"</summary>\n?[^\n<]", page)


# Others' text.

MARK = "evilword"
PIECES = (
    *("@all", "a | b", "`x`", "```", "````diff", "<img src=x>", "![x](https://evil.example.com/x.png)", "#1", "!2"),
    *("</details>", "</summary><script>alert(1)</script>", "<details>", "<!--", "-->", "https://evil.example.com"),
    *(
        "\n\n- @all",
        "\r\n/close",
        "\x1b[2J\x1b]0;x\x07",
        "\u202e",
        "\u2028/merge",
        "\ud800",
        "GH-12",
        "&lt;b&gt;",
        "~~~",
    ),
    *("[x](javascript:alert(1))", "www.evil.example.com", "a@evil.example.com", "$\\`1", "{+ +}", "[[_TOC_]]", ">>>"),
)
HOSTILE = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=4).map("".join), st.text(alphabet="@|`<>![]()#\n\\*_~ ab/", max_size=30)
)


def evil(text: str) -> Validation:
    """A validation of which every text is somebody else's."""
    word = f"{text}{MARK}{text}"
    found = tuple(Finding(word, severity, word, 3, word) for severity in Severity)
    diff = "\n".join(f"{sign}{line}" for line in word.split("\n") for sign in "+- @")
    changes = tuple(ObjectChange(word, word, word, how, diff, word) for how in ("added", "changed", "removed", word))
    return Validation(
        "key",
        (
            Checked("x", word, findings=found, version=word, changes=changes),
            Checked("y", word, Ran.skipped, why=word),
            Checked("z", word, Ran.broken, why=word),
        ),
    )


def flat(tokens: list[Token]) -> list[Token]:
    """All tokens of a comment, those within lines too."""
    return [one for token in tokens for one in (token, *flat(token.children or []))]


OURS = re.compile(r"<!-- towpath:report -->|</details>|<details><summary>(?P<text>(?:[^<>]|</?code>)*)</summary>")


@given(HOSTILE)
def test_S9_nothing_that_validators_repeat_is_alive_in_a_report(text: str) -> None:
    body = report(evil(text), URL)
    body.encode()
    assert len(body) <= LONGEST_COMMENT
    assert not re.search(r"^/", body, re.MULTILINE)
    for forge in FORGES:
        for token in flat(forge.parse(body)):
            if token.type == "text":
                assert MARK not in token.content or not re.search(r"[@#!~%&$`<]|://|www\.|\bGH-[0-9]", token.content), (
                    body
                )
            if token.type == "link_open":
                assert token.attrs["href"] == URL
            if token.type == "html_block":
                shown = OURS.fullmatch(token.content.strip())
                assert shown is not None, body
                assert MARK not in re.sub(r"<code>[^<]*</code>", "", shown["text"] or "")
            assert token.type not in {"image", "html_inline", "heading_open", "hr", "blockquote_open"}, body


@given(HOSTILE)
def test_S9_a_terminal_is_steered_by_nothing_that_validators_repeat(text: str) -> None:
    shown = plain(evil(text))
    assert all(visible(line) == line for line in shown.split("\n"))
    shown.encode()


def test_S9_what_stands_in_a_summary_is_text() -> None:
    name = "</summary><img src=x onerror=alert(1)>"
    body = report(with_changes(replace(CHANGES[0], name=name)))
    assert f"<code>Deployment payments/{html.escape(name)}</code>" in body
