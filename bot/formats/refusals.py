"""The reasons for which a file is not read or not edited: a closed list."""

from enum import StrEnum


class Reason(StrEnum):
    """Why an edit is refused, as told to people; `{0}` and `{1}` stand for what it is about."""

    unreadable = "{0}"
    """No YAML within the limits; the words are those of `bot.yaml.Unreadable`."""
    encrypted = "the file is encrypted by {0}, so it is not Towpath's to write"
    not_found = "no place pins {0}{1}"
    repeated_key = "the key {0} is written twice, so which one counts is not certain"
    aliased_key = "the key {0} is written as an alias, so it has no place of its own for an edit"
    followed = "the anchor &{0} has an alias, so an edit would change other places too"
    alias = "{0} is an alias of another place"
    not_scalar = "{0} is not a single value"
    block_scalar = "{0} is a block of lines"
    several_lines = "{0} goes over several lines"
    tagged = "{0} has the YAML tag {1}"
    two_digests = "the tag and the key digest both hold a digest"
    unusual = "{0} is written in a way that leaves no certain place for the edit"
    bad_value = "the new {0} is {1}"
    too_many = "the edited file would have more than {0} YAML events"
    unproved = "reading the edited text again does not give exactly the wanted change"


_LONGEST = 300
"""Characters of what a file says that a message repeats; a key may be as long as its file."""


class Refused(Exception):
    """A file that is left alone: `kind` for code, `reason` for people, `line` counted from 1 where there is one."""

    def __init__(self, kind: Reason, line: int | None = None, *about: str) -> None:
        reason = kind.value.format(*(one[:_LONGEST] for one in about))
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.kind = kind
        self.reason = reason
        self.line = line
