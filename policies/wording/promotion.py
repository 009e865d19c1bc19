"""How a promotion presents itself: title, description and commit message."""

import re
from datetime import UTC

from policies import trailers
from policies.approvals import NOBODY, Invited
from policies.model import Image, MergeRequest, Release, Sighting, SourceCommit
from policies.snapshot import ROLLBACK, Snapshot, StageView
from policies.state import Asked, public_reason
from policies.wording.quote import code, fit, one_line, title

MOST_COMMITS = 20
MOST_PATHS = 20


def shown(image: Image) -> str:
    """The human name of an image: its tag, else the start of its digest."""
    return one_line(image.tag) if image.tag else image.digest[:19]


def release_name(release: Release) -> str:
    """The human name of a release: the one image's, or the tag that all of them share, or the release's own."""
    if len(release.images) == 1:
        return shown(release.images[0])
    tags = {image.tag for image in release.images}
    shared = tags.pop() if len(tags) == 1 else None
    return one_line(shared) if shared else f"release {release.name}"


def headline(unit: str, stage: str, release: Release, cause: str = "") -> str:
    """The merge request's title and the commit's subject."""
    if cause == ROLLBACK:
        return title(f"Roll back {unit} in {stage} to {release_name(release)}")
    return title(f"Promote {unit} {release_name(release)} to {stage}")


def message(subject: str, record: trailers.Record) -> str:
    """The commit message: the headline and the trailers by which Git remembers."""
    return f"{subject}\n\n{trailers.write(record)}\n"


def description(
    snapshot: Snapshot, view: StageView, release: Release, upstream: str | None, invited: Invited = NOBODY
) -> str:
    """The merge request's text: what moves, from where, since when, the commits between, and who is asked."""
    parts = [
        _opening(snapshot, view, release, upstream),
        _table(view, release),
        _commits(snapshot, view, release),
        _files(view, release),
        _asked(invited),
        _closing(view),
    ]
    return fit("\n\n".join(part for part in parts if part) + "\n")


def asked_for(asked: Asked | None) -> str:
    """Who wants it and why, as the first paragraph of the description; empty where nobody asked."""
    if asked is None:
        return ""
    when = f"{asked.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    link = f" ([comment]({asked.where}))" if _linkable(asked.where) else ""
    why = f": {code(public_reason(asked))}" if asked.reason else ""
    return f"Asked for by {code(f'@{asked.by.name}')} with {code(f'/{asked.cause}')} at {when}{link}{why}.\n\n"


def _asked(invited: Invited) -> str:
    """These mentions are meant: where the forge keeps no list of reviewers, they are how people hear of it."""
    names = [f"@{user.username}" for user in invited.people if re.fullmatch(r"[A-Za-z0-9][\w.-]*", user.username)]
    others = ", and others who are not named" if invited.more else ""
    return f"Asked for an approval: {', '.join(names)}{others}." if names else ""


def _closing(view: StageView) -> str:
    return (
        "Towpath keeps its findings in one comment below. Closing this merge request says no to this release in "
        f"{code(view.stage.name)}; a newer release replaces it by itself."
    )


def _opening(snapshot: Snapshot, view: StageView, release: Release, upstream: str | None) -> str:
    moves = f"{code(snapshot.unit)} moves to {code(release_name(release))} in {code(view.stage.name)}"
    if upstream is None:
        seen = [_sighting(snapshot, image) for image in release.images]
        newest = max((one.seen_at for one in seen if one is not None), default=None)
        when = f", published {newest:%Y-%m-%d %H:%M} UTC" if newest and newest > trailers.NEVER else ""
        return f"{moves}{when}."
    return f"{moves}: it is what {code(upstream)} runs{_since(snapshot.arrival(upstream, release.name))}."


def _since(arrival: MergeRequest | None) -> str:
    if arrival is None or arrival.merged_at is None:
        return ", pushed there directly"
    return f" since {arrival.merged_at:%Y-%m-%d %H:%M} UTC ([merge request {arrival.iid}]({arrival.url}))"


def _table(view: StageView, release: Release) -> str:
    rows = ["| image | from | to |", "|---|---|---|"]
    for image in release.images:
        pins = dict.fromkeys(
            _written(target.pin.tag, target.pin.digest)
            for target in view.targets
            if target.pin.repository == image.repository
        )
        rows.append(f"| {code(image.repository)} | {', '.join(pins)} | {_written(image.tag, image.digest)} |")
    return "\n".join(rows)


def _written(tag: str | None, digest: str | None) -> str:
    return " ".join(code(part) for part in (tag, digest[:19] if digest else None) if part) or "nothing"


def _commits(snapshot: Snapshot, view: StageView, release: Release) -> str:
    blocks = []
    for image in release.images:
        new = _sighting(snapshot, image)
        old = _pinned_sighting(snapshot, view, image.repository)
        if new is None or new.revision is None:
            continue
        blocks.append(_between(snapshot, old, new))
    return "\n\n".join(dict.fromkeys(blocks))


def _between(snapshot: Snapshot, old: Sighting | None, new: Sighting) -> str:
    revision = new.revision or ""
    where = f" of {new.source}" if new.source and _linkable(new.source) else ""
    if old is None or old.revision is None or new.source is None or old.revision == revision:
        return f"Built from {code(revision[:12])}{where}."
    commits = snapshot.between(new.source, old.revision, revision)
    if not commits:
        return f"Built from {code(revision[:12])}{where}; before it was {code(old.revision[:12])}."
    rows = [_commit(commit) for commit in commits[:MOST_COMMITS]]
    more = len(commits) - len(rows)
    if more > 0:
        rows.append(f"- and {more} more")
    count = "1 commit" if len(commits) == 1 else f"{len(commits)} commits"
    return "\n".join([f"{count}{where} between {code(old.revision[:12])} and {code(revision[:12])}:", "", *rows])


def _commit(commit: SourceCommit) -> str:
    return f"- {code(commit.sha[:12])} {code(commit.title)} by {code(commit.author)}"


def _linkable(address: str) -> bool:
    return address.startswith(("https://", "http://")) and not set(address) & set(" <>()[]`\"'\\\n")


def _files(view: StageView, release: Release) -> str:
    paths = tuple(dict.fromkeys(target.path for target in view.targets if target.pin.repository in release.digests))
    rows = [f"- {code(path)}" for path in paths[:MOST_PATHS]]
    if len(paths) > MOST_PATHS:
        rows.append(f"- and {len(paths) - MOST_PATHS} more")
    count = "1 file changes" if len(paths) == 1 else f"{len(paths)} files change"
    return "\n".join([f"{count}, by these digests and nothing else:", "", *rows])


def _sighting(snapshot: Snapshot, image: Image) -> Sighting | None:
    return snapshot.sightings.get((image.repository, image.digest))


def _pinned_sighting(snapshot: Snapshot, view: StageView, repository: str) -> Sighting | None:
    pins = {target.pin.digest for target in view.targets if target.pin.repository == repository}
    digest = next(iter(pins)) if len(pins) == 1 else None
    return snapshot.sightings.get((repository, digest)) if digest else None
