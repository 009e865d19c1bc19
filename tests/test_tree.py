"""What may stand in the repository: no machine's path, no package registry, nothing unknown at the top."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent

TOP = {
    *("bot", "workers", "policies", "tests", "docs", "deploy", "requirements"),
    *("pyproject.toml", "Makefile", "Procfile", "Dockerfile", "docker-compose.yml"),
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "LICENSE"),
}

LONGEST_FILE = 600
"""Lines. About 300 is the aim; twice that is two files that were not told apart."""

# Written in two parts, so that this file does not contain what it looks for.
HOSTS = [
    first + second
    for first, second in [
        ("py", "pi.org"),
        ("pypi.", "python.org"),
        ("files.python", "hosted.org"),
        ("npm", "js.org"),
        ("npm", "js.com"),
        ("yarn", "pkg.com"),
        ("un", "pkg.com"),
        ("js", "delivr.net"),
        ("ruby", "gems.org"),
        ("crates", ".io"),
        ("proxy.go", "lang.org"),
        ("conda.ana", "conda.org"),
        ("repo.maven", ".apache.org"),
        ("repo1.", "maven.org"),
        ("deb.deb", "ian.org"),
        ("archive.ub", "untu.com"),
    ]
]
REGISTRY = re.compile("|".join(re.escape(host) for host in HOSTS), re.IGNORECASE)
START = r"(?<![\w.:/${}*-])/"  # of a path: not the middle of one, nor of a URL
MACHINE = re.compile(
    START + "(?:" + "|".join(["work" + r"(?![\w-])", "root" + r"(?![\w-])", r"(?:home|Users)/[\w.-]+"]) + ")"
)
TEMPORARY = re.compile(START + "tmp" + r"/\w")


def files() -> list[Path]:
    """Every file of the repository, committed or about to be, relative to its root."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listing, cwd=ROOT, capture_output=True, check=False)
    if found.returncode != 0:
        pytest.skip("not a Git checkout")
    names = {Path(name) for name in found.stdout.decode().split("\0") if name}
    return sorted(name for name in names if (ROOT / name).is_file())


def lines_that_match(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    """`path:line: text` of every match in these files."""
    return [
        f"{path}:{number}: {line.strip()[:120]}"
        for path in paths
        for number, line in enumerate((ROOT / path).read_text("utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def project() -> dict[str, list[Requirement]]:
    """What pyproject.toml asks for: `build`, `runtime` and `dev`."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    runtime = declared["project"]["dependencies"]
    return {
        "build": [Requirement(line) for line in declared["build-system"]["requires"]],
        "runtime": [Requirement(line) for line in runtime],
        "dev": [Requirement(line) for line in runtime + declared["project"]["optional-dependencies"]["dev"]],
    }


def locked(lock: str) -> dict[str, Version]:
    """Name to version of everything in one lock."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
    found = re.findall(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", text, re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in found}


def test_no_file_names_a_package_registry() -> None:
    """Where packages come from is the machine's setting (a mirror, an offline folder), never the project's."""
    assert lines_that_match(REGISTRY, files()) == []


def test_no_file_names_a_path_of_some_machine() -> None:
    """What only exists on the machine where it was written works nowhere else."""
    assert lines_that_match(MACHINE, files()) == []
    assert lines_that_match(TEMPORARY, [path for path in files() if path.parts[0] != "tests"]) == []


@pytest.mark.parametrize(
    ("line", "caught"),
    [
        ("cd /" + "work/main", True),
        ("see `/" + "root/notes`", True),
        ("see /" + "home/alex/notes", True),
        ('open("/' + 'tmp/x")', True),
        ("tmpfs: [/" + "tmp]", False),
        ("https://gitlab.example.com/" + "root/config", False),
        ("the /" + "workers folder", False),
        ("/-/" + "work_items", False),
    ],
)
def test_a_machine_path_is_told_from_a_url(line: str, caught: bool) -> None:
    assert bool(MACHINE.search(line) or TEMPORARY.search(line)) is caught


def test_only_known_things_stand_at_the_top() -> None:
    top = {path.parts[0] for path in files()}
    assert {name for name in top if not name.startswith(".")} <= TOP


def test_no_python_file_is_overlong() -> None:
    lengths = {str(path): (ROOT / path).read_text("utf-8").count("\n") for path in files() if path.suffix == ".py"}
    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def test_every_link_between_pages_leads_somewhere() -> None:
    """A relative Markdown link names a file or folder that exists."""
    pages = [ROOT / path for path in files() if path.suffix == ".md"]
    links = [
        (page, link)
        for page in pages
        for link in re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if not re.match(r"[a-z]+:", link)
    ]
    assert [f"{page.relative_to(ROOT)}: {link}" for page, link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("lock", ["build", "runtime", "dev"])
def test_the_lock_has_what_pyproject_asks_for(lock: str) -> None:
    """After a change of the dependencies: make lock."""
    versions = locked(lock)
    wanted = {canonicalize_name(requirement.name): requirement.specifier for requirement in project()[lock]}
    assert wanted.keys() - versions.keys() == set()
    assert [name for name, specifier in wanted.items() if not specifier.contains(versions[name])] == []


def test_the_runtime_is_what_was_tested() -> None:
    """Production installs runtime.txt and the tests dev.txt: the same versions of the same packages."""
    assert locked("runtime").items() <= locked("dev").items()


def test_the_build_input_is_what_pyproject_asks_for() -> None:
    lines = (ROOT / "requirements" / "build.in").read_text("utf-8").splitlines()
    assert {Requirement(line) for line in lines if line and not line.startswith("#")} == set(project()["build"])
    assert locked("build").items() <= locked("dev").items(), "make installs the project with dev.txt's setuptools"


@pytest.mark.parametrize("lock", ["build", "runtime", "dev"])
def test_every_locked_package_has_a_hash(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "--index" not in text


def test_every_target_of_the_makefile_says_what_it_does() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    phony = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    described = re.findall(r"^([a-z]+):.* ## \S", text, re.MULTILINE)
    assert sorted(" ".join(phony).split()) == sorted(set(described))


def test_procfile_and_compose_run_the_same() -> None:
    """The same four programs, whichever way they are started; how a container listens is compose's own."""
    lines = (ROOT / "Procfile").read_text("utf-8").splitlines()
    procfile = dict(line.split(": towpath ", 1) for line in lines)
    services = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]
    compose = {name: " ".join(service["command"]) for name, service in services.items() if name != "redis"}
    assert procfile.keys() == compose.keys()
    assert [name for name, command in procfile.items() if not compose[name].startswith(command)] == []
