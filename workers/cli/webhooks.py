"""`towpath webhooks install`: set up the webhooks of every config repository."""

import click


@click.group()
def command() -> None:
    """The webhooks by which forges wake Towpath."""


@command.command()
@click.option("--url", required=True, help="Where the receiver is reached from outside: https://towpath.example.com")
@click.option("--forge", "only", default=None, help="Only this forge of the settings.")
def install(url: str, only: str | None) -> None:
    """Set up a webhook in each repository, or bring the one that stands there up to date."""
    from bot.errors import OutsideError
    from bot.forges.base import Webhook
    from workers.cli.start import settings_or_exit
    from workers.recovery import hook_path
    from workers.world import make_world

    settings = settings_or_exit()
    if only is not None and only not in settings.forges:
        raise click.BadParameter(f"settings name {', '.join(settings.forges)}", param_hint="--forge")
    if not url.startswith(("https://", "http://")):
        raise click.BadParameter("write it with https://", param_hint="--url")
    world, failed = make_world(settings), False
    for name, repository in world.repositories():
        if only not in (None, name):
            continue
        forge = settings.forges[name]
        signing = forge.hook_signing_secrets()
        # The newest secret is the last one: while two are valid, the forge is given the one that stays.
        webhook = Webhook(
            f"{url.rstrip('/')}{hook_path(forge.kind, name)}",
            forge.hook_secrets()[-1] if forge.hook_secrets() else "",
            signing[-1] if signing else "",
        )
        try:
            done = world.context(name, repository).forge.install_webhook(repository, webhook)
            click.echo(f"{name} {repository}: webhook to {webhook.url} {done}")
        except OutsideError as error:
            failed = True
            click.echo(f"{name} {repository}: {error}", err=True)
    raise SystemExit(1 if failed else 0)
