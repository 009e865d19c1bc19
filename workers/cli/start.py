"""What every long-running command does first: read the settings, or say what is wrong with them."""

import os

import click

from bot.settings import Settings, SettingsError, load_settings
from workers import logs


def settings_or_exit() -> Settings:
    """The settings of this process, with logs configured; exits with 2 and every fault where they are wrong (S1)."""
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    logs.configure(settings.log_level)
    return settings
