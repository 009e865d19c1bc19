"""What is said of Towpath's own token, App and webhooks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from policies.standing import Credential, Hook, credential_advice, described, expiring, hooks_advice

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOKEN = Credential("classic token", ("repo",))


@pytest.mark.parametrize(
    ("credential", "text"),
    [
        (None, "not shown to this token"),
        (TOKEN, "classic token, scopes repo"),
        (replace(TOKEN, scopes=()), "classic token, scopes none"),
        (replace(TOKEN, scopes=None), "classic token, scopes not shown to this token"),
        (replace(TOKEN, scopes=("a", "b"), expires_at=NOW), "classic token, scopes a, b; expires on 2026-03-01"),
    ],
)
def test_a_credential_on_one_line(credential: Credential | None, text: str) -> None:
    assert described(credential) == text


@pytest.mark.parametrize(
    ("left", "days"),
    [
        (timedelta(days=14), None),
        (timedelta(days=14) - timedelta(seconds=1), 13),
        (timedelta(days=1), 1),
        (timedelta(hours=1), 0),
        (timedelta(days=-1), 0),
        (None, None),
    ],
)
def test_a_token_is_told_when_it_ends_within_two_weeks(left: timedelta | None, days: int | None) -> None:
    found = expiring(replace(TOKEN, expires_at=NOW + left if left is not None else None), NOW)
    assert (f"in {days} days" in found) if days is not None else found == ""


def test_what_is_lacking_is_told_with_the_setting() -> None:
    lacking = replace(TOKEN, lacking=("the scope `repo`",), setting="make a new one", expires_at=NOW)
    first, second = credential_advice(lacking, NOW)
    assert first == "the classic token lacks the scope `repo`: make a new one"
    assert second.startswith("the classic token expires on 2026-03-01, in 0 days")
    assert credential_advice(TOKEN, NOW) == ()


def test_webhooks_that_are_of_no_use_are_told() -> None:
    assert hooks_advice((Hook("https://a"), Hook("https://b", "it is off", "switch it on")), "/hooks") == (
        "webhook https://b: it is off; switch it on",
    )
    assert hooks_advice((), "/hooks") == ("no webhook leads to /hooks: set it up with `towpath webhooks install`",)
