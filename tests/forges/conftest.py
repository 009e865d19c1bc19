"""The mocked web, for all tests in this folder."""

from tests.forges.gitlab_answers import web

__all__ = ["web"]
