"""The whole of what every gate says in each of its answers: gate, outcome, why, and what would change it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policies.gates import checks, integrity, refusal, signing
from policies.model import Check, CheckState
from policies.snapshot import Integrity, Promotion, Refusal
from policies.verdict import Verdict, block, passed, wait
from tests import builders as a

PATHS = ("a.yaml", "b.yaml")
OWN = f"`{a.MADE[:12]}`"
GREEN, RED = Check("ci", CheckState.success), Check("lint", CheckState.failed)
RUNS = Check("e2e", CheckState.pending)


def held(**changed: object) -> Promotion:
    """A promotion whose integrity is proved but for these."""
    return a.promotion(integrity=replace(a.PROVED, **changed))  # type: ignore[arg-type] # a test names any field


@pytest.mark.parametrize(
    ("one", "verdict"),
    [
        (held(), passed("integrity", "merging changes exactly this release's digests")),
        (
            held(elsewhere="release"),
            block(
                "integrity",
                "the merge request goes to `release` instead of the branch that Towpath promotes on",
                "set its target branch back, or close it",
            ),
        ),
        (
            a.promotion(release=None),
            block(
                "integrity",
                "the branch holds no commit of Towpath's for this release any more",
                "nothing: a new merge request replaces this one where the release is still wanted",
            ),
        ),
        (
            held(made=a.MADE),
            block(
                "integrity",
                "the branch holds more than this release: somebody pushed to it",
                f"set the branch back to Towpath's own commit {OWN}",
            ),
        ),
        (
            held(made=a.MADE, differing=PATHS),
            block(
                "integrity",
                "the branch holds more than this release: somebody pushed to it, and merging it would also change "
                "`a.yaml` and `b.yaml`",
                f"set the branch back to Towpath's own commit {OWN}",
            ),
        ),
        (
            held(expected=None),
            block(
                "integrity",
                "the release can no longer be spliced into the target branch",
                "mend the files named below",
            ),
        ),
        (
            held(merged=None, differing=PATHS),
            wait(
                "integrity",
                "the target branch has moved on in `a.yaml` and `b.yaml`",
                "nothing: a new merge request replaces this one",
            ),
        ),
        (
            held(merged=None, own=False),
            block(
                "integrity",
                "the branch holds more than this release: merging it would also change the whole branch",
                f"set the branch back to Towpath's own commit `{a.HEAD[:12]}`",
            ),
        ),
        (
            a.promotion(integrity=Integrity(a.TREE, None, PATHS, own=False)),
            block(
                "integrity",
                "the branch holds more than this release: merging it would also change `a.yaml` and `b.yaml`",
                "close it",
            ),
        ),
    ],
)
def test_S13_integrity(one: Promotion, verdict: Verdict) -> None:
    assert integrity.judge(one) == verdict


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        ((GREEN,), passed("checks", "`ci` succeeded")),
        (
            (GREEN, RED, RUNS),
            block("checks", "`lint` failed", "mend what it found, or run it again"),
        ),
        ((GREEN, RUNS), wait("checks", "`e2e` not finished", "nothing: Towpath looks again when it is")),
        (
            (),
            wait(
                "checks",
                "no pipeline has reported on this commit",
                "run one on Towpath's branches, or set `checks: optional` for this stage",
            ),
        ),
    ],
)
def test_S16_checks(seen: tuple[Check, ...], verdict: Verdict) -> None:
    assert checks.judge(seen, "required", a.BOT.id) == verdict


def test_checks_that_policy_does_not_ask_for() -> None:
    assert checks.judge((), "optional", a.BOT.id) == passed("checks", "no pipeline runs here, which policy allows")
    assert checks.judge((RED,), "ignored", a.BOT.id) == passed("checks", "policy ignores the pipeline here")


def test_S23_signing() -> None:
    assert signing.judge(can_sign=True) == passed("signing", "Towpath has a key to sign the merge with")
    assert signing.judge(can_sign=False) == wait(
        "signing",
        "policy says `merge: signed`, and Towpath has no key to sign with",
        "set `TOWPATH_SIGNING__KIND` and `TOWPATH_SIGNING__KEY_FILE` where Towpath runs",
    )


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (Refusal("not allowed", a.NOW), "the forge refused the merge: not allowed"),
        (Refusal("no agent", a.NOW, by="signing"), "the merge could not be signed: no agent"),
        (Refusal("ask @all", a.NOW), "the forge refused the merge: `ask @all`"),
    ],
)
def test_S9_a_refusal_is_told_in_the_words_of_who_refused_and_waits_for_ten_minutes(
    refused: Refusal, reason: str
) -> None:
    change = "change what it names; Towpath tries again every ten minutes"
    assert refusal.judge(refused) == wait(refused.by, reason, change, a.NOW + timedelta(minutes=10))


def test_a_refused_merge_is_due_again_at_the_very_end_of_its_pause() -> None:
    refused, end = Refusal("not allowed", a.NOW), a.NOW + timedelta(minutes=10)
    assert not refusal.is_due(refused, end - timedelta(seconds=1))
    assert refusal.is_due(refused, end)
