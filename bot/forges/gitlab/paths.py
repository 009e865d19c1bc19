"""Where things are below `/api/v4`, what to call them in messages, and whether an address is on this GitLab."""

import re
from urllib.parse import quote

from bot.forges.addresses import path_at
from policies.model import Thread

PROJECT = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*/)+[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""A full project path: groups and project as GitLab lets them be named, so never a `.` or `..` segment."""


def project(repository: str) -> str:
    """The project by its path, so that its number never needs to be asked for."""
    return f"/projects/{quote(repository, safe='')}"


def requests(repository: str) -> str:
    """A project's merge requests."""
    return f"{project(repository)}/merge_requests"


def request(repository: str, iid: int) -> str:
    """One merge request."""
    return f"{requests(repository)}/{iid}"


def issues(repository: str) -> str:
    """A project's issues."""
    return f"{project(repository)}/issues"


def thread(repository: str, place: Thread) -> str:
    """A merge request or an issue."""
    return f"{issues(repository)}/{place.iid}" if place.issue else request(repository, place.iid)


def note_page(forge: str, repository: str, place: Thread) -> str:
    """Where a person reads a comment of the merge request or issue, but for the comment's own number."""
    return f"{forge}/{repository}/-/{'issues' if place.issue else 'merge_requests'}/{place.iid}#note_"


def branch(repository: str, name: str) -> str:
    """One branch."""
    return f"{project(repository)}/repository/branches/{quote(name, safe='')}"


def named(repository: str, iid: int) -> str:
    """A merge request as GitLab refers to it: `platform/config!7`."""
    return f"{repository}!{iid}"


def named_thread(repository: str, place: Thread) -> str:
    """As `named`; an issue is `platform/config#7`."""
    return f"{repository}#{place.iid}" if place.issue else named(repository, place.iid)


def project_at(forge: str, source: str) -> str | None:
    """The project path that `source` (web address, Git address or path) names on the GitLab at `forge`, or None."""
    path = path_at(forge, source)
    if path is None:
        return None
    path = path.split("/-/")[0].strip("/").removesuffix(".git")
    return path if PROJECT.fullmatch(path) else None
