"""How well and how fast secrets are found: precision and recall on the tests' table, and bytes looked through."""

import statistics
import time

from bot.validators.secret_scan import scan
from tests.bench.figures import Row
from tests.validators.secret_samples import FINE, SECRETS, drawn, score

SERVICES = 200
WANTED = 1.0
"""Megabytes a second: values files are of some kilobytes, so a hundred of them are looked at within a second."""


def measure(rounds: int) -> list[Row]:
    """The yardsticks are what is asked of it."""
    found = score()
    how = f"{len(SECRETS)} secrets, {len(FINE)} look-alikes; yardstick: what is asked"
    text = "\n".join(_values(number) for number in range(SERVICES))
    speed = len(text) / 1e6 / statistics.median(_seconds(text) for _ in range(rounds))
    return [
        Row("secrets: precision", found.precision, 0.98, "", how),
        Row("secrets: recall", found.recall, 1.0, "", how),
        Row(
            "secrets: looked through",
            speed,
            WANTED,
            "MB/s",
            f"values files of {len(text) // 1000} kB, median of {rounds}",
        ),
    ]


def _seconds(text: str) -> float:
    began = time.process_time()
    for _ in scan(text):
        pass
    return time.process_time() - began


def _values(number: int) -> str:
    """A service's values, as they are everywhere."""
    return f"""replicaCount: {number}
image:
  repository: registry.example.com/commerce/checkout-{number}
  digest: sha256:{drawn(str(number), 64, "0123456789abcdef")}
env:
  - name: LOG_LEVEL
    value: info
  - name: DB_PASSWORD
    valueFrom:
      secretKeyRef:
        name: checkout-database
        key: password
ingress:
  host: checkout-{number}.example.com
  annotations:
    nginx.ingress.kubernetes.io/proxy-body-size: 8m
resources:
  requests: {{cpu: 100m, memory: 256Mi}}
  limits: {{memory: 512Mi}}
existingSecret: checkout-{number}
"""
