"""The one report comment of a merge request, and the commit status that mirrors its first line."""

from policies.codeowners import Dialect
from policies.config import Fault, Stage
from policies.full import Top
from policies.model import CheckState, Mergeable, Release, Trouble
from policies.naming import REPORT_MARK
from policies.snapshot import Promotion
from policies.state import Order
from policies.verdict import Outcome, Verdict
from policies.wording.findings import sections
from policies.wording.fitting import Item, Section, fitted
from policies.wording.promotion import release_name
from policies.wording.quote import code, listed, most, one_line, plain

AS_BEFORE = "Until it is mended Towpath goes on with the last policy that it understood, and leaves these files alone."
SIGN = {Outcome.passed: "✅", Outcome.wait: "⏳", Outcome.block: "⛔"}
STATUS_LIMIT = 140
"""GitHub's limit for a status description; GitLab's is 255."""


def report(
    promotion: Promotion,
    stage: Stage,
    verdict: Verdict,
    troubles: tuple[Trouble, ...] = (),
    order: Order | None = None,
) -> str:
    """The whole comment: the verdict in the first line, the gates as a table, what would change it, what was found."""
    broken = tuple(Item(row) for row in most([f"- {trouble_line(trouble)}" for trouble in troubles]))
    return _whole(promotion, Section((Item(_top(promotion, stage, verdict, order)),)), Section(broken))


def _whole(promotion: Promotion, *first: Section) -> str:
    """What is said first, and below it what validators found and what it is about."""
    found = sections(promotion.validation, promotion.full) if promotion.validation is not None else ()
    return fitted((*first, *found, Section((Item(_end(promotion)),))), promotion.full)


def _top(promotion: Promotion, stage: Stage, verdict: Verdict, order: Order | None) -> str:
    lines = [
        REPORT_MARK,
        f"**{SIGN[verdict.outcome]} {_first_line(promotion, stage, verdict, order)}**",
        "",
        "| gate | | why |",
        "|---|---|---|",
        *(f"| {gate.gate} | {SIGN[gate.outcome]} | {gate.reason} |" for gate in verdict.children or (verdict,)),
    ]
    if verdict.change:
        lines += ["", f"What would change it: {verdict.change}."]
    return "\n".join(lines)


def _end(promotion: Promotion) -> str:
    """What it is about; and, where validators looked, the address of all they said."""
    looked = promotion.validation is not None and promotion.validation.checked
    full = f" [Full report]({promotion.full})." if promotion.full and looked else ""
    return f"{_name(promotion)} at head {code(promotion.request.head[:12])}.{full}"


def top_of(report: str) -> Top:
    """The verdict and the gates that a report begins with."""
    first, _, rest = report.removeprefix(f"{REPORT_MARK}\n").partition("\n")
    rows = [line for line in rest.partition("\n\n")[0].split("\n") if line.startswith("| ")]
    cells = (row.removeprefix("| ").removesuffix(" |").split(" | ", 2) for row in rows[1:])
    return Top(first.removeprefix("**").removesuffix("**"), tuple((row[0], row[1], row[2]) for row in cells))


def _name(promotion: Promotion) -> str:
    return code(release_name(promotion.release) if promotion.release else f"release {promotion.name}")


def trouble_line(trouble: Trouble) -> str:
    """`path:line`: why."""
    place = f"{trouble.path}:{trouble.line}" if trouble.line else trouble.path
    return f"{code(place)}: {plain(trouble.reason)}"


def _first_line(promotion: Promotion, stage: Stage, verdict: Verdict, order: Order | None) -> str:
    if verdict.outcome is Outcome.block:
        return f"Blocked: {verdict.reason}."
    if verdict.outcome is Outcome.wait:
        return f"Waits: {verdict.reason}."
    if promotion.request.merge_reason == "behind":
        return "Every gate passes, but the forge wants the target branch's newest commit in this branch first."
    if not stage.merges_itself and order is None:
        return "Every gate passes: merge it when you want it."
    if promotion.request.mergeable is Mergeable.no:
        return f"Every gate passes, but the forge does not allow the merge yet: {code(promotion.request.merge_reason)}."
    by = f", as {code(f'@{order.by.name}')} told it" if order is not None else ""
    return f"Every gate passes: Towpath merges this{by}."


def superseded(release: Release | None, iid: int | None, url: str) -> str:
    """The report of a promotion that a newer one replaced; before that one is open it is named by its release."""
    by = f"[merge request {iid}]({url})" if iid is not None else "a newer merge request"
    name = f" ({code(release_name(release))})" if release is not None else ""
    return f"{REPORT_MARK}\n**Superseded by {by}{name}.**"


def finished(stage: str, release: Release) -> str:
    """The report of a promotion that was closed because the stage has its release already."""
    return f"{REPORT_MARK}\n**Closed: {code(stage)} already runs {code(release_name(release))}.**"


def outdated(reason: str) -> str:
    """The report of a promotion that was closed because its stage no longer wants it."""
    return f"{REPORT_MARK}\n**Closed: {reason}.**"


def merged(stage: str, release: Release, commit: str, promotion: Promotion | None = None) -> str:
    """The report after Towpath's own merge; what validators said of the promotion stays below its first line."""
    now = f"{code(stage)} now declares {code(release_name(release))}"
    line = f"{REPORT_MARK}\n**✅ Merged as {code(commit[:12])}: {now}.**"
    looked = promotion is not None and promotion.validation is not None and promotion.validation.checked
    return _whole(promotion, Section((Item(line),))) if promotion is not None and looked else line


def unproved(stage: str, why: str) -> str:
    """The report on a merge of Towpath's own that could not be looked at afterwards (S17)."""
    return (
        f"{REPORT_MARK}\n**⛔ Merged into {code(stage)}, but Towpath could not prove that nothing else came in.**\n\n"
        f"Because: {plain(why)}. Look at the merge yourself."
    )


def around(where: tuple[tuple[str, str], ...], verdict: Verdict) -> str:
    """The report on a merge request that somebody merged though the gate had not passed, for services in stages."""
    places = listed(tuple(f"{code(stage)} of {code(unit)}" for unit, stage in where))
    return (
        f"{REPORT_MARK}\n**⛔ Alarm: merged without the approvals that policy asks for in {places}.**\n\n"
        f"At the time: {verdict.reason}. Look at it now, and revert the merge if it should not be there."
    )


SURPRISE = "a merge brought in more than this release: look at it, then /unhold"
AROUND = "merged without the approvals that policy asks for: look at it, then /unhold"
"""Why Towpath itself holds a service in a stage."""


def alarm(commit: str, paths: tuple[str, ...]) -> str:
    """The report when a merge brought in something else than was proved before it (S17)."""
    rows = "\n".join(most([f"- {code(path)}" for path in paths]))
    return (
        f"{REPORT_MARK}\n**⛔ Alarm: merge commit {code(commit[:12])} changes more than this release.**\n\n{rows}\n\n"
        "Look at these files now, and revert the merge if they are not what you want."
    )


def gated(names: tuple[str, ...]) -> str:
    """What is added on a person's pull request that changes what Towpath gates: who can merge it at all."""
    if not names:
        return ""
    what = listed(tuple(code(name) for name in names[:5]))
    return (
        f"\n\n**⛔ This changes what Towpath gates: {what}.** Where the status `towpath` is required, only those who "
        "may bypass that can merge it: see *People's own pull requests* in Towpath's `docs/enforcement.md`."
    )


def closed_status(label: str) -> str:
    """The commit status of a promotion that Towpath closes, by the label that says why."""
    return f"Closed: {label.rpartition(':')[2] or 'nobody wants it any more'}"


def own_status(names: tuple[str, ...]) -> tuple[CheckState, str]:
    """The commit status of a person's own pull request."""
    if not names:
        return CheckState.success, "Touches nothing that Towpath gates"
    more = " and more" if len(names) > 1 else ""
    return CheckState.failed, f"Changes what Towpath gates in {names[0]}{more}: see docs"


def policy_line(fault: Fault) -> str:
    """`towpath.yaml:12` the key: what is wrong and the nearest right word."""
    place = f"towpath.yaml:{fault.line}" if fault.line else "towpath.yaml"
    return f"{code(place)} {code(fault.place)}: {plain(fault.message)}"


def status(verdict: Verdict, kind: Dialect) -> tuple[CheckState, str]:
    """The commit status: state and at most 140 characters.

    What waits is not named in it on GitLab, which refuses to change the text of a status that stays pending: an old
    reason is worse than none."""
    match verdict.outcome:
        case Outcome.passed:
            return CheckState.success, "Every gate passes"
        case Outcome.wait:
            told = "Towpath's comment on the merge request says for what" if kind == "gitlab" else verdict.reason
            return CheckState.pending, _short(f"Waits: {told}")
        case Outcome.block:
            return CheckState.failed, _short(f"Blocked: {verdict.reason}")


def _short(text: str) -> str:
    return one_line(text.replace("`", ""), STATUS_LIMIT)
