"""Approvals: the owners of the changed files, and as many people as policy asks, have approved this very head."""

from policies import approvals
from policies.approvals import Requirement, Tally
from policies.codeowners.model import CodeOwners
from policies.config import Approvals
from policies.model import User
from policies.snapshot import Owners, Promotion, Snapshot, Splice, StageView
from policies.verdict import Outcome, Verdict, block, combine, passed, wait
from policies.wording.quote import code, listed

NAME = "approvals"


def judge(snapshot: Snapshot, view: StageView, promotion: Promotion, rule: Approvals) -> Verdict:
    """Pass when every requirement is met; block where none can be; else wait for those that are named (S16)."""
    paths: tuple[str, ...] = ()
    if rule.codeowners == "required":
        found = _paths(snapshot, view, promotion)
        if isinstance(found, Verdict):
            return found
        paths = found
    return judge_paths(snapshot, promotion, rule, paths)


def judge_paths(snapshot: Snapshot, promotion: Promotion, rule: Approvals, paths: tuple[str, ...]) -> Verdict:
    """As `judge`, of a change of these paths."""
    wanted = _wanted(snapshot, rule, paths)
    if isinstance(wanted, Verdict):
        return wanted
    found = approvals.tally(snapshot, promotion)
    if found.objecting:
        names = listed(tuple(code(f"@{user.username}") for user in found.objecting))
        return block(NAME, f"{names} asked for changes", "settle it with them: their approval or a dismissal lifts it")
    children = tuple(_one(snapshot, promotion, one, found) for one in wanted)
    whole = combine(NAME, children)
    if whole.outcome is Outcome.passed:
        return _passed(wanted, found, children)
    if whole.outcome is Outcome.block:
        return whole
    missing = listed(tuple(child.reason for child in children if child.outcome is Outcome.wait))
    reason = f"needs {missing}{_discounts(found)}"
    return Verdict(NAME, Outcome.wait, reason, "their approval of this merge request", None, children)


def _paths(snapshot: Snapshot, view: StageView, promotion: Promotion) -> tuple[str, ...] | Verdict:
    """What merging the promotion changes."""
    if promotion.release is None:
        return wait(NAME, "the branch holds no release whose files could be told")
    content = snapshot.content(view.stage.name, promotion.release)
    if not isinstance(content, Splice):
        return wait(NAME, "the files that it changes cannot be told")
    return content.paths


def _wanted(snapshot: Snapshot, rule: Approvals, paths: tuple[str, ...]) -> tuple[Requirement, ...] | Verdict:
    wanted: tuple[Requirement, ...] = ()
    if rule.codeowners == "required":
        owned = _of_codeowners(snapshot, paths)
        if isinstance(owned, Verdict):
            return owned
        wanted += owned
    if rule.minimum:
        wanted += (approvals.of_policy(snapshot, rule.minimum, rule.people),)
    return wanted


def _of_codeowners(snapshot: Snapshot, paths: tuple[str, ...]) -> tuple[Requirement, ...] | Verdict:
    found = snapshot.owners()
    rules = _usable(found)
    if isinstance(rules, Verdict):
        return rules
    lost = approvals.unowned(rules, paths)
    if lost:
        reason = f"{code(found.path)} names no owner of {listed(tuple(code(path) for path in lost[:5]))}"
        return block(NAME, reason, f"give it an owner in {code(found.path)} on the target branch")
    return approvals.of_codeowners(snapshot, found.dialect, rules, paths)


def _usable(found: Owners) -> CodeOwners | Verdict:
    if found.rules is None:
        return block(NAME, "there is no CODEOWNERS on the target branch", "add one, or take `codeowners: required` out")
    if found.rules.errors:
        lines = listed(tuple(f"{found.path}:{fault.line} ({fault.kind})" for fault in found.rules.errors[:5]))
        return block(NAME, f"CODEOWNERS has errors: {code(lines)}", "mend them on the target branch")
    return found.rules


def _one(snapshot: Snapshot, promotion: Promotion, wanted: Requirement, found: Tally) -> Verdict:
    given = sum(wanted.may_give(user) for user in found.counting)
    if given >= wanted.needed:
        return passed(NAME, f"{given} of {wanted.name} approved")
    possible = approvals.could_give(snapshot, promotion, wanted)
    unknown = listed(tuple(code(name) for name in wanted.unknown))
    if possible is not None and possible < wanted.needed:
        why = f"nobody can tell who {unknown} is" if wanted.unknown else f"only {possible} of them can give it"
        reason = f"{wanted.needed} of {wanted.name} must approve, and {why}"
        return block(NAME, reason, "name people who may write, other than who opened or asked for this")
    more = f", {given} has" if given == 1 else f", {given} have" if given else ""
    return wait(NAME, f"{wanted.needed} of {wanted.name}{more}")


def _discounts(found: Tally) -> str:
    reasons: dict[str, int] = {}
    for one in found.discounted:
        reasons[one.reason] = reasons.get(one.reason, 0) + 1
    said = [f"{_count(number)} not count: {reason}" for reason, number in reasons.items()]
    return "".join(f"; {text}" for text in said)


def _count(number: int) -> str:
    return "one approval does" if number == 1 else f"{number} approvals do"


def _passed(wanted: tuple[Requirement, ...], found: Tally, children: tuple[Verdict, ...]) -> Verdict:
    if not wanted:
        return passed(NAME, "CODEOWNERS asks nobody: every section that matches is optional")
    givers = [user for user in found.counting if any(one.may_give(user) for one in wanted)]
    return Verdict(NAME, Outcome.passed, f"approved by {_people(givers)}", children=children)


def _people(users: list[User]) -> str:
    return listed(tuple(code(f"@{user.username}") for user in users))
