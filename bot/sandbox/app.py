"""The WSGI application: the API, Git over HTTP and the page, side by side, with faults and the journal before them."""

import gzip
import socket
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from flask import Flask, Request, Response, request
from werkzeug.exceptions import BadRequest

from bot.sandbox import errors, git_http
from bot.sandbox.api import Answer, Asked
from bot.sandbox.ci import Ci
from bot.sandbox.dialects import DIALECTS, Dialect
from bot.sandbox.faults import Fault, Faults
from bot.sandbox.issue_pages import add_issue_pages
from bot.sandbox.journal import Entry, Journal
from bot.sandbox.page import add_pages
from bot.sandbox.state import State
from bot.sandbox.webhooks import Webhooks

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a forge is made of."""

    state: State
    faults: Faults
    journal: Journal
    webhooks: Webhooks
    ci: Ci
    sleep: Callable[[float], None] = time.sleep


def create_app(parts: Parts) -> Flask:
    """The application; it starts nothing."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_FORM_MEMORY_SIZE"] = 4_000_000

    for dialect in DIALECTS.values():
        view = partial(_api, parts, dialect)
        app.add_url_rule(f"{dialect.prefix}<path:path>", dialect.prefix, view, methods=METHODS)

    @app.route("/api/<path:_>", methods=METHODS)
    def elsewhere(_: str) -> Response:
        return Response('{"error":"404 Not Found"}', 404, {"Content-Type": "application/json"})

    @app.get("/<path:repository>.git/info/refs")
    def refs(repository: str) -> Response:
        return _git(parts, repository, request.args.get("service", ""))

    @app.post("/<path:repository>.git/<any('git-upload-pack', 'git-receive-pack'):service>")
    def pack(repository: str, service: str) -> Response:
        return _git(parts, repository, service)

    add_pages(app, parts.state)
    add_issue_pages(app, parts.state)
    return app


def _api(parts: Parts, dialect: Dialect, path: str) -> Response:  # noqa: ARG001 the raw path counts
    asked = _asked(request, dialect.prefix)
    fault = parts.faults.request(asked.method, asked.path)
    answer = _with_fault(parts, dialect, asked, fault)
    user = dialect.caller(parts.state, asked)
    parts.journal.add(Entry("api", asked.method, asked.path, user, answer.status))
    if fault and fault.kind in ("cut", "cut-after"):
        _cut(request)
    content = b"" if asked.method == "HEAD" else answer.content()
    response = Response(content, answer.status, {"Content-Type": "application/json", **answer.headers})
    if answer.status in (204, 304):
        del response.headers["Content-Type"]
    return response


def _with_fault(parts: Parts, dialect: Dialect, asked: Asked, fault: Fault | None) -> Answer:
    if fault is not None and fault.kind in ("limited", "exhausted", "broken", "cut"):
        return dialect.trouble(parts.state, fault)
    if fault is not None and fault.kind == "slow":
        parts.sleep(fault.seconds)
    answer = dialect.answer(parts.state, asked)
    return answer if fault is None or fault.kind == "slow" else dialect.trouble(parts.state, fault)


def _asked(given: Request, prefix: str) -> Asked:
    """The request with its path as it came: WSGI decodes `%2F` in PATH_INFO, RAW_URI keeps it."""
    raw = str(given.environ.get("RAW_URI") or given.environ.get("REQUEST_URI") or given.full_path)
    path, _, query = raw.partition("?")
    headers = {name.lower(): value for name, value in given.headers.items()}
    return Asked(given.method, path.partition(prefix)[2], query, headers, _body(given))


def _git(parts: Parts, repository: str, service: str) -> Response:
    if service not in git_http.SERVICES:
        return Response("only smart HTTP is spoken here\n", 403)
    try:
        answer = _git_answer(parts, repository, service)
    except errors.Refused as refusal:
        return _git_refusal(refusal)
    return Response(answer.body, answer.status, {"Content-Type": answer.kind, "Cache-Control": "no-cache"})


def _git_answer(parts: Parts, repository: str, service: str) -> git_http.GitAnswer:
    authorization = request.headers.get("Authorization", "")
    project, token = git_http.authorize(parts.state, repository, service, authorization)
    user = token.user.username if token else ""
    call = git_http.GitCall(parts.state, project, token, service, request.headers.get("Git-Protocol", ""))
    if request.method == "GET":
        if service == "git-upload-pack":
            parts.journal.add(Entry("fetch", "GET", project.full_path, user, 200))
        return git_http.advertise(call)
    body = _body(request)
    if service == "git-upload-pack":
        return git_http.upload(call, body)
    if git_http.commands(body)[2]:
        parts.journal.add(Entry("push", "POST", project.full_path, user, 200))
    return git_http.receive(call, body)


def _git_refusal(refusal: errors.Refused) -> Response:
    if isinstance(refusal, errors.Unauthenticated):
        words = "HTTP Basic: Access denied. Use a token of one of the forge's users as password.\n"
        return Response(words, 401, {"WWW-Authenticate": 'Basic realm="Sandbox"', "Content-Type": "text/plain"})
    if isinstance(refusal, errors.Invalid):
        return Response(f"{refusal.reason}\n", 400)
    if isinstance(refusal, errors.Forbidden):
        return Response(f"{refusal.reason or 'You are not allowed to download code.'}\n", 403)
    return Response(
        "The project you were looking for could not be found or you don't have permission to view it.\n", 404
    )


def _body(given: Request) -> bytes:
    """The whole body, whether it came chunked, by length or compressed."""
    content = given.get_data(cache=True)
    if given.headers.get("Content-Encoding") != "gzip":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as wrong:
        raise BadRequest("The body is not compressed as it says.") from wrong


def _cut(given: Request) -> None:
    """Close the connection under the server's feet, so that the client gets no answer."""
    connection = given.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
