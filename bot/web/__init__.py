"""The receiver: caps the body, has the sender verified, stores the fact, answers 202; or 503 within a second (R1)."""

from bot.web.app import Ports, create_app

__all__ = ["Ports", "create_app"]
