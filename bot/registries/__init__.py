"""Image registries, asked by the API that they all have: the OCI distribution specification 1.1."""

from bot.registries.access import Access
from bot.registries.choice import Registries
from bot.registries.client import Registry

__all__ = ["Access", "Registries", "Registry"]
