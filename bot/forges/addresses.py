"""Where a source repository is: web and Git addresses to a path on one forge, never to another's (S11)."""

import re
from urllib.parse import urlsplit

SCP = re.compile(r"[\w.-]+@(?P<host>[\w.-]+):(?P<path>[^/].*)")
"""`git@host:path`, as Git writes SSH addresses."""

COMMIT = re.compile(r"[0-9a-f]{7,64}")
"""A commit, perhaps shortened, as images name the revision that they were built from."""


def path_at(forge: str, source: str) -> str | None:
    """The path below the forge's web address that `source` (web address, Git address or path) names, or None."""
    source, home = source.strip(), urlsplit(forge)
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
