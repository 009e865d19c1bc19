"""`towpath doctor`: what the forge makes of the gates, for each repository and stage."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from policies.enforcement import Enforcement, Guard
    from workers.doctor import Examined


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text, with every name.")
def command(as_json: bool) -> None:
    """Say for each repository and stage whether its gates are enforced, advisory, or bypassable and by whom.

    Exits with 0 where all are enforced, with 1 where one is not, with 2 where something could not be read."""
    from workers.cli.start import settings_or_exit
    from workers.doctor import examine, exit_code
    from workers.world import make_world

    found = examine(make_world(settings_or_exit()))
    if as_json:
        click.echo(json.dumps({"repositories": [as_fields(one) for one in found]}, indent=2, ensure_ascii=False))
    else:
        for one in found:
            click.echo("\n".join(told(one)))
    raise SystemExit(exit_code(found))


def as_fields(found: "Examined") -> dict[str, object]:
    """One repository as JSON has it."""
    guard = found.guard
    return {
        "forge": found.forge,
        "repository": found.repository,
        "branch": guard.branch if guard else None,
        "visibility": guard.visibility if guard else None,
        "tier": guard.tier if guard else None,
        "stages": [{"stage": name, **asdict(judged)} for name, judged in found.stages],
        "credential": _credential(found),
        "hooks": None if found.hooks is None else [asdict(hook) for hook in found.hooks],
        "advice": found.advice,
        "unread": found.unread,
    }


def _credential(found: "Examined") -> dict[str, object] | None:
    if found.credential is None:
        return None
    end = found.credential.expires_at
    return asdict(found.credential) | {"expires_at": end.isoformat() if end else None}


def told(found: "Examined") -> Iterator[str]:
    """One repository as people read it."""
    guard = found.guard
    kind = f" ({', '.join(filter(None, [f'branch {guard.branch}', guard.visibility]))})" if guard else ""
    yield f"{found.forge} {found.repository}{kind}"
    for name, judged in found.stages:
        yield from _stage(name, judged)
    if guard:
        yield from _standing(found, guard)
    yield from (f"  not read: {one}" for one in found.unread)
    yield from (f"  to do: {one}" for one in found.advice)


def _standing(found: "Examined", guard: "Guard") -> Iterator[str]:
    """The tier, the token or App, and the webhooks."""
    from policies.standing import NOT_SHOWN, described

    yield f"  tier: {guard.tier or NOT_SHOWN}"
    yield f"  token: {described(found.credential)}"
    if found.hooks is None:
        yield f"  webhooks: {NOT_SHOWN}"
    yield from (f"  webhook {hook.url}: {hook.trouble or 'works'}" for hook in found.hooks or ())


def _stage(name: str, judged: "Enforcement") -> Iterator[str]:
    from policies.wording.quote import listed

    by = f" by {listed(judged.by)}" if judged.by else ""
    yield f"  {judged.level.value} {name}{by}: {judged.why}"
    if judged.change:
        yield f"    {'note' if judged.level.value == 'enforced' else 'change'}: {judged.change}"
