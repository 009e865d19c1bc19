"""The report on a person's merge request: its first line says whether it is safe, and what follows stands below."""

from dataclasses import replace

import pytest

from policies.config import Fault
from policies.findings import Checked, Finding, Ran, Severity, Validation
from policies.model import Trouble
from policies.naming import REPORT_MARK
from policies.validating import Validating
from policies.wording.preview import Preview, preview

FINE = Validation("k", (Checked("pinned", "a.yaml"),))
BAD = Validation("k", (Checked("pinned", "a.yaml", findings=(Finding("no digest", path="a.yaml", line=3),)),))
ODD = Validation("k", (Checked("pinned", "a.yaml", findings=(Finding("odd", Severity.warning),)),))
LOST = Validation("k", (Checked("helm", "a.yaml", Ran.broken, why="helm did not end"),))
UNDERSTOOD = "**✅ Towpath understands the policy and the values files of this merge request.**"
FAULT = Fault(("stages",), "is empty", 4)


def second(found: Preview) -> str:
    """The first line that people see."""
    mark, line, *_ = preview(found).split("\n")
    assert mark == REPORT_MARK
    return line


@pytest.mark.parametrize(
    ("validation", "line"),
    [
        (FINE, UNDERSTOOD),
        (ODD, UNDERSTOOD),
        (Validation(""), UNDERSTOOD),
        (BAD, "**⛔ Validators found 1 error.**"),
        (LOST, "**⏳ 1 validator came to no end: see who looked, below.**"),
        (None, "**⏳ Validators are still looking at this.**"),
    ],
)
def test_the_first_line_says_whether_it_is_safe(validation: Validation | None, line: str) -> None:
    assert second(Preview(validation=validation)) == line


REQUIRED = Validating.model_validate({"checks": {"image": {"required": True}, "cosign": {"required": True}}})
REPORT = Validating.model_validate({"mode": "report", "checks": {"image": {"required": True}}})
ABSENT = Validation("k", tuple(Checked("image", f"{at}", Ran.skipped, why="no registry is configured") for at in "ab"))
TWICE = Validation("k", tuple(replace(one, part=at) for one in BAD.checked for at in "ab"))


@pytest.mark.parametrize(
    ("validation", "rules", "line"),
    [
        (ABSENT, REQUIRED, "**⏳ 1 validator that policy requires did not look: see who looked, below.**"),
        (ABSENT, Validating(), UNDERSTOOD),
        (ABSENT, REPORT, UNDERSTOOD),
        (LOST, REPORT, UNDERSTOOD),
        (BAD, REPORT, "**✅ Validators found 1 error, which is only reported.**"),
        (TWICE, Validating(), "**⛔ Validators found 1 error.**"),
    ],
)
def test_it_counts_as_on_a_promotion(validation: Validation, rules: Validating, line: str) -> None:
    assert second(Preview(validation=validation, rules=rules)) == line


def test_S16_what_conflicts_is_not_understood() -> None:
    line = "**⏳ It conflicts with the target branch: validators look once that is mended.**"
    assert second(Preview(validation=Validation(""), merges=False)) == line
    text = preview(Preview(loosened=("less",), validation=Validation(""), merges=False))
    assert line in text and text.count(REPORT_MARK) == 1


def test_what_towpath_cannot_use_comes_first_and_what_validators_say_after_it() -> None:
    text = preview(Preview((FAULT,), (Trouble("a.yaml", 3, "no YAML"),), validation=BAD))
    assert text.split("\n")[1] == "**⛔ Towpath could not use this after merging:**"
    assert text.index("`towpath.yaml:4`") < text.index("`a.yaml:3`: no YAML") < text.index("Validators found 1 error")
    assert "Validators" not in preview(Preview((FAULT,), validation=FINE))


def test_a_looser_policy_is_said_first() -> None:
    assert second(Preview(loosened=("less",), validation=FINE)) == "**⚠️ This loosens the policy of promotions:**"
    text = preview(Preview((FAULT,), loosened=("less",), validation=FINE))
    assert text.count(REPORT_MARK) == 1


def test_what_follows_is_listed() -> None:
    text = preview(Preview(coming=("`shop` comes to `prod`",), validation=FINE))
    assert "**After merging it:**\n\n- `shop` comes to `prod`" in text
    assert "After merging" not in preview(Preview(validation=FINE))


def test_findings_are_shown_as_on_a_promotion() -> None:
    assert "`a.yaml:3`" in preview(Preview(validation=BAD, full="https://towpath.example.com/reports/x"))
