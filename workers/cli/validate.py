"""`towpath validate`: what validators say of a working tree, here or in CI, in the words of the report."""

import os
from pathlib import Path

import click

from bot.errors import OutsideError
from bot.formats import FORMATS
from bot.git import Mirror
from bot.memory import Forgetful
from bot.settings import LookingSettings, SettingsError, load_looking
from bot.validators import VALIDATORS
from bot.validators import command as commands
from bot.validators.launching import Isolation, Launcher
from policies.config import Policy, PolicyError, Services
from policies.findings import VALIDATION, Validation
from policies.judging import judged
from policies.validating import Validating
from policies.wording.findings import plain
from policies.wording.report import policy_line
from workers.local import Local, local
from workers.looking import Kit, look_at
from workers.observe.changes import Reading, change_of
from workers.observe.inventory import Blobs, Parsed, first
from workers.policy_file import FILE, load


@click.command()
@click.argument("path", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--diff", "base", default="HEAD", show_default=True, help="The commit that it is compared with.")
@click.option(
    "--isolation",
    type=click.Choice(["namespaces", "process"]),
    default="namespaces",
    envvar="TOWPATH_VALIDATORS_ISOLATION",
    show_default=True,
    help="How programs are kept apart; `process` where this machine allows no namespaces.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def command(context: click.Context, path: Path, base: str, isolation: Isolation, as_json: bool) -> None:
    """Validate what the working tree in PATH (default: here) changes since a commit: in CI, `--diff origin/main`.

    The rules are those of that commit; registries and validators of your own are those that TOWPATH_REGISTRIES__… and
    TOWPATH_VALIDATORS__… name, where they are set. Exits with 1 where policy lets errors block and one was found, or a
    validator came to no end; one that policy requires and that cannot look here is only told."""
    try:
        settings = load_looking(os.environ)
        with local(path, base) as found:
            policy = _policy(found)
            validation = _look(found, policy, settings, Launcher(None, isolation, settings.validators_readable))
    except (OutsideError, PolicyError, SettingsError) as error:
        raise click.ClickException(_told(error)) from error
    click.echo(VALIDATION.dump_json(validation, indent=2).decode() if as_json else plain(validation))
    context.exit(1 if _fails(validation, policy.validation) else 0)


def _told(error: OutsideError | PolicyError | SettingsError) -> str:
    if isinstance(error, PolicyError):
        return "\n".join(policy_line(fault).replace("`", "") for fault in error.faults)
    return str(error)


def _policy(found: Local) -> Policy:
    """As the commit says it; where that has none yet, as it lies there."""
    raw = found.mirror.read(found.before, FILE)
    if raw is None:
        raw = found.mirror.read(found.after, FILE)
    if raw is None:
        raise click.ClickException(f"there is no {FILE} here: run it at the root of a config repository")
    return load(raw)


def _look(found: Local, policy: Policy, settings: LookingSettings, launcher: Launcher) -> Validation:
    from workers.world import registries_of

    inventory = first(found.mirror, found.before, policy.services)
    change = change_of(_reading(found.mirror), policy, (found.before, found.after), inventory, most=None)
    validators = (*VALIDATORS, *commands.validators(settings.validators))
    kit = Kit(validators, launcher, registries_of(settings.registries), Forgetful())
    return look_at(kit, change, lambda: None)


def _reading(mirror: Mirror) -> Reading:
    blobs = Blobs()

    def parsed(services: Services, blob: str) -> Parsed:
        return blobs.pins(mirror, FORMATS[services.format], services.format, blob)

    return Reading(mirror, parsed)


def _fails(found: Validation, rules: Validating) -> bool:
    one = judged(found, rules)
    return bool(one.errors or one.broken) and not one.reports
