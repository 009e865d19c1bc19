"""One API call as an endpoint sees it, its answer, GitLab's pagination and GitLab's ways of refusing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

from bot.sandbox import errors, issues, requests
from bot.sandbox.api import Answer, ApiCall, Json
from bot.sandbox.model import MergeRequest, Project, Thread, Token

T = TypeVar("T")

PER_PAGE = 20
MOST_PER_PAGE = 100
MOST_COUNTED = 10_000
"""Longer lists carry neither total nor last page, as GitLab leaves them out."""


STATUSES: Mapping[type[errors.Refused], int] = {
    errors.Unauthenticated: 401,
    errors.MayNotMerge: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Taken: 404,
    errors.NotMergeable: 405,
    errors.Conflict: 409,
    errors.Duplicate: 409,
    errors.RefMoved: 409,
    errors.Unmergeable: 422,
    errors.Contradiction: 422,
}

WORDS = {
    401: "401 Unauthorized",
    403: "403 Forbidden",
    404: "404 Not found",
    405: "405 Method Not Allowed",
}
"""What GitLab says of a status for which it gives no reason."""


@dataclass(frozen=True, slots=True)
class Call(ApiCall):
    """A call of GitLab's API; `token` is the caller's."""

    token: Token | None = None

    def project(self) -> Project:
        """The project that the path names."""
        return self.state.project(self.where["id"], self.actor)

    def request(self) -> tuple[Project, MergeRequest]:
        """The merge request that the path names, with its project."""
        project = self.project()
        return project, requests.find(project, self.where["iid"], self.actor)

    def thread(self) -> tuple[Project, Thread]:
        """The merge request or the issue that the path names, with its project."""
        if "issue" not in self.where:
            return self.request()
        project = self.project()
        return project, issues.find(project, self.where["issue"])

    def need(self, *names: str) -> tuple[str, ...]:
        """Parameters that must be there; names all that are missing."""
        missing = [name for name in names if self.given.get(name) is None]
        if missing:
            raise errors.Missing(", ".join(f"{name} is missing" for name in missing))
        return tuple(str(self.given[name]) for name in names)

    def time(self, name: str) -> datetime | None:
        """A parameter as an aware time."""
        found = self.text(name)
        if not found:
            return None
        try:
            at = datetime.fromisoformat(found.replace(" ", "+"))
        except ValueError as wrong:
            raise errors.Missing(f"{name} is invalid") from wrong
        return at if at.tzinfo else at.replace(tzinfo=self.state.clock().tzinfo)

    def choice(self, name: str, values: Sequence[str]) -> str:
        """A parameter that has one of these values, the first by default."""
        found = self.text(name)
        if found is None:
            return values[0]
        if found not in values:
            raise errors.Missing(f"{name} does not have a valid value")
        return found


def page(call: Call, items: Sequence[T], render: Callable[[T], Json]) -> Answer:
    """One page of a list, with the headers by which clients find the others."""
    size = min(MOST_PER_PAGE, call.number("per_page") or PER_PAGE)
    number = max(1, call.number("page") or 1)
    size = size if size > 0 else PER_PAGE
    last = max(1, -(-len(items) // size))
    shown = items[(number - 1) * size : number * size]
    headers = {
        "X-Page": str(number),
        "X-Per-Page": str(size),
        "X-Prev-Page": str(number - 1) if 1 < number <= last + 1 else "",
        "X-Next-Page": str(number + 1) if number < last else "",
    }
    links = {"prev": headers["X-Prev-Page"], "next": headers["X-Next-Page"], "first": "1"}
    if len(items) <= MOST_COUNTED:
        headers |= {"X-Total": str(len(items)), "X-Total-Pages": str(last)}
        links["last"] = str(last)
    headers["Link"] = ", ".join(_link(call, size, rel, page) for rel, page in links.items() if page)
    return Answer([render(item) for item in shown], headers=headers)


def refused(refusal: errors.Refused) -> Answer:
    """A refusal in GitLab's status codes and words."""
    reason = refusal.reason
    if isinstance(refusal, errors.Invalid):
        return _invalid(refusal)
    if isinstance(refusal, errors.Missing):
        return Answer({"error": reason if " " in reason else f"{reason} is missing"}, 400)
    if isinstance(refusal, errors.Forbidden) and reason:
        return Answer({"message": f"403 Forbidden - {reason}"}, 403)
    if isinstance(refusal, (errors.NotFound, errors.Taken)) and reason:
        return Answer({"message": f"404 {reason} Not Found"}, 404)
    if isinstance(refusal, (errors.Duplicate, errors.Contradiction)):
        return Answer({"message": [reason]}, STATUSES[type(refusal)])
    status = STATUSES[type(refusal)]
    return Answer({"message": WORDS.get(status, reason)}, status)


def _invalid(refusal: errors.Invalid) -> Answer:
    if refusal.field == "note":
        return Answer({"message": f'400 Bad request - Note {{:note=>["{refusal.reason}"]}}'}, 400)
    if refusal.field in ("", "branch", "ref"):
        return Answer({"message": refusal.reason}, 400)
    if refusal.reason.startswith(refusal.field):
        return Answer({"error": refusal.reason}, 400)
    return Answer({"message": {refusal.field: [refusal.reason]}}, 400)


def _link(call: Call, size: int, rel: str, number: str) -> str:
    kept = [(name, value) for name, value in parse_qsl(call.query) if name not in ("page", "per_page")]
    query = urlencode([*kept, ("page", number), ("per_page", str(size))])
    return f'<{call.state.url}/api/v4/{call.path}?{query}>; rel="{rel}"'
