"""What a promotion shows of itself: the commit status and the report, each only where it differs from what stands."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from policies import naming
from policies.actions import Action, Report, SetStatus
from policies.codeowners import Dialect
from policies.model import CheckState, Release
from policies.snapshot import Promotion, Snapshot, StageView
from policies.state import Order
from policies.verdict import Verdict
from policies.wording import report as words

SOON_READY = timedelta(seconds=15)
"""How long the first report and status wait for the validators, so that each is posted once with all they found."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the status says, and where the report says something else: what, and by whose order Towpath merges."""

    verdict: Verdict
    report: Verdict | None = None
    order: Order | None = None


def show(snapshot: Snapshot, view: StageView, one: Promotion, told: Told, now: datetime) -> list[Action]:
    """The status and the report, each only where it differs from what stands. State first, comment last (R9)."""
    actions: list[Action] = []
    soon = _is_soon_ready(one, now)
    state, description = words.status(told.verdict, snapshot.kind)
    stands = next(
        (check for check in one.checks if check.name == naming.STATUS and check.author_id == snapshot.bot_id), None
    )
    rewritten = _may_be_rewritten(state, snapshot.kind)
    differs = stands is None or stands.state is not state or (rewritten and stands.description != description)
    if differs and not (soon and stands is None):
        request = one.request
        actions.append(SetStatus(request.iid, request.head, request.source_branch, state, description, request.url))
    body = words.report(one, view.stage, told.report or told.verdict, view.troubles, told.order)
    if one.reported != body and not soon:
        actions.append(Report(one.request.iid, body))
    return actions


def _is_soon_ready(one: Promotion, now: datetime) -> bool:
    """Whether nothing is reported yet, and what validators find will be there in a moment."""
    return one.validation is None and one.reported is None and now - one.request.created_at < SOON_READY


def _may_be_rewritten(state: CheckState, kind: Dialect) -> bool:
    """GitLab refuses to change the text of a status that stays pending."""
    return state is not CheckState.pending or kind == "github"


def link_back(snapshot: Snapshot, current: Promotion, release: Release) -> list[Action]:
    """The report on what it replaced names it, once it is open."""
    if current.supersedes is None:
        return []
    body = words.superseded(release, current.request.iid, current.request.url)
    return [] if snapshot.report_on(current.supersedes) == body else [Report(current.supersedes, body)]
