"""What every long-running command does first: read the settings, or say what is wrong with them."""

import os
from pathlib import Path

import click

from bot.settings import Settings, SettingsError, load_settings
from workers import logs


def settings_or_exit() -> Settings:
    """The settings of this process, with logs configured; exits with 1 and every fault where they are wrong (S1)."""
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    _make_mirrors(settings.mirrors)
    logs.configure(settings.log_level)
    return settings


def _make_mirrors(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(f"TOWPATH_MIRRORS: {folder} cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise click.ClickException(f"TOWPATH_MIRRORS: {folder} cannot be written to by this user")
