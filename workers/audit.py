"""Merges around the gates: a promotion that runs in a gated stage without the approvals that policy asks for.

A person with the right can always merge by hand. Nothing is undone for that; it is found, said on the merge request
and in the log, once."""

import structlog

from policies import naming, trailers
from policies.gates import approvals
from policies.model import Image, MergeRequest, MergeRequestState, Release
from policies.snapshot import Snapshot, StageView, Unanswered
from policies.verdict import Outcome, Verdict
from policies.wording import report as words
from workers.execute import post_report
from workers.observe import promotions
from workers.observe.answers import answered
from workers.observe.context import Context

log = structlog.get_logger(__name__)

KEPT = 30 * 24 * 3600
"""Seconds for which it is remembered that a release of a stage was looked at."""


def audit(context: Context, snapshot: Snapshot) -> None:
    """Look at what runs in each gated stage, once for each release."""
    for view in snapshot.stages:
        release = _running(snapshot, view) if view.stage.approvals is not None else None
        if release is None:
            continue
        key = f"audited:{context.subject}:{snapshot.unit}:{view.stage.name}:{release.name}"
        if context.memory.get(key) is None:
            _audit(context, snapshot, view, release)
            context.memory.set(key, "done", KEPT)


def _running(snapshot: Snapshot, view: StageView) -> Release | None:
    """What all targets of the stage pin now; None where they differ, or where Towpath promoted nothing yet."""
    now = snapshot.moments[0].pins
    pins = {
        repository: {now.get(place) for place in view.places if place[1] == repository}
        for repository in view.repositories
    }
    if not pins or any(len(found) != 1 or None in found for found in pins.values()):
        return None
    images = (Image(repository, str(next(iter(found)))) for repository, found in pins.items())
    return Release(tuple(sorted(images, key=lambda image: image.repository)))


def _audit(context: Context, snapshot: Snapshot, view: StageView, release: Release) -> None:
    prefix = f"{naming.PREFIX}{view.stage.name}/{naming.quoted(snapshot.unit)}/{release.name}-"
    for branch in context.mirror.branches(prefix):
        requests = context.forge.requests_from(context.repository, branch)
        for request in requests:
            merged = request.state is MergeRequestState.merged and request.merge_commit is not None
            if merged and promotions.is_ours(request, context.forge.me(), snapshot.unit):
                _check(context, snapshot, view, request)


def _check(context: Context, snapshot: Snapshot, view: StageView, request: MergeRequest) -> None:
    if _by_towpath(context, request.merge_commit or ""):
        return
    verdict = _judged(context, snapshot, view, request)
    if verdict is None or verdict.outcome is Outcome.passed:
        return
    log.critical("merged around the gates", mr=request.iid, stage=view.stage.name, why=verdict.reason)
    post_report(context, request.iid, words.around(view.stage.name, verdict))


def _by_towpath(context: Context, commit: str) -> bool:
    """Whether the merge commit is sealed and names who approved: only Towpath's own merge after the gates does."""
    context.mirror.ensure(commit)
    record = trailers.unsealed(context.mirror.message(commit), context.seal_keys)
    return record is not None and bool(record.approvers)


def _judged(context: Context, snapshot: Snapshot, view: StageView, request: MergeRequest) -> Verdict | None:
    one = promotions.promotion(context, snapshot, request)
    rule, commit = view.stage.approvals, request.merge_commit or ""
    paths = context.mirror.changed(context.mirror.parents(commit)[0], commit)
    while one is not None and rule is not None:
        try:
            return approvals.judge_paths(snapshot, one, rule, paths)
        except Unanswered as missing:
            snapshot = answered(context, snapshot, missing.questions)
    return None
