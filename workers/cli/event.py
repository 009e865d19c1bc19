"""`towpath event`: what Towpath understands of a webhook's payload, offline."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import BinaryIO

import click

from bot.hooks import HOOKS

KINDS = tuple(HOOKS)
NAMES = {"ImagePublished": "image-published", "Changed": "changed", "Ignored": "ignored"}


@click.command()
@click.option("--source", type=click.Choice(KINDS), required=True, help="The kind of sender.")
@click.option("--header", "headers", multiple=True, help="'Name: value'; may be repeated.")
@click.option("--registry", default="", help="What values files write before the repository (distribution, ghcr).")
@click.argument("file", type=click.File("rb"))
def command(source: str, headers: tuple[str, ...], registry: str, file: BinaryIO) -> None:
    """Print what a payload (FILE, or - for standard input) comes down to, as JSON lines."""
    from bot.hooks.events import Malformed

    if source == "distribution" and not registry:
        registry = "registry.example.com"
    click.echo("not verified: the sender's signature is only checked by the receiver", err=True)
    try:
        events = HOOKS[source].parse(_headers(headers), file.read(), registry)
    except Malformed as malformed:
        raise click.ClickException(f"{getattr(file, 'name', 'standard input')}: {malformed}") from malformed
    for event in events:
        said = {name: value for name, value in asdict(event).items() if value not in (None, {}, ())}
        click.echo(json.dumps({"event": NAMES[type(event).__name__], **said}, default=_text))


def _headers(given: tuple[str, ...]) -> Mapping[str, str]:
    pairs = [header.partition(":") for header in given]
    for name, colon, _ in pairs:
        if not colon or not name.strip():
            raise click.BadParameter("write 'Name: value'", param_hint="--header")
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
