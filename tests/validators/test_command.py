"""The operator's own validators, with real programs."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.settings import ValidatorSettings
from bot.validators import Change, Validator, jobs, look
from bot.validators.base import Bench
from bot.validators.command import validators
from bot.validators.launching import Launcher
from policies.findings import Checked, Finding, Ran, Severity
from tests.validators.starting import refusal
from tests.validators.trees import DictTree, change_of

PROD = "environments/prod/eu/shop/values.yaml"
BEFORE = {PROD: "image: old\n", "README.md": "x", "gone.yaml": "x"}
AFTER = {PROD: "image: new\n", "README.md": "y", "other.txt": "z"}
apart = pytest.mark.skipif(bool(refusal()), reason=refusal())


def own(script: str = "", **said: object) -> Validator:
    settings = ValidatorSettings.model_validate({"command": ["sh", "-c", script], **said})
    return validators({"lint": settings})[0]


def change(**after: str) -> Change:
    return change_of(BEFORE, AFTER | after)


def told(tmp_path: Path, validator: Validator, of: Change | None = None, launcher: Launcher | None = None) -> Checked:
    of = of or change()
    (job,) = jobs(of, [validator], {})
    return look(of, job, Bench(launcher or Launcher(), scratch=tmp_path))


def keys(validator: Validator, of: Change) -> list[str]:
    return [job.key for job in jobs(of, [validator], {})]


def test_it_runs_for_the_paths_that_settings_name() -> None:
    assert len(keys(own(), change())) == 1
    assert len(keys(own(paths=["environments/*/values.yaml"]), change())) == 1
    assert len(keys(own(paths=["*.yaml"]), change())) == 1
    assert keys(own(paths=["*.json", "apps/*"]), change()) == []
    assert keys(own(), change_of(BEFORE, BEFORE)) == []


@pytest.mark.parametrize(
    "said", [{"format": "sarif"}, {"network": True}, {"seconds": 5}, {"paths": ["*.md"]}, {"folders": ["environments"]}]
)
def test_its_result_is_kept_while_nothing_that_it_depends_on_is_another(said: dict[str, object]) -> None:
    before = keys(own("x"), change())
    assert keys(own("x"), change()) == before
    assert keys(own("y"), change()) != before
    assert keys(own("x", **said), change()) != before
    assert keys(own("x"), change(**{"more.txt": "m"})) != before
    assert keys(own("x"), change_of({**BEFORE, "other.txt": "older"}, AFTER)) == before
    assert keys(own("x"), change_of({**BEFORE, "other.txt": "z"}, AFTER)) != before


def test_a_checkout_of_some_folders_depends_on_these_alone() -> None:
    some = own("x", folders=["environments"], paths=["environments/*"])
    assert keys(some, change()) == keys(some, change(**{"README.md": "another"}))
    assert keys(some, change()) != keys(some, change(**{PROD: "another"}))


@apart
def test_it_is_given_what_would_be_merged_and_what_changes(tmp_path: Path) -> None:
    script = 'find . -type f | sort; cat "$2"; tr "\\0" "\\n"; echo "$0 $*"; exit 1'
    found = told(tmp_path, own("", command=["sh", "-c", script, "me", "{paths}", "end"]))
    files = "./README.md / ./environments/prod/eu/shop/values.yaml / ./other.txt"
    given = "README.md / environments/prod/eu/shop/values.yaml / other.txt"
    said = found.findings[0].message
    assert said.startswith("lint ended with 1: ")
    for text in ("image: new", f"{given} / me ./README.md ./environments/prod/eu/shop/values.yaml ./other.txt end"):
        assert text in said
    assert files.rpartition(" / ")[2] in said


@apart
@pytest.mark.parametrize(
    ("script", "findings"),
    [
        ("", ()),
        ("echo all is well", ()),
        ("echo README.md:1: long", (Finding("long", Severity.warning, "README.md", 1),)),
        ("echo README.md:1: error: long", (Finding("long", Severity.warning, "README.md", 1),)),
        ("echo README.md:1: long; exit 1", (Finding("long", Severity.error, "README.md", 1),)),
        ("echo README.md:1:2: note: long >&2", (Finding("long", Severity.note, "README.md", 1),)),
        ("exit 3", (Finding("lint ended with 3: it said nothing"),)),
        ("echo; echo why; echo; echo and how >&2; exit 3", (Finding("lint ended with 3: why / and how"),)),
        (
            "echo README.md:1: warning: long; exit 2",
            (
                Finding("lint ended with 2: README.md:1: warning: long"),
                Finding("long", Severity.warning, "README.md", 1),
            ),
        ),
        (r"printf '\033[31mred\033[0m\a <b>@all</b>\n'; exit 1", (Finding("lint ended with 1: red <b>@all</b>"),)),
        (r"printf '\377\376\n'; exit 1", (Finding("lint ended with 1: \ufffd\ufffd"),)),
    ],
)
def test_what_it_says_and_how_it_ends_are_findings(tmp_path: Path, script: str, findings: tuple[Finding, ...]) -> None:
    found = told(tmp_path, own(script))
    assert (found.ran, found.findings) == (Ran.done, findings)


@apart
def test_many_findings_and_long_ones_are_bounded(tmp_path: Path) -> None:
    found = told(tmp_path, own("yes README.md:1: $(head -c 3000 /dev/zero | tr '\\0' x) | head -n 3000; exit 1"))
    assert len(found.findings) == 51
    assert found.findings[-1].message == "and 2,950 more"
    assert all(len(one.message) <= 500 for one in found.findings)


@apart
def test_S10_a_secret_that_it_prints_is_not_told(tmp_path: Path) -> None:
    secret = "ghp_" + "x7Jq2LmZ9aRt4Vb8Kc1Wd6Ye3Uf5Gh0Ns7Pd"
    found = told(tmp_path, own(f"echo README.md:1: password: {secret}; echo token={secret}; exit 1"))
    assert found.findings
    assert secret not in repr(found)


@apart
def test_a_report_that_is_none_passes_nothing(tmp_path: Path) -> None:
    good = told(tmp_path, own("echo '<testsuite/>'", format="junit"))
    assert (good.ran, good.findings) == (Ran.done, ())
    bad = told(tmp_path, own("echo hello", format="junit"))
    assert (bad.ran, bad.why) == (Ran.broken, "what lint printed is no XML: syntax error, line 1")
    failed = told(tmp_path, own("echo hello; exit 1", format="sarif"))
    assert failed.findings == (Finding("lint ended with 1: hello"),)


@apart
def test_S8_what_hangs_is_stopped_and_said(tmp_path: Path) -> None:
    found = told(tmp_path, own("sleep 1000", seconds=1))
    assert (found.ran, found.why) == (Ran.broken, "sh did not end within 1 s")


def test_a_program_that_is_not_installed_is_skipped(tmp_path: Path) -> None:
    found = told(tmp_path, own(command=["nothing-of-this-name"]))
    assert (found.ran, found.why) == (Ran.skipped, "nothing-of-this-name is not installed")


def test_S9_a_tree_that_names_other_places_is_looked_at_by_nobody(tmp_path: Path) -> None:
    of = replace(change(), after=DictTree({"../../x": b"x", PROD: b"y"}))
    (tmp_path / "scratch").mkdir()
    found = told(tmp_path / "scratch", own(), of)
    assert (found.ran, found.why) == (Ran.broken, "'../../x' is no path that can be checked out")
    assert [one.name for one in tmp_path.iterdir()] == ["scratch"]
