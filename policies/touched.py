"""What a person's own change touches of what Towpath gates."""

from collections.abc import Iterable

from policies import layout
from policies.config import Policy


def gated_stages(policy: Policy, paths: Iterable[str]) -> tuple[str, ...]:
    """The stages with approvals of which one of these paths is a file, in the order of the pipeline."""
    captured = [where for path in paths if (where := layout.capture(policy.services.path, path)) is not None]
    return tuple(
        stage.name
        for stage in policy.ordered()
        if stage.approvals is not None
        and stage.mode != "observe"
        and any(layout.selected(stage.where, where) for where in captured)
    )
