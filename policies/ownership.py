"""Who must be asked before a path changes: what CODEOWNERS lacks for somebody who may write to be asked (S22)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from policies.codeowners.model import CodeOwners, Rule
from policies.wording.quote import listed


class Kind(StrEnum):
    """Why nobody need be asked."""

    unowned = "unowned"
    optional = "optional"
    """The forge asks its owners, and does not wait for them (GitLab)."""
    nobody = "nobody"
    """None of the names is known to stand for somebody who may write, other than Towpath."""


@dataclass(frozen=True, slots=True)
class Lack:
    """Paths that change without an owner's approval, why, and the line of CODEOWNERS that changes it."""

    paths: tuple[str, ...]
    why: str
    change: str


@dataclass(frozen=True, slots=True)
class Ownership:
    """What is lacking for one stage."""

    rules: tuple[Lack, ...] = ()
    """Of towpath.yaml and every place where the forge looks for CODEOWNERS."""
    files: tuple[Lack, ...] = ()
    """Of the files that promotions into the stage change."""


def required(rules: CodeOwners | None, paths: Iterable[str]) -> tuple[Rule, ...]:
    """The rules whose owners must be asked about some of these paths, each once."""
    found = (rule for path in paths for rule in _rules(rules, path) if rule.owners and not rule.optional)
    return tuple(dict.fromkeys(found))


def lacking(file: str, rules: CodeOwners | None, paths: Iterable[str], able: Collection[str]) -> tuple[Lack, ...]:
    """What is lacking for these paths; `able` are the names that stand for somebody who may write."""
    found: dict[tuple[Kind, Rule | None], list[str]] = {}
    for path in paths:
        fault = _fault(_rules(rules, path), able)
        if fault is not None:
            found.setdefault(fault, []).append(path)
    return tuple(_lack(file, fault, tuple(lost)) for fault, lost in found.items())


def _rules(rules: CodeOwners | None, path: str) -> tuple[Rule, ...]:
    return rules.rules_for(path) if rules is not None else ()


def _fault(deciding: tuple[Rule, ...], able: Collection[str]) -> tuple[Kind, Rule | None] | None:
    owned = [rule for rule in deciding if rule.owners]
    asking = [rule for rule in owned if not rule.optional]
    if any(name in able for rule in asking for name in rule.owners):
        return None
    if asking:
        return Kind.nobody, asking[0]
    return (Kind.optional, owned[0]) if owned else (Kind.unowned, deciding[0] if deciding else None)


def _lack(file: str, fault: tuple[Kind, Rule | None], paths: tuple[str, ...]) -> Lack:
    kind, rule = fault
    line = f"{file}:{rule.line}" if rule else file
    if rule is None or kind is Kind.unowned:
        why = f"{line} gives no owner"
        return Lack(paths, why, f"a line in {file} that gives {listed(paths)} an owner, in no optional section")
    if kind is Kind.optional:
        return Lack(paths, f"{line} stands in an optional section", f"`[{rule.section}]` without `^` in {file}")
    names = f"{line} names nobody who may write ({listed(rule.owners)})"
    return Lack(paths, names, f"{line}: an owner who may write, other than Towpath")
