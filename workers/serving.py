"""The receiver as a WSGI application, made in each serving process from the environment's settings."""

import os
import time

from flask import Flask

from bot.settings import load_settings
from bot.web import create_app
from workers import logs
from workers.receiving import make_ports
from workers.world import make_world


def make_web() -> Flask:
    """The receiver; SettingsError where the settings are wrong."""
    settings = load_settings(os.environ)
    logs.configure(settings.log_level)
    world = make_world(settings)
    return create_app(make_ports(settings, world.pending, world.memory, time.time), settings.body_limit)
