"""What Towpath says on a person's merge request that would break its policy or a values file."""

from bot.formats import Format, Refused
from policies import layout
from policies.codeowners import LOCATIONS
from policies.config import Fault, Policy, PolicyError
from policies.loosening import loosened
from policies.model import MergeRequest, MergeRequestState, Trouble
from policies.wording import report as words
from policies.wording.quote import code
from workers import observe
from workers.execute import post_report
from workers.observe.context import Context
from workers.observe.promotions import report_text
from workers.policy_file import FILE, load

CODEOWNERS = frozenset(path for paths in LOCATIONS.values() for path in paths)


def preview(context: Context, request: MergeRequest) -> None:
    """Post or edit one comment where the merge request breaks something; say so when it is mended."""
    base = observe.base(context)
    if request.state is not MergeRequestState.opened or request.target_branch != base.branch:
        return
    context.mirror.ensure(request.head)
    changed = context.mirror.changed(base.head, request.head)
    faults, less = _policy(context, request.head, base.policy) if FILE in changed else ((), ())
    owners = [path for path in changed if path in CODEOWNERS]
    less += tuple(f"{code(path)} changes: who owns what is another question after it" for path in owners)
    # By the policy in force: nobody has reviewed the other one yet, and it could make us read any file of the branch.
    troubles = _troubles(context, request.head, base.policy, changed)
    known = report_text(context, request.iid)
    body = words.preview(faults, troubles, less)
    if known != body and (known is not None or faults or troubles or less):
        post_report(context, request.iid, body)


def _policy(context: Context, head: str, policy: Policy) -> tuple[tuple[Fault, ...], tuple[str, ...]]:
    """What is wrong with the policy of the merge request, and what it asks less for."""
    raw = context.mirror.read(head, FILE)
    if raw is None:
        return (Fault((), "the merge request deletes the policy"),), ()
    try:
        return (), loosened(policy, load(raw))
    except PolicyError as error:
        return error.faults, ()


def _troubles(context: Context, head: str, policy: Policy, changed: tuple[str, ...]) -> tuple[Trouble, ...]:
    format_ = context.formats[policy.services.format]
    paths = [path for path in changed if layout.capture(policy.services.path, path) is not None]
    found = (trouble_in(format_, path, context.mirror.read(head, path)) for path in paths)
    return tuple(trouble for trouble in found if trouble is not None)


def trouble_in(format_: Format, path: str, text: bytes | None) -> Trouble | None:
    """Why a file cannot be read as its format, or None where it can (or is gone)."""
    if text is None:
        return None
    try:
        format_.pins(text)
    except Refused as refused:
        return Trouble(path, refused.line, refused.reason)
    return None
