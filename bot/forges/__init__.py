"""The forges that Towpath can speak to: to add one, write its folder and name it in `FORGES`."""

from collections.abc import Callable, Mapping

from bot.forges.base import Forge
from bot.forges.connection import Connection


def _gitlab(connection: Connection) -> Forge:
    from bot.forges.gitlab import GitLab  # python-gitlab costs 240 ms to import: only where a GitLab is configured

    return GitLab(connection)


def _github(connection: Connection) -> Forge:
    from bot.forges.github import GitHub  # PyGithub is slow to import too

    return GitHub(connection)


FORGES: Mapping[str, Callable[[Connection], Forge]] = {"gitlab": _gitlab, "github": _github}
"""Kind of forge, as settings name it, to what makes its adapter."""
