"""`towpath publish`: what CI runs when it has pushed an image."""

import json
import os
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

SECRET = "TOWPATH_PUBLISH_SECRET"  # noqa: S105 the variable's name
TRIES = 6
"""How often an announcement is sent before CI is told that nobody took it; it does nothing twice."""
FINAL = ("opened", "done", "branch")
LOOKS = 2.0
"""Seconds between two looks at what became of it."""


@click.command()
@click.option("--url", required=True, help="Where Towpath's receiver is, such as https://towpath.example.com.")
@click.option("--source", required=True, help="The source's name in Towpath's settings.")
@click.option("--image", required=True, help="REPOSITORY@sha256:DIGEST, as the registry knows it.")
@click.option("--tag", help="The image's human name.")
@click.option("--revision", help="The commit that it was built from.")
@click.option("--created", help="When it was built, with a time zone: 2026-05-01T12:00:00Z.")
@click.option("--source-url", help="The web address of the source repository.")
@click.option("--link", "links", multiple=True, help="NAME=URL, shown to approvers; may be repeated.")
@click.option("--secret-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help=f"Else {SECRET}.")
@click.option("--wait", is_flag=True, help="Return when its promotion stands (exit 1 where it is refused).")
@click.option("--tries", default=TRIES, show_default=True, help="How often it is sent while nobody takes it.")
@click.option("--timeout", default=300.0, show_default=True, help="Seconds to wait; then exit 2.")
def command(  # noqa: PLR0913 one for each option that is not part of the announcement
    url: str, source: str, secret_file: Path | None, wait: bool, tries: int, timeout: float, **said: object
) -> None:
    """Announce a published image; safe to repeat."""
    secret = _secret(secret_file)
    image = str(said["image"])
    body = _body(said)
    address = f"{_base(url)}/hooks/images/{source}"
    told = _post(address, secret, body, "accepted", tries)
    click.echo(f"{'already known' if told.get('duplicate') else 'accepted'}: {image}")
    if wait:
        _wait(f"{address}/answer", secret, body, timeout)


def _secret(file: Path | None) -> str:
    found = _first_line(file) if file is not None else os.environ.get(SECRET, "")
    if not found:
        empty = f"{file} is empty" if file is not None else f"set {SECRET} or give --secret-file"
        raise click.ClickException(f"no secret: {empty}")
    return found


def _first_line(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip().partition("\n")[0].strip()
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file} is no text: a secret is one line of UTF-8") from error


def _base(url: str) -> str:
    wrong = click.BadParameter("write it as https://towpath.example.com", param_hint="--url")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise wrong from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise wrong
    return url.rstrip("/")


def _body(said: dict[str, object]) -> bytes:
    repository, at, digest = str(said.pop("image")).rpartition("@")
    if not at:
        raise click.BadParameter("write REPOSITORY@sha256:DIGEST: a tag names no image for good", param_hint="--image")
    links = _links(said.pop("links"))
    said["source"] = said.pop("source_url")
    known = {name: value for name, value in said.items() if value is not None}
    body = {"repository": repository, "digest": digest, **known, **({"links": links} if links else {})}
    return json.dumps({**body, "id": str(uuid.uuid4())}).encode()


def _links(given: object) -> dict[str, str]:
    pairs = [str(link).partition("=") for link in (given if isinstance(given, tuple) else ())]
    for name, equals, address in pairs:
        if not (name and equals and address):
            raise click.BadParameter("write NAME=URL", param_hint="--link")
    return {name: address for name, _, address in pairs}


def _post(address: str, secret: str, body: bytes, wanted: str, tries: int = TRIES) -> dict[str, Any]:
    """Send it, again while nobody takes it: Towpath does nothing twice (R2). The answer has a field `wanted`."""
    import requests

    from bot.hooks.ci import sign

    cause = ""
    for attempt in range(tries):
        try:
            headers = {**sign(secret, body, datetime.now(UTC)), "Content-Type": "application/json"}
            answer = requests.post(address, data=body, headers=headers, timeout=10, allow_redirects=False)
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader) as error:
            raise click.ClickException(f"{address} cannot be asked: {error}") from error
        except requests.RequestException as error:
            cause = f"{type(error).__name__}: {error}"
        else:
            if answer.status_code in (200, 202):
                return _understood(address, answer.text, wanted)
            cause = f"{answer.status_code}: {_told(answer.text)}"
            if answer.status_code < 500 and answer.status_code != 429:
                raise click.ClickException(f"{address} refused it with {cause}")
        if attempt + 1 < tries:
            time.sleep(min(2**attempt, 10))
    raise click.ClickException(f"{address} did not take it, {tries} times; the last time {cause}")


def _understood(address: str, text: str, wanted: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or wanted not in found:
        # A sign-in page or another service: it took nothing, and would take nothing the next time.
        raise click.ClickException(f"{address} answers, but it is not Towpath's receiver; it says: {text[:200]}")
    return found


def _told(text: str) -> str:
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return text[:200]


def _wait(address: str, secret: str, body: bytes, timeout: float) -> None:
    end = time.monotonic() + timeout
    shown: set[str] = set()
    while True:
        rows = _rows(address, _post(address, secret, body, "answers")["answers"])
        for row in rows:
            _show(row, shown)
        if any(row["state"] == "refused" for row in rows):
            raise SystemExit(1)
        if rows and all(row["state"] in FINAL for row in rows):
            return
        if time.monotonic() > end:
            click.echo(f"nothing stands after {timeout:g} s: look at Towpath's worker and its logs", err=True)
            raise SystemExit(2)
        time.sleep(LOOKS)


def _rows(address: str, answers: object) -> list[dict[str, str]]:
    names = {"state", "unit", "stage", "text", "url"}
    rows = (
        [row for row in answers if isinstance(row, dict) and names <= row.keys()] if isinstance(answers, list) else []
    )
    if not isinstance(answers, list) or len(rows) != len(answers):
        raise click.ClickException(f"{address} answers, but not as Towpath's receiver does")
    return rows


def _show(row: dict[str, str], shown: set[str]) -> None:
    place = " ".join(part for part in (row["unit"], row["stage"]) if part)
    line = ": ".join(part for part in (row["state"], place, " ".join((row["text"], row["url"])).strip()) if part)
    if line not in shown:
        click.echo(line)
        shown.add(line)
