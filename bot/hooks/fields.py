"""The fields that payloads share: their limits, and how a fault is told. Nobody's text gets further unchecked (S9)."""

import difflib
import re
from datetime import UTC, datetime
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from bot.hooks.events import Malformed
from policies.model import DIGEST
from policies.wording.quote import one_line

# The grammar of references in github.com/distribution/reference, and of tags in the OCI distribution specification 1.1.
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
_REPOSITORY = re.compile(rf"(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PATH = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")
_NOT_IN_BRANCHES = re.compile(r"[\x00-\x20\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069~^:?*\[\\]|\.\.|@\{")
_NOT_IN_ADDRESSES = re.compile(r"[^!#-;=?-Z\]\[_a-z~]")

LONGEST_PATH = 1024
LONGEST_ADDRESS = 2000


def repository(text: str) -> str:
    """An image repository without tag and digest; ValueError says what is too much."""
    if len(text) <= 255 and _REPOSITORY.fullmatch(text):
        return text
    if "@" in text or ":" in text.rpartition("/")[2]:
        raise ValueError("name the repository alone; tag and digest are fields of their own")
    if "://" in text:
        raise ValueError("is a web address; write it as values files do: registry.example.com/team/app")
    raise ValueError("is no image repository; write it in small letters, such as registry.example.com/team/app")


def digest(text: str) -> str:
    """`sha256:` and 64 small hex digits; ValueError says what is missing."""
    if DIGEST.match(text):
        return text
    if DIGEST.match(f"sha256:{text}") or DIGEST.match(text.lower()):
        raise ValueError("write sha256: and then the 64 hex digits in small letters")
    raise ValueError("is no digest; write sha256: and then 64 hex digits, as the registry answered the push")


def tag(text: str) -> str:
    """A tag; ValueError where no registry would take it."""
    if not _TAG.fullmatch(text):
        raise ValueError("is no tag; it has at most 128 of A-Z a-z 0-9 . _ - and begins with none of . -")
    return text


def commit(text: str) -> str:
    """A full commit id; ValueError for a short one, because two images of one commit must compare equal."""
    if not _COMMIT.fullmatch(text):
        raise ValueError("is no full commit id of 40 or 64 small hex digits, such as CI_COMMIT_SHA")
    return text


def path(text: str) -> str:
    """The full path of a project on a forge; ValueError where one of its parts leads elsewhere."""
    if len(text) > LONGEST_PATH or not _PATH.fullmatch(text) or {".", ".."} & set(text.split("/")):
        raise ValueError("is no project path such as group/project")
    return text


def branch(text: str) -> str:
    """A branch or full ref; ValueError where git check-ref-format would refuse a character of it."""
    if not 0 < len(text) <= LONGEST_PATH or _NOT_IN_BRANCHES.search(text):
        raise ValueError("is no branch that git would take")
    return text


def address(text: str) -> str:
    """An http(s) address that is safe to show as a link; it is never fetched (S11)."""
    if len(text) > LONGEST_ADDRESS or _NOT_IN_ADDRESSES.search(text):
        raise ValueError(f"is no web address; at most {LONGEST_ADDRESS} characters, others than ASCII percent-encoded")
    parts = urlsplit(text)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError("is no web address; begin it with https:// and a host")
    if "@" in parts.netloc:
        raise ValueError("holds a user name or password; leave that out, everybody will read it")
    return text


def moment(time: datetime) -> datetime:
    """A time in UTC; ValueError for a year that no image is from."""
    if not 1970 < time.year < 9000:
        raise ValueError("is not a time of this age")
    return time.astimezone(UTC)


Repository = Annotated[str, AfterValidator(repository)]
Digest = Annotated[str, AfterValidator(digest)]
Tag = Annotated[str, AfterValidator(tag)]
Commit = Annotated[str, AfterValidator(commit)]
ProjectPath = Annotated[str, AfterValidator(path)]
Branch = Annotated[str, AfterValidator(branch)]
Address = Annotated[str, AfterValidator(address)]
Moment = Annotated[AwareDatetime, AfterValidator(moment)]
Number = Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)]


class Payload(BaseModel):
    """A part of somebody else's payload: the few fields that matter; newer ones are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


Model = TypeVar("Model", bound=BaseModel)


def read(model: type[Model], body: bytes) -> Model:
    """Parse JSON; Malformed names the first field that is wrong."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        # Without its cause, which repeats the whole input.
        raise _malformed(model, error.errors(include_url=False, include_input=False)) from None


def _malformed(model: type[BaseModel], errors: list[ErrorDetails]) -> Malformed:
    # A misspelt name explains the field that is missing, so it is told first.
    error = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
    place = one_line(".".join(str(part) for part in error["loc"]))[:80] or "body"
    if error["type"] == "extra_forbidden":
        return Malformed(place, f"there is no such field; {nearest(str(error['loc'][-1]), list(model.model_fields))}")
    return Malformed(place, told(error))


def told(error: ErrorDetails) -> str:
    """What pydantic found, in the words of whoever wrote the payload; never the value itself."""
    if error["type"] == "missing":
        return "is missing"
    if error["type"] == "json_invalid":
        return f"is not JSON: {error['ctx']['error']}"
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    return error["msg"].replace("Input should", "should")


def nearest(word: str, words: list[str]) -> str:
    """`the nearest is X`, or all words where none is near."""
    found = difflib.get_close_matches(word[:80], words, n=1)
    return f"the nearest is {found[0]}" if found else f"there are {', '.join(words)}"
