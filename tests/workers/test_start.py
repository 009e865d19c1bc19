"""What every long-running command does first, and what becomes of the settings."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.settings import load_settings
from tests.test_settings import GOOD
from workers.cli import main
from workers.world import make_world


@pytest.mark.parametrize("command", ["web", "worker", "timer"])
def test_mirrors_that_cannot_be_made_are_told_and_not_a_traceback(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").write_text("")
    mirrors = tmp_path / "file" / "mirrors"
    result = CliRunner().invoke(main, [command], env={**GOOD, "TOWPATH_MIRRORS": str(mirrors)})
    assert result.exit_code == 1
    assert f"TOWPATH_MIRRORS: {mirrors} cannot be made: Not a directory" in result.output


def test_R3_the_lease_is_the_settings(tmp_path: Path) -> None:
    settings = load_settings({**GOOD, "TOWPATH_MIRRORS": str(tmp_path), "TOWPATH_LEASE_SECONDS": "77"})
    assert make_world(settings).pending.lease == 77
