"""GitLab (GitLab.com and self-managed, REST v4) behind the Forge protocol."""

from bot.forges.base import Kind
from bot.forges.connection import Connection
from bot.forges.gitlab.client import Client
from bot.forges.gitlab.protection import Protection
from bot.forges.gitlab.webhooks import Webhooks
from bot.forges.gitlab.writes import Writes


class GitLab(Protection, Webhooks, Writes):
    """One GitLab as the bot's user; safe to share between threads, each gets its own HTTP session."""

    kind: Kind = "gitlab"

    def __init__(self, connection: Connection) -> None:
        client = Client(connection)
        Webhooks.__init__(self, client)
        Writes.__init__(self, client)
        self.name = connection.name
