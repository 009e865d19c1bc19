"""The page: what it shows, what its buttons do, and that nothing others wrote runs."""

import re

import pytest
from flask.testing import FlaskClient

from bot.sandbox.app import create_app
from bot.sandbox.model import RequestState, Role
from bot.sandbox.page_markdown import rendered
from bot.sandbox.requests import Edit, Opening
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.statuses import Setting
from tests.sandbox.conftest import P, opened

PAGE = f"/{P}/-/merge_requests/1"


@pytest.fixture
def browser(sandbox: Sandbox) -> FlaskClient:
    """A browser that acts as dev."""
    client = create_app(sandbox.parts).test_client()
    client.post("/-/as", data={"user": "dev", "back": "/"})
    return client


def text(browser: FlaskClient, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_projects_requests_and_files_are_shown(sandbox: Sandbox, browser: FlaskClient) -> None:
    request = opened(sandbox, description="What **moves**")
    sandbox.status_as(
        "bot", P, request.head, Setting("pending", "towpath/prod", "feature", "waits", "http://x.example.com")
    )
    sandbox.comment_as("dev", P, 1, "<!-- mark -->\n| gate | why |\n|---|---|\n| soak | `2h` |")
    sandbox.approve_as("mira", P, 1)
    assert P in text(browser, "/")
    assert "Add feature" in text(browser, f"/{P}")
    assert "Add feature" in text(browser, f"/{P}/-/merge_requests")
    page = text(browser, PAGE)
    for part in ("What <strong>moves</strong>", "<td>soak</td>", "towpath/prod", "waits", "Mira", "feature.yaml"):
        assert part in page
    assert '<div class="add">+1</div>' in page
    assert "mark" not in page
    assert "values.yaml" in text(browser, f"/{P}/-/tree/main/apps/a")
    assert "a: 1" in text(browser, f"/{P}/-/blob/main/apps/a/values.yaml")
    assert "Initial commit" in text(browser, f"/{P}/-/commit/{sandbox.head(P)}")
    number = sandbox.project(P).pipelines[0].id
    assert "towpath/prod: pending" in text(browser, f"/{P}/-/pipelines/{number}")


def test_a_branch_with_slashes_is_browsed(sandbox: Sandbox, browser: FlaskClient) -> None:
    sandbox.commit_as("dev", P, "towpath/p/prod", {"x.yaml": "deep: 1"}, "x")
    assert "deep: 1" in text(browser, f"/{P}/-/blob/towpath/p/prod/x.yaml")


def test_a_person_walks_a_request_through(sandbox: Sandbox, browser: FlaskClient) -> None:
    request = opened(sandbox)
    for action in ("approve", "unapprove", "close", "reopen"):
        assert browser.post(f"{PAGE}/{action}").status_code == 303
    browser.post(f"{PAGE}/comment", data={"body": "/hold"})
    assert request.notes[-1].body == "/hold"
    refused = browser.post(f"{PAGE}/merge")
    assert refused.status_code == 409
    assert "The forge refused to merge" in refused.get_data(as_text=True)
    assert ">Merge<" not in text(browser, PAGE)
    browser.post("/-/as", data={"user": "mira", "back": PAGE})
    assert ">Merge<" in text(browser, PAGE)
    assert browser.post(f"{PAGE}/merge").status_code == 303
    assert request.state is RequestState.merged
    assert browser.post(f"{PAGE}/revert-request").status_code == 303
    assert sandbox.request(P, 2).title == 'Revert "Add feature"'
    assert browser.post(f"{PAGE}/revert").status_code == 303
    assert sandbox.read(P, "feature.yaml") is None


def test_a_person_walks_an_issue_through(sandbox: Sandbox, browser: FlaskClient) -> None:
    form = {"title": "Control", "labels": "red,blue", "body": "Where **we** talk"}
    assert browser.post(f"/{P}/-/issues", data=form).headers["Location"] == f"/{P}/-/issues/1"
    issue = sandbox.issue(P, 1)
    assert (issue.author.username, issue.labels) == ("dev", ["blue", "red"])
    assert browser.post(f"/{P}/-/issues/1/comment", data={"body": "/hold"}).status_code == 303
    sandbox.comment_as("dev", P, 1, "hidden", issue=True, internal=True)
    for path in (f"/{P}/-/issues/1", f"/{P}/issues/1"):
        page = text(browser, path)
        assert [
            part for part in ("Where <strong>we</strong> talk", "/hold", ", internal", "red") if part not in page
        ] == []
    assert "Control" in text(browser, f"/{P}/-/issues")
    assert f"/{P}/-/issues" in text(browser, f"/{P}")
    for action, state in (("close", RequestState.closed), ("reopen", RequestState.opened)):
        assert browser.post(f"/{P}/-/issues/1/{action}").status_code == 303
        assert issue.state is state
    refused = browser.post(f"/{P}/-/issues", data={"title": " "})
    assert (refused.status_code, "The forge refused" in refused.get_data(as_text=True)) == (409, True)
    assert browser.post(f"/{P}/-/issues/1/merge").status_code == 404
    assert browser.post(f"/{P}/-/issues/9/close").status_code == 404


def test_who_may_not_see_a_project_sees_none_of_its_issues(sandbox: Sandbox, browser: FlaskClient) -> None:
    sandbox.issue_as("dev", P, "Control")
    sandbox.add_member(P, sandbox.add_user("guest"), Role.guest)
    sandbox.comment_as("dev", P, 1, "a secret", issue=True, internal=True)
    browser.post("/-/as", data={"user": "guest", "back": "/"})
    page = text(browser, f"/{P}/-/issues/1")
    assert ("a secret" in page, ">Close<" in page) == (False, False)
    browser.post("/-/as", data={"user": "out", "back": "/"})
    for path in (f"/{P}/-/issues", f"/{P}/-/issues/1"):
        assert browser.get(path).status_code == 404
    assert browser.post(f"/{P}/-/issues/1/comment", data={"body": "x"}).status_code == 404


def test_who_may_not_see_a_project_does_not_see_it(sandbox: Sandbox, browser: FlaskClient) -> None:
    opened(sandbox)
    browser.post("/-/as", data={"user": "out", "back": "/"})
    assert browser.get(PAGE).status_code == 404
    assert browser.get(f"/{P}").status_code == 404
    assert browser.post(f"{PAGE}/approve").status_code == 404
    assert P not in text(browser, "/")


def test_another_sites_form_is_not_obeyed(sandbox: Sandbox, browser: FlaskClient) -> None:
    request = opened(sandbox)
    answer = browser.post(f"{PAGE}/close", headers={"Origin": "http://evil.example.com"})
    assert (answer.status_code, request.state) == (404, RequestState.opened)


EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) ![y](http://evil.example.com/z)"


def test_S9_nothing_that_others_wrote_runs(sandbox: Sandbox, browser: FlaskClient) -> None:
    sandbox.add_user("evil", EVIL)
    sandbox.add_member(P, "evil", sandbox.project(P).members[sandbox.user("dev").id].role)
    name = "<b onclick=x>.yaml"
    head = sandbox.commit_as("evil", P, "b", {name: EVIL + "\n"}, EVIL)
    sandbox.open_as("evil", P, Opening("b", "main", EVIL, EVIL, (EVIL,)))
    sandbox.comment_as("evil", P, 1, EVIL)
    sandbox.issue_as("evil", P, EVIL, EVIL, description=EVIL)
    sandbox.comment_as("evil", P, 2, EVIL, issue=True)
    sandbox.status_as("evil", P, head, Setting("failed", EVIL, "b", EVIL, "javascript:alert(1)"))
    sandbox.edit_as("dev", P, 1, Edit(title=EVIL + "!"))
    issues = (f"/{P}/-/issues", f"/{P}/-/issues/2")
    for path in ("/", f"/{P}", PAGE, *issues, f"/{P}/-/commit/{head}", f"/{P}/-/tree/b", f"/{P}/-/blob/b/{name}"):
        answer = browser.get(path)
        page = answer.get_data(as_text=True)
        assert not re.search(r"<script|<img|<b onclick|href=.javascript", page), path
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("**a**", "<p><strong>a</strong></p>\n"),
        ("<i>a</i>", "<p>&lt;i&gt;a&lt;/i&gt;</p>\n"),
        ("<!-- hidden -->\nshown", "<p>shown</p>\n"),
        ("[a](https://x.example.com)", '<p><a href="https://x.example.com">a</a></p>\n'),
        ("[a](javascript:b)", "<p>[a](javascript:b)</p>\n"),
        (
            "<details><summary><code>a</code> b</summary>\n\n**c**\n\n</details>",
            "<details><summary><code>a</code> b</summary>\n<p><strong>c</strong></p>\n</details>",
        ),
        ("<details onclick=x>\n\n</details>", "&lt;details onclick=x&gt;\n</details>"),
        ("<details><summary><b>a</b></summary>", "<details>&lt;summary&gt;&lt;b&gt;a&lt;/b&gt;&lt;/summary&gt;"),
        (
            "```diff\n+<b>\n-x\n```",
            '<pre class="diff"><span class="add">+&lt;b&gt;</span><span class="del">-x</span></pre>\n',
        ),
    ],
)
def test_S9_markdown_is_rendered_without_html_but_for_folds(markdown: str, html: str) -> None:
    assert rendered(markdown) == html
