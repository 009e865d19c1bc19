"""What to do for one unit, read top to bottom: the eight rules, numbered as in the handbook.

    snapshot = observe(unit)            # all reads
    plan     = decide(snapshot, now)    # this page
    execute(plan.actions)               # all writes

The same snapshot gives the same plan; executing a plan and deciding again gives no actions."""

from dataclasses import replace
from datetime import datetime, timedelta

from policies import naming, order, trailers
from policies.actions import Action, Close, Merge, OpenPromotion, Plan, Report, SetStatus, StagePlan
from policies.approvals import tally
from policies.gates import approvals, checks, integrity, refusal, signing
from policies.model import CheckState, Mergeable, MergeRequest, MergeRequestState, Release, Trouble
from policies.order import Order, compare, left_behind, went_back
from policies.proposal import known, propose
from policies.snapshot import Promotion, Snapshot, Splice, StageView, Unanswered
from policies.verdict import Outcome, Verdict, block, combine, passed, wait
from policies.wanted import Wanted, places_of, source_rule, wanted
from policies.wording import report as words
from policies.wording.promotion import headline, message, release_name
from policies.wording.quote import code

SHORTEST = timedelta(seconds=2)
LONGEST = timedelta(minutes=10)
"""How long to wait before looking again at an open promotion that is worked on elsewhere, at least and at most."""
UNDECIDED = timedelta(minutes=1)
"""How long to wait at most before looking again at what the forge has not made up its mind about."""
MOST_CATCH_UPS = 5
SOON = timedelta(seconds=3)
"""When to look again at what the forge has not made up its mind about (R8)."""
ELSEWHERE = ("ci_", "blocked", "behind")
"""How the words begin that GitLab and GitHub have for a merge that waits for somebody's work."""
PATIENCE = timedelta(minutes=10)
"""When to look again at an open promotion though nothing woke us: a lost webhook costs this much."""


def decide(snapshot: Snapshot, now: datetime) -> Plan:
    """The plan for a unit: what to do, what to ask first, and (rule 8) when to look again."""
    stages = tuple(
        _stage_or_questions(snapshot, view, now) for view in snapshot.stages if view.targets or view.troubles
    )
    stages += tuple(_withdraw(snapshot, one) for one in _stageless(snapshot))
    soon = [stage.look_again for stage in stages if stage.look_again is not None]
    ends = (stage.verdict.until for stage in stages)
    until = [end for end in ends if end is not None and end > now]
    return Plan(stages, min([now + wait for wait in soon] + until, default=None))


def _stageless(snapshot: Snapshot) -> tuple[Promotion, ...]:
    names = _names(snapshot)
    return tuple(one for one in snapshot.promotions if one.stage not in names and not one.landed)


def _names(snapshot: Snapshot) -> frozenset[str]:
    return frozenset(view.stage.name for view in snapshot.stages if view.targets or view.troubles)


def _withdraw(snapshot: Snapshot, one: Promotion) -> StagePlan:
    """A promotion whose stage, or the unit's last target in it, is gone: nobody would ever merge or replace it."""
    reason = f"there is no stage {code(one.stage)} any more"
    if any(view.stage.name == one.stage for view in snapshot.stages):
        reason = f"{code(one.stage)} has no target of {code(snapshot.unit)} any more"
    verdict = block("stage", reason, "nothing: this merge request is closed")
    close = Close(one.request.iid, naming.WITHDRAWN, words.outdated(reason))
    return StagePlan(one.stage, verdict, one.release, one.request.url, (close,))


def _stage_or_questions(snapshot: Snapshot, view: StageView, now: datetime) -> StagePlan:
    try:
        return _stage(snapshot, view, now)
    except Unanswered as missing:
        unknown = wait("questions", "Towpath has yet to read what this depends on")
        return StagePlan(view.stage.name, unknown, questions=missing.questions)


def _stage(snapshot: Snapshot, view: StageView, now: datetime) -> StagePlan:
    # Files that cannot be read: nothing of the stage is touched (R11 keeps the other stages and units going).
    if view.troubles:
        return _keep(snapshot, view, _unreadable(view.troubles))
    # 1. Wanted.
    found = wanted(snapshot, view)
    if isinstance(found, Verdict):
        return _keep(snapshot, view, found)
    # 3. Done.
    if _is_done(snapshot, view, found.release):
        return _finish(snapshot, view, found)
    # 2. Never backwards, and 4. Not wanted.
    unwanted = _backwards(snapshot, view, found.release) or _reverted(snapshot, view, found.release)
    if unwanted is not None:
        return _keep(snapshot, view, unwanted)
    # 5. One at a time.
    mine = [one for one in _open_in(snapshot, view) if one.release == found.release]
    current = max(mine, key=lambda one: one.attempt, default=None)
    if current is None:
        unwanted = _refused_before(snapshot, view, found)
        return _keep(snapshot, view, unwanted) if unwanted is not None else _open(snapshot, view, found)
    if _is_stale(current):
        return _open(snapshot, view, found)
    # 6. Integrity, 7. Merge.
    plan = _advance(snapshot, view, current, found, now)
    # 8. Wake.
    return replace(plan, look_again=_look_again(plan.verdict, current.request, now - current.request.created_at))


def _open_in(snapshot: Snapshot, view: StageView) -> tuple[Promotion, ...]:
    """The open promotions of a stage, but what has landed: that is the forge's to show as merged, and GitLab looks at
    pushes in the background. Closed before it has seen this one, it would stay closed for ever."""
    return tuple(one for one in snapshot.promotions if one.stage == view.stage.name and not one.landed)


# Rule 3: done.


def _is_done(snapshot: Snapshot, view: StageView, release: Release) -> bool:
    now = snapshot.moments[0].pins
    return all(now.get(place) == digest for place, digest in places_of(view, release))


def _finish(snapshot: Snapshot, view: StageView, found: Wanted) -> StagePlan:
    text = words.finished(view.stage.name, found.release)
    closes = tuple(Close(one.request.iid, naming.DONE, text) for one in _open_in(snapshot, view))
    landed = any(one.landed for one in snapshot.promotions if one.stage == view.stage.name)
    plan = StagePlan(
        view.stage.name,
        passed("wanted", f"{view.stage.name} runs {release_name(found.release)}"),
        found.release,
        actions=closes,
        look_again=PATIENCE if landed else None,
    )
    if found.remark:
        more = wait("wanted", found.remark, "publish the missing image, or set `images: apart`")
        return replace(plan, verdict=more, release=None)
    return plan


# Rules 2 and 4: what is not wanted.


def _backwards(snapshot: Snapshot, view: StageView, release: Release) -> Verdict | None:
    rule, name = source_rule(snapshot, view.stage), code(release_name(release))
    for place, digest in places_of(view, release):
        pinned = snapshot.moments[0].pins.get(place)
        if pinned is None or left_behind(snapshot, place, digest):
            continue
        match compare(snapshot, place[1], digest, pinned, rule):
            case Order.older:
                reason = f"{view.stage.name} is ahead: {code(place[0])} pins an image newer than {name}"
                return block(order.GATE, reason, "nothing: a still newer release opens by itself")
            case Order.unknown:
                reason = f"whether {name} is newer than what {code(place[0])} pins cannot be told"
                return block(order.GATE, reason, f"write the digest into {code(place[0])} by hand if you want it there")
            case Order.newer | Order.same:
                continue
    return None


def _reverted(snapshot: Snapshot, view: StageView, release: Release) -> Verdict | None:
    left = [(place, digest) for place, digest in places_of(view, release) if left_behind(snapshot, place, digest)]
    if not left:
        return None
    how = "was reverted" if any(went_back(snapshot, place, digest) for place, digest in left) else "was replaced"
    reason = f"{code(release_name(release))} {how} in {view.stage.name}"
    return block("wanted", reason, "publish a newer image, or pin it by hand")


def _refused_before(snapshot: Snapshot, view: StageView, found: Wanted) -> Verdict | None:
    earlier = snapshot.attempts(view.stage.name, found.release.name)
    # What a merge brought is in the target branch as read, or it came since; a place that lacks it was added later.
    requests = [one.request for one in reversed(earlier) if one.request is not None and not one.landed]
    verdicts = (_refused(snapshot, one, found) for one in requests)
    return next((verdict for verdict in verdicts if verdict is not None), None)


def _refused(snapshot: Snapshot, request: MergeRequest, found: Wanted) -> Verdict | None:
    name = code(release_name(found.release))
    if request.state is MergeRequestState.merged:
        # The branch as read has it in no history: merged a moment ago, or undone out of sight. Never opened again.
        reason = f"{name} was merged as !{request.iid}, which the target branch as read does not show"
        return wait("wanted", reason, "publish a newer image")
    if request.state is MergeRequestState.opened:
        return None
    if request.closed_by is None or request.closed_by.id != snapshot.bot_id:
        reason = f"{name} was declined: merge request !{request.iid} was closed by a person"
        return block("wanted", reason, f"reopen !{request.iid}, or publish a newer image")
    if found.upstream is None and naming.SUPERSEDED in request.labels:
        return block("wanted", f"{name} was superseded before (!{request.iid})", "publish a newer image")
    return None


def _unreadable(troubles: tuple[Trouble, ...]) -> Verdict:
    return block("files", "; ".join(words.trouble_line(trouble) for trouble in troubles), "mend the files named")


# Open promotions that nothing replaces: they stay, say why they wait, and are never merged.


def _keep(snapshot: Snapshot, view: StageView, verdict: Verdict) -> StagePlan:
    open_ = _open_in(snapshot, view)
    actions: list[Action] = []
    for one in open_:
        actions += _show(snapshot, view, one, combine("promotion", (verdict, *_gates(snapshot, view, one))))
    look_again = PATIENCE if open_ else None
    return StagePlan(view.stage.name, verdict, None, _address(open_), tuple(actions), look_again=look_again)


def _address(promotions: tuple[Promotion, ...]) -> str:
    return promotions[-1].request.url if promotions else ""


# Rule 5: one at a time.


def _is_stale(current: Promotion) -> bool:
    found = current.integrity
    return found.own and found.expected is not None and found.expected != found.merged


def _open(snapshot: Snapshot, view: StageView, found: Wanted) -> StagePlan:
    stage = view.stage
    content = snapshot.content(stage.name, found.release)
    if not isinstance(content, Splice):
        return _keep(snapshot, view, _unreadable(content))
    if stage.mode == "observe":
        would = f"would open: {headline(snapshot.unit, stage.name, found.release)}"
        return StagePlan(stage.name, wait("mode", would, f"set `mode: propose` in {stage.name}"), found.release)
    # The new one first: it names the old one, so that the link stands even if nothing more comes to pass.
    others = _open_in(snapshot, view)
    closes = tuple(_replace(one, found.release) for one in others)
    opening = propose(snapshot, view, found, content, max((one.request.iid for one in others), default=None))
    return StagePlan(stage.name, wait("open", "the merge request opens now"), found.release, actions=(opening, *closes))


def _replace(one: Promotion, release: Release) -> Close:
    refreshed = one.name == release.name
    return Close(
        one.request.iid, naming.REFRESHED if refreshed else naming.SUPERSEDED, words.superseded(release, None, "")
    )


# Rules 6 and 7: the gates, and the merge.


def _gates(snapshot: Snapshot, view: StageView, promotion: Promotion) -> tuple[Verdict, ...]:
    found: tuple[Verdict, ...] = (
        integrity.judge(promotion),
        checks.judge(promotion.checks, view.stage.checks, snapshot.bot_id),
    )
    rule = view.stage.approvals
    if rule is not None:
        found = (*found, approvals.judge(snapshot, view, promotion, rule))
    return (*found, signing.judge(snapshot.can_sign)) if view.stage.signs else found


def _advance(snapshot: Snapshot, view: StageView, current: Promotion, found: Wanted, now: datetime) -> StagePlan:
    release = found.release
    verdict = combine("promotion", _gates(snapshot, view, current))
    merges: list[Action] = []
    if verdict.outcome is Outcome.passed and view.stage.merges_itself:
        merges += [_merge(snapshot, view, current, release)] if current.request.mergeable is Mergeable.yes else []
    others = tuple(one for one in _open_in(snapshot, view) if one is not current)
    actions: list[Action] = [_replace(one, release) for one in others]
    if verdict.outcome is Outcome.passed and _must_catch_up(snapshot, view, current):
        return _catch_up(_open(snapshot, view, found))
    shown = verdict
    if current.refused is not None and verdict.outcome is Outcome.passed and view.stage.merges_itself:
        # In the report alone: the status says what the gates say, for a forge may ask for it before it merges.
        shown = combine("promotion", (*verdict.children, refusal.judge(current.refused)))
        merges = merges if refusal.is_due(current.refused, now) else []
    actions += _show(snapshot, view, current, verdict, shown)
    actions += _link_back(snapshot, current, release)
    return StagePlan(view.stage.name, shown, release, current.request.url, (*actions, *merges))


def _must_catch_up(snapshot: Snapshot, view: StageView, current: Promotion) -> bool:
    """Whether a new attempt is the way on where the forge merges nothing that lacks the newest commit (`behind`).

    One unit of a repository at a time, for each merge puts all others behind; a few times only, for a branch that moves
    faster than its pipeline is never caught up with; and never where it would throw people's approvals away."""
    if current.request.merge_reason != "behind" or current.up_to_date or view.stage.approvals is not None:
        return False
    mine = snapshot.catching_up in ("", snapshot.unit)
    return view.stage.merges_itself and mine and current.attempt <= MOST_CATCH_UPS


def _catch_up(plan: StagePlan) -> StagePlan:
    actions = (replace(one, catches_up=True) if isinstance(one, OpenPromotion) else one for one in plan.actions)
    return replace(plan, actions=tuple(actions))


def _look_again(verdict: Verdict, request: MergeRequest, age: timedelta) -> timedelta:
    """Rule 8. Webhooks wake us sooner; this is for those that are lost, and for what no webhook tells.

    GitLab tells of no pipeline that ends while Towpath's own status in it is pending. So what is worked on elsewhere is
    looked at again after a quarter of its age: a short pipeline is seen at once, a long one costs few reads."""
    if request.mergeable is Mergeable.unknown:
        return max(SOON, min(age / 4, UNDECIDED))
    if verdict.outcome is Outcome.wait or request.merge_reason.startswith(ELSEWHERE):
        return min(max(age / 4, SHORTEST), LONGEST)
    return PATIENCE


def _merge(snapshot: Snapshot, view: StageView, current: Promotion, release: Release) -> Merge:
    stage, request = view.stage.name, current.request
    subject = headline(snapshot.unit, stage, release)
    approvers = tuple(user.id for user in tally(snapshot, current).counting) if view.stage.approvals else ()
    record = trailers.Record(
        snapshot.unit, stage, release, known(snapshot, release), current.supersedes, "", current.requesters, approvers
    )
    text = message(f"{subject}\n\nMerge request !{request.iid}", record)
    expected = current.integrity.expected or ""
    paths = tuple(dict.fromkeys(target.path for target in view.targets))
    return Merge(request.iid, stage, release, request.head, expected, text, snapshot.head, view.stage.signs, paths)


def _show(
    snapshot: Snapshot, view: StageView, one: Promotion, verdict: Verdict, told: Verdict | None = None
) -> list[Action]:
    """The status and the report, each only where it differs from what stands. State first, comment last (R9)."""
    actions: list[Action] = []
    state, description = words.status(verdict)
    stands = next(
        (check for check in one.checks if check.name == naming.STATUS and check.author_id == snapshot.bot_id), None
    )
    if stands is None or stands.state is not state or (_is_final(state) and stands.description != description):
        request = one.request
        actions.append(SetStatus(request.iid, request.head, request.source_branch, state, description, request.url))
    body = words.report(one, view.stage, told or verdict, view.troubles)
    if one.reported != body:
        actions.append(Report(one.request.iid, body))
    return actions


def _is_final(state: CheckState) -> bool:
    return state is not CheckState.pending


def _link_back(snapshot: Snapshot, current: Promotion, release: Release) -> list[Action]:
    if current.supersedes is None:
        return []
    body = words.superseded(release, current.request.iid, current.request.url)
    return [] if snapshot.report_on(current.supersedes) == body else [Report(current.supersedes, body)]
