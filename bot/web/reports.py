"""The full text of a report, for whoever has its unguessable address: a page without scripts, and JSON."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response, abort, make_response, render_template
from markdown_it import MarkdownIt
from markupsafe import Markup

from policies.findings import Severity
from policies.full import FULL, Full
from policies.wording import findings, objects
from policies.wording.quote import visible

TEMPLATES = Path(__file__).parent / "templates"
MOST_LINES = 5000
"""Of one object's diff on the page; JSON has all of them."""
_KINDS = {"+": "add", "-": "del", "@": "hunk"}
_HEADERS = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",  # nobody is told the address by a link on the page
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def add_reports(app: Flask, report: Callable[[str], Full | None]) -> None:
    """Add the page and the JSON of a report; a token that leads nowhere gets 404."""
    style = (TEMPLATES / "report.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )

    def page(token: str) -> Response:
        return _secured(_page(_found(report, token), token, style), "text/html", policy)

    def as_json(token: str) -> Response:
        return _secured(FULL.dump_json(_found(report, token)), "application/json", "default-src 'none'")

    app.jinja_options = {**app.jinja_options, "finalize": _seen}
    app.jinja_env.filters.update(inline=_inline, kind=lambda line: _KINDS.get(line[:1], "same"))
    app.add_url_rule("/reports/<token>", "report", page)
    app.add_url_rule("/reports/<token>.json", "report_json", as_json)


def _found(report: Callable[[str], Full | None], token: str) -> Full:
    full = report(token)
    if full is None:
        abort(404, "there is no such report, or not any more: the merge request leads to its newest")
    return full


def _page(full: Full, token: str, style: str) -> str:
    validation = full.validation
    return render_template(
        "report.html",
        style=Markup(style),  # noqa: S704 - a file of our own
        full=full,
        link=full.url if full.url.startswith(("https://", "http://")) else "",
        token=token,
        signs={str(severity): findings.SIGN[severity] for severity in Severity},
        found=findings.told(validation.findings),
        counted=objects.counted(validation.changes),
        objects=objects.grouped(validation.changes),
        most=MOST_LINES,
        ran=findings.ran(validation),
        unable=findings.unables(validation),
    )


def _seen(value: object) -> object:
    """Every text that a template shows; Jinja escapes its HTML."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _inline(markdown: str) -> Markup:
    """Towpath's own Markdown of one line: strong and code, and nothing that leads anywhere."""
    made = MarkdownIt("zero").enable(["emphasis", "backticks"]).renderInline(visible(markdown))
    return Markup(made)  # noqa: S704 - markdown-it escapes everything else


def _secured(content: str | bytes, kind: str, policy: str) -> Response:
    answer = make_response(content)
    answer.mimetype = kind
    answer.headers.update(_HEADERS | {"Content-Security-Policy": policy})
    return answer
