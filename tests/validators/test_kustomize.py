"""kustomize: what a folder is built from, what is refused before it is asked, how its words become findings."""

from collections.abc import Iterable
from dataclasses import replace
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.validators import Change
from bot.validators.base import MOST_FINDINGS
from bot.validators.kustomize import MOST_BYTES, MOST_FOLDERS, SLOWLY, VALIDATOR, _read, sources
from bot.validators.launching import Ended, Launcher
from bot.validators.rendered import LIMITS, said
from bot.validators.rendering import inputs
from policies.findings import Checked, Ran, Severity
from tests.validators.rendering import TARGET, Answering, Started, failing, looks, printing, real, rules
from tests.validators.trees import DictTree, change_of, tree

FOLDER = "environments/prod/eu/shop"
KUSTOMIZATION = f"{FOLDER}/kustomization.yaml"
RULES = rules(kustomize={"folder": "environments/{environment}/{cluster}/{service}"})
OBJECT = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
BASE = {
    "base/kustomization.yml": "resources: [web.yaml]\nconfigMapGenerator:\n- name: cfg\n  files: [a.conf]\n",
    "base/a.conf": "a=1\n",
    "base/web.yaml": """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers: [{name: web, image: r.example.com/web, envFrom: [{configMapRef: {name: cfg}}]}]
""",
}


def overlay(digit: str, more: str = "") -> str:
    images = f"images:\n- name: r.example.com/web\n  digest: sha256:{digit * 64}\n"
    return f"namespace: shop\nresources:\n- ../../../../base\n{images}{more}"


def changing(after: dict[str, str] | None = None, more: str = "") -> Change:
    """From one digest to another; `more` then stands in the kustomization."""
    old = BASE | {TARGET: "a: 1", KUSTOMIZATION: overlay("1")}
    return change_of(old, old | {TARGET: "a: 2", KUSTOMIZATION: overlay("2", more)} | (after or {}), rules=RULES)


def check(change: Change, launcher: Launcher | None = None) -> Checked:
    (found,) = looks(change, VALIDATOR, launcher or Answering(printing(OBJECT)))
    return found


def test_it_is_started_without_a_network_on_the_folder_and_what_that_refers_to() -> None:
    launcher = Answering(printing(OBJECT))
    change = changing({"elsewhere/secret.yaml": "x", f"{FOLDER}/unused.yaml": "x"})
    check(change, launcher)
    after = launcher.started[0]
    assert after.argv == ("kustomize", "build", "--", f"./.repository/{FOLDER}")
    assert (after.network, after.limits) == (False, LIMITS)
    names = {*BASE, TARGET, KUSTOMIZATION, f"{FOLDER}/unused.yaml"}
    assert after.files.keys() == {f".repository/{name}" for name in names}


def test_what_is_built_is_compared_and_told_of_the_folder() -> None:
    def answer(started: Started) -> Ended:
        is_after = b"2222" in started.files[f".repository/{KUSTOMIZATION}"]
        return Ended(0, OBJECT + (b"data: {k: new}" if is_after else b"data: {k: old}"), b"")

    found = check(changing(), Answering(answer))
    assert (found.ran, found.part, found.version) == (Ran.done, FOLDER, "v1")
    assert [(one.how, one.target) for one in found.changes] == [("changed", FOLDER)]


def test_a_new_folder_adds_and_a_folder_that_goes_removes() -> None:
    change = changing()
    new = replace(change, before=tree(BASE))
    assert [one.how for one in check(new).changes] == ["added"]
    assert [one.how for one in check(replace(new, before=change.before, after=tree(BASE))).changes] == ["removed"]


# What a folder is built from.


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
@pytest.mark.parametrize("key", ["resources", "bases", "components", "generators", "transformers", "validators"])
def test_folders_are_followed_whatever_they_are_and_however_they_are_called(name: str, key: str) -> None:
    files = {f"a/{name}": f"{key}: [../b/]", f"b/{name}": f"{key}:\n- ../c\n- x.yaml", "c/y.yaml": "", "b/x.yaml": ""}
    assert [*sources(tree(files), "a").paths] == ["a", "b", "c"]


def test_folders_that_refer_to_each_other_are_followed_once() -> None:
    found = sources(
        tree({"a/kustomization.yaml": "resources: [../b]", "b/kustomization.yaml": "resources: [../a]"}), "a"
    )
    assert ([*found.paths], found.findings) == (["a", "b"], [])


def test_an_anchor_in_a_kustomization_is_understood() -> None:
    files = {"a/kustomization.yaml": "x: &x [../b]\nresources: *x\n", "b/x.yaml": ""}
    assert [*sources(tree(files), "a").paths] == ["a", "b"]


def test_an_object_within_a_kustomization_is_no_reference() -> None:
    text = "transformers:\n- |\n  apiVersion: builtin\n  kind: LabelTransformer\npatchesStrategicMerge:\n- |\n  url: https://x\n"
    assert sources(tree({"a/kustomization.yaml": text}), "a").findings == []


REMOTE = "is remote: nothing is fetched here, so keep a copy of it in the repository"


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ("resources:\n- https://example.com/x.yaml", f"'https://example.com/x.yaml' {REMOTE}", 2),
        ("resources:\n- github.com/o/r/base?ref=v1", f"'github.com/o/r/base?ref=v1' {REMOTE}", 2),
        ("bases:\n- x\n- git@example.com:o/r.git", f"'git@example.com:o/r.git' {REMOTE}", 3),
        ("components: [git::ssh://x/y]", f"'git::ssh://x/y' {REMOTE}", 1),
        ("configMapGenerator:\n- files: [k=http://169.254.169.254/x]", f"'k=http://169.254.169.254/x' {REMOTE}", 2),
        ("patches:\n- path: https://x/y", f"'https://x/y' {REMOTE}", 2),
        ("openapi: {path: 'https://x/y'}", f"'https://x/y' {REMOTE}", 1),
        ("resources:\n- https://bot:x7hunter@example.com/x", f"'https://bot:redacted@example.com/x' {REMOTE}", 2),
        (f"resources:\n- https://bot:x7{'a' * 250}@h/x", f"'https://bot:redacted@h/x' {REMOTE}", 2),
        ("patches:\n- path: https://bot:x7hunter@x/y", f"'https://bot:redacted@x/y' {REMOTE}", 2),
        ("helmCharts:\n- name: x", "'helmCharts' is not rendered by kustomize here: it would fetch the chart", 1),
        ("helmChartInflationGenerator: []",
         "'helmChartInflationGenerator' is not rendered by kustomize here: it would fetch the chart", 1),
        ("Resources:\n- https://example.com/x.yaml", f"'https://example.com/x.yaml' {REMOTE}", 2),
        ("re\u017fources: ['https://x/y']", f"'https://x/y' {REMOTE}", 1),
        ("patches:\n- Path: https://x/y", f"'https://x/y' {REMOTE}", 2),
        ("HelmCharts: []", "'HelmCharts' is not rendered by kustomize here: it would fetch the chart", 1),
        ("resources: [gone.yaml]", "'gone.yaml' is not there", 1),
        ("resources: [../../../x]", "'../../../x' leads out of the repository", 1),
        ("resources: [/etc/passwd]", "'/etc/passwd' leads out of the repository", 1),
        ("a: b: c", "it is no YAML: mapping values are not allowed in this context", 1),
    ],
)  # fmt: skip
def test_S8_what_cannot_be_had_is_an_error_with_its_line(text: str, says: str, line: int) -> None:
    found = sources(tree({"e/a/kustomization.yaml": text, "e/a/x": ""}), "e/a").findings
    assert [(one.severity, one.message, one.path, one.line) for one in found] == [
        (Severity.error, says, "e/a/kustomization.yaml", line)
    ]


def test_what_is_refused_is_not_built() -> None:
    launcher = Answering(printing(OBJECT))
    found = check(changing(more="helmCharts: []\n"), launcher)
    assert (found.ran, len(found.findings), found.changes, launcher.started) == (Ran.done, 1, (), [])


def test_what_was_refused_before_is_a_note() -> None:
    change = changing()
    found = check(replace(change, before=tree({TARGET: "", KUSTOMIZATION: "resources: ['https://x/y']"})))
    assert [one.severity for one in found.findings] == [Severity.note]
    assert found.changes == ()


def test_a_folder_without_a_kustomization_is_an_error() -> None:
    change = changing()
    found = check(replace(change, after=tree({**BASE, TARGET: "a: 2"})))
    assert [(one.message, one.path) for one in found.findings] == [("the folder has no kustomization.yaml", FOLDER)]


def test_S8_a_chain_of_folders_without_end_is_left() -> None:
    files = {f"d{n}/kustomization.yaml": f"resources: [../d{n + 1}]" for n in range(MOST_FOLDERS + 10)}
    found = sources(tree(files | {f"d{MOST_FOLDERS + 10}/x": ""}), "d0")
    assert [one.message for one in found.findings] == [f"it is built from more than {MOST_FOLDERS} folders"]


def test_S8_thousands_of_faults_and_files_beyond_measure_are_left() -> None:
    many = "resources:\n" + "".join(f"- gone{n}.yaml\n" for n in range(10_000))
    assert MOST_FINDINGS < len(sources(tree({"a/kustomization.yaml": many}), "a").findings) < 2 * MOST_FOLDERS
    assert len(check(changing(more=many)).findings) <= MOST_FINDINGS + 1
    huge = sources(tree({"a/kustomization.yaml": "#" * 300_000}), "a").findings
    assert [one.message for one in huge] == ["it is larger than 256 KiB"]


def chain(texts: Iterable[str]) -> DictTree:
    """Folders `d0`, `d1` ..., each of which refers to the next one, and says one of these texts."""
    files = {f"d{n}/kustomization.yaml": f"resources: [../d{n + 1}]\n{text}\n" for n, text in enumerate(texts)}
    return tree(files | {f"d{len(files)}/x": ""})


def padded(text: str, size: int) -> str:
    """The text with a comment, for a kustomization of so many bytes or a few less."""
    return text + " #" + "x" * (size - len(text) - 40)


def test_S8_kustomizations_are_bounded_in_all() -> None:
    found = sources(chain([padded("", MOST_BYTES)] * 4), "d0")
    assert (len(found.paths), found.findings) == (5, [])
    found = sources(chain([padded("", MOST_BYTES)] * 5), "d0")
    assert [(one.message, one.path) for one in found.findings] == [
        ("it is built from more than 1 MiB of kustomizations", "d0")
    ]


def test_S8_what_aliases_repeat_counts_as_if_it_were_written() -> None:
    fine, large = ("a: &a [" + "x," * 1000 + "]\nb: [" + "*a," * times + "]" for times in (100, 200))
    found = sources(tree({"a/kustomization.yaml": large}), "a").findings
    assert [one.message for one in found] == ["its aliases make it larger than 256 KiB"]
    assert sources(tree({"a/kustomization.yaml": fine}), "a").findings == []
    assert sources(chain([fine] * 6), "d0").findings[0].message.startswith("it is built from more than 1 MiB")


REFUSED = "x: [http://b]"
"""What libyaml takes for no YAML."""


def test_S8_the_slow_parser_is_for_small_kustomizations_and_few_of_them() -> None:
    found = sources(chain([padded(REFUSED, SLOWLY)] * 4), "d0")
    assert (len(found.paths), found.findings) == (5, [])
    (finding,) = sources(chain([padded(REFUSED, SLOWLY)] * 5), "d0").findings
    assert (finding.path, finding.line) == ("d4/kustomization.yaml", 2)
    assert finding.message == "it is no YAML: found unexpected ':'"
    (finding,) = sources(chain([padded(REFUSED, SLOWLY + 100)]), "d0").findings
    assert finding.path == "d0/kustomization.yaml"


def test_S8_a_kustomization_is_parsed_once_however_often_it_is_asked_for() -> None:
    _read.cache_clear()
    for _ in range(3):
        sources(chain([REFUSED, "a: [", ""]), "d0")
    assert _read.cache_info().misses == 4


@given(st.text(max_size=300) | st.lists(st.sampled_from(["..", ".", "/", "a", "b", "", "~"])).map("/".join))
def test_S9_no_reference_leads_out_of_the_repository(entry: str) -> None:
    files = tree({"a/b/kustomization.yaml": f"resources: [{entry!r}]", "a/x": "", "b/y": ""})
    found = sources(files, "a/b")
    assert all(path == "" or files.id(path) for path in found.paths)
    assert not any(part in {"..", "."} for path in found.paths for part in path.split("/"))


# Its words.

NESTED = (
    "Error: accumulating resources: accumulation err='accumulating resources from '../../../../base': "
    "'/t/render-x/.repository/base' must resolve to a file': MalformedYAMLError: yaml: line 4: bad in File: web.yaml"
)


@pytest.mark.parametrize(
    ("err", "path", "line"),
    [
        (NESTED, "base/web.yaml", 4),
        ('Error: invalid Kustomization: json: unknown field "foo"', KUSTOMIZATION, None),
        (f"Error: evalsymlink failure on '/t/render-x/.repository/{FOLDER}/gone.yaml' : lstat", KUSTOMIZATION, None),
    ],
)  # fmt: skip
def test_a_fault_stands_at_the_innermost_file_that_kustomize_names(err: str, path: str, line: int | None) -> None:
    (finding,) = check(changing(), Answering(failing(err))).findings
    assert (finding.path, finding.line, finding.severity) == (path, line, Severity.error)
    assert ".repository" not in finding.message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x (/t/r/.repository/a/b.yaml) '/t/.repository/c'", "x (a/b.yaml) 'c'"),
        ("a/.repository/.repository/b", "b"),
        ("a.repository b/.repositoryc/", "a.repository b/.repositoryc/"),
    ],
)
def test_our_folders_are_taken_out(text: str, shown: str) -> None:
    assert said(text.encode(), {}) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "loading KV pairs: literal sources [a b]: invalid literal source a b, expected key=value",
            "loading KV pairs: literal sources …, expected key=value",
        ),
        (
            'x with config: `\npatch: "`: y"\n`: unable to parse patch from [patch: "kind: Secret\\nfoo: [\\"b\\"]"]',
            "x with config: …: unable to parse patch from [patch: …",
        ),
        ("x with config: `a", "x with config: …"),
        ('x from [patch: "a', "x from [patch: …"),
        ("line 1: cannot unmarshal !!str `hunter2` into int", "line 1: cannot unmarshal !!str … into int"),
        ("line 1 has invalid utf8 bytes : hunter2", "line 1 has invalid utf8 bytes : …"),
        ('"hun"ter2" is not a valid key name: a', "… is not a valid key name: a"),
        ("no matches for Id [patch] with `x`", "no matches for Id [patch] with `x`"),
    ],
)
def test_S10_content_that_kustomize_repeats_is_cut_out(text: str, shown: str) -> None:
    assert said(text.encode(), {}) == shown


def test_S8_a_long_word_is_looked_through_in_no_more_time_than_its_length() -> None:
    def took(size: int) -> float:
        start = process_time()
        said(b"a" * size, {})
        return process_time() - start

    assert min(took(20_000) for _ in range(5)) < 10 * min(took(5_000) for _ in range(5))


# Parts.


def test_there_are_no_parts_where_policy_names_no_folder() -> None:
    assert [*VALIDATOR.parts(replace(changing(), rules=rules()))] == []


def test_targets_of_one_folder_are_one_part() -> None:
    said = rules(kustomize={"folder": "environments/{environment}"})
    files = {"environments/prod/kustomization.yaml": "", TARGET: "a: 1"}
    change = change_of({}, {**files, "environments/prod/us/shop/values.yaml": "a: 1"}, rules=said)
    assert [one.subject for one in VALIDATOR.parts(change)] == ["environments/prod"]


@pytest.mark.parametrize("path", ["base/a.conf", "base/web.yaml", f"{FOLDER}/patch.yaml"])
def test_a_part_depends_on_all_that_it_is_built_from(path: str) -> None:
    (first,) = VALIDATOR.parts(changing())
    (other,) = VALIDATOR.parts(changing({path: "other"}))
    assert first.inputs != other.inputs
    assert first.inputs == inputs(changing(), changing().targets[0])
    assert [first] == [*VALIDATOR.parts(changing({"README.md": "x"}))]


# The program itself.


@pytest.mark.programs
def test_the_real_kustomize_shows_what_changes() -> None:
    found = check(changing({"base/a.conf": "a=2\n"}), real("kustomize"))
    assert (found.ran, found.findings) == (Ran.done, ())
    config, deployment = found.changes
    assert (config.kind, config.how, config.namespace) == ("ConfigMap", "changed", "shop")
    assert "-    a=1\n+    a=2" in config.diff
    assert deployment.diff.endswith("@@ also differs: cfg-… @@")
    assert f"+          image: r.example.com/web@sha256:{'2' * 64}" in deployment.diff


@pytest.mark.programs
@pytest.mark.parametrize(
    "more",
    [
        "secretGenerator:\n- name: s\n  literals: [hunter2Secret9]\n",
        "secretGenerator:\n- name: s\n  literals: ['hunter2]: Secret9, expected']\n",
        "patches:\n- patch: |-\n    kind: Secret\n    stringData:\n      foo: hunter2Secret9`\n",
        "patches:\n- patch: |-\n    kind: Secret\n    stringData: {foo: '\"]hunter2Secret9'}\n",
        "secretGenerator: hunter2Secret9\n",
    ],
)
def test_S10_the_real_kustomize_s_words_repeat_no_content(more: str) -> None:
    (found,) = check(changing({}, more), real("kustomize")).findings
    assert "hunter2" not in found.message
    assert "Secret9" not in found.message


@pytest.mark.programs
@pytest.mark.parametrize(
    ("more", "files", "path"),
    [
        ("nonsense: 1\n", {}, KUSTOMIZATION),
        ("patches:\n- path: gone.yaml\n", {}, KUSTOMIZATION),
        ("", {"base/web.yaml": "a: b: c\n"}, "base/web.yaml"),
        ("components: ['']\n", {}, KUSTOMIZATION),
        ("transformers: [run.yaml]\n", {f"{FOLDER}/run.yaml": "apiVersion: v1\nkind: Run\nmetadata: {name: x}\n"},
         KUSTOMIZATION),
    ],
)  # fmt: skip
def test_the_real_kustomize_s_words_are_understood(more: str, files: dict[str, str], path: str) -> None:
    found = check(changing(files, more), real("kustomize"))
    assert [(one.severity, one.path) for one in found.findings] == [(Severity.error, path)]
    assert "render-" not in found.findings[0].message
