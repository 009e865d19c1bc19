"""What is left of a promotion that Towpath closes: nothing that would let its commit through elsewhere."""

import structlog

from bot.errors import Permanent
from bot.forges.base import Status
from policies import naming
from policies.actions import Close
from policies.model import CheckState
from policies.wording import report as words
from workers.observe.context import Context

log = structlog.get_logger(__name__)


def redden(context: Context, action: Close) -> None:
    """Make the status red where one is required: it is the commit's, and so any pull request's from that commit."""
    if context.forge.kind != "github":
        return
    request = context.forge.request(context.repository, action.iid)
    status = Status(naming.STATUS, CheckState.failed, words.closed_status(action.label), request.url)
    try:
        context.forge.set_status(context.repository, request.head, request.source_branch, status)
    except Permanent as refusal:
        log.warning("status not set", mr=action.iid, why=str(refusal))
