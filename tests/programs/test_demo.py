"""The demo as the README starts it: every process the real one."""

import subprocess
import sys

import pytest

from bot.forges import FORGES

pytestmark = pytest.mark.usefixtures("one_demo")

STAGES = ("nonprod", "prod-ring-1", "prod-ring-2")


@pytest.mark.programs
@pytest.mark.parametrize("forge", FORGES)
def test_the_demo_walks_a_release_through_all_stages_and_stops_what_it_started(forge: str) -> None:
    command = [sys.executable, "-c", "from workers.cli import main; main()", "demo", "--once", "--forge", forge]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    opened = [line.split("promotion opened: ")[1] for line in done.stdout.splitlines() if "promotion opened: " in line]
    assert [line.split()[0] for line in opened] == list(STAGES)
    assert all(line.split()[1].startswith("http://127.0.0.1:") for line in opened)
    assert done.stdout.count("exactly the two images") == len(STAGES)
