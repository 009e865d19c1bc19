"""Lines as compilers and linters write them: `path:line: message`, `path:line:column: severity: message`."""

import re
from collections.abc import Iterator

from bot.validators.reports.places import Place
from policies.findings import Finding, Severity

LINE = re.compile(
    r"(?P<path>[^:\s][^:]{0,1000}):(?P<line>[0-9]{1,7}):(?:[0-9]{1,7}:)?\s*"
    r"(?:\[?(?P<severity>error|fatal|warning|warn|note|notice|info|hint)\]?\s*:\s*)?(?P<message>\S.*)",
    re.IGNORECASE,
)
"""The form of GNU's coding standards (4.4, "Formatting Error Messages"), with or without a column."""
SEVERITIES = {"error": Severity.error, "fatal": Severity.error, "warning": Severity.warning, "warn": Severity.warning}
LONGEST = 4096
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def read(raw: bytes, place: Place) -> Iterator[Finding]:
    """A finding for each line that names a file of the repository; an error where it names no severity."""
    start = 0
    while start < len(raw):
        end = raw.find(b"\n", start)
        end = len(raw) if end < 0 else end
        found = LINE.fullmatch(COLOURS.sub("", raw[start : min(end, start + LONGEST)].decode(errors="replace")).strip())
        path = place(found["path"]) if found else ""
        if found and path:
            said = (found["severity"] or "error").lower()
            yield Finding(found["message"], SEVERITIES.get(said, Severity.note), path, int(found["line"]) or None)
        start = end + 1
