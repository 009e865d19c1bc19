"""Rule 6, integrity: merging the exact head must change the target branch by this release and by nothing else (S13)."""

from policies.snapshot import Promotion
from policies.verdict import Verdict, block, passed, wait
from policies.wording.quote import code, listed

NAME = "integrity"


def judge(promotion: Promotion) -> Verdict:
    """Pass, wait (a new attempt replaces it) or block (somebody else's content is in it)."""
    found = promotion.integrity
    if found.elsewhere:
        reason = f"the merge request goes to {code(found.elsewhere)} instead of the branch that Towpath promotes on"
        return block(NAME, reason, "set its target branch back, or close it")
    if promotion.release is None:
        reason = "the branch holds no commit of Towpath's for this release any more"
        return block(NAME, reason, "nothing: a new merge request replaces this one where the release is still wanted")
    paths = listed(tuple(code(path) for path in found.differing)) or "the whole branch"
    if found.made and found.made != promotion.request.head:
        # Whatever it changes: an approval must never slip onto another head (CVE-2023-4812).
        more = f", and merging it would also change {paths}" if found.differing else ""
        reason = f"the branch holds more than this release: somebody pushed to it{more}"
        return block(NAME, reason, f"set the branch back to Towpath's own commit {code(found.made[:12])}")
    if found.expected is None:
        return block(NAME, "the release can no longer be spliced into the target branch", "mend the files named below")
    if found.expected == found.merged:
        return passed(NAME, "merging changes exactly this release's digests")
    if found.own:
        return wait(
            NAME, f"the target branch has moved on in {paths}", "nothing: a new merge request replaces this one"
        )
    return block(
        NAME,
        f"the branch holds more than this release: merging it would also change {paths}",
        f"set the branch back to Towpath's own commit {code(found.made[:12])}" if found.made else "close it",
    )
