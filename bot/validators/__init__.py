"""Validators: each looks at the content of a change, in a file of its own, and says what it found."""

from bot.validators.base import Bench, Change, Part, Skipped, Target, Told, Tree, Validator
from bot.validators.jobs import Job, jobs, key_of, look

__all__ = [
    "VALIDATORS",
    "Bench",
    "Change",
    "Job",
    "Part",
    "Skipped",
    "Target",
    "Told",
    "Tree",
    "Validator",
    "jobs",
    "key_of",
    "look",
]

VALIDATORS: tuple[Validator, ...] = ()
"""All of Towpath's own, in the order in which their findings are shown."""
