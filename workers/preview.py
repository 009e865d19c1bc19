"""What Towpath says on a person's merge request: what would break policy or a values file, and what it gates.

On GitHub it also sets its status there: where that is required, the request would wait for it for ever."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from bot.errors import Permanent
from bot.forges.base import Status
from bot.formats import Format, Refused
from bot.git import Merged
from policies import layout, naming
from policies.codeowners import LOCATIONS
from policies.config import Fault, Policy, PolicyError
from policies.findings import Validation
from policies.loosening import loosened
from policies.model import MergeRequest, MergeRequestState, Trouble
from policies.touched import gated_stages
from policies.wording import report as words
from policies.wording.preview import Preview
from policies.wording.preview import preview as previewed
from policies.wording.quote import code
from workers import observe
from workers.execute import post_report
from workers.observe import full
from workers.observe.changes import Reading, affected, change_of
from workers.observe.context import Context
from workers.observe.promotions import is_ours, report_text
from workers.observe.validations import BROKEN_KEPT, Known, ask, known, look_again
from workers.policy_file import FILE, load
from workers.prospect import prospect

log = structlog.get_logger(__name__)

CODEOWNERS = frozenset(path for paths in LOCATIONS.values() for path in paths)
KEPT = 30 * 24 * 3600
"""Seconds for which it is remembered which status a head was given."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a merge request would make of the target branch."""

    tree: str
    changed: tuple[str, ...]
    """The paths in which the merge differs from the target branch: not what the target branch has beyond it."""
    touched: tuple[str, ...]
    """These, and what the branch itself changed: its status stays while the target branch moves."""
    merges: bool = True
    """Whether it merges without conflicts."""


def preview(context: Context, request: MergeRequest, now: datetime) -> datetime | None:
    """Post or edit one comment on what a merge request would bring about, where that is Towpath's to say.

    Tells when to look again, where what validators said does not last or they have yet to say it."""
    base = observe.base(context)
    if request.state is not MergeRequestState.opened or request.target_branch != base.branch:
        return None
    context.mirror.ensure(request.head)
    proposed = _proposed(context, base.head, request.head)
    gated = _gated(context, base.policy, proposed)
    ours = _is_ours(base, proposed.changed)
    standing = report_text(context, request.iid)
    again = None
    if ours or gated or standing is not None:
        found = _foreseen(context, base, request, proposed, now)
        body = previewed(found) + words.gated(gated)
        if standing != body:
            post_report(context, request.iid, body)
        again = None if _lasts(found) else now + timedelta(seconds=BROKEN_KEPT)
    if context.forge.kind == "github":
        _set_status(context, request, gated)
    return again


def _lasts(found: Preview) -> bool:
    return not found.merges or (found.validation is not None and found.validation.lasts)


def _proposed(context: Context, base: str, head: str) -> Proposed:
    mirror = context.mirror
    merged, common = mirror.merge(base, head), mirror.common(base, head)
    # With conflicts nothing can be merged: what differs from the target branch is looked at, as far as it goes.
    tree = merged.tree if isinstance(merged, Merged) else head
    changed = mirror.changed(base, tree)
    own = mirror.changed(common, head) if common is not None else ()
    return Proposed(tree, changed, tuple(dict.fromkeys((*changed, *own))), isinstance(merged, Merged))


def _foreseen(
    context: Context, base: observe.Base, request: MergeRequest, proposed: Proposed, now: datetime
) -> Preview:
    """What it breaks, what it asks less for, what follows, and what validators say of it."""
    changed, tree = proposed.changed, proposed.tree
    faults, less = _policy(context, tree, base.policy) if FILE in changed else ((), ())
    owners = [path for path in changed if path in CODEOWNERS]
    less += tuple(f"{code(path)} changes: who owns what is another question after it" for path in owners)
    # By the policy in force: nobody has reviewed the other one yet, and it could make us read any file of the branch.
    troubles = _troubles(context, tree, base.policy, changed)
    said = Preview(faults, troubles, less, rules=base.policy.validation, merges=proposed.merges)
    if not proposed.merges or not _is_ours(base, changed):
        return replace(said, validation=Validation(""))
    found = _seen(context, request, base, proposed)
    coming = prospect(context, base, tree, now)
    return replace(said, coming=coming, validation=found, full=_full(context, request, found))


def _is_ours(base: observe.Base, changed: tuple[str, ...]) -> bool:
    """Whether it changes targets, what they are rendered from, or the rules."""
    template = base.policy.services.path
    named = any(path == FILE or path in CODEOWNERS or layout.capture(template, path) is not None for path in changed)
    return named or bool(affected(base.policy, base.inventory, changed))


def _full(context: Context, request: MergeRequest, validation: Validation | None) -> str:
    """The address of all that validators said, kept there for whoever follows it."""
    if validation is None or not validation.checked:
        return ""
    full.keep(context, request, validation)
    return full.address(context, request)


def _seen(context: Context, request: MergeRequest, base: observe.Base, proposed: Proposed) -> Validation | None:
    """What validators say of it; where they have not looked yet they are asked."""
    found = _known(context, base, proposed)
    if found.unasked:
        work = ("validate", context.forge.name, context.repository, str(request.iid))
        ask(context.memory, context.validating, work, found.unasked)
    return found.validation


def _known(context: Context, base: observe.Base, proposed: Proposed) -> Known:
    reading = Reading(context.mirror, context.parsed)
    change = change_of(reading, base.policy, (base.head, proposed.tree), base.inventory)
    return known(context.memory, context.validating.validators, change)


def revalidate(context: Context, request: MergeRequest) -> None:
    """Have validators look again at all of a person's merge request, where they have looked at it."""
    base = observe.base(context)
    if request.state is not MergeRequestState.opened or request.target_branch != base.branch:
        return
    context.mirror.ensure(request.head)
    proposed = _proposed(context, base.head, request.head)
    if proposed.merges and _is_ours(base, proposed.changed):
        found = _known(context, base, proposed).validation
        look_again(context.memory, found.key if found is not None else "")
        _seen(context, request, base, proposed)


def _gated(context: Context, policy: Policy, proposed: Proposed) -> tuple[str, ...]:
    """What of it Towpath gates, as people call it; only GitHub can be told to wait for Towpath there."""
    if context.forge.kind != "github":
        return ()
    rules = [path for path in proposed.touched if path == FILE or path in CODEOWNERS]
    links = [path for path in proposed.touched if context.mirror.is_link(proposed.tree, path)]
    return (*gated_stages(policy, proposed.touched, links), *rules)


def is_unseen(context: Context, request: MergeRequest) -> bool:
    """Whether it may lack the status that it waits for."""
    opened = request.state is MergeRequestState.opened and context.forge.kind == "github"
    to_target = opened and request.target_branch == context.forge.default_branch(context.repository)
    return to_target and context.memory.get(_status_key(context, request)) is None


def outdated(context: Context, last: str | None, head: str) -> tuple[MergeRequest, ...]:
    """The open ones where the policy is another than at `last`: by it the comment and the status that they have may be
    others too.

    None of them where nothing is remembered: then the sweep finds them unseen."""
    if last is None or not context.mirror.has(last):
        return ()
    if FILE not in context.mirror.changed(last, head):
        return ()
    found = context.forge.updated_requests(context.repository, datetime.fromtimestamp(0, UTC))
    return tuple(request for request in found if request.state is MergeRequestState.opened)


def _set_status(context: Context, request: MergeRequest, gated: tuple[str, ...]) -> None:
    """Once for each head and what is said of it; never on an open promotion's, whose status is another matter."""
    state, text = words.own_status(gated)
    key = _status_key(context, request)
    if context.memory.get(key) == text or _is_promoted(context, request.head):
        return
    try:
        status = Status(naming.STATUS, state, text, request.url)
        context.forge.set_status(context.repository, request.head, request.source_branch, status)
    except Permanent as refusal:
        log.warning("status not set", mr=request.iid, why=str(refusal))
    context.memory.set(key, text, KEPT)


def _is_promoted(context: Context, head: str) -> bool:
    """Whether it is the head of a promotion that is open, or about to be opened."""
    me, branches = context.forge.me(), context.mirror.branches(naming.PREFIX)
    for branch in (name for name, commit in branches.items() if commit == head):
        found = [one for one in context.forge.requests_from(context.repository, branch) if is_ours(one, me)]
        if not found or any(one.state is MergeRequestState.opened for one in found):
            return True
    return False


def _status_key(context: Context, request: MergeRequest) -> str:
    return f"previewed:{context.subject}:{request.head}"


def _policy(context: Context, tree: str, policy: Policy) -> tuple[tuple[Fault, ...], tuple[str, ...]]:
    """What is wrong with the policy of the merge request, and what it asks less for."""
    raw = context.mirror.read(tree, FILE)
    if raw is None:
        return (Fault((), "the merge request deletes the policy"),), ()
    try:
        return (), loosened(policy, load(raw))
    except PolicyError as error:
        return error.faults, ()


def _troubles(context: Context, tree: str, policy: Policy, changed: tuple[str, ...]) -> tuple[Trouble, ...]:
    format_ = context.formats[policy.services.format]
    paths = [path for path in changed if layout.capture(policy.services.path, path) is not None]
    found = (trouble_in(format_, path, context.mirror.read(tree, path)) for path in paths)
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
