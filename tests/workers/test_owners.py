"""`towpath owners`: the table, the JSON lines and the batch."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policies import codeowners
from policies.codeowners.model import CodeOwners
from tests.policies.codeowners.shared import lowered, rows
from workers.cli import main

SECTIONS = "* @All\n^[Docs][2] @writers\n*.md\n[Ops]\n/deploy/\n"


def run(*arguments: str, given: str | bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["owners", *arguments], input=given)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, text: str) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(text)


def test_the_owners_of_each_section() -> None:
    write("CODEOWNERS", SECTIONS)
    result = run("--dialect", "gitlab", "deploy/README.md", "a")
    assert result.stdout.splitlines() == [
        "deploy/README.md",
        "  [codeowners] @all  <- line 1: *",
        "  [Docs] (optional, approvals: 2) @writers  <- line 3: *.md",
        "  [Ops] no owners  <- line 5: /deploy/",
        "a",
        "  [codeowners] @all  <- line 1: *",
    ]
    assert result.stderr.splitlines() == [
        "CODEOWNERS:2: invalid_approval_requirement",
        "CODEOWNERS:5: missing_entry_owner",
    ]
    assert result.exit_code == 1


def test_nobody_owns_it() -> None:
    write("CODEOWNERS", "/a @a\n")
    result = run("--dialect", "github", "b")
    assert (result.stdout, result.stderr, result.exit_code) == ("b: nobody\n", "", 0)


def test_each_forge_looks_in_its_own_order() -> None:
    write(".github/CODEOWNERS", "* @hub\n")
    write("CODEOWNERS", "* @root\n")
    write(".gitlab/CODEOWNERS", "* @lab\n")
    assert "@hub" in run("--dialect", "github", "a").stdout
    assert "@root" in run("--dialect", "gitlab", "a").stdout
    Path("CODEOWNERS").unlink()
    assert "@lab" in run("--dialect", "gitlab", "a").stdout


def test_a_named_file_and_json() -> None:
    write("mine", "[A][3] @a\nx\n")
    result = run("--dialect", "gitlab", "--codeowners", "mine", "--json", "x", "y")
    section = {"name": "A", "pattern": "x", "line": 2, "owners": ["@a"], "optional": False, "approvals": 3}
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"path": "x", "owners": ["@a"], "sections": [section], "errors": []},
        {"path": "y", "owners": None, "sections": [], "errors": []},
    ]
    assert result.exit_code == 0


def test_a_file_that_cannot_be_read() -> None:
    result = run("--dialect", "github", "a")
    assert result.exit_code == 1
    assert "there is none of .github/CODEOWNERS, CODEOWNERS, docs/CODEOWNERS here" in result.stderr
    result = run("--dialect", "github", "--codeowners", "absent", "a")
    assert (result.exit_code, result.stderr) == (1, "Error: absent: No such file or directory\n")
    Path("binary").write_bytes(b"\xff\xfe")
    result = run("--dialect", "github", "--codeowners", "binary", "a")
    assert (result.exit_code, result.stderr) == (1, "Error: binary: is not UTF-8\n")


def test_what_a_terminal_would_obey_is_escaped() -> None:
    write("CODEOWNERS", "x\x1b[2J @a\n")
    result = run("--dialect", "gitlab", "x\x1b[2J", "b\x07")
    assert "\x1b" not in result.output
    assert "b\\x07: nobody" in result.stdout


@pytest.mark.parametrize("arguments", [("a",), ("--dialect", "github"), ("--batch", "a"), ("--batch", "--json")])
def test_what_does_not_go_together(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def ask(dialect: str, text: str, path: str) -> str:
    return json.dumps({"dialect": dialect, "codeowners": text, "path": path})


def test_a_batch() -> None:
    given = [ask("gitlab", SECTIONS, "x.md"), "", ask("github", "/x\n", "x"), ask("github", "/x\n", "y")]
    result = run("--batch", given="\n".join(given))
    first, second, third = (json.loads(line) for line in result.stdout.splitlines())
    assert first["owners"] == ["@all", "@writers"]
    assert [section["name"] for section in first["sections"]] == ["codeowners", "Docs"]
    assert first["errors"] == [[2, "invalid_approval_requirement"], [5, "missing_entry_owner"]]
    assert (second["owners"], len(second["sections"])) == ([], 1)
    assert third == {"owners": None, "sections": [], "errors": []}
    assert result.exit_code == 0


def test_a_batch_parses_each_text_once(monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []
    parse = codeowners.parse

    def noted(dialect: codeowners.Dialect, text: str) -> CodeOwners:
        texts.append(text)
        return parse(dialect, text)

    monkeypatch.setattr(codeowners, "parse", noted)
    result = run("--batch", given="\n".join(ask("github", "once @a\n", path) for path in "abc"))
    assert result.exit_code == 0, result.output
    assert texts == ["once @a\n"]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "{}",
        "1",
        "[" * 100_000,
        ask("other", "", "a"),
        json.dumps({"dialect": "github", "codeowners": 1, "path": "a"}),
    ],
)
def test_a_line_that_asks_nothing(line: str) -> None:
    result = run("--batch", given=f"{ask('github', '', 'a')}\n{line}\n")
    assert result.exit_code == 1
    assert "line 2" in result.stderr


def test_a_line_that_is_no_text_is_answered_as_that_and_the_next_one_too() -> None:
    given = f"{ask('github', '* @a', 'x')}\n".encode() + b"\xff\xfe\n" + f"{ask('github', '* @b', 'x')}\n".encode()
    result = run("--batch", given=given)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert (result.exit_code, [one["owners"] for one in answers]) == (0, [["@a"], None, ["@b"]])
    assert answers[1]["errors"] == [[2, "not_utf_8"]]


def test_every_collected_case() -> None:
    cases = rows("cases.jsonl")
    given = "\n".join(ask(case["dialect"], case["codeowners"], case["path"]) for case in cases)
    answers = [json.loads(line) for line in run("--batch", given=given).stdout.splitlines()]
    for case, answer in zip(cases, answers, strict=True):
        expected = None if case["expected"] is None else lowered(case["expected"])
        assert (answer["owners"] and sorted(answer["owners"])) == expected, case
