"""The contract: setting up webhooks and recovering them."""

from dataclasses import replace

import pytest

from bot.errors import Permanent
from bot.forges.base import Recovery, Webhook
from tests.contract.bench import Bench
from tests.contract.steps import EPOCH, R, writes

# --- webhooks -------------------------------------------------------------------------------------------------------


def test_a_webhook_is_set_up_once_and_then_brought_up_to_date(bench: Bench) -> None:
    webhook = Webhook("https://towpath.example.com/hooks/x/main", "a-webhook-secret")
    assert "a-webhook-secret" not in repr(webhook)
    bench.calls()
    assert bench.forge.install_webhook(R, webhook) == "made"
    assert writes(bench) == 1
    assert bench.forge.install_webhook(R, replace(webhook, secret="another-secret")) == "brought up to date"
    (hook,) = bench.hooks()
    assert (hook.url, hook.token) == (webhook.url, "another-secret")
    bench.push("a", {"a.yaml": "1\n"})
    assert bench.deliveries() == 1


def test_setting_up_a_webhook_needs_the_right(bench: Bench) -> None:
    webhook = Webhook("https://towpath.example.com/hooks/x/main", "a-webhook-secret")
    with pytest.raises(Permanent):
        bench.as_role("developer").install_webhook(R, webhook)
    with pytest.raises(Permanent):
        bench.as_role("developer").recover(R, "/hooks/x/main", EPOCH)
    assert bench.hooks() == []


def test_a_webhook_that_is_not_there_is_advised(bench: Bench) -> None:
    (advice,) = bench.forge.recover(R, "/hooks/x/main", EPOCH).advice
    assert "towpath webhooks install" in advice
    bench.forge.install_webhook(R, Webhook("https://towpath.example.com/hooks/x/main", "a-webhook-secret"))
    assert bench.forge.recover(R, "/hooks/x/main", EPOCH) == Recovery()
