"""Approvals: the owners of the changed files, and as many people as policy asks, have approved this very head."""

from dataclasses import replace

from policies import approvals
from policies.approvals import Requirement, Tally
from policies.codeowners.model import CodeOwners, Rule
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
    owners = _owners(snapshot, paths) if rule.codeowners == "required" else ()
    if isinstance(owners, Verdict):
        return owners
    found = approvals.tally(snapshot, promotion)
    if found.objecting:
        names = listed(tuple(code(f"@{user.username}") for user in found.objecting))
        return block(NAME, f"{names} asked for changes", "settle it with them: their approval or a dismissal lifts it")
    # Only now, because it costs the forge a call for each name.
    wanted = approvals.of_codeowners(snapshot, owners)
    if rule.minimum:
        wanted += (approvals.of_policy(snapshot, rule.minimum, rule.people),)
    return _judged(snapshot, promotion, wanted, found)


def _judged(snapshot: Snapshot, promotion: Promotion, wanted: tuple[Requirement, ...], found: Tally) -> Verdict:
    if not wanted:
        return block(NAME, "policy asks for approvals and says of nobody", "`codeowners: required` or `minimum: 1`")
    found = approvals.among(found, wanted)
    able = approvals.writers(snapshot, (one for one in wanted if _given(one, found) < one.needed))
    children = tuple(_one(snapshot, promotion, one, found, able) for one in wanted)
    whole = combine(NAME, children)
    if whole.outcome is Outcome.passed:
        return Verdict(NAME, Outcome.passed, f"approved by {_people(found.counting)}", children=children)
    if whole.outcome is Outcome.block:
        return replace(whole, reason=f"{whole.reason}{_discounts(found)}")
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


def _owners(snapshot: Snapshot, paths: tuple[str, ...]) -> tuple[Rule, ...] | Verdict:
    """The rules of CODEOWNERS that ask for an approval; an empty set of them is no approval (S16)."""
    found = snapshot.owners()
    rules = _usable(found)
    if isinstance(rules, Verdict):
        return rules
    lost = approvals.unowned(rules, paths)
    if lost:
        reason = f"{code(found.path)} names no owner of {listed(tuple(code(path) for path in lost[:5]))}"
        return block(NAME, reason, f"give it an owner in {code(found.path)} on the target branch")
    asking = approvals.deciding(found.dialect, rules, paths)
    waived = tuple(path for path in paths if not approvals.deciding(found.dialect, rules, (path,)))
    if waived or not asking:
        what = listed(tuple(code(path) for path in waived[:5])) or "anything that it changes"
        reason = f"policy asks for owners, and no required section owns {what}"
        return block(NAME, reason, f"a section of {code(found.path)} that is not optional, or `minimum` instead")
    many = len(approvals.names_of(asking))
    if many > approvals.MOST_NAMES:
        reason = f"too many owners to tell: {many} names, and {approvals.MOST_NAMES} are looked up"
        return block(NAME, reason, f"name groups instead in {code(found.path)} on the target branch")
    return asking


def _usable(found: Owners) -> CodeOwners | Verdict:
    if found.rules is None:
        return block(NAME, "there is no CODEOWNERS on the target branch", "add one, or take `codeowners: required` out")
    if found.rules.errors:
        lines = listed(tuple(f"{found.path}:{fault.line} ({fault.kind})" for fault in found.rules.errors[:5]))
        return block(NAME, f"CODEOWNERS has errors: {code(lines)}", "mend them on the target branch")
    return found.rules


def _given(wanted: Requirement, found: Tally) -> int:
    return sum(wanted.may_give(user) for user in found.counting)


def _one(
    snapshot: Snapshot, promotion: Promotion, wanted: Requirement, found: Tally, able: frozenset[int] | None
) -> Verdict:
    given = _given(wanted, found)
    if given >= wanted.needed:
        return passed(NAME, f"{given} of {wanted.name} approved")
    possible = approvals.could_give(snapshot, promotion, wanted, able)
    whom = f"{wanted.needed} of {wanted.name}{approvals.counted(wanted, able)}"
    if possible is not None and possible < wanted.needed:
        reason = f"{whom} must approve, and {_hopeless(wanted, possible)}"
        return block(NAME, reason, "name people who may write, other than who opened or asked for this")
    more = f", {given} has" if given == 1 else f", {given} have" if given else ""
    return wait(NAME, f"{whom}{more}")


def _hopeless(wanted: Requirement, possible: int) -> str:
    if wanted.unknown:
        return f"nobody can tell who {listed(tuple(code(name) for name in wanted.unknown))} is"
    return f"only {possible} of them can give it" if possible else "none of them can give it"


def _discounts(found: Tally) -> str:
    reasons: dict[str, int] = {}
    for one in found.discounted:
        reasons[one.reason] = reasons.get(one.reason, 0) + 1
    said = [f"{_count(number)} not count: {reason}" for reason, number in reasons.items()]
    return "".join(f"; {text}" for text in said)


def _count(number: int) -> str:
    return "one approval does" if number == 1 else f"{number} approvals do"


def _people(users: tuple[User, ...]) -> str:
    return listed(tuple(code(f"@{user.username}") for user in users))
