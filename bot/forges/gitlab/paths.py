"""Where things are below `/api/v4`, what to call them in messages, and whether an address is on this GitLab."""

import re
from urllib.parse import quote, urlsplit

PROJECT = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*/)+[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""A full project path: groups and project as GitLab lets them be named, so never a `.` or `..` segment."""

SCP = re.compile(r"[\w.-]+@(?P<host>[\w.-]+):(?P<path>[^/].*)")
"""`git@gitlab.example.com:commerce/checkout.git`, as Git takes it."""

COMMIT = re.compile(r"[0-9a-f]{7,64}")


def project(repository: str) -> str:
    """The project by its path, so that its number never needs to be asked for."""
    return f"/projects/{quote(repository, safe='')}"


def requests(repository: str) -> str:
    """A project's merge requests."""
    return f"{project(repository)}/merge_requests"


def request(repository: str, iid: int) -> str:
    """One merge request."""
    return f"{requests(repository)}/{iid}"


def branch(repository: str, name: str) -> str:
    """One branch."""
    return f"{project(repository)}/repository/branches/{quote(name, safe='')}"


def named(repository: str, iid: int) -> str:
    """A merge request as GitLab refers to it: `platform/config!7`."""
    return f"{repository}!{iid}"


def project_at(forge: str, source: str) -> str | None:
    """The project path that `source` (web address, Git address or path) names on the GitLab at `forge`, or None."""
    path = _path_at(forge, source.strip())
    if path is None:
        return None
    path = path.split("/-/")[0].strip("/").removesuffix(".git")
    return path if PROJECT.fullmatch(path) else None


def _path_at(forge: str, source: str) -> str | None:
    home = urlsplit(forge)
    scp = SCP.fullmatch(source)
    if scp:
        return scp["path"] if scp["host"].lower() == home.hostname else None
    if "://" not in source:
        return source
    try:
        there, port = urlsplit(source), urlsplit(source).port
    except ValueError:
        return None
    if there.hostname != home.hostname or (there.scheme != "ssh" and port not in (None, home.port)):
        return None
    below = home.path.rstrip("/") + "/" if there.scheme != "ssh" else "/"
    return there.path.removeprefix(below) if there.path.startswith(below) else None
