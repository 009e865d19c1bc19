"""The page for people."""

from flask import Flask

from bot.sandbox.state import State
from bot.sandbox.webhooks import Webhooks


def add_pages(app: Flask, state: State, webhooks: Webhooks) -> None:
    """Add the page to the application."""
