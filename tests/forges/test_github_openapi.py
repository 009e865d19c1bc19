"""What the GitHub adapter sends and reads is what GitHub publishes, and the sandbox answers like it.

A session calls every method of the protocol, once as a user and once as an App, on the sandbox over HTTP. What went
over the wire is then held against the description of GitHub's own API.
"""

import io
import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from bot.forges.base import Emoji, Forge, Proposal, Status, Webhook
from bot.forges.connection import AppKey, Connection
from bot.forges.github import GitHub
from bot.forges.github.client import Client
from bot.sandbox.app import create_app
from bot.sandbox.ci import Job
from bot.sandbox.model import Bypass, Hook, RequiredCheck, Role, Ruleset
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.server import HOST, Quiet
from policies.model import CheckState, Thread, User
from tests.forges.openapi import EACH, Absent, Description, Record, description

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

R = "platform/config"
TEAM = "platform/managers"
API = "/api/v3"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

UNTOLD = {("[]", "mergeable"), ("[]", "mergeable_state"), ("[]", "merged_by")}
"""What a list of pull requests does not tell, though the adapter looks: one that is read alone does."""
NAMELESS = re.compile(r"(.*\.)?(user|actor|creator|closed_by|merged_by)\.name")
"""GitHub shows a user's full name nowhere but in `/user` and `/users`; the adapter does without."""
NO_PULL_REQUEST = ("GET /repos/{owner}/{repo}/issues/{issue_number}", "pull_request")
"""What an issue lacks that is no pull request, and the adapter looks for."""
NAMELESS_MEMBERS = ("GET /orgs/{org}/teams/{team_slug}/members", "[].name")


# --- recording -------------------------------------------------------------------------------------------------------


class Recorder:
    """Passes requests on to a WSGI application and keeps those to the API, with their answers."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application
        self.records: list[Record] = []

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        body = Request(environ).get_data()
        environ["wsgi.input"] = io.BytesIO(body)
        answer = Response.from_app(self._application, environ, buffered=True)
        path, _, query = str(environ["RAW_URI"]).partition("?")
        sent, got = (json.loads(one) if one else None for one in (body, answer.get_data()))
        method, pairs = str(environ["REQUEST_METHOD"]), dict(parse_qsl(query, keep_blank_values=True))
        self.records.append(Record(method, path.removeprefix(API), pairs, sent, answer.status_code, got))
        return answer(environ, start_response)


class Watched(Mapping[str, object]):
    """An object of an answer that notes which of its fields are looked at."""

    def __init__(self, found: Mapping[str, object], where: tuple[str, ...], reads: set[tuple[str, ...]]) -> None:
        self._found, self._where, self._reads = found, where, reads

    def __getitem__(self, name: str) -> object:
        where = (*self._where, name)
        self._reads.add(where)
        return watched(self._found[name], where, self._reads)

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def watched(found: object, where: tuple[str, ...], reads: set[tuple[str, ...]]) -> object:
    """The same JSON, watched."""
    if isinstance(found, list):
        return [watched(one, (*where, EACH), reads) for one in found]
    return Watched(found, where, reads) if isinstance(found, dict) else found


class WatchedClient(Client):
    """Hands answers out watched."""

    def __init__(self, connection: Connection, recorder: Recorder) -> None:
        self._recorder = recorder
        super().__init__(connection)

    def _asked(
        self,
        method: str,
        repository: str,
        where: str,
        *,
        headers: dict[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> tuple[Mapping[str, str], object]:
        answered, found = super()._asked(method, repository, where, headers=headers, body=body)
        return answered, watched(found, (), self._recorder.records[-1].reads)

    def as_app(
        self, method: str, path: str, claim: str, body: Mapping[str, object] | None = None
    ) -> Mapping[str, object]:
        found = super().as_app(method, path, claim, body)
        reads = self._recorder.records[-1].reads
        if isinstance(self._recorder.records[-1].answer, list):
            return {"items": watched(found["items"], (), reads)}
        return Watched(found, (), reads)


class WatchedGitHub(GitHub):
    """The adapter over a watched client."""

    def __init__(self, connection: Connection, recorder: Recorder) -> None:
        super().__init__(connection)
        self._client = WatchedClient(connection, recorder)


class Called:
    """Notes which methods of a forge are called."""

    def __init__(self, forge: Forge, names: set[str]) -> None:
        self._forge, self._names = forge, names

    def __getattr__(self, name: str) -> object:
        self._names.add(name)
        return getattr(self._forge, name)


# --- the session -----------------------------------------------------------------------------------------------------


@contextmanager
def recorded(sandbox: Sandbox) -> Iterator[Recorder]:
    """Serve the sandbox over HTTP behind a recorder."""
    recorder = Recorder(create_app(sandbox.parts))
    server = make_server(HOST, 0, recorder, threaded=True, request_handler=Quiet)
    sandbox.state.url = f"http://{HOST}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def world(folder: Path) -> Sandbox:
    """A repository with CI, people and a team; webhooks meet a receiver that takes none."""
    sandbox = Sandbox.create(folder, sender=lambda *_: 500)
    sandbox.add_project(R, {"README.md": "# Config\n"})
    for name in ("towpath", "mira"):
        sandbox.add_user(name, name.capitalize(), bot=name == "towpath")
        sandbox.add_member(R, name, Role.maintainer)
    sandbox.add_member(TEAM, "mira", Role.developer)
    sandbox.add_ci(R, Job("validate", waits=timedelta(0), runs=timedelta(0)), author="mira", branches="a*")
    return sandbox


def as_user(sandbox: Sandbox) -> Connection:
    return Connection("sandbox", sandbox.state.url, sandbox.token_for("towpath"))


def as_app(sandbox: Sandbox) -> Connection:
    """An App with a webhook, installed in the organisation."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem, public = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    private, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    app = sandbox.state.add_app("towpath-app", key.public_key().public_bytes(pem, public).decode())
    app.hook = Hook(900, "https://towpath.example.com/app", frozenset({"push"}), datetime.now(UTC), dialect="github")
    sandbox.state.install(app, sandbox.add_group("platform"))
    sandbox.add_member(R, app.user, Role.maintainer)
    own_key = AppKey(str(app.id), key.private_bytes(pem, private, plain).decode())
    return Connection("sandbox", sandbox.state.url, "", app=own_key)


def opened(sandbox: Sandbox, forge: Forge, branch: str) -> tuple[int, str]:
    """A pull request that is ready to be merged: its number and head."""
    head = sandbox.commit_as("root", R, branch, {f"{branch}.yaml": "1\n"}, "change")
    iid = forge.open_request(R, Proposal(branch, "main", "Promote", "what moves", ("towpath",))).iid
    sandbox.settle()
    return iid, head


def walk(sandbox: Sandbox, forge: Forge) -> None:
    """Call every method of the protocol."""
    forge.me()
    forge.access(R)
    hook = Webhook(f"https://towpath.example.com/hooks/{forge.me().id}", "secret")
    forge.install_webhook(R, hook)
    forge.install_webhook(R, hook)
    forge.default_branch(R)
    before = forge.head(R, "main")
    look_at_the_protection(sandbox, forge)
    first, head = opened(sandbox, forge, f"a{forge.me().id}")
    discuss(forge, first, sandbox.user("mira").id)
    talk_on_an_issue(sandbox, forge)
    sandbox.approve_as("mira", R, first)
    sandbox.tick()
    sandbox.tick()
    forge.set_status(R, head, "a", Status("towpath/prod", CheckState.pending, "waits", "https://towpath.example.com"))
    forge.checks(R, head)
    forge.reviews(R, first)
    forge.open_requests(R, "towpath")
    forge.merge(R, first, head, "Promote\n\nTowpath-Stage: prod\n")
    forge.request(R, first)
    forge.commits_between(R, before, forge.head(R, "main"))
    second, _ = opened(sandbox, forge, f"b{forge.me().id}")
    forge.close(R, second, "superseded")
    forge.requests_from(R, f"b{forge.me().id}")
    forge.updated_requests(R, LONG_AGO)
    sandbox.deliver()
    look_at_itself(forge, f"/hooks/{forge.me().id}")
    assert forge.recover(R, f"/hooks/{forge.me().id}", LONG_AGO).sent_again > 0


def look_at_the_protection(sandbox: Sandbox, forge: Forge) -> None:
    """With all that a rule can ask for, then as it was."""
    rules = sandbox.project(R).protections
    plain = rules["main"]
    rules["main"] = replace(plain, checks=(RequiredCheck("towpath"),), reviews=1)
    assert forge.guard(R, "main").protected
    del rules["main"]
    check = RequiredCheck("towpath", 7)
    sandbox.project(R).rulesets.append(Ruleset(1, "main", (check,), no_force=False, bypass=(Bypass("User", 1),)))
    assert forge.guard(R, "main").bypassers == ("user number 1",)
    sandbox.project(R).rulesets.clear()
    rules["main"] = plain


def look_at_itself(forge: Forge, path: str) -> None:
    """Its token or App, and its webhook, which nobody takes anything from."""
    assert forge.credential(R).lacking == ()
    (hook,) = forge.hooks(R, path)
    assert "failed (Invalid HTTP Response: 500)" in hook.trouble


def talk_on_an_issue(sandbox: Sandbox, forge: Forge) -> None:
    """The control issue, and what is said there."""
    iid = sandbox.issue_as("mira", R, "Control", "towpath-control").iid
    (found,) = [one for one in forge.issues(R, "towpath-control", LONG_AGO) if one.iid == iid]
    assert forge.issue(R, iid) == found
    note = forge.add_note(R, Thread(iid, issue=True), "said")
    forge.react(R, Thread(iid, issue=True), note.id, Emoji.done)
    assert forge.notes(R, Thread(iid, issue=True)) == (note,)


def discuss(forge: Forge, iid: int, mira: int) -> None:
    """What is said on a pull request, and by whom."""
    note = forge.add_note(R, Thread(iid), "first")
    forge.edit_note(R, Thread(iid), note.id, "second")
    forge.react(R, Thread(iid), note.id, Emoji.seen)
    forge.reactions(R, Thread(iid), note.id)
    forge.notes(R, Thread(iid))
    forge.delete_note(R, Thread(iid), note.id)
    forge.label(R, iid, ["urgent"])
    forge.unlabel(R, iid, ["urgent", "missing"])
    assert [one.added for one in forge.label_changes(R, Thread(iid)) if one.label == "urgent"] == [True, False]
    (member,) = forge.members(R, TEAM)
    assert member.id == mira
    assert forge.named(R, "@mira") == (replace(member, name="Mira"),)
    assert forge.named(R, f"@{TEAM}") == (member,)
    forge.ask_for_review(R, iid, [member])
    forge.permission(R, User(mira, "mira"))


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Record], set[str]]:
    """What went over the wire, and which methods were called."""
    sandbox, called = world(tmp_path_factory.mktemp("forge")), set[str]()
    with recorded(sandbox) as recorder:
        for connection in (as_user(sandbox), as_app(sandbox)):
            walk(sandbox, cast(Forge, Called(WatchedGitHub(connection, recorder), called)))
    return recorder.records, called


@pytest.fixture(scope="module")
def records(session: tuple[list[Record], set[str]]) -> list[Record]:
    """Those with an answer of their own, which one that has not changed lacks."""
    asked = [record for record in session[0] if record.status != 304]
    return [replace(one, reads=one.reads - UNTOLD) if str(one) == f"GET /repos/{R}/pulls" else one for one in asked]


@pytest.fixture(scope="module")
def github() -> Description:
    pytest.importorskip("jsonschema")
    try:
        return description()
    except Absent as why:
        pytest.skip(f"GitHub's description is not to be had: {why}")


# --- the tests -------------------------------------------------------------------------------------------------------


def test_every_request_exists_with_its_query_parameters(records: list[Record], github: Description) -> None:
    assert [complaint for record in records for complaint in github.request(record)] == []


def test_R7_every_list_can_be_asked_for_its_next_page(records: list[Record], github: Description) -> None:
    """By number, or by the cursor that its Link header names."""
    lists = [record for record in records if "per_page" in record.query]
    by_number, by_cursor = (
        {str(one) for one in lists if not github.request(replace(one, query=one.query | {name: "2"}))}
        for name in ("page", "cursor")
    )
    assert {str(one) for one in lists} == by_number | by_cursor
    assert {one.rpartition("/")[2] for one in by_cursor} == {"deliveries"}


def test_every_body_is_as_described(records: list[Record], github: Description) -> None:
    assert sum(record.body is not None for record in records) > 20
    assert [complaint for record in records for complaint in github.body(record)] == []


def test_every_answer_has_what_is_read_as_described(records: list[Record], github: Description) -> None:
    assert [complaint for record in records for complaint in github.answer(record)] == []


def test_the_sandbox_answers_with_all_that_is_read(records: list[Record], github: Description) -> None:
    lacking = github.lacks(records) - {NAMELESS_MEMBERS, NO_PULL_REQUEST}
    assert {(where, name) for where, name in lacking if not NAMELESS.fullmatch(name)} == set()


def test_every_method_of_the_protocol_is_called(session: tuple[list[Record], set[str]]) -> None:
    public = {name for name, found in vars(Forge).items() if callable(found) and not name.startswith("_")}
    assert public - session[1] == set()


def test_a_request_that_GitHub_does_not_know_is_seen(records: list[Record], github: Description) -> None:
    listed = first(records, "GET", "/issues")
    for wrong in (
        replace(listed, path=f"/repos/{R}/isues"),
        replace(listed, method="PUT"),
        replace(listed, query=listed.query | {"label": "towpath"}),
        replace(listed, query=listed.query | {"state": "opened"}),
        replace(listed, query=listed.query | {"per_page": "many"}),
    ):
        assert (github.request(listed), len(github.request(wrong))) == ([], 1)


def test_a_body_that_GitHub_does_not_know_is_seen(records: list[Record], github: Description) -> None:
    made = first(records, "POST", "/pulls")
    for body in (
        made.body | {"labels": ["towpath"]},
        made.body | {"draft": "yes"},
        {name: value for name, value in made.body.items() if name != "base"},
        None,
    ):
        assert (github.body(made), len(github.body(replace(made, body=body)))) == ([], 1)


def test_an_answer_unlike_GitHubs_is_seen(records: list[Record], github: Description) -> None:
    made = first(records, "POST", "/pulls")
    for wrong in (
        replace(made, status=200),
        replace(made, reads={("iid",)}),
        replace(made, reads={("head", "oid")}),
        replace(made, answer=made.answer | {"number": "1"}),
        replace(made, answer=made.answer | {"state": "opened"}),
        replace(made, answer=made.answer | {"created_at": "yesterday"}),
        replace(made, answer=made.answer | {"head": made.answer["base"] | {"sha": None}}),
        replace(made, answer=made.answer | {"head": {"ref": "a", "repo": {"id": 1}}}),
    ):
        assert (github.answer(made), len(github.answer(wrong))) == ([], 1)


def first(records: list[Record], method: str, end: str) -> Record:
    return next(record for record in records if record.method == method and record.path.endswith(end))
