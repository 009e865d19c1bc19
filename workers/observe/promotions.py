"""The unit's open promotions, as the forge and the mirror tell them."""

from dataclasses import replace
from datetime import datetime

from policies import naming
from policies.findings import Validation
from policies.model import MergeRequest, MergeRequestState, Thread, User
from policies.snapshot import Integrity, Promotion, Refusal, Snapshot
from policies.trailers import Record
from workers.observe import full
from workers.observe.changes import Reading, change_of
from workers.observe.content import prove, splice
from workers.observe.context import Context
from workers.observe.own import own_commit
from workers.observe.validations import Known, known


def is_ours(request: MergeRequest, me: User, unit: str | None = None) -> bool:
    """Whether Towpath itself opened it, in this project, for a promotion (S17: never one from a fork)."""
    name = naming.parse_branch(request.source_branch)
    return name is not None and request.author.id == me.id and request.same_project and unit in (None, name.unit)


def promotion(context: Context, snapshot: Snapshot, request: MergeRequest) -> Promotion | None:
    """One open promotion with everything that a gate asks of it; None where its branch is not a promotion's."""
    name = naming.parse_branch(request.source_branch)
    if name is None:
        return None
    context.mirror.ensure(request.head)
    found = own_commit(context, request.head, name)
    made, record = found if found is not None else ("", None)
    proof = _proof(context, snapshot, request, record)
    seen = _seen(context, snapshot, proof)
    return Promotion(
        name.stage,
        name.release,
        record.release if record is not None else None,
        name.attempt,
        request,
        tuple(context.forge.checks(context.repository, request.head)),
        replace(proof, made=made, elsewhere=_elsewhere(snapshot, request)),
        record.supersedes if record is not None else None,
        report_text(context, request.iid),
        refusal(context, request),
        context.mirror.is_ancestor(snapshot.head, request.head),
        record is not None and context.mirror.is_ancestor(request.head, snapshot.head),
        requesters=record.requesters if record is not None else (),
        cause=record.cause if record is not None else "",
        validation=seen.validation,
        unasked=seen.unasked,
        full=_full(context, request, seen.validation),
    )


def _full(context: Context, request: MergeRequest, validation: Validation | None) -> str:
    """The address of the full text. It is kept here too: the same content may have been validated for another head."""
    if validation is None or not validation.checked:
        return ""
    full.keep(context, request, validation)
    return full.address(context, request)


def _seen(context: Context, snapshot: Snapshot, proof: Integrity) -> Known:
    """What validators say of the content that merging gives; where that conflicts there is nothing to look at."""
    if proof.merged is None:
        return Known(Validation(""))
    inventory = context.inventories.at(context.mirror, snapshot.head, snapshot.policy.services)
    change = change_of(
        Reading(context.mirror, context.parsed), snapshot.policy, (snapshot.head, proof.merged), inventory
    )
    return known(context.memory, context.validating.validators, change)


def _proof(context: Context, snapshot: Snapshot, request: MergeRequest, record: Record | None) -> Integrity:
    """How merging compares with splicing; nothing is proved where the stage or Towpath's commit is gone."""
    views = [view for view in snapshot.stages if record is not None and view.stage.name == record.stage]
    if record is None or not views or _elsewhere(snapshot, request):
        return _foreign()
    editor, base = context.editor(snapshot.policy.services), snapshot.head
    paths = tuple(dict.fromkeys(target.path for target in views[0].targets))
    wanted = None if views[0].troubles else splice(editor, base, paths, record.release)
    return prove(editor, base, request.head, wanted, record.release)


def _elsewhere(snapshot: Snapshot, request: MergeRequest) -> str:
    """The branch that somebody made it go to instead of the target branch, or an empty text (S13)."""
    return request.target_branch if request.target_branch != snapshot.branch else ""


def _foreign() -> Integrity:
    return Integrity(None, None, (), own=False)


def report_text(context: Context, iid: int) -> str | None:
    """The text of Towpath's report on a merge request: from memory, else from the forge. None where there are two."""
    known = context.memory.get(report_key(context, iid))
    if known is not None:
        return known.partition("\n")[2] or None
    me = context.forge.me()
    notes = [note for note in context.forge.notes(context.repository, Thread(iid)) if note.author.id == me.id]
    mine = [note for note in notes if note.body.startswith(naming.REPORT_MARK)]
    if len(mine) != 1:
        return None
    remember_report(context, iid, mine[0].id, mine[0].body.strip())
    return mine[0].body.strip()


def reports(context: Context, iid: int) -> tuple[int, ...]:
    """The ids of Towpath's reports on a merge request, as the forge has them: one, but for a moment after a crash."""
    me = context.forge.me()
    notes = context.forge.notes(context.repository, Thread(iid))
    return tuple(note.id for note in notes if note.author.id == me.id and note.body.startswith(naming.REPORT_MARK))


def refusal(context: Context, request: MergeRequest) -> Refusal | None:
    """What stood in the way when Towpath last tried to merge this head; forgotten after a day, or with Redis."""
    first, _, text = (context.memory.get(refusal_key(context, request.iid, request.head)) or "").partition("\n")
    at, _, by = first.partition(" ")
    return Refusal(text, datetime.fromisoformat(at), "signing" if by == "signing" else "forge") if at else None


CATCHING_UP = 900
"""Seconds for which a unit that is brought onto the newest commit keeps the others of its repository waiting."""


def catching_key(context: Context) -> str:
    """Where memory keeps which unit of the repository that is."""
    return f"catching-up:{context.subject}"


def refusal_key(context: Context, iid: int, head: str) -> str:
    """Where memory keeps it."""
    return f"refused:{context.subject}:{iid}:{head}"


def report_key(context: Context, iid: int) -> str:
    """Where memory keeps the id and text of a report."""
    return f"report:{context.subject}:{iid}"


def remember_report(context: Context, iid: int, note: int | None, body: str) -> None:
    """Keep a report for an hour, so that an unchanged one costs the forge nothing; a lost one is read again."""
    context.memory.set(report_key(context, iid), f"{note or ''}\n{body}", 3600)


def opened_elsewhere(snapshot: Snapshot, requests: tuple[MergeRequest, ...], me: User) -> tuple[MergeRequest, ...]:
    """Open promotions that the listing by label did not show, because somebody took the label off."""
    shown = {one.request.iid for one in snapshot.promotions}
    return tuple(
        request
        for request in requests
        if request.state is MergeRequestState.opened
        and request.iid not in shown
        and is_ours(request, me, snapshot.unit)
    )
