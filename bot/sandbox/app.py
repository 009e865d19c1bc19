"""The WSGI application: the API, Git over HTTP and the page, side by side, with faults and the journal before them."""

import gzip
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, Request, Response, request

from bot.sandbox import errors, git_http, gitlab
from bot.sandbox.ci import Ci
from bot.sandbox.faults import Fault, Faults
from bot.sandbox.gitlab_call import Answer, Asked
from bot.sandbox.journal import Entry, Journal
from bot.sandbox.page import add_pages
from bot.sandbox.state import State
from bot.sandbox.webhooks import Webhooks

API = "/api/v4/"


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

    @app.route(f"{API}<path:_>", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
    def api(_: str) -> Response:
        return _api(parts)

    @app.route("/api/<path:_>", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
    def elsewhere(_: str) -> Response:
        return Response('{"error":"404 Not Found"}', 404, {"Content-Type": "application/json"})

    @app.get("/<path:repository>.git/info/refs")
    def refs(repository: str) -> Response:
        return _git(parts, repository, request.args.get("service", ""))

    @app.post("/<path:repository>.git/<any('git-upload-pack', 'git-receive-pack'):service>")
    def pack(repository: str, service: str) -> Response:
        return _git(parts, repository, service)

    add_pages(app, parts.state)
    return app


def _api(parts: Parts) -> Response:
    asked = _asked(request)
    fault = parts.faults.request(asked.method, asked.path)
    answer = _with_fault(parts, asked, fault)
    user = gitlab.caller(parts.state, asked)
    parts.journal.add(Entry("api", asked.method, asked.path, user, answer.status))
    if fault and fault.kind in ("cut", "cut-after"):
        _cut(request)
    content = b"" if asked.method == "HEAD" else answer.content()
    response = Response(content, answer.status, {"Content-Type": "application/json", **answer.headers})
    if answer.status == 204:
        del response.headers["Content-Type"]
    return response


def _with_fault(parts: Parts, asked: Asked, fault: Fault | None) -> Answer:
    if fault is None:
        return gitlab.answer(parts.state, asked)
    if fault.kind == "limited":
        headers = {"Retry-After": str(fault.retry_after), "RateLimit-Remaining": "0"}
        return Answer({"message": {"error": "Too many requests. Please try again later."}}, 429, headers)
    if fault.kind in ("broken", "cut"):
        return Answer({"message": "500 Internal Server Error"}, fault.status)
    if fault.kind == "slow":
        parts.sleep(fault.seconds)
    answer = gitlab.answer(parts.state, asked)
    return answer if fault.kind == "slow" else Answer({"message": "500 Internal Server Error"}, fault.status)


def _asked(given: Request) -> Asked:
    """The request with its path as it came: WSGI decodes `%2F` in PATH_INFO, RAW_URI keeps it."""
    raw = str(given.environ.get("RAW_URI") or given.environ.get("REQUEST_URI") or given.full_path)
    path, _, query = raw.partition("?")
    headers = {name.lower(): value for name, value in given.headers.items()}
    return Asked(given.method, path.partition(API)[2], query, headers, _body(given))


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
    if isinstance(refusal, errors.Forbidden):
        return Response(f"{refusal.reason or 'You are not allowed to download code.'}\n", 403)
    return Response(
        "The project you were looking for could not be found or you don't have permission to view it.\n", 404
    )


def _body(given: Request) -> bytes:
    """The whole body, whether it came chunked, by length or compressed."""
    content = given.get_data(cache=True)
    return gzip.decompress(content) if given.headers.get("Content-Encoding") == "gzip" else content


def _cut(given: Request) -> None:
    """Close the connection under the server's feet, so that the client gets no answer."""
    connection = given.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
