"""The full text of a report: the page and the JSON that its unguessable address leads to."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from flask.testing import FlaskClient

from bot.memory import Memory
from bot.pending import Pending, connect
from bot.web import Ports, create_app
from bot.web.reports import MOST_LINES
from policies.findings import VALIDATION, Checked, Finding, ObjectChange, Ran, Severity, Validation
from policies.full import FULL, Full, Top
from tests.web.test_receiver import settings
from workers.receiving import make_ports

TOKEN = "5e" * 32
PATH = "environments/prod/one/shop/values.yaml"
FOUND = Validation(
    "key",
    (
        Checked("pinned", PATH, findings=(Finding("the tag moves", path=PATH, line=3, rule="latest"),)),
        Checked("parity", findings=(Finding("replicas differ", Severity.note),)),
        Checked(
            "helm", PATH, version="v3.16.1", changes=(ObjectChange("Deployment", "shop", diff="-a\n+b", target=PATH),)
        ),
        Checked("trivy", PATH, Ran.skipped, why="its program is not installed"),
    ),
)
FULL_TEXT = Full(
    "main",
    "platform/config",
    7,
    "4eadc0de" * 5,
    "https://gitlab.example.com/platform/config/-/merge_requests/7",
    FOUND,
    Top("⛔ Blocked: `pinned` found 1 error.", (("validation", "⛔", "`pinned` found 1 error"),)),
)


def client(full: Full = FULL_TEXT) -> FlaskClient:
    """A receiver that knows one report."""

    def never(*_: object) -> object:
        raise AssertionError("nothing but the report is asked for")

    ports = Ports(never, never, never, lambda: None, {TOKEN: full}.get)  # type: ignore[arg-type]
    return create_app(ports, 1000).test_client()


def page(full: Full = FULL_TEXT) -> str:
    answer = client(full).get(f"/reports/{TOKEN}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "part",
    [
        "<h1>⛔ Blocked: <code>pinned</code> found 1 error.</h1>",
        "<td>validation</td><td>⛔</td><td><code>pinned</code> found 1 error</td>",
        f"<li><code>{PATH}:3</code></li>",
        'the tag moves <code class="soft">pinned latest</code>',
        "replicas differ",
        "<p>Changes 1 object in 1 target: 1 Deployment.</p>",
        "<code>Deployment shop</code> in 1 target, +1 -1",
        '<span class="del">-a\n</span><span class="add">+b\n</span>',
        "<code>helm</code> v3.16.1",
        "<code>trivy</code> did not look: its program is not installed",
        f'<a href="{FULL_TEXT.url}" rel="noreferrer">!7</a> at head <code>4eadc0de4ead</code>',
        f'<a href="{TOKEN}.json">JSON</a>',
    ],
)
def test_the_page_says_everything(part: str) -> None:
    assert part in page()


def test_before_anything_is_reported_the_page_has_no_verdict() -> None:
    shown = page(replace(FULL_TEXT, top=Top(), validation=Validation("key")))
    assert "<h1>What validators said</h1>" in shown
    assert "<table>" not in shown
    assert "<p>None.</p>" in shown


def test_the_json_is_the_same_for_programs() -> None:
    answer = client().get(f"/reports/{TOKEN}.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert FULL.validate_json(answer.data) == FULL_TEXT
    kept = json.loads(answer.data)
    assert (kept["repository"], kept["iid"], kept["top"]["verdict"]) == ("platform/config", 7, FULL_TEXT.top.verdict)
    assert VALIDATION.validate_python(kept["validation"]) == FOUND


@pytest.mark.parametrize("path", ["/reports/nothing", f"/reports/{'0' * 64}", f"/reports/{'0' * 64}.json", "/reports/"])
def test_an_unknown_token_leads_nowhere(path: str) -> None:
    assert client().get(path).status_code == 404


@pytest.mark.parametrize("path", [f"/reports/{TOKEN}", f"/reports/{TOKEN}.json"])
def test_S10_nobody_keeps_or_indexes_a_report_or_is_told_where_it_is(path: str) -> None:
    headers = client().get(path).headers
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Robots-Tag"] == "noindex"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_S9_the_page_runs_and_loads_nothing_and_has_just_its_own_style() -> None:
    policy = client().get(f"/reports/{TOKEN}").headers["Content-Security-Policy"]
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'; form-action 'none'; "
        r"frame-ancestors 'none'",
        policy,
    )
    assert not re.search(r"<script|<link|<img|@import|url\(", page())


EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\u202e\x1b[2J`</code>` **x** [x](javascript:alert(1)) ![x](y)"
)


def test_S9_nothing_that_others_wrote_is_alive_on_the_page() -> None:
    changes = (ObjectChange(EVIL, EVIL, EVIL, EVIL, f"+{EVIL}", EVIL),)
    checked = (
        Checked("x", EVIL, findings=(Finding(EVIL, path=EVIL, rule=EVIL),), version=EVIL, changes=changes),
        Checked("y", EVIL, Ran.broken, why=EVIL),
    )
    top = Top(EVIL, ((EVIL, EVIL, EVIL),))
    shown = page(Full("main", EVIL, 7, EVIL, "javascript:alert(1)", Validation("key", checked), top))
    assert not re.search(r"<script|<img|href=.javascript|[\u202e\x1b]", shown)
    assert re.findall(r"<a [^>]*>", shown) == [f'<a href="{TOKEN}.json">']


def test_a_diff_of_very_many_lines_is_cut_on_the_page() -> None:
    long = ObjectChange("Deployment", "shop", diff="\n".join(["+x"] * (MOST_LINES + 7)), target=PATH)
    shown = page(replace(FULL_TEXT, validation=Validation("key", (Checked("helm", changes=(long,)),))))
    assert shown.count('<span class="add">') == MOST_LINES
    assert "… 7 more lines: in the JSON" in shown


def test_without_redis_the_page_is_asked_for_again_later() -> None:
    def down(_: str) -> Full | None:
        raise redis.ConnectionError

    ports = Ports(down, down, down, lambda: None, down)  # type: ignore[arg-type]
    assert create_app(ports, 1000).test_client().get(f"/reports/{TOKEN}").status_code == 503


def test_S10_of_what_memory_keeps_only_full_texts_are_shown(redis_url: str, tmp_path: Path) -> None:
    """Reports of merge requests lie under a key that begins alike."""
    memory, made = Memory(connect(redis_url)), settings(tmp_path)
    memory.set("report:main:config:7", FULL.dump_json(FULL_TEXT).decode(), 60)
    memory.set(f"report:{TOKEN}", FULL.dump_json(FULL_TEXT).decode(), 60)
    ports = make_ports(made, Pending(connect(redis_url)), memory, lambda: 0.0)
    browser = create_app(ports, 1000).test_client()
    assert browser.get("/reports/main:config:7").status_code == 404
    assert browser.get(f"/reports/{TOKEN}").status_code == 200
