"""One call of GitHub's API as an endpoint sees it, its pages, and GitHub's ways of refusing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

from bot.sandbox import errors, issues, requests
from bot.sandbox.api import Answer, ApiCall, Json
from bot.sandbox.model import App, MergeRequest, Project, Thread
from bot.sandbox.state import require_code

T = TypeVar("T")

PER_PAGE = 30
MOST_PER_PAGE = 100
DOCUMENTATION = "https://docs.github.com/rest"

STATUSES: Mapping[type[errors.Refused], int] = {
    errors.Unauthenticated: 401,
    errors.MayNotMerge: 403,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.NotMergeable: 405,
    errors.Unmergeable: 405,
    errors.Conflict: 409,
    errors.RefMoved: 409,
    errors.Missing: 422,
    errors.Contradiction: 422,
}

RESOURCES = {
    "hooks": "Hook",
    "reactions": "Reaction",
    "comments": "IssueComment",
    "labels": "Label",
    "issues": "Issue",
    "statuses": "Status",
    "protection": "ProtectedBranch",
}
"""A part of a path, to what GitHub says was invalid."""

WORDS = {401: "Bad credentials", 403: "Resource not accessible by integration", 404: "Not Found"}
"""What GitHub says where it gives no reason."""

FIELDS = {"source_branch": "head", "target_branch": "base", "description": "body", "note": "body", "name": "name"}
"""The state machine's names of things, to GitHub's."""


@dataclass(frozen=True, slots=True)
class Call(ApiCall):
    """A call of GitHub's API; `app` is set where an App proved itself by its key."""

    app: App | None = None
    installation: int | None = None
    """Whose token it is, where it is an installation's."""

    def project(self) -> Project:
        """The repository that the path names; not found for who may not read it."""
        path = f"{self.where['owner']}/{self.where['repo']}"
        found = next((one for one in self.state.projects.values() if one.full_path.lower() == path.lower()), None)
        if found is None or not self.state.sees(self.actor, found) or not self.state.reaches(self.installation, found):
            raise errors.NotFound
        try:
            require_code(found, self.actor)
        except (errors.Forbidden, errors.Unauthenticated) as refusal:
            raise errors.NotFound from refusal
        return found

    def request(self) -> tuple[Project, MergeRequest]:
        """The pull request that the path names, with its repository."""
        project = self.project()
        return project, requests.find(project, self.where["number"], self.actor)

    def thread(self) -> tuple[Project, Thread]:
        """The pull request or issue that the path names, which are numbered in one row."""
        project, number = self.project(), self.where["number"]
        if number.isdecimal() and int(number) in project.issues and int(number) not in project.requests:
            return project, issues.find(project, number)
        return self.request()

    def need(self, name: str) -> str:
        """A parameter that must be there."""
        found = self.given.get(name)
        if not isinstance(found, (str, int)):
            raise errors.Missing(f'"{name}" wasn\'t supplied.')
        return str(found)


def page(call: Call, items: Sequence[T], render: Callable[[T], Json]) -> Answer:
    """One page of a list, with the links by which clients find the others."""
    start, end, headers = span(call, len(items))
    return Answer([render(item) for item in items[start:end]], headers=headers)


def span(call: Call, total: int, per_page: int = PER_PAGE) -> tuple[int, int, dict[str, str]]:
    """From where to where the asked page goes, and its Link header."""
    size = _size(call, per_page)
    number = max(1, call.number("page") or 1)
    last = max(1, -(-total // size))
    links: dict[str, int] = {}
    if number > 1:
        links |= {"prev": min(number - 1, last), "first": 1}
    if number < last:
        links |= {"next": number + 1, "last": last}
    shown = (_link(call, {"per_page": size, "page": to}, rel) for rel, to in links.items())
    headers = {"Link": ", ".join(shown)} if links else {}
    return (number - 1) * size, number * size, headers


def since(call: Call, items: Sequence[T], render: Callable[[T], Json], number: Callable[[T], int]) -> Answer:
    """One page of a list that grows at its head, as GitHub pages deliveries: by a cursor, with a link to the next."""
    size, cursor = _size(call, PER_PAGE), call.text("cursor") or ""
    last = int(cursor) if cursor.isdecimal() else None
    left = [item for item in items if last is None or number(item) < last]
    shown = left[:size]
    more = len(left) > size
    link = {"Link": _link(call, {"per_page": size, "cursor": number(shown[-1])}, "next")} if more else {}
    return Answer([render(item) for item in shown], headers=link)


def refused(refusal: errors.Refused, path: str) -> Answer:
    """A refusal in GitHub's status codes and words; what was refused follows from the path."""
    kind = next((kind for part, kind in RESOURCES.items() if part in path.split("/")), "PullRequest")
    if isinstance(refusal, errors.Duplicate):
        return _invalid(kind, {"code": "custom", "message": refusal.reason})
    if isinstance(refusal, errors.Invalid):
        field = FIELDS.get(refusal.field, refusal.field)
        code = "missing_field" if "blank" in refusal.reason else "invalid"
        if "too long" in refusal.reason:
            code = "unprocessable" if field == "data" else "custom"
        return _invalid(kind, {"field": field, "code": code, "message": refusal.reason})
    status = STATUSES[type(refusal)]
    if isinstance(refusal, errors.Missing):
        words = "Problems parsing JSON" if "body" in refusal.reason and "does not match" in refusal.reason else ""
        return said(400 if words else 422, words or f"Invalid request.\n\n{refusal.reason}")
    return said(status, WORDS[404] if status == 404 else refusal.reason or WORDS.get(status, "Validation Failed"))


def said(status: int, message: str) -> Answer:
    """A status with a message, as all of GitHub's refusals have one."""
    return Answer({"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}, status)


def _invalid(resource: str, fault: dict[str, str]) -> Answer:
    body = {"message": "Validation Failed", "errors": [{"resource": resource, **fault}]}
    return Answer(body | {"documentation_url": DOCUMENTATION, "status": "422"}, 422)


def _size(call: Call, default: int) -> int:
    wanted = call.number("per_page") or default
    return min(MOST_PER_PAGE, wanted) if wanted > 0 else default


def _link(call: Call, where: Mapping[str, int], rel: str) -> str:
    kept = [(name, value) for name, value in parse_qsl(call.query) if name not in where]
    query = urlencode([*kept, *where.items()])
    return f'<{call.state.url}/api/v3/{call.path}?{query}>; rel="{rel}"'
