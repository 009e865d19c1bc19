"""`towpath check`: every fault once, over small folders as people have them."""

import json
import os
import subprocess
import sys
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.formats import FORMATS, Reason, Refused
from bot.yaml import MOST_BYTES
from policies.model import Image, Pin
from workers.checking import Checked, Finding, Severity, check
from workers.cli.check import Folder, command, line_of

ROOT = Path(__file__).parent.parent.parent
HOST = "registry.example.com/shop"
DIGEST = "sha256:" + "a" * 64
PINNED = f"image:\n  repository: {HOST}/api\n  tag: v1\n  digest: {DIGEST}\n"

HEAD = f"""\
version: 1
services:
  path: environments/{{environment}}/{{cloud}}/{{service}}/values.yaml
  registries: [{HOST}/]
stages:
"""
TEST = "  - name: test\n    where: {environment: test}\n"
PROD = "  - name: prod\n    where: {environment: prod}\n    after: test\n"

Files = dict[str, str]


def files(policy: str = HEAD + TEST + PROD, **more: str) -> Files:
    """A good repository of one service; further files by `environment_cloud_service`."""
    named = {f"environments/{name.replace('_', '/')}/values.yaml": text for name, text in more.items()}
    return {"towpath.yaml": policy, **dict.fromkeys((at("test"), at("prod")), PINNED), **named}


def at(environment: str, cloud: str = "aws", service: str = "api") -> str:
    return f"environments/{environment}/{cloud}/{service}/values.yaml"


def folder(root: Path, tree: Files) -> Path:
    for path, text in tree.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    return root


def run(root: Path, *options: str) -> Result:
    return CliRunner().invoke(command, [str(root), *options], catch_exceptions=False)


def checked(tree: Files) -> Checked:
    return check({path: text.encode() for path, text in tree.items()}, FORMATS)


def lines(tree: Files) -> list[str]:
    return [line_of(finding) for finding in checked(tree).findings]


# One table: what is wrong, and all that is said of it.

FAULTS: dict[str, tuple[Files, list[str]]] = {
    "no policy": (
        {"deploy/towpath.yml": HEAD},
        ["towpath.yaml: there is no such file; did you mean deploy/towpath.yml? It has to be towpath.yaml at the root"],
    ),
    "a policy that cannot be read": (
        files(HEAD + "version: 1\n"),
        ["towpath.yaml:6: the file: the key version is written twice"],
    ),
    "a key in the policy": (
        files(HEAD.replace("registries", "registrys") + TEST),
        ["towpath.yaml:4: services.registrys: unknown key; did you mean registries?"],
    ),
    "a stage's name in the policy": (
        files(HEAD + TEST + PROD.replace("after: test", "after: tset")),
        ["towpath.yaml:10: stages[1].after: there is no stage tset; did you mean test?"],
    ),
    "a template that fits nothing": (
        files(HEAD.replace("environments/", "environment/") + TEST),
        [
            (
                "towpath.yaml:3: services.path: fits none of the 3 files here; "
                "the nearest is environments/prod/aws/api/values.yaml"
            )
        ],
    ),
    "registries that match nothing": (
        files(HEAD.replace("/shop/]", "/shpo/]") + TEST + PROD),
        [
            (
                "towpath.yaml:4: services.registries[0]: no file pins an image of registry.example.com/shpo/; "
                "did you mean registry.example.com/shop/?"
            ),
        ],
    ),
    "one of the registries": (
        files(HEAD.replace("/shop/]", "/shop/, quay.example.com/x/]") + TEST + PROD),
        [
            (
                "towpath.yaml:4: services.registries[1]: no file pins an image of quay.example.com/x/; "
                "one that is pinned is registry.example.com/shop/api"
            )
        ],
    ),
    "a stage that selects nothing": (
        files(HEAD + TEST + PROD + "  - name: dr\n    where: {environment: prd}\n"),
        [
            (
                "towpath.yaml:12: stages[2].where.environment: selects no file: no path has the environment prd; "
                "did you mean prod?"
            )
        ],
    ),
    "values that never stand together": (
        files(
            HEAD + TEST + PROD + "  - name: gcp\n    where:\n      environment: prod\n      cloud: gcp\n",
            test_gcp_api=PINNED,
        ),
        ["towpath.yaml:12: stages[2].where: selects no file: no path has all of these together"],
    ),
    "a stage of files without images": (
        files(HEAD + TEST + PROD + "  - name: dr\n    where: {environment: dr}\n", dr_aws_api="replicas: 1\n"),
        [
            (
                "towpath.yaml:12: stages[2].where: selects no target: of its 1 file none pins an image of "
                "registry.example.com/shop/"
            )
        ],
    ),
    "one of the values": (
        files(HEAD + TEST + PROD.replace("environment: prod", "environment: [prod, prodd]")),
        [
            (
                "towpath.yaml:9: warning: stages[1].where.environment[1]: no path has the environment prodd; "
                "did you mean prod?"
            )
        ],
    ),
    "two stages for one file": (
        files(HEAD + TEST + PROD + "  - name: aws\n    where: {cloud: aws}\n    after: prod\n"),
        [
            (
                "towpath.yaml:12: stages[2].where: selects 1 file that test selects too: "
                "environments/test/aws/api/values.yaml; a place belongs to one stage"
            ),
            (
                "towpath.yaml:12: stages[2].where: selects 1 file that prod selects too: "
                "environments/prod/aws/api/values.yaml; a place belongs to one stage"
            ),
        ],
    ),
    "a service that is not upstream": (
        files(prod_aws_web=PINNED),
        [
            (
                "towpath.yaml:10: warning: stages[1].after: test has no target of web, "
                "so prod never gets a release of it; add it there, or set absent: pass here"
            )
        ],
    ),
    "a service that policy looks past": (files(HEAD + TEST + PROD + "    absent: pass\n", prod_aws_web=PINNED), []),
    "an image that is not upstream": (
        files(prod_aws_api=PINNED + f"worker:\n  repository: {HOST}/worker\n  tag: v1\n"),
        [
            (
                "towpath.yaml:10: warning: stages[1].after: test does not pin registry.example.com/shop/worker of api, "
                "so prod never gets a release of api; pin it there too"
            )
        ],
    ),
    "files in no stage": (
        files(dev_aws_api=PINNED, dev_aws_web=PINNED, qa_aws_web=PINNED),
        [
            (
                "environments/dev/aws/api/values.yaml: warning: is in no stage: none selects environment dev "
                "(1 more file alike)"
            ),
            "environments/qa/aws/web/values.yaml: warning: is in no stage: none selects environment qa",
        ],
    ),
    "a file that cannot be read": (
        files(prod_aws_api="image:\n  tag: \a\n"),
        [f"{at('prod')}:2: the file holds a control character"],
    ),
    "a file that cannot be edited": (
        files(prod_aws_api=f"v: &v v1\nimage:\n  repository: {HOST}/api\n  tag: *v\n"),
        [f"{at('prod')}:4: cannot be edited exactly: tag is an alias of another place"],
    ),
    "two places that cannot be edited": (
        files(
            test_aws_api=PINNED + f"b: {{repository: {HOST}/b, tag: v1}}\n",
            prod_aws_api=f"v: &v v1\na:\n  repository: {HOST}/api\n  tag: *v\nb:\n  repository: {HOST}/b\n  tag: *v\n",
        ),
        [
            f"{at('prod')}:4: cannot be edited exactly: tag is an alias of another place",
            f"{at('prod')}:7: cannot be edited exactly: tag is an alias of another place",
        ],
    ),
    "an encrypted file": (
        files(prod_aws_api=PINNED + "sops:\n  mac: ENC[x]\n"),
        [f"{at('prod')}:6: the file is encrypted by SOPS, so it is not Towpath's to write"],
    ),
    "an image of others that cannot be edited": (
        files(prod_aws_api=PINNED + "v: &v v1\nsidecar: {repository: quay.example.com/proxy, tag: *v}\n"),
        [],
    ),
    "a pin by tag only": (files(prod_aws_api=f"image: {{repository: {HOST}/api, tag: v1}}\n"), []),
    "nothing": (files(), []),
}


@pytest.mark.parametrize("what", FAULTS)
def test_everything_that_is_wrong_is_said_once(what: str) -> None:
    tree, said = FAULTS[what]
    assert lines(tree) == said


def test_a_policy_that_is_no_yaml_names_the_line() -> None:
    said = lines(files("version: 1\nservices: [\n"))
    assert len(said) == 1
    assert said[0].startswith("towpath.yaml:3: the file: it is no YAML: ")


def test_a_typo_in_a_stage_says_the_nearest_word() -> None:
    tree = files(HEAD + TEST.replace("name: test", "name: test\n    merge: atuo") + PROD)
    assert (
        "towpath.yaml:7: stages[0].merge: is 'atuo': write 'auto', 'manual' or 'signed'; did you mean auto?"
        in lines(tree)
    )


def test_nothing_absent_is_concluded_from_a_file_that_cannot_be_read() -> None:
    """The image that registries ask for, and the service that prod waits for, may be what the broken file holds."""
    policy = (HEAD + TEST + PROD).replace("/shop/]", "/shop/, quay.example.com/x/]")
    assert lines(files(policy, test_aws_api="\a\n")) == [f"{at('test')}:1: the file holds a control character"]


class Crowded:
    """A format that edits any one image, and never two at once."""

    def pins(self, text: bytes) -> tuple[Pin, ...]:
        return FORMATS["helm-values"].pins(text)

    def set_images(self, text: bytes, images: Mapping[str, Image]) -> bytes:
        if len(images) > 1:
            raise Refused(Reason.unproved)
        return text


def test_what_is_refused_only_together_is_told_too() -> None:
    tree = files(prod_aws_api=PINNED + f"b: {{repository: {HOST}/b, tag: v1}}\n", test_aws_b=PINNED)
    found = check({path: text.encode() for path, text in tree.items()}, {"helm-values": Crowded()}).findings
    assert [line_of(one) for one in found if one.severity is Severity.fault] == [
        f"{at('prod')}:2: cannot be edited exactly: {Reason.unproved.value}"
    ]


class Counting:
    """The one format, which counts the edits that are tried."""

    def __init__(self) -> None:
        self.tried = 0

    def pins(self, text: bytes) -> tuple[Pin, ...]:
        return FORMATS["helm-values"].pins(text)

    def set_images(self, text: bytes, images: Mapping[str, Image]) -> bytes:
        self.tried += 1
        return FORMATS["helm-values"].set_images(text, images)


def many(count: int, bad: Container[int], padding: str = "") -> Files:
    blocks = (f"- {{repository: {HOST}/s{n}, tag: {'[v1]' if n in bad else 'v1'}}}\n" for n in range(count))
    return files(prod_aws_api=PINNED.replace("image:", "- image:").replace("  ", "    ") + "".join(blocks) + padding)


@pytest.mark.parametrize(
    ("count", "bad", "padding", "most", "named"),
    [
        (400, {7, 399}, "", 40, [12, 404]),
        (400, range(400), "", 64, range(5, 30)),
        (400, range(400), f"# {'x' * 3_000_000}\n", 3, [5]),
    ],
)
def test_what_is_refused_is_found_among_many_by_few_trials(
    count: int, bad: Container[int], padding: str, most: int, named: Sequence[int]
) -> None:
    format_ = Counting()
    tree = many(count, bad, padding)
    found = check({path: text.encode() for path, text in tree.items()}, {"helm-values": format_}).findings
    told = [one.line for one in found if "cannot be edited exactly: tag is not a single value" in one.message]
    assert told[: len(named)] == list(named)
    assert format_.tried <= most + 1, "and one for the other file"


def test_counts_are_of_what_stages_select() -> None:
    tree = files(prod_aws_web=PINNED, test_aws_web=PINNED + f"b: {{repository: {HOST}/b, tag: v1}}\n", dev_aws_x=PINNED)
    counts = checked(tree).counts
    assert counts is not None
    assert (counts.services, counts.stages, counts.targets) == (2, 2, 5)


class Denied(Mapping[str, bytes]):
    """Files of which one cannot be read."""

    def __init__(self, tree: Files, denied: str) -> None:
        self._tree, self._denied = tree, denied

    def __getitem__(self, path: str) -> bytes:
        if path == self._denied:
            raise PermissionError(13, "Permission denied")
        return self._tree[path].encode()

    def __iter__(self) -> Iterator[str]:
        return iter(self._tree)

    def __len__(self) -> int:
        return len(self._tree)


@pytest.mark.parametrize("path", ["towpath.yaml", at("prod")])
def test_an_unreadable_file_is_named(path: str) -> None:
    found = check(Denied(files(), path), FORMATS).findings
    assert found == (Finding(path, None, "cannot be read: Permission denied"),)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("./", True),
        ("environments/", True),
        ("environments/prod/", True),
        ("environments/prod/aws/api/", True),
        (at("prod"), True),
        (at("prod") + "/", False),
        ("environments/prod/aws/api/deeper/", False),
        ("environments/prod/aws/README.md", False),
        ("charts/", False),
    ],
)
def test_what_is_left_out_is_told_where_policy_has_to_do_with_it(path: str, told: bool) -> None:
    left_out = Finding(path, None, "cannot be read")
    tree = {name: text.encode() for name, text in files().items()}
    assert check(tree, FORMATS, [left_out]).findings == ((left_out,) if told else ())


# The folder.


def test_S9_no_link_is_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    folder(outside, {"values.yaml": PINNED, "web/values.yaml": PINNED})
    root = folder(tmp_path / "repository", files())
    (root / "environments/prod/aws/api2").mkdir()
    (root / at("prod", service="api2")).symlink_to(outside / "values.yaml")
    (root / "environments/prod/gcp").symlink_to(outside, target_is_directory=True)
    (root / "loop").symlink_to(root, target_is_directory=True)
    result = run(root)
    assert result.stdout.splitlines() == [
        f"{at('prod', service='api2')}: warning: is a symbolic link, which Towpath does not read",
        "environments/prod/gcp/: warning: is a symbolic link, which Towpath does not read",
        "1 service, 2 stages, 2 targets; 0 faults, 2 warnings",
    ]


def test_a_policy_that_is_a_link_is_no_policy(tmp_path: Path) -> None:
    root = folder(tmp_path, files() | {"policy.yaml": HEAD + TEST})
    (root / "towpath.yaml").unlink()
    (root / "towpath.yaml").symlink_to("policy.yaml")
    assert run(root).stdout.splitlines() == [
        "towpath.yaml: there is no such file",
        "towpath.yaml: warning: is a symbolic link, which Towpath does not read",
        "the policy cannot be used, so no other file was read; 1 fault, 1 warning",
    ]


def test_git_s_own_folder_and_repositories_inside_are_skipped(tmp_path: Path) -> None:
    inside = {f"environments/prod/gcp/{path}": PINNED for path in ("api/values.yaml", ".git")}
    root = folder(tmp_path, files() | inside | {".git/config": "", ".git/environments/x/values.yaml": PINNED})
    assert set(Folder(root)) == set(files())


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    root = folder(tmp_path, files())
    os.mkfifo(root / "environments/prod/aws/pipe")
    (root / "environments/prod/aws/web").mkdir()
    os.mkfifo(root / at("prod", service="web"))
    assert run(root).stdout.splitlines()[0] == (
        f"{at('prod', service='web')}: warning: is no regular file, which Towpath does not read"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path) -> None:
    root = folder(tmp_path, files())
    (root / "environments/prod").chmod(0)
    try:
        assert "environments/prod/: cannot be read: Permission denied" in run(root).stdout
    finally:
        (root / "environments/prod").chmod(0o755)


def test_a_file_that_went_away_is_named(tmp_path: Path) -> None:
    found = Folder(folder(tmp_path, files()))
    (tmp_path / at("prod")).unlink()
    said = [line_of(finding) for finding in check(found, FORMATS).findings]
    assert said == [f"{at('prod')}: cannot be read: No such file or directory"]


def test_of_a_huge_file_no_more_is_read_than_tells_that_it_is_too_large(tmp_path: Path) -> None:
    root = folder(tmp_path, files(prod_aws_api="# " + "x" * MOST_BYTES * 2))
    assert len(Folder(root)[at("prod")]) == MOST_BYTES + 1
    assert run(root).stdout.splitlines()[0] == f"{at('prod')}: the file is larger than 4 MiB"


def test_S9_what_a_terminal_would_obey_is_shown_as_an_escape(tmp_path: Path) -> None:
    root = folder(tmp_path, files() | {"environments/\x1b[2Jx/aws/api/values.yaml": PINNED})
    output = run(root).stdout
    assert "environments/\\x1b[2Jx/aws/api/values.yaml" in output
    assert "\x1b" not in output


# The command.

BAD = {
    "towpath.yaml": HEAD + TEST + PROD + "  - name: dr\n    where: {environment: [dr, drr]}\n    after: prod\n",
    at("test"): PINNED,
    at("prod"): PINNED,
    at("prod", "azure"): PINNED.replace("tag: v1", "tag: &v v1") + "other: *v\n",
    at("prod", service="web"): PINNED + "replicas: \a\n",
    at("dr", service="ledger"): "image:\n  registry: registry.example.com\n  repository: shop/ledger\n  tag: '2'\n",
    at("dev"): PINNED,
    "README.md": "# Config\n",
}

GOLDEN = """\
towpath.yaml:10: warning: stages[1].after: test has no target of web, so prod never gets a release of it; \
add it there, or set absent: pass here
towpath.yaml:12: warning: stages[2].where.environment[1]: no path has the environment drr; did you mean dr?
towpath.yaml:13: warning: stages[2].after: prod has no target of ledger, so dr never gets a release of it; \
add it there, or set absent: pass here
environments/dev/aws/api/values.yaml: warning: is in no stage: none selects environment dev
environments/prod/aws/web/values.yaml:5: the file holds a control character
environments/prod/azure/api/values.yaml:3: cannot be edited exactly: \
the anchor &v has an alias, so an edit would change other places too
3 services, 3 stages, 4 targets; 2 faults, 4 warnings
"""


def test_golden_output_of_a_bad_repository(tmp_path: Path) -> None:
    result = run(folder(tmp_path, BAD))
    assert result.stdout == GOLDEN
    assert result.exit_code == 1


def test_json_says_the_same(tmp_path: Path) -> None:
    found = [json.loads(line) for line in run(folder(tmp_path, BAD), "--json").stdout.splitlines()]
    assert found[1] == {
        "kind": "warning",
        "path": "towpath.yaml",
        "line": 12,
        "key": "stages[2].where.environment[1]",
        "message": "no path has the environment drr; did you mean dr?",
    }
    assert found[-1] == {"kind": "summary", "services": 3, "stages": 3, "targets": 4, "faults": 2, "warnings": 4}
    assert [one["kind"] for one in found[:-1]].count("fault") == 2


@pytest.mark.parametrize(
    ("tree", "options", "code"),
    [
        (files(), (), 0),
        (files(), ("--strict",), 0),
        (files(dev_aws_api=PINNED), (), 0),
        (files(dev_aws_api=PINNED), ("--strict",), 1),
        (files(dev_aws_api=PINNED), ("--strict", "--json"), 1),
        (files(prod_aws_api="a: ["), (), 1),
        (files("version: 2"), (), 1),
        ({"README.md": ""}, (), 1),
    ],
)
def test_exit_codes(tmp_path: Path, tree: Files, options: tuple[str, ...], code: int) -> None:
    assert run(folder(tmp_path, tree), *options).exit_code == code


def test_a_path_that_is_no_folder_is_a_wrong_call(tmp_path: Path) -> None:
    assert run(tmp_path / "absent").exit_code == 2


def test_a_good_repository_is_told_in_one_line(tmp_path: Path) -> None:
    assert run(folder(tmp_path, files())).stdout == "1 service, 2 stages, 2 targets; 0 faults\n"


def test_it_starts_without_what_only_servers_need() -> None:
    """Those imports cost most of a second, and a person waits for this command."""
    heavy = {"celery", "flask", "gitlab", "pygit2", "redis", "requests", "structlog", "pydantic_settings", "granian"}
    script = "import sys, workers.cli, workers.cli.check, workers.cli.schema; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert heavy & set(ran.stdout.split()) == set()


def test_severities_are_counted_apart() -> None:
    found = checked(BAD)
    assert (found.count(Severity.fault), found.count(Severity.warning)) == (2, 4)
