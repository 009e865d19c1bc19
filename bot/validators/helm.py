"""`helm`: a target's chart rendered by `helm template`, before and after, without a cluster, a network or plugins."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.validators.base import Broken, Change, Part, Target, Tree, Validator
from bot.validators.rendered import CHECKOUT, Side, Unrenderable, compared, differing, left_out, said
from bot.yaml import MOST_BYTES
from policies.findings import Finding
from policies.validating import Helm, filled

_TEMPLATE = re.compile(r"[\w.-]+/(?P<path>(?:charts/[\w.-]+/)*(?:templates|crds)/[^\s:\"'()]+)(?::(?P<line>\d+))?")
"""A file as helm names it: below the chart's name, not its folder."""
_LINE = re.compile(r"\byaml: line (\d+)")
_ADVICE = " Use --debug flag to render out invalid YAML"
_DEPENDENCIES = "missing in charts/ directory"


@dataclass(frozen=True, slots=True)
class Chart:
    """What policy has rendered for one target."""

    folder: str
    values: tuple[str, ...]
    """The weakest first, the target's own file last."""
    release: str
    namespace: str

    def names(self) -> dict[str, str]:
        """What the values files are called where helm sees them, to their paths.

        Names of ours: helm would take a comma in a path for the end of it."""
        return {f"towpath-values-{count}.yaml": path for count, path in enumerate(self.values)}


def chart_of(rules: Helm, target: Target) -> Chart:
    """What is rendered for a target; `rules.chart` must be set."""
    names = dict(target.names)
    values = tuple(filled(path, names) for path in rules.values)
    folder, release, namespace = (filled(text, names) for text in (rules.chart or "", rules.release, rules.namespace))
    return Chart(folder, (*values, target.path), release, namespace)


def render(side: Side, target: Target, rules: Helm) -> bytes | None:
    """What helm makes of a target; None where it is not there. Unrenderable where helm or we find fault with it.

    CRDs are rendered, as Argo CD and Flux install them; tests are not, which both leave to `helm test`. A values file
    that policy names must be there: without it something else would be rendered than the cluster gets."""
    if side.tree.id(target.path) is None:
        return None
    chart = chart_of(rules, target)
    _check(side.tree, chart, target)
    for name, path in chart.names().items():
        (side.folder / name).write_bytes(_values(side.tree, path))
    ended = side.run(_command(chart), [chart.folder])
    if ended.code != 0:
        raise Unrenderable(_fault(side.tree, chart, said(ended.err, chart.names())))
    return ended.out


def _command(chart: Chart) -> Iterator[str]:
    """No name from the repository can be an option: each stands behind a `=`, or behind `--`."""
    yield from ("helm", "template", "--include-crds", "--skip-tests", f"--namespace={chart.namespace}")
    yield from (f"--values={name}" for name in chart.names())
    yield from ("--", chart.release, f"./{CHECKOUT}/{chart.folder}")


def _check(tree: Tree, chart: Chart, target: Target) -> None:
    """Told by us, for helm would look for a chart that is not there in its repositories."""
    if tree.read(f"{chart.folder}/Chart.yaml") is None:
        raise Unrenderable(Finding(f"the chart {chart.folder} has no Chart.yaml", path=target.path))
    missing = [path for path in chart.values if tree.read(path) is None]
    if missing:
        raise Unrenderable(Finding(f"the values file {missing[0]} is not there", path=target.path))


def _values(tree: Tree, path: str) -> bytes:
    content = tree.read(path) or b""
    if len(content) > MOST_BYTES:
        raise Broken(f"the values file {path[:200]!r} is larger than {MOST_BYTES // 1024 // 1024} MiB")
    return content


def _fault(tree: Tree, chart: Chart, text: str) -> Finding:
    """What helm says, at the innermost file that it names, one with a line if any has."""
    text = text.removesuffix(_ADVICE)
    if _DEPENDENCIES in text:
        text = f"{text}; commit them below {chart.folder}/charts (`helm dependency build`): nothing is fetched here"
    path, line = _place(tree, chart, text)
    return Finding(text + left_out(tree, chart.folder), path=path, line=line, rule="template")


def _place(tree: Tree, chart: Chart, text: str) -> tuple[str, int | None]:
    found = reversed(list(_TEMPLATE.finditer(text)))
    places = [(f"{chart.folder}/{one['path']}", one["line"]) for one in found]
    for path, line in sorted(places, key=lambda place: place[1] is None):
        if tree.id(path) is not None:
            return path, None if line is None else int(line)
    at = _LINE.search(text)
    named = next((path for path in chart.values if path in text), None)
    return (chart.values[-1], None) if named is None else (named, int(at[1]) if at else None)


def inputs(change: Change, target: Target) -> tuple[str, ...]:
    """All that a target is rendered from, before and after; empty where it is the same, or policy names no chart."""
    rules = change.rules.checks.helm
    if rules.chart is None:
        return ()
    chart = chart_of(rules, target)
    return differing(change, (chart.folder, *chart.values), chart.release, chart.namespace)


def _parts(change: Change) -> Iterator[Part]:
    for target in change.targets:
        found = inputs(change, target)
        if found:
            yield Part(target.path, found, target)


VALIDATOR = Validator("helm", "what the chart renders, before and after", _parts, compared, program="helm")
