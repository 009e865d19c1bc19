"""`towpath validate`: a working tree of Git, with what is not committed yet, in the words of the report."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policies.findings import VALIDATION
from tests.flows.world import POLICY, digest, values
from workers.cli.validate import command
from workers.local import local

PROD = "environments/prod/one/shop/values.yaml"
FILES = {"towpath.yaml": POLICY, PROD: values(), "environments/nonprod/one/shop/values.yaml": values()}
WHO = {"GIT_AUTHOR_NAME": "Mira", "GIT_AUTHOR_EMAIL": "mira@example.com"}
WHO |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in WHO.items()}


def git(folder: Path, *arguments: str) -> str:
    variables = {**os.environ, **WHO, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(["git", *arguments], cwd=folder, env=variables, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def write(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "config"
    found.mkdir()
    git(found, "init", "-q", "-b", "main")
    write(found, FILES)
    git(found, "add", ".")
    git(found, "commit", "-qm", "first")
    return found


def run(folder: Path, *arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(command, [str(folder), *arguments], env=variables)


def test_what_is_not_committed_yet_is_looked_at(folder: Path) -> None:
    write(folder, {PROD: values().replace("tag: v1", "tag: latest").replace(f"  digest: {digest('v1')}\n", "")})
    done = run(folder)
    assert done.exit_code == 1
    assert f"{PROD}:3" in done.output
    assert "latest" in done.output


def test_nothing_changed_is_nothing_found(folder: Path) -> None:
    assert (run(folder).exit_code, run(folder).output) == (0, "Nothing to validate.\n")


def test_a_new_file_and_one_that_is_gone(folder: Path) -> None:
    write(
        folder, {"environments/prod/two/shop/values.yaml": values(), ".gitignore": "notes\n", "notes": "a: 1\na: 2\n"}
    )
    (folder / PROD).unlink()
    with local(folder, "HEAD") as found:
        assert found.mirror.changed(found.before, found.after) == (
            ".gitignore",
            PROD,
            "environments/prod/two/shop/values.yaml",
        )
    assert run(folder).exit_code == 0


def test_in_ci_it_is_compared_with_the_target_branch_where_this_one_left_it(folder: Path) -> None:
    git(folder, "checkout", "-qb", "mine")
    write(folder, {PROD: "image: {tag: [\n"})
    git(folder, "commit", "-qam", "broken")
    git(folder, "checkout", "-q", "main")
    write(folder, {"environments/nonprod/one/shop/values.yaml": values(tag="v2")})
    git(folder, "commit", "-qam", "meanwhile")
    git(folder, "checkout", "-q", "mine")
    assert run(folder).output == "Nothing to validate.\n"
    done = run(folder, "--diff", "main")
    assert done.exit_code == 1
    assert PROD in done.output
    assert "nonprod" not in done.output


def test_S12_the_rules_are_those_of_the_commit_that_it_is_compared_with(folder: Path) -> None:
    write(folder, {"towpath.yaml": f"{POLICY}validation: {{mode: 'off'}}\n", PROD: "a: 1\na: 2\n"})
    assert run(folder).exit_code == 1
    git(folder, "commit", "-qam", "off")
    write(folder, {PROD: "a: 1\na: 3\n"})
    assert run(folder).exit_code == 0


def test_json_is_the_validation(folder: Path) -> None:
    write(folder, {PROD: "a: 1\na: 2\n"})
    done = run(folder, "--json")
    found = VALIDATION.validate_json(done.output)
    assert any(one.rule for _, one in found.findings)
    assert json.loads(done.output)["key"] == found.key


def test_nothing_is_written_into_the_repository(folder: Path) -> None:
    write(folder, {PROD: "a: 1\na: 2\n"})
    before = git(folder, "count-objects", "-v"), sorted(path.name for path in (folder / ".git").iterdir())
    run(folder)
    assert (git(folder, "count-objects", "-v"), sorted(path.name for path in (folder / ".git").iterdir())) == before


def test_a_linked_working_tree_is_one_too(folder: Path, tmp_path: Path) -> None:
    git(folder, "worktree", "add", "-q", str(tmp_path / "linked"), "-b", "other")
    write(tmp_path / "linked", {PROD: "a: 1\na: 2\n"})
    assert run(tmp_path / "linked").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--diff", "no-such"), "Git knows no such commit here"),
        (("--diff", "HEAD:towpath.yaml"), "Git knows no such commit here"),
    ],
)
def test_what_it_cannot_be_compared_with_is_said(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    done = run(folder, *arguments)
    assert done.exit_code == 1
    assert says in done.output


def test_where_it_is_no_config_repository_that_is_said(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "it is no working tree of Git" in run(tmp_path / "empty").output
    git(folder, "rm", "-q", "towpath.yaml")
    git(folder, "commit", "-qm", "no policy")
    write(folder, {PROD: "a: 1\n"})
    assert "there is no towpath.yaml here" in run(folder).output
    write(folder, {"towpath.yaml": "version: 2\n"})
    assert "towpath.yaml:1" in run(folder).output


def test_S9_a_link_that_leads_out_is_not_followed(folder: Path) -> None:
    (folder / PROD).unlink()
    (folder / PROD).symlink_to("/etc/passwd")
    done = run(folder)
    assert done.exit_code == 1
    assert "root:" not in done.output


RULES = "validation: {{commands: {{lint: {{required: {required}}}}}, mode: {mode}}}\n"


def with_rules(folder: Path, *, required: bool, mode: str = "enforce") -> None:
    rules = RULES.format(required=str(required).lower(), mode=mode)
    write(folder, {"towpath.yaml": f"{POLICY}{rules}"})
    git(folder, "commit", "-qam", "rules")


def test_what_is_required_and_cannot_look_here_is_told_and_does_not_fail(folder: Path) -> None:
    with_rules(folder, required=True)
    write(folder, {PROD: values(tag="v2")})
    done = run(folder)
    assert "lint did not look: settings name no such validator" in done.output
    assert done.exit_code == 0


def test_the_operators_own_validators_look_where_settings_name_them(folder: Path) -> None:
    with_rules(folder, required=True)
    write(folder, {PROD: values(tag="v2")})
    done = run(folder, TOWPATH_VALIDATORS__LINT__COMMAND='["no-such-program"]')
    assert "lint did not look: no-such-program is not installed" in done.output
    assert done.exit_code == 0


def test_where_policy_only_reports_nothing_fails(folder: Path) -> None:
    with_rules(folder, required=False, mode="report")
    write(folder, {PROD: "a: 1\na: 2\n"})
    done = run(folder)
    assert "duplicate-key" in done.output
    assert done.exit_code == 0


def test_settings_that_cannot_be_used_are_said(folder: Path) -> None:
    done = run(folder, TOWPATH_REGISTRIES__OURS__URL="registry")
    assert done.exit_code == 1
    assert "TOWPATH_REGISTRIES__OURS__URL" in done.output
