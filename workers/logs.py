"""Structured logs: one JSON line each, with unit, stage, merge request and delivery where they are known."""

import logging
import sys

import structlog


def configure(level: str = "info") -> None:
    """Send structlog and the standard library's logs to standard error as JSON lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
    )
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # JSON escapes control characters, so nobody's text can forge a line or steer a terminal (S9).
                structlog.processors.JSONRenderer(ensure_ascii=True),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [out]
    root.setLevel(level.upper())
    # Celery and the forges' clients tell every call at their lower levels, with headers.
    for chatty in ("celery", "kombu", "amqp", "urllib3", "gitlab", "github"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
