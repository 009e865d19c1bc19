"""GitHub (github.com and Enterprise Server, REST v3) behind the Forge protocol."""

from bot.forges.base import Kind
from bot.forges.connection import Connection
from bot.forges.github.client import Client
from bot.forges.github.protection import Protection
from bot.forges.github.writes import Writes


class GitHub(Protection, Writes):
    """One GitHub as the bot's user or App; safe to share between threads, each gets its own HTTP session."""

    kind: Kind = "github"

    def __init__(self, connection: Connection) -> None:
        super().__init__(Client(connection))
        self.name = connection.name
