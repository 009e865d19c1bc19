"""The full text of a report: its unguessable address, and what memory keeps for the page there."""

import hmac
import json
import re
from dataclasses import replace

from policies.actions import Report
from policies.findings import Validation
from policies.full import FULL, TOP, Full, Top
from policies.model import MergeRequest
from policies.snapshot import Snapshot
from policies.wording.report import top_of
from workers.observe.context import Context
from workers.observe.validations import Texts

KEPT = 30 * 24 * 3600
"""Seconds for which a full text is kept. Towpath makes it anew where the report is still wanted."""
_TOKEN = re.compile(r"[0-9a-f]{64}")


def address(context: Context, request: MergeRequest) -> str:
    """Where people read the full text of a merge request's report; empty where Towpath has no public address."""
    return f"{context.public_url}/reports/{token(context, request)}" if context.public_url else ""


def token(context: Context, request: MergeRequest) -> str:
    """What only those know who can read the report: whoever has it may read the full text, without signing in.

    64 hexadecimal digits: HMAC-SHA256 by a key that is made of the repository's own seal key and serves nothing else,
    over the forge, the repository, the number and the head. So it tells nothing of any other, and a new head has a new
    one."""
    key = hmac.digest(context.seal_keys[0], b"towpath:full-report", "sha256")
    what = json.dumps([context.forge.name, context.repository, request.iid, request.head])
    return hmac.digest(key, what.encode(), "sha256").hex()


def keep(context: Context, request: MergeRequest, validation: Validation) -> None:
    """Keep the full text, where there is a public address and validators had anything to look at."""
    if not context.public_url or not validation.checked:
        return
    given = token(context, request)
    if context.memory.get(_key_of(given)) == validation.key:
        return
    full = Full(context.forge.name, context.repository, request.iid, request.head, request.url, validation)
    context.memory.set(_report_key(given), FULL.dump_json(full).decode(), KEPT)
    context.memory.set(_key_of(given), validation.key, KEPT)


def keep_top(context: Context, snapshot: Snapshot, action: Report) -> None:
    """Keep the verdict and the gates of a report that was posted, for the head that they are about."""
    request = next((one.request for one in snapshot.promotions if one.request.iid == action.iid), None)
    if context.public_url and request is not None:
        kept = TOP.dump_json(top_of(action.body)).decode()
        context.memory.set(_top_key(token(context, request)), kept, KEPT)


def found(memory: Texts, given: str) -> Full | None:
    """The full text of that token; None where there is none, or not any more."""
    # Only what has a token's form is looked for: memory keeps other things too.
    raw = memory.get(_report_key(given)) if _TOKEN.fullmatch(given) else None
    if raw is None:
        return None
    top = memory.get(_top_key(given))
    return replace(FULL.validate_json(raw), top=TOP.validate_json(top) if top is not None else Top())


def _report_key(given: str) -> str:
    return f"report:{given}"


def _top_key(given: str) -> str:
    return f"report-top:{given}"


def _key_of(given: str) -> str:
    return f"report-of:{given}"
