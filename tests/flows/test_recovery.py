"""Webhooks that nobody took: sent again where the forge can, told where a person must act; also on the command line."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.forges import FORGES
from bot.sandbox.faults import Fault
from tests.flows.town import FORGE, PROJECT, TOKEN, Town, towns
from workers.cli import main
from workers.recovery import recover, recover_lately


@pytest.fixture(params=FORGES)
def town(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with towns(tmp_path, redis_url, request.param) as made:
        yield made


def push(town: Town, number: int) -> None:
    town.sandbox.commit_as("jonas", PROJECT, f"side-{number}", {"side.txt": str(number)}, "side")


def test_what_GitHub_could_not_deliver_is_sent_again_and_what_GitLab_switched_off_is_told(town: Town) -> None:
    town.failing = 4
    for number in range(4):
        push(town, number)
        town.step()
    (found,) = recover(town.world, town.now - timedelta(hours=1))
    if town.kind == "github":
        assert (found.recovery.sent_again, found.recovery.advice) == (4, ())
        town.step()
        assert [(one.again, one.status) for one in town.sandbox.webhooks.log[-4:]] == [(True, 202)] * 4
        assert {one.headers["X-GitHub-Delivery"] for one in town.sandbox.webhooks.log[:4]} == {
            one.headers["X-GitHub-Delivery"] for one in town.sandbox.webhooks.log[-4:]
        }
    else:
        (advice,) = found.recovery.advice
        assert "GitLab switched the webhook https://towpath.example.com/hooks/gitlab/main off" in advice
        assert "send a test event" in advice
    (again,) = recover(town.world, town.now - timedelta(hours=1))
    assert again.recovery.sent_again == 0


def test_what_fails_again_is_not_sent_a_third_time(town: Town) -> None:
    if town.kind == "gitlab":
        pytest.skip("GitLab resends by itself")
    town.failing = 100
    push(town, 1)
    sent = []
    for _ in range(5):
        town.step()
        (found,) = recover(town.world, town.now - timedelta(hours=1))
        sent.append(found.recovery.sent_again)
    assert sent == [1, 0, 0, 0, 0]


def test_the_sweep_recovers_and_a_forge_that_will_not_say_fails_nothing(town: Town) -> None:
    town.failing = 1
    push(town, 1)
    town.step()
    town.sandbox.faults.add(Fault("broken", "GET", ".*/hooks.*"))
    recover_lately(town.world, town.now)
    recover_lately(town.world, town.now)
    if town.kind == "github":
        assert [one.again for one in town.sandbox.webhooks.queue] == [True]


# --- the command line ------------------------------------------------------------------------------------------------


def run(town: Town, tmp_path: Path, redis_url: str, *arguments: str) -> Result:
    prefix = f"TOWPATH_FORGES__{FORGE.upper()}__"
    variables = {
        "TOWPATH_REDIS_URL": redis_url,
        "TOWPATH_MIRRORS": str(tmp_path / "mirrors"),
        "TOWPATH_SEAL": '["a-seal-key-of-tests"]',
        f"{prefix}KIND": town.kind,
        f"{prefix}URL": town.url,
        f"{prefix}TOKEN": town.sandbox.token_for("towpath"),
        f"{prefix}WEBHOOK_{'TOKENS' if town.kind == 'gitlab' else 'SECRETS'}": json.dumps(["the-old-secret", TOKEN]),
        f"{prefix}REPOSITORIES": json.dumps([PROJECT]),
    }
    return CliRunner().invoke(main, list(arguments), env=variables)


def test_towpath_webhooks_install(town: Town, tmp_path: Path, redis_url: str) -> None:
    town.sandbox.project(PROJECT).hooks.clear()
    address = f"https://towpath.example.com/hooks/{town.kind}/main"
    for words in ("made", "brought up to date"):
        done = run(town, tmp_path, redis_url, "webhooks", "install", "--url", "https://towpath.example.com/")
        assert (done.exit_code, done.stdout) == (0, f"main {PROJECT}: webhook to {address} {words}\n")
    (hook,) = town.sandbox.project(PROJECT).hooks.values()
    assert (hook.url, hook.token, hook.form) == (address, TOKEN, False)
    town.publish("v2")
    town.settle()
    assert town.open_in("prod") is not None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("webhooks", "install", "--url", "towpath.example.com"), "write it with https://"),
        (("webhooks", "install", "--url", "https://x", "--forge", "other"), "settings name main"),
        (("webhooks", "install"), "Missing option '--url'"),
        (("recover", "--since", "soon"), "write a number and m, h or d"),
        (("recover", "--since", "4d"), "three days at most"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    town: Town, tmp_path: Path, redis_url: str, arguments: tuple[str, ...], words: str
) -> None:
    done = run(town, tmp_path, redis_url, *arguments)
    assert done.exit_code == 2
    assert words in " ".join(done.stderr.split())


def test_a_webhook_that_may_not_be_set_up_exits_with_1(town: Town, tmp_path: Path, redis_url: str) -> None:
    town.sandbox.project(PROJECT).members.clear()
    town.sandbox.project(PROJECT).group.members.clear()
    done = run(town, tmp_path, redis_url, "webhooks", "install", "--url", "https://towpath.example.com")
    assert done.exit_code == 1
    assert "failed to set up the webhook of platform/config: 404" in done.stderr
    assert run(town, tmp_path, redis_url, "recover").exit_code == 1


def test_towpath_recover(town: Town, tmp_path: Path, redis_url: str) -> None:
    done = run(town, tmp_path, redis_url, "recover")
    assert (done.exit_code, done.stdout) == (0, f"main {PROJECT}: 0 deliveries sent again\n")
    town.sandbox.project(PROJECT).hooks.clear()
    done = run(town, tmp_path, redis_url, "recover", "--since", "2d")
    assert done.exit_code == 1
    assert "set it up with `towpath webhooks install`" in done.stderr
