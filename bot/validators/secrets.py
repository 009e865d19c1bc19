"""`secrets`: secrets in plain text on the lines that a change adds.

Only added lines are told: what stood there before is somebody else's matter and would hide what is new. A person who
adds a line may say on it `# towpath:not-a-secret`; it no longer blocks, but stays a warning, so whoever approves sees
what was waved through (S16). A finding names the line, the rule and the key, never the value (S10).
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from bot.validators import redaction
from bot.validators.base import Bench, Change, Part, Told, Validator, file_parts
from bot.validators.secret_lines import Line
from bot.validators.secret_scan import Span
from bot.validators.secret_structure import Budget, secrets_in
from policies.findings import Finding, Severity

MOST_BYTES = 1024 * 1024
"""A larger file is not looked at, and a warning says so."""
MOST_FINDINGS = 50
MOST_ON_A_LINE = 5
_BINARY = 8000
"""Bytes in which a NUL makes a file a binary one: as many as Git looks at (buffer_is_binary)."""
_ALLOWED = re.compile(r"(?:#|//|<!--)\s{0,4}towpath:not-a-secret\b")

_SAYS = {
    "authorization": "credentials of an HTTP request",
    "credentials-in-url": "a password in a URL",
    "default-password": "a placeholder or a well-known password",
    "high-entropy": "what looks like a random string",
    "password-hash": "the hash of a password, from which weak ones are guessed",
    "private-key": "a private key",
    "secret-manifest": "a Secret in plain text (base64 hides nothing)",
    "secret-value": "a secret in plain text",
}


def check(change: Change, part: Part, bench: Bench) -> Told:  # noqa: ARG001 # as validators are called
    """What the added lines of one file hold; binary files are passed over, large ones and seeming texts named."""
    content = change.after.read(part.subject) or b""
    if len(content) > MOST_BYTES:
        message = "the file is larger than 1 MiB: nobody looked for secrets in it"
        return Told((Finding(message, Severity.warning, part.subject, rule="too-large"),))
    is_binary = b"\x00" in content[:_BINARY] and not content.startswith(_UTF_16)
    if is_binary and not part.subject.lower().endswith(_TEXTS):
        return Told()
    before = change.before.read(part.subject) or b""
    found = _found(_text(before[: 4 * MOST_BYTES]), _text(content), part.subject)
    told = tuple(islice(found, MOST_FINDINGS))
    more = sum(1 for _ in found)
    return Told((*_not_text(is_binary, part.subject), *told, *_and_more(more, part.subject)))


_TEXTS = (
    *(
        ".yaml",
        ".yml",
        ".json",
        ".toml",
        ".ini",
        ".env",
        ".conf",
        ".cfg",
        ".properties",
        ".xml",
        ".hcl",
        ".tf",
        ".tfvars",
    ),
    *(
        ".txt",
        ".md",
        ".tpl",
        ".gotmpl",
        ".rego",
        ".sh",
        ".py",
        ".js",
        ".sql",
        ".csv",
        ".pem",
        ".key",
        ".netrc",
        ".npmrc",
    ),
)
"""Endings of files that hold no NUL."""
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def _text(content: bytes) -> str:
    text = content.decode("utf-16" if content.startswith(_UTF_16) else "utf-8", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _not_text(is_binary: bool, path: str) -> Iterator[Finding]:
    if is_binary:
        message = "the file holds NUL bytes, which no text does: nobody looked for secrets in what they hide"
        yield Finding(message, Severity.warning, path, rule="binary")


def _and_more(more: int, path: str) -> Iterator[Finding]:
    if more:
        yield Finding(f"{more} more such findings", Severity.error, path, rule="more")


def _found(before: str, after: str, path: str) -> Iterator[Finding]:
    """The findings on the lines of `after` that `before` has not, each line as often as it has it more."""
    old = Counter(before.split("\n"))
    key_at = 0
    for line, spans in secrets_in(after, Budget()):
        if old[line.text] > 0:
            old[line.text] -= 1
            continue
        is_key = any(span.rule == "private-key" for span in spans)
        if not (is_key and key_at and key_at == line.number - 1):
            yield from _findings(line, spans[:MOST_ON_A_LINE], path)
        key_at = line.number if is_key else 0


def _findings(line: Line, spans: tuple[Span, ...], path: str) -> Iterator[Finding]:
    if not spans:
        return
    is_allowed = _ALLOWED.search(line.text) is not None
    for span in spans:
        message = f"{_SAYS.get(span.rule, 'a token')}{_where(line.text, span)}"
        if is_allowed:
            message = f"{message}; the line itself says that it is none: look at it before you approve"
            yield Finding(message, Severity.warning, path, line.number, f"{span.rule}-allowed")
        else:
            severity = Severity.error if span.is_sure else Severity.warning
            yield Finding(message, severity, path, line.number, span.rule)


def _where(text: str, span: Span) -> str:
    """What may be shown: the start that all tokens of the kind have, and the name, unless the secret stands in it."""
    shown = text[span.start : span.start + min(span.public, 4)]
    is_told = span.key and text[span.start : span.end] not in span.key
    return (f" ({shown}…)" if shown else "") + (f" under {redaction.line(span.key[:80])}" if is_told else "")


VALIDATOR = Validator("secrets", "no secret in plain text on an added line", file_parts, check)
