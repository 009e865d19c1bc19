"""The Flask application: which address leads where, and how each failure is answered."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import redis
import structlog
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from bot.memory import Answer
from bot.web.breaker import Breaker
from bot.web.receive import Refusal, Told
from bot.web.reports import TEMPLATES, add_reports
from policies.full import Full

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Ports:
    """What the receiver is joined to; each function raises `Refusal` or redis.RedisError."""

    forge: Callable[[str, str, Mapping[str, str], bytes], Told]
    """A forge's webhook: the kind of forge and its name, headers (lower case), body."""
    image: Callable[[str, Mapping[str, str], bytes], Told]
    """An announcement of an image."""
    answers: Callable[[str, Mapping[str, str], bytes], tuple[Answer, ...]]
    """What became of an image, asked with the same signature."""
    ping: Callable[[], None]
    report: Callable[[str], Full | None] = lambda _: None
    """The full text of a report, by the token in its address."""


def create_app(ports: Ports, body_limit: int, clock: Callable[[], float] = time.monotonic) -> Flask:
    """The receiver. The order is always: cap the body, verify the sender, parse, store (S2)."""
    app = Flask("towpath", static_folder=None, template_folder=str(TEMPLATES))
    breaker = Breaker(clock)

    def not_in_vain() -> Response | None:
        # Before the body is read: its sender would wait for an answer that is known already.
        return _send_again() if breaker.open and request.endpoint not in {None, "healthz"} else None

    def no_redis(error: redis.RedisError) -> Response:
        log.error("redis does not answer", error=type(error).__name__)
        breaker.failed()
        return _send_again()

    def hook_forge(kind: str, forge: str) -> Response:
        return _told(ports.forge(kind, forge, _headers(), _body(body_limit)))

    def hook_image(source: str) -> Response:
        return _told(ports.image(source, _headers(), _body(body_limit)))

    def hook_answer(source: str) -> Response:
        found = ports.answers(source, _headers(), _body(body_limit))
        return jsonify(answers=[_answer(answer) for answer in found])

    app.add_url_rule("/hooks/<any(gitlab, github):kind>/<forge>", view_func=hook_forge, methods=["POST"])
    app.add_url_rule("/hooks/images/<source>", view_func=hook_image, methods=["POST"])
    app.add_url_rule("/hooks/images/<source>/answer", view_func=hook_answer, methods=["POST"])
    app.add_url_rule("/healthz", "healthz", lambda: jsonify(ok=True))
    app.add_url_rule("/readyz", "readyz", lambda: _ready(ports))
    add_reports(app, ports.report)
    app.register_error_handler(Refusal, _refused)
    app.before_request(not_in_vain)
    app.register_error_handler(redis.RedisError, no_redis)
    app.register_error_handler(HTTPException, _http)
    return app


def _headers() -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _body(limit: int) -> bytes:
    """The raw body, at most `limit` bytes, also where no length was announced."""
    too_large = Refusal(413, f"the body is larger than {limit} bytes")
    if request.content_length is not None and request.content_length > limit:
        raise too_large
    body = request.stream.read(limit + 1)
    if len(body) > limit:
        raise too_large
    return body


def _told(told: Told) -> Response:
    answer = jsonify(accepted=told.accepted, duplicate=told.duplicate, ignored=list(told.ignored))
    answer.status_code = 202
    return answer


def _answer(answer: Answer) -> dict[str, str]:
    return {
        "state": answer.state,
        "unit": answer.unit,
        "stage": answer.stage,
        "text": answer.text,
        "url": answer.url,
    }


def _ready(ports: Ports) -> Response:
    ports.ping()
    return jsonify(ok=True)


def _refused(refusal: Refusal) -> Response:
    answer = jsonify(error=refusal.text, **({"field": refusal.field} if refusal.field else {}))
    answer.status_code = refusal.status
    return answer


def _send_again() -> Response:
    answer = jsonify(error="the work queue (Redis) does not answer: nothing was stored, send it again")
    answer.status_code = 503
    answer.headers["Retry-After"] = "5"
    return answer


def _http(error: HTTPException) -> Response:
    answer = jsonify(error=error.description or error.name)
    answer.status_code = error.code or 500
    if error.code == 405 and isinstance(error.get_response(), Response):
        answer.headers["Allow"] = error.get_response().headers.get("Allow", "POST")
    return answer
