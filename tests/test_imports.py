"""What may import what, and that importing does nothing. The direction of imports is held by `lint-imports`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import grimp
import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("policies", "bot", "workers")

PURE = {
    *(
        "__future__",
        "abc",
        "base64",
        "bisect",
        "collections",
        "csv",
        "dataclasses",
        "datetime",
        "difflib",
        "enum",
        "fnmatch",
    ),
    *(
        "fractions",
        "functools",
        "graphlib",
        "hashlib",
        "hmac",
        "heapq",
        "html",
        "io",
        "itertools",
        "json",
        "math",
        "operator",
        "pathlib",
    ),
    *("re", "string", "textwrap", "types", "typing", "unicodedata", "urllib", "zoneinfo"),
}
"""What policies/ may use of the standard library: nothing here asks the clock, chance, a file or the network.

ruff bans pathlib.Path; `io` is for io.StringIO, `urllib` for urllib.parse; zoneinfo reads the
time zones, which are constants to us."""

LIBRARIES = {"pydantic", "pydantic_core", "semantic_version"}

WATCH = '''
import importlib, json, os, pkgutil, sys
from pathlib import Path

root, packages = Path(sys.argv[1]), sys.argv[2:]
sys.path.insert(0, str(root))
did = []


def ours():
    """The module of ours that is being executed, unless it is only importing another one."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith("<frozen importlib"):
            return None
        if frame.f_code.co_name == "<module>" and Path(name).is_relative_to(root) and "site-packages" not in name:
            return str(Path(name).relative_to(root))
        frame = frame.f_back
    return None


def note(what):
    where = ours()
    if where is not None:
        did.append(f"{where} {what}")


class Environment(type(os.environ)):
    def __getitem__(self, key):
        # pydantic asks for its own switches when a model is defined, gettext for the language when click marks texts
        if not str(key).startswith("PYDANTIC_") and key not in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
            note(f"reads the environment variable {key}")
        return super().__getitem__(key)

    def __iter__(self):
        note("reads the environment")
        return super().__iter__()


os.environ.__class__ = Environment
LOUD = {"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.fork"}


def watch(event, arguments):
    if event == "socket.bind":  # urllib3 binds ::1 when it is imported, to learn whether there is IPv6
        note(f"causes {event}")
    if event in LOUD:
        did.append(f"{ours() or 'some library'} causes {event}")
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        note(f"writes {arguments[0]}")


sys.addaudithook(watch)
imported = []
for package in packages:
    for module in pkgutil.walk_packages([str(root / package)], f"{package}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
            imported.append(module.name)
print(json.dumps({"imported": imported, "did": did}))
'''


def import_all(root: Path, *packages: str) -> dict[str, Any]:
    """What a fresh interpreter does while it imports every module: `imported`, `did`."""
    command = [sys.executable, "-B", "-c", WATCH, str(root), *packages]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TOWPATH_", "COVERAGE_"))}
    run = subprocess.run(command, cwd=root, env=kept, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    answer: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return answer


def test_importing_does_nothing() -> None:
    """No connection, no program, no file written and no setting read: all that happens when somebody calls."""
    answer = import_all(ROOT, *PACKAGES)
    assert "bot.forges.base" in answer["imported"]
    assert answer["did"] == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('import os\nHOME = os.environ.get("HOME")', "reads the environment variable HOME"),
        ('import os\nHOME = os.getenv("HOME")', "reads the environment variable HOME"),
        ("import os\nALL = dict(os.environ)", "reads the environment"),
        ("from pathlib import Path\nHOME = Path.home()", "reads the environment variable HOME"),
        ('import subprocess\nsubprocess.run(["git", "--version"], check=True)', "causes subprocess.Popen"),
        ('import socket\nsocket.getaddrinfo("localhost", 1)', "causes socket.getaddrinfo"),
        ('import socket\nsocket.socket().bind(("127.0.0.1", 0))', "causes socket.bind"),
        ('from pathlib import Path\nPath("left").write_text("behind")', "writes left"),
    ],
)
def test_doing_something_on_import_is_noticed(tmp_path: Path, source: str, said: str) -> None:
    package = tmp_path / "loud"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "module.py").write_text(source)
    assert any(f"loud/module.py {said}" in line for line in import_all(tmp_path, "loud")["did"])


def test_reading_the_environment_in_a_function_is_fine(tmp_path: Path) -> None:
    package = tmp_path / "calm"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "module.py").write_text('import os\n\n\ndef home() -> str:\n    return os.environ["HOME"]\n')
    assert import_all(tmp_path, "calm") == {"imported": ["calm.module"], "did": []}


def test_policies_import_nothing_that_touches_the_outside() -> None:
    """policies/ has its own modules, a pure part of the standard library, pydantic and semantic_version; no more."""
    graph = grimp.build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)
    core = {"policies"} | graph.find_descendants("policies")
    imported = {(module, found) for module in core for found in graph.find_modules_directly_imported_by(module)}
    allowed = PURE | LIBRARIES | {"policies"}
    assert sorted(f"{module} imports {found}" for module, found in imported if found.split(".")[0] not in allowed) == []
