"""helm: what it is started with, how its words become findings, and that it runs at most once for each target."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bot.validators import Change
from bot.validators.base import Skipped
from bot.validators.helm import VALIDATOR
from bot.validators.launching import Absent, Ended, Launcher, Stopped
from bot.validators.rendered import LIMITS
from bot.validators.rendering import Renderings, inputs
from policies.findings import Checked, Ran, Severity
from tests.validators.rendering import TARGET, Answer, Answering, Started, failing, looks, printing, real, rules
from tests.validators.trees import change_of, tree

CHART = "charts/web"
TEMPLATE = """apiVersion: apps/v1
kind: Deployment
metadata: {name: "{{ .Release.Name }}", namespace: "{{ .Release.Namespace }}"}
spec:
  replicas: {{ .Values.replicas }}
  image: {{ .Values.image.digest }}
"""
FILES = {
    f"{CHART}/Chart.yaml": "apiVersion: v2\nname: shop-web\nversion: 1.0.0\n",
    f"{CHART}/templates/web.yaml": TEMPLATE,
    f"{CHART}/templates/_names.tpl": "",
    "environments/prod/all.yaml": "replicas: 2\n",
}
RULES = rules(helm={"chart": CHART, "values": "environments/{environment}/all.yaml", "namespace": "{cluster}"})


def values(digest: str) -> str:
    return f"image: {{digest: {digest}}}\n"


def changing(before: dict[str, str] | None = None, after: dict[str, str] | None = None) -> Change:
    """From one digest to another, with these files besides."""
    old = FILES | {TARGET: values("one")} | (before or {})
    return change_of(old, FILES | {TARGET: values("two")} | (after or {}), rules=RULES)


def check(change: Change, launcher: Launcher) -> Checked:
    (found,) = looks(change, VALIDATOR, launcher)
    return found


def says(err: str, **files: str) -> Checked:
    """What becomes of these words, said of the side after."""

    def answer(started: Started) -> Ended:
        is_after = b"two" in started.files["towpath-values-1.yaml"]
        return Ended(1, b"", err.encode()) if is_after else Ended(0, b"", b"")

    return check(changing(after={f"{CHART}/{path}": text for path, text in files.items()}), Answering(answer))


# How it is started.


def test_it_is_started_without_a_network_on_the_chart_and_the_values_the_weakest_first() -> None:
    launcher = Answering(printing(b""))
    check(changing({"secret.yaml": "not for helm"}), launcher)
    after, before = launcher.started
    assert after.argv == (
        *("helm", "template", "--include-crds", "--skip-tests", "--namespace=eu"),
        *("--values=towpath-values-0.yaml", "--values=towpath-values-1.yaml", "--", "shop", f"./.repository/{CHART}"),
    )
    assert (after.network, after.limits) == (False, LIMITS)
    assert after.files == {
        **{f".repository/{path}": text.encode() for path, text in FILES.items() if path.startswith(CHART)},
        "towpath-values-0.yaml": b"replicas: 2\n",
        "towpath-values-1.yaml": values("two").encode(),
    }
    assert before.files["towpath-values-1.yaml"] == values("one").encode()


def test_S8_a_captured_name_is_never_an_option() -> None:
    path = "environments/-x/--post-renderer=y/--debug/values.yaml"
    said = rules(helm={"chart": "charts/{service}", "namespace": "{cluster}"})
    files = {"charts/--debug/Chart.yaml": "name: a"}
    change = change_of(files | {path: "a: 1"}, files | {path: "a: 2"}, rules=said)
    launcher = Answering(printing(b""))
    check(change, launcher)
    options, _, names = "\0".join(launcher.started[0].argv).partition("\0--\0")
    assert options.split("\0")[4:] == ["--namespace=--post-renderer=y", "--values=towpath-values-0.yaml"]
    assert names.split("\0") == ["--debug", "./.repository/charts/--debug"]


def test_a_comma_in_a_path_is_no_end_of_it() -> None:
    path = "environments/prod/a,b/shop/values.yaml"
    change = change_of({}, {**FILES, path: "a: 1"}, rules=RULES)
    launcher = Answering(printing(b""))
    check(change, launcher)
    assert not any("," in one for one in launcher.started[0].argv[5:])


# What it says.


def test_what_it_renders_is_compared() -> None:
    def answer(started: Started) -> Ended:
        text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {digest: %s}\n"
        return Ended(0, text % started.files["towpath-values-1.yaml"].split()[2].rstrip(b"}"), b"")

    found = check(changing(), Answering(answer))
    assert (found.ran, found.part, found.version, found.findings) == (Ran.done, TARGET, "v1", ())
    assert [(one.how, one.kind, one.name, one.target) for one in found.changes] == [
        ("changed", "ConfigMap", "a", TARGET)
    ]
    assert "-  digest: one\n+  digest: two" in found.changes[0].diff


OBJECT = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def test_a_new_target_adds_and_a_target_that_goes_removes() -> None:
    launcher = Answering(printing(OBJECT))
    new = change_of(FILES, FILES | {TARGET: values("two")}, rules=RULES)
    assert [one.how for one in check(new, launcher).changes] == ["added"]
    assert [one.how for one in check(replace(new, before=new.after, after=new.before), launcher).changes] == ["removed"]
    assert len(launcher.started) == 2, "the side without the target is not rendered"


NESTED = (
    'Error: template: shop-web/templates/web.yaml:5:3: executing "shop-web/templates/web.yaml" at <include "n" .>: '
    'error calling include: template: shop-web/templates/_names.tpl:9:2: executing "n" at <.x>: nil pointer'
)


@pytest.mark.parametrize(
    ("err", "path", "line"),
    [
        ("Error: parse error at (shop-web/templates/web.yaml:3): function \"x\" not defined", "templates/web.yaml", 3),
        ("Error: execution error at (shop-web/templates/web.yaml:1:4): no", "templates/web.yaml", 1),
        ("Error: YAML parse error on shop-web/templates/web.yaml: error converting YAML to JSON: yaml: line 7: x",
         "templates/web.yaml", None),
        (NESTED, "templates/_names.tpl", 9),
        (NESTED.partition(" at <")[0], "templates/web.yaml", 5),
    ],
)  # fmt: skip
def test_a_fault_stands_at_the_innermost_file_that_helm_names(err: str, path: str, line: int | None) -> None:
    (finding,) = says(f"{err}\n\nUse --debug flag to render out invalid YAML\n").findings
    assert (finding.severity, finding.path, finding.line) == (Severity.error, f"{CHART}/{path}", line)
    assert finding.message == err.removeprefix("Error: ")


def test_a_fault_in_values_stands_at_their_file() -> None:
    (finding,) = says(
        "Error: failed to parse towpath-values-0.yaml: error converting YAML to JSON: yaml: line 2: x"
    ).findings
    assert (finding.path, finding.line) == ("environments/prod/all.yaml", 2)
    assert finding.message.startswith("failed to parse environments/prod/all.yaml: ")


@pytest.mark.parametrize("place", ["other/templates/web.yaml:3", "shop-web/templates/../../../x.yaml:3", "nowhere"])
def test_a_fault_of_no_known_file_stands_at_the_target(place: str) -> None:
    (finding,) = says(f"Error: {place.replace('web', 'gone')}: broken").findings
    assert (finding.path, finding.line) == (TARGET, None)


def test_dependencies_that_are_not_vendored_are_told_with_what_to_do() -> None:
    err = "Error: An error occurred while checking: found in Chart.yaml, but missing in charts/ directory: lib"
    (finding,) = says(err).findings
    assert finding.message.endswith(
        "missing in charts/ directory: lib; commit them below charts/web/charts (`helm dependency build`): "
        "nothing is fetched here"
    )


def test_links_that_were_left_out_are_told_where_it_fails() -> None:
    change = changing()
    linked = tree(FILES | {TARGET: values("two")}, f"{CHART}/templates/link.yaml")
    found = check(replace(change, after=linked), Answering(failing("Error: no")))
    assert found.findings[0].message == "no (links are not followed: charts/web/templates/link.yaml)"


def test_S9_S10_words_of_helm_come_without_control_characters_our_folders_or_secrets() -> None:
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8"
    (finding,) = says(
        f"Error: \x1b[31mred\x1b[0m\x07 'open /t/render-x/.repository/{CHART}/a' {token}\n\x00two\r\n"
    ).findings
    assert finding.message.startswith(f"red 'open {CHART}/a' ")
    assert finding.message.isprintable()
    assert token not in finding.message


def test_long_words_keep_their_beginning_and_their_end() -> None:
    (finding,) = says("Error: begin " + "x" * 5000 + " end").findings
    assert len(finding.message) < 500
    assert finding.message.startswith("begin ")
    assert finding.message.endswith(" end")


@pytest.mark.parametrize("missing", [f"{CHART}/Chart.yaml", "environments/prod/all.yaml"])
def test_what_policy_names_and_is_not_there_is_an_error_and_helm_is_not_asked(missing: str) -> None:
    files = {path: text for path, text in FILES.items() if path != missing}
    launcher = Answering(printing(b""))
    found = check(change_of(files, files | {TARGET: values("two")}, rules=RULES), launcher)
    assert [(one.severity, one.path) for one in found.findings] == [(Severity.error, TARGET)]
    assert launcher.started == []


def test_what_cannot_be_rendered_before_is_a_note_and_shows_no_changes() -> None:
    def answer(started: Started) -> Ended:
        is_before = b"one" in started.files["towpath-values-1.yaml"]
        return Ended(1, b"", b"Error: old fault") if is_before else Ended(0, OBJECT, b"")

    found = check(changing(), Answering(answer))
    message = "what changes is not known, for before it could not be rendered: old fault"
    assert [(one.severity, one.message) for one in found.findings] == [(Severity.note, message)]
    assert found.changes == ()


def test_a_limit_that_stops_it_before_is_a_note_and_afterwards_nothing_is_known() -> None:
    def stopping(side: bytes) -> Answer:
        def answer(started: Started) -> Ended:
            if side in started.files["towpath-values-1.yaml"]:
                raise Stopped("helm did not end within 30 s")
            return Ended(0, OBJECT, b"")

        return answer

    assert [one.severity for one in check(changing(), Answering(stopping(b"one"))).findings] == [Severity.note]
    found = check(changing(), Answering(stopping(b"two")))
    assert (found.ran, found.why) == (Ran.broken, "helm did not end within 30 s")


def test_where_helm_is_not_installed_it_is_skipped() -> None:
    def absent(_: Started) -> Ended:
        raise Absent("helm is not installed")

    found = check(changing(), Answering(absent))
    assert (found.ran, found.why) == (Ran.skipped, "helm is not installed")


def test_what_is_no_object_is_an_error_at_the_target() -> None:
    (finding,) = check(changing(), Answering(printing(b"just text"))).findings
    assert (finding.severity, finding.path, finding.rule) == (Severity.error, TARGET, "no-object")


# Parts, and once.


def test_there_are_no_parts_where_policy_names_no_chart() -> None:
    assert [*VALIDATOR.parts(replace(changing(), rules=rules()))] == []


@pytest.mark.parametrize("path", [f"{CHART}/templates/new.yaml", "environments/prod/all.yaml", TARGET])
def test_a_part_depends_on_all_that_it_is_rendered_from(path: str) -> None:
    (first,) = VALIDATOR.parts(changing())
    (other,) = VALIDATOR.parts(changing(after={path: "other: 1\n"}))
    assert first.inputs != other.inputs
    assert first.inputs == inputs(changing(), changing().targets[0])


def test_a_part_does_not_depend_on_other_files() -> None:
    assert [*VALIDATOR.parts(changing())] == [*VALIDATOR.parts(changing(after={"README.md": "x"}))]


def test_a_target_is_rendered_once_whoever_asks_and_however_it_ends(tmp_path: Path) -> None:
    change = changing()
    for answer in (printing(OBJECT), failing("Error: no")):
        launcher = Answering(answer)
        rendered = Renderings(launcher, tmp_path)

        def ask(_: int, rendered: Renderings = rendered) -> str:
            try:
                return repr(rendered(change, change.targets[0]))
            except Skipped as skipped:
                return str(skipped)

        with ThreadPoolExecutor(8) as pool:
            assert len({*pool.map(ask, range(32))}) == 1
        assert len({one.files["towpath-values-1.yaml"] for one in launcher.started}) == len(launcher.started)


def test_nothing_is_rendered_where_policy_names_no_renderer(tmp_path: Path) -> None:
    change = replace(changing(), rules=rules())
    with pytest.raises(Skipped, match="no renderer"):
        Renderings(Answering(printing(b"")), tmp_path)(change, change.targets[0])


# The program itself.


@pytest.mark.programs
def test_the_real_helm_shows_what_a_new_digest_changes() -> None:
    found = check(changing(), real("helm"))
    assert (found.ran, found.findings) == (Ran.done, ())
    (change,) = found.changes
    assert (change.kind, change.namespace, change.name) == ("Deployment", "eu", "shop")
    assert change.diff.endswith("   replicas: 2\n-  image: one\n+  image: two")


@pytest.mark.programs
@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: {{ .Values.no.such }}\n", 2, "nil pointer"),
        ("a: 1\nb: {{ fail \"*stop* @everyone\" }}\n", 2, "*stop* @everyone"),
        ("a: {{ nothing }}\n", 1, "not defined"),
        ('{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}', 1, "error calling include"),
    ],
)  # fmt: skip
def test_the_real_helm_s_words_are_understood(text: str, line: int, says: str) -> None:
    found = check(changing(after={f"{CHART}/templates/bad.yaml": text}), real("helm"))
    (finding,) = found.findings
    assert (finding.path, finding.line) == (f"{CHART}/templates/bad.yaml", line)
    assert says in finding.message
    assert found.changes == ()


@pytest.mark.programs
def test_the_real_helm_asks_for_vendored_dependencies() -> None:
    chart = FILES[f"{CHART}/Chart.yaml"]
    wants = "dependencies: [{name: lib, version: 1.0.0, repository: 'https://charts.example.com'}]\n"
    found = check(changing(after={f"{CHART}/Chart.yaml": chart + wants}), real("helm"))
    assert "commit them below charts/web/charts" in found.findings[0].message


@pytest.mark.programs
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{{ range until 20000 }}# {{ repeat 1000 "x" }}\n{{ end }}', "16 MiB"),
        ('{{ repeat 2000000000 "x" }}', "1 GiB of memory"),
    ],
)
def test_S8_the_real_helm_is_stopped_where_it_renders_too_much(text: str, why: str) -> None:
    found = check(changing(after={f"{CHART}/templates/bad.yaml": text}), real("helm"))
    assert found.ran is Ran.broken
    assert why in found.why
