"""How the demo ends when it is told to, and that a proxy does not come between its parts."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.sandbox.sandbox import send_by_http
from tests.redis_server import free_port
from tests.workers.test_publish import somebody_else

pytestmark = pytest.mark.usefixtures("one_demo")

# A shell starts what runs in its background with SIGINT ignored, and that is inherited.
STARTED = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from workers.cli import main
main()
"""


def started_below(folder: Path) -> list[str]:
    """The command lines of the processes that work below this folder, as Redis, or write their log there."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str((process / name).readlink()).startswith(str(folder)) for name in ("cwd", "fd/1")):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_during_the_walk_stops_all_that_was_started(tmp_path: Path, number: signal.Signals, code: int) -> None:
    proxy = f"http://127.0.0.1:{free_port()}"
    variables = {**os.environ, "TMPDIR": str(tmp_path), "http_proxy": proxy, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", STARTED, "demo", "--once"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, env=variables, cwd=root, stdout=subprocess.PIPE, text=True) as demo:
        try:
            assert demo.stdout is not None
            said = ""
            for line in demo.stdout:
                said += line
                if "promotion opened: nonprod" in line:
                    break
            assert "promotion opened: nonprod" in said, said
            assert len(started_below(tmp_path)) >= 5
            demo.send_signal(number)
            assert demo.wait(60) == code
            assert started_below(tmp_path) == []
            assert list(tmp_path.iterdir()) == []
        finally:
            demo.kill()


def test_the_sandboxs_webhooks_take_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    asked: list[str] = []
    with somebody_else(b"{}", asked) as url:
        assert send_by_http(f"{url}/hooks/gitlab/main", b"{}", {}) == 200
    assert asked == ["/hooks/gitlab/main"]
