"""What a person's own change touches of what Towpath gates."""

from collections.abc import Iterable, Mapping

from policies import layout
from policies.config import Policy


def gated_stages(policy: Policy, paths: Iterable[str], links: Iterable[str] = ()) -> tuple[str, ...]:
    """The stages with approvals of which one of these paths is a file, in the order of the pipeline.

    What stands behind a symbolic link or a submodule nobody can tell: one counts where files of the stage may be."""
    captured = [where for path in paths if (where := layout.capture(policy.services.path, path)) is not None]
    above = [found for path in links if (found := _above(policy.services.path, path)) is not None]
    return tuple(
        stage.name
        for stage in policy.ordered()
        if stage.approvals is not None
        and stage.mode != "observe"
        and (any(layout.selected(stage.where, where) for where in captured) or _may_be_in(stage.where, above))
    )


def _above(template: str, path: str) -> Mapping[str, str] | None:
    """What the beginning of the template captures from a path that files may be below."""
    segments, depth = template.split("/"), path.count("/") + 1
    return layout.capture("/".join(segments[:depth]), path) if depth < len(segments) else None


def _may_be_in(where: Mapping[str, tuple[str, ...]], above: Iterable[Mapping[str, str]]) -> bool:
    """Whether a file below one of them can be of the stage, by what is captured that far."""
    return any(all(known.get(key, wanted[0]) in wanted for key, wanted in where.items() if wanted) for known in above)
