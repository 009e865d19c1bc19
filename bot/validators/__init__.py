"""Validators: each looks at the content of a change, in a file of its own, and says what it found."""

from bot.validators import (
    conftest,
    cosign,
    helm,
    image,
    kubeconform,
    kustomize,
    kyverno,
    parity,
    pinned,
    registries,
    schema,
    secrets,
    trivy,
    wellformed,
)
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

VALIDATORS: tuple[Validator, ...] = (
    wellformed.VALIDATOR,
    pinned.VALIDATOR,
    registries.VALIDATOR,
    image.VALIDATOR,
    schema.VALIDATOR,
    secrets.VALIDATOR,
    parity.VALIDATOR,
    helm.VALIDATOR,
    kustomize.VALIDATOR,
    kubeconform.VALIDATOR,
    conftest.VALIDATOR,
    kyverno.VALIDATOR,
    trivy.VALIDATOR,
    cosign.VALIDATOR,
)
"""All of Towpath's own, in the order in which their findings are shown."""
