"""What the cluster gets of a target, before and after: rendered once, by whichever renderer policy names."""

import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from bot.validators import helm, kustomize
from bot.validators.base import Broken, Change, Rendered, Skipped, Target, Tree
from bot.validators.launching import Launcher, Stopped
from bot.validators.rendered import Side, Unrenderable
from policies.validating import Checks


@dataclass(frozen=True, slots=True)
class _Renderer:
    """How one target is rendered."""

    program: str
    place: str
    """The same for targets that are rendered from the same."""
    render: Callable[[Side], bytes | None]


def inputs(change: Change, target: Target) -> tuple[str, ...]:
    """All that a target is rendered from, before and after; empty where it is the same or nothing renders it."""
    return helm.inputs(change, target) or kustomize.inputs(change, target)


class Renderings:
    """The renderings of one validation, each made at most once, from many threads."""

    def __init__(self, launcher: Launcher, scratch: Path) -> None:
        self._launcher = launcher
        self._scratch = scratch
        self._lock = threading.Lock()
        self._made: dict[str, Future[Rendered]] = {}

    def __call__(self, change: Change, target: Target) -> Rendered:
        """What the cluster gets of a target; Skipped or Absent where policy names no renderer or it is not installed.

        Unrenderable, with what is wrong, where it cannot be rendered afterwards; Broken or Stopped where nothing is
        known. Where it could not be rendered before, `unknown` says why: that is not the change's fault."""
        renderer = _renderer(change.rules.checks, target)
        with self._lock:
            mine = renderer.place not in self._made
            made = self._made.setdefault(renderer.place, Future())
        if mine:
            try:
                made.set_result(self._rendered(change, renderer))
            except BaseException as error:
                made.set_exception(error)
                raise
        return made.result()

    def _rendered(self, change: Change, renderer: _Renderer) -> Rendered:
        version = self._launcher.version(renderer.program) or ""
        try:
            after = self._side(change.after, renderer)
        except Unrenderable as fault:
            fault.version = version
            raise
        try:
            return Rendered(self._side(change.before, renderer), after, version)
        except Unrenderable as fault:
            return Rendered(None, after, version, fault.findings[0].message)
        except (Broken, Stopped) as error:
            return Rendered(None, after, version, str(error))

    def _side(self, tree: Tree, renderer: _Renderer) -> bytes | None:
        with tempfile.TemporaryDirectory(prefix="render-", dir=self._scratch) as folder:
            return renderer.render(Side(tree, Path(folder), self._launcher))


def _renderer(checks: Checks, target: Target) -> _Renderer:
    if checks.helm.chart is not None:
        return _Renderer("helm", target.path, lambda side: helm.render(side, target, checks.helm))
    if checks.kustomize.folder is not None:
        folder = kustomize.folder_of(checks.kustomize, target)
        return _Renderer("kustomize", folder, lambda side: kustomize.render(side, target, checks.kustomize))
    raise Skipped("policy names no renderer")
