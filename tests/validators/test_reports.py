"""Programs' output to findings: tables for each format, and what hostile output ends in."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.validators.reports import FORMATS, MOST_READ, Unreadable, place_in
from policies.findings import Finding, Severity

FOLDER = Path("/nonexistent/checkout")
FILES = frozenset({"a.yaml", "apps/web/b c.yaml"})
PLACE = place_in(FOLDER, FILES)


def read(form: str, text: str | bytes) -> list[Finding]:
    return list(FORMATS[form](text.encode() if isinstance(text, str) else text, PLACE))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a.yaml", "a.yaml"),
        ("./a.yaml", "a.yaml"),
        ("apps/../a.yaml", "a.yaml"),
        ("/nonexistent/checkout/a.yaml", "a.yaml"),
        ("file:///nonexistent/checkout/apps/web/b%20c.yaml", "apps/web/b c.yaml"),
        ("file:a.yaml", "a.yaml"),
        ("apps/web/b%20c.yaml", "apps/web/b c.yaml"),
        ("../a.yaml", ""),
        ("/etc/passwd", ""),
        ("file:///etc/passwd", ""),
        ("https://example.com/a.yaml", ""),
        ("apps", ""),
        ("", ""),
        ("a.yaml\0", ""),
        ("file://[", ""),
        ("x/" * 5000, ""),
    ],
)
def test_S9_a_place_is_a_file_of_the_repository_or_none(text: str, path: str) -> None:
    assert PLACE(text) == path


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        ("a.yaml:3: too long", Finding("too long", path="a.yaml", line=3)),
        ("a.yaml:3:7: error: too long", Finding("too long", path="a.yaml", line=3)),
        ("a.yaml:3:7: [warning] too long: 81 > 80", Finding("[warning] too long: 81 > 80", path="a.yaml", line=3)),
        ("a.yaml:3:7: [warning]: too long", Finding("too long", Severity.warning, "a.yaml", 3)),
        ("./a.yaml:3: Warning: too long", Finding("too long", Severity.warning, "a.yaml", 3)),
        ("a.yaml:3: info: too long", Finding("too long", Severity.note, "a.yaml", 3)),
        ("  \x1b[1ma.yaml:3:\x1b[0m \x1b[31merror:\x1b[0m too long\r", Finding("too long", path="a.yaml", line=3)),
        ("apps/web/b c.yaml:0: of all the file", Finding("of all the file", path="apps/web/b c.yaml")),
        ("/nonexistent/checkout/a.yaml:1: x", Finding("x", path="a.yaml", line=1)),
    ],
)
def test_a_line_that_names_a_file_is_a_finding(line: str, finding: Finding) -> None:
    assert read("lines", f"looking\n{line}\n2 files") == [finding]


@pytest.mark.parametrize(
    "line",
    ["12:30:45: started", "../x:1: y", "/etc/passwd:1: root", "a.yaml:x: y", "a.yaml:1:", "a.yaml:99999999: y", ":"],
)
def test_any_other_line_is_none(line: str) -> None:
    assert read("lines", line) == []


JUNIT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites><testsuite name="s">
  <testcase name="passes" classname="c"><system-out>failure</system-out></testcase>
  <testcase name="no limits" classname="policy" file="a.yaml" line="7">
    <failure message="m &lt;b&gt;" type="K1">t</failure></testcase>
  <testcase name="by its text" classname="policy"><error>
    first line
    second</error></testcase>
  <testcase name="elsewhere" file="../../etc/passwd" line="1"><failure/></testcase>
  <testcase name="skipped"><skipped message="why"/></testcase>
  <testcase file="a.yaml" line="-1"><failure/><failure message="two"/></testcase>
</testsuite></testsuites>"""


def test_JUnit_tells_of_each_test_that_failed() -> None:
    assert read("junit", JUNIT) == [
        Finding("no limits: m <b>", path="a.yaml", line=7, rule="K1"),
        Finding("by its text: first line\n    second", rule="policy"),
        Finding("elsewhere"),
        Finding("failed", path="a.yaml"),
        Finding("two", path="a.yaml"),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><testsuite>&b;</testsuite>', "holds a DTD"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>', "holds a DTD"),
        ("<testsuite>&b;</testsuite>", "is no XML: undefined entity, line 1"),
        ("", "is no XML: no element found, line 1"),
        ("PASS\n", "is no XML: syntax error, line 1"),
        ("<testsuite>", "is no XML: no element found, line 1"),
        ("<html></html>", "is no JUnit XML: it begins with <html>"),
        (b'<?xml version="1.0" encoding="no-such"?><testsuite/>', "is no XML: unknown encoding"),
        (b"<testsuite>\xff\xfe</testsuite>", "is no XML: not well-formed (invalid token), line 1"),
        (b" " * (16 * 1024 * 1024 + 1), "is larger than 16 MiB"),
    ],
)
def test_what_is_no_JUnit_or_would_grow_is_refused(text: str | bytes, why: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read("junit", text)
    assert str(caught.value) == why


def test_of_broken_tests_no_more_are_kept_than_are_told() -> None:
    assert len(read("junit", f"<testsuite>{'<error/>' * (MOST_READ + 5)}</testsuite>")) == MOST_READ


def test_deep_and_wide_XML_is_read_without_harm() -> None:
    assert read("junit", "<testsuite>" * 100_000 + "</testsuite>" * 100_000) == []
    found = read("junit", f"<testsuite><testcase><failure>{'x' * 1_000_000}</failure></testcase></testsuite>")
    assert len(found[0].message) == 2000


def sarif(*results: object, rules: object = ()) -> str:
    return json.dumps(
        {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t", "rules": rules}}, "results": results}]}
    )


def result(**more: object) -> dict[str, object]:
    return {"message": {"text": "m"}, **more}


def at(uri: str, line: int | None = None) -> dict[str, object]:
    region = {} if line is None else {"region": {"startLine": line}}
    return {"locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}, **region}}]}


RULES = [
    {"id": "R1", "defaultConfiguration": {"level": "error"}, "messageStrings": {"default": {"text": "of the rule"}}},
    {"id": "R2"},
]


@pytest.mark.parametrize(
    ("given", "finding"),
    [
        (result(), Finding("m", Severity.warning)),
        (result(level="error", ruleId="R2", **at("a.yaml", 3)), Finding("m", Severity.error, "a.yaml", 3, "R2")),
        (result(ruleId="R1"), Finding("m", Severity.error, rule="R1")),
        (result(ruleId="R1/part"), Finding("m", Severity.error, rule="R1/part")),
        (result(rule={"id": "R1"}), Finding("m", Severity.error, rule="R1")),
        (result(ruleIndex=0), Finding("m", Severity.error, rule="R1")),
        (result(ruleIndex=99), Finding("m", Severity.warning)),
        ({"ruleIndex": 0, "message": {"id": "default"}}, Finding("of the rule", Severity.error, rule="R1")),
        ({"message": {}}, Finding("a result without a message", Severity.warning)),
        (result(level="none"), Finding("m", Severity.note)),
        (result(kind="review"), Finding("m", Severity.note)),
        (result(**at("file:///nonexistent/checkout/a.yaml")), Finding("m", Severity.warning, "a.yaml")),
        (result(**at("../../etc/passwd", 3)), Finding("m", Severity.warning)),
        (result(suppressions=[{"kind": "inSource", "status": "rejected"}]), Finding("m", Severity.warning)),
        (result(kind="pass"), None),
        (result(kind="notApplicable"), None),
        (result(suppressions=[{"kind": "inSource"}]), None),
        (result(baselineState="absent"), None),
    ],
)
def test_SARIF_tells_of_each_result_that_counts(given: object, finding: Finding | None) -> None:
    assert read("sarif", sarif(given, rules=RULES)) == ([finding] if finding else [])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no SARIF 2.1.0 (the whole: json_invalid)"),
        ("[" * 100_000, "is no SARIF 2.1.0 (the whole: json_invalid)"),
        ("[]", "is no SARIF 2.1.0 (the whole: model_type)"),
        ('{"version": "2.1.0"}', "is no SARIF 2.1.0 (runs: missing)"),
        ('{"version": "2.0.0", "runs": []}', "is no SARIF 2.1.0 (version: literal_error)"),
        (sarif(result(level="bad")), "is no SARIF 2.1.0 (runs.0.results.0.level: literal_error)"),
        (b'{"version": "\xff', "is no SARIF 2.1.0 (the whole: json_invalid)"),
        (b" " * (2 * 1024 * 1024 + 1), "is larger than 2 MiB"),
        (sarif(*[result()] * (MOST_READ + 1)), "is no SARIF 2.1.0 (runs.0.results: too_long)"),
        (sarif(result(locations=[{}] * 101)), "is no SARIF 2.1.0 (runs.0.results.0.locations: too_long)"),
        (sarif(result(suppressions=[{}] * 101)), "is no SARIF 2.1.0 (runs.0.results.0.suppressions: too_long)"),
        (sarif(rules=[{"id": ""}] * (MOST_READ + 1)), "is no SARIF 2.1.0 (runs.0.tool.driver.rules: too_long)"),
        (
            sarif(rules=[{"id": "", "messageStrings": {str(n): {} for n in range(101)}}]),
            "is no SARIF 2.1.0 (runs.0.tool.driver.rules.0.messageStrings: too_long)",
        ),
        (
            json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {}}}] * 101}),
            "is no SARIF 2.1.0 (runs: too_long)",
        ),
    ],
)
def test_what_is_no_SARIF_is_refused(text: str | bytes, why: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read("sarif", text)
    assert str(caught.value) == why


def hostile() -> Iterator[bytes]:
    yield b"a.yaml:1: " + b"x" * 50_000_000
    yield b"a.yaml:1:" * 2_000_000
    yield b":" * 10_000_000
    yield b"\x1b[" * 5_000_000


def test_lines_of_50_MB_are_read_in_pieces() -> None:
    for text in hostile():
        assert all(len(one.message) <= 4096 for one in read("lines", text))


@given(st.binary(max_size=300), st.sampled_from(sorted(FORMATS)))
def test_whatever_is_printed_gives_findings_inside_the_repository_or_is_unreadable(text: bytes, form: str) -> None:
    try:
        found = read(form, text)
    except Unreadable:
        return
    assert {one.path for one in found} <= {"", *FILES}
