"""GitLab (GitLab.com and self-managed, REST v4) behind the Forge protocol."""

from bot.forges.connection import Connection
from bot.forges.gitlab.client import Client
from bot.forges.gitlab.webhooks import Webhooks
from bot.forges.gitlab.writes import Writes


class GitLab(Webhooks, Writes):
    """One GitLab as the bot's user; safe to share between threads, each gets its own HTTP session."""

    def __init__(self, connection: Connection) -> None:
        client = Client(connection)
        Webhooks.__init__(self, client)
        Writes.__init__(self, client)
        self.name = connection.name
