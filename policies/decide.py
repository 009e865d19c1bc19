"""What to do for one unit, read top to bottom: the eight rules, numbered as in the handbook.

    snapshot = observe(unit)            # all reads
    plan     = decide(snapshot, now)    # this page
    execute(plan.actions)               # all writes

The same snapshot gives the same plan; executing a plan and deciding again gives no actions."""

from dataclasses import replace
from datetime import datetime, timedelta

from policies import asked, evidence, naming
from policies.actions import Action, Close, Merge, OpenPromotion, Plan, Settle, StagePlan, Validate
from policies.gates import quarantine, refusal, state
from policies.gating import gates, judged_as, overrides, paused, with_overrides
from policies.model import Mergeable, MergeRequest, Release, Trouble
from policies.proposal import cause_of, propose
from policies.showing import Told, link_back, show
from policies.snapshot import ROLLBACK, Promotion, Snapshot, Splice, StageView, Unanswered
from policies.state import Asked, Order, State, Unknown, ordered
from policies.unwanted import backwards, refused_before, reverted
from policies.verdict import Outcome, Verdict, block, combine, passed, wait
from policies.wanted import Wanted, is_done, wanted
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
    ends = (end for stage in stages for end in stage.verdict.ends)
    until = [end for end in ends if end > now]
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
        plan = _stage(snapshot, view, now)
        return replace(plan, actions=(*_quarantined(snapshot, view), *plan.actions))
    except Unanswered as missing:
        unknown = wait("questions", "Towpath has yet to read what this depends on")
        return StagePlan(view.stage.name, unknown, questions=missing.questions)


def _stage(snapshot: Snapshot, view: StageView, now: datetime) -> StagePlan:
    # Files that cannot be read: nothing of the stage is touched (R11 keeps the other stages and units going).
    if view.troubles:
        return _keep(snapshot, view, _unreadable(view.troubles), now)
    # What commands decided cannot be told (S21).
    if isinstance(snapshot.state, Unknown):
        return replace(_keep(snapshot, view, state.judge(snapshot.state), now), look_again=PATIENCE)
    # 1. Wanted: by a person, else by the pipeline.
    wish = asked.of_stage(snapshot, view)
    if wish is not None and (why := asked.why_settled(snapshot, view, wish, _open_in(snapshot, view))):
        return _settle(view, wish, why)
    found = wanted(snapshot, view) if wish is None else Wanted(wish.release, None, asked=wish)
    if isinstance(found, Verdict):
        return _keep(snapshot, view, found, now)
    # 3. Done.
    if is_done(snapshot, view, found.release):
        return _finish(snapshot, view, found)
    # 2. Never backwards, and 4. Not wanted.
    unwanted = _unwanted(snapshot, view, found)
    if unwanted is not None:
        return _keep(snapshot, view, unwanted, now)
    # 5. One at a time.
    current = _current(snapshot, view, found)
    if current is None or _is_stale(current) or (wish is not None and not asked.is_as_asked(wish, current)):
        return _open(snapshot, view, found, now)
    # 6. Integrity, 7. Merge.
    plan = _advance(snapshot, view, current, found, now)
    # 8. Wake.
    return replace(plan, look_again=_look_again(plan.verdict, current.request, now - current.request.created_at))


def _current(snapshot: Snapshot, view: StageView, found: Wanted) -> Promotion | None:
    """The open promotion of what is wanted: its last attempt."""
    mine = [one for one in _open_in(snapshot, view) if one.release == found.release]
    return max(mine, key=lambda one: one.attempt, default=None)


def _open_in(snapshot: Snapshot, view: StageView) -> tuple[Promotion, ...]:
    """The open promotions of a stage, but what has landed: that is the forge's to show as merged, and GitLab looks at
    pushes in the background. Closed before it has seen this one, it would stay closed for ever."""
    return tuple(one for one in _unmerged_in(snapshot, view) if not quarantine.is_out(snapshot, one))


def _unmerged_in(snapshot: Snapshot, view: StageView) -> tuple[Promotion, ...]:
    return tuple(one for one in snapshot.promotions if one.stage == view.stage.name and not one.landed)


def _quarantined(snapshot: Snapshot, view: StageView) -> tuple[Close, ...]:
    """Open promotions of quarantined releases are closed, whatever else becomes of the stage (S19)."""
    closes = []
    for one in _unmerged_in(snapshot, view):
        bad = quarantine.of(snapshot, one.stage, one.release)
        if bad is not None and one.release is not None:
            closes.append(Close(one.request.iid, naming.WITHDRAWN, words.outdated(quarantine.reason(one.release, bad))))
    return tuple(closes)


def _settle(view: StageView, wish: Asked, why: str) -> StagePlan:
    """What was asked for is over: the next look goes on without it."""
    verdict = passed("asked", why)
    return StagePlan(view.stage.name, verdict, wish.release, actions=(Settle(view.stage.name, wish, why),))


def _unwanted(snapshot: Snapshot, view: StageView, found: Wanted) -> Verdict | None:
    """Rules 2 and 4, of which a person who asks for a release thinks otherwise."""
    if found.asked is not None:
        return None
    unwanted = backwards(snapshot, view, found.release) or reverted(snapshot, view, found.release)
    if unwanted is not None or _current(snapshot, view, found) is not None:
        return unwanted
    return refused_before(snapshot, view, found)


# Rule 3: done.


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


def _unreadable(troubles: tuple[Trouble, ...]) -> Verdict:
    return block("files", "; ".join(words.trouble_line(trouble) for trouble in troubles), "mend the files named")


# Open promotions that nothing replaces: they stay, say why they wait, and are never merged.


def _keep(snapshot: Snapshot, view: StageView, verdict: Verdict, now: datetime) -> StagePlan:
    open_ = _open_in(snapshot, view)
    actions: list[Action] = []
    for one in open_:
        rows = dict.fromkeys((*(verdict.children or (verdict,)), *gates(snapshot, view, one, now)))
        actions += _validate(one) + show(snapshot, view, one, Told(combine("promotion", tuple(rows))), now)
    look_again = PATIENCE if open_ else None
    return StagePlan(view.stage.name, verdict, None, _address(open_), tuple(actions), look_again=look_again)


def _address(promotions: tuple[Promotion, ...]) -> str:
    return promotions[-1].request.url if promotions else ""


# Rule 5: one at a time.


def _is_stale(current: Promotion) -> bool:
    found = current.integrity
    return found.own and found.expected is not None and found.expected != found.merged


def _open(snapshot: Snapshot, view: StageView, found: Wanted, now: datetime) -> StagePlan:
    stage = view.stage
    content = snapshot.content(stage.name, found.release)
    if not isinstance(content, Splice):
        return _keep(snapshot, view, _unreadable(content), now)
    standing = _open_in(snapshot, view)
    cause = cause_of(found, standing)
    if stage.mode == "observe":
        would = f"would open: {headline(snapshot.unit, stage.name, found.release, cause)}"
        return StagePlan(stage.name, wait("mode", would, f"set `mode: propose` in {stage.name}"), found.release)
    pause = paused(snapshot, view, now)
    if pause is not None and cause != ROLLBACK:
        return _remember(snapshot, view, found, content, now, _keep(snapshot, view, pause, now))
    # The new one first: it names the old one, so that the link stands even if nothing more comes to pass.
    opening = propose(snapshot, view, found, content, standing, now)
    closes = tuple(_replace(one, found) for one in standing)
    return StagePlan(stage.name, wait("open", "the merge request opens now"), found.release, actions=(opening, *closes))


def _remember(  # noqa: PLR0913 # as `propose`
    snapshot: Snapshot, view: StageView, found: Wanted, content: Splice, now: datetime, plan: StagePlan
) -> StagePlan:
    """Under a hold or freeze nothing new opens; a published image is remembered by its branch meanwhile (R4)."""
    is_news = found.upstream is None and found.asked is None
    if not is_news or snapshot.attempts(view.stage.name, found.release.name):
        return plan
    opening = propose(snapshot, view, found, content, _open_in(snapshot, view), now)
    return replace(plan, actions=(replace(opening, branch_only=True), *plan.actions))


def _replace(one: Promotion, found: Wanted) -> Close:
    label = naming.SUPERSEDED if found.asked is None else naming.WITHDRAWN  # which may open again
    if one.name == found.release.name:
        label = naming.REFRESHED
    return Close(one.request.iid, label, words.superseded(found.release, None, ""))


# Rules 6 and 7: the merge.


def _advance(snapshot: Snapshot, view: StageView, current: Promotion, found: Wanted, now: datetime) -> StagePlan:
    view, release = judged_as(view, current), found.release
    judged = gates(snapshot, view, current, now)
    verdict, order = combine("promotion", judged), _order(snapshot, view, current)
    merges: list[Action] = []
    if verdict.outcome is Outcome.passed and (view.stage.merges_itself or order is not None):
        ready = current.request.mergeable is Mergeable.yes
        merges += [_merge(snapshot, view, current, release, now)] if ready else []
    others = tuple(one for one in _open_in(snapshot, view) if one is not current)
    actions: list[Action] = [*_validate(current), *(_replace(one, found) for one in others)]
    if verdict.outcome is Outcome.passed and _must_catch_up(snapshot, view, current):
        return _catch_up(_open(snapshot, view, found, now))
    shown = verdict
    if current.refused is not None and verdict.outcome is Outcome.passed and (view.stage.merges_itself or order):
        # In the report alone: the status says what the gates say, for a forge may ask for it before it merges.
        shown = combine("promotion", (*verdict.children, refusal.judge(current.refused)))
        merges = merges if refusal.is_due(current.refused, now) else []
    actions += show(snapshot, view, current, Told(verdict, shown, order), now)
    actions += link_back(snapshot, current, release)
    return StagePlan(view.stage.name, shown, release, current.request.url, (*actions, *merges))


def _validate(one: Promotion) -> list[Action]:
    return [Validate(one.request.iid, one.unasked)] if one.unasked else []


def _order(snapshot: Snapshot, view: StageView, current: Promotion) -> Order | None:
    """Who told Towpath to merge this very head, where policy leaves that to people."""
    if not isinstance(snapshot.state, State) or view.stage.mode != "enforce" or view.stage.merges_itself:
        return None
    return ordered(snapshot.state, current.request.iid, current.request.head)


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


def _merge(snapshot: Snapshot, view: StageView, current: Promotion, release: Release, now: datetime) -> Merge:
    stage, request = view.stage.name, current.request
    subject = headline(snapshot.unit, stage, release, current.cause)
    record = evidence.of_merge(snapshot, view, current, release, gates(snapshot, view, current, now))
    record = replace(with_overrides(record, overrides(snapshot, view, current, now)), cause=current.cause)
    text = message(f"{subject}\n\nMerge request !{request.iid}", record)
    expected = current.integrity.expected or ""
    paths = tuple(dict.fromkeys(target.path for target in view.targets))
    return Merge(request.iid, stage, release, request.head, expected, text, snapshot.head, view.stage.signs, paths)
