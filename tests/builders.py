"""Values with good defaults, so that a rule's test says only what it is about.

An image is told by a word: `v2` is the digest that `digest("v2")` gives, tagged `v2`. A stage `prod` pins in
`environments/prod/eu/payments/values.yaml`; with further clusters, `prod/us` names one of its files."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import assert_never

from policies import naming
from policies.actions import Plan, StagePlan
from policies.config import Policy, Stage
from policies.decide import decide
from policies.findings import Validation
from policies.model import (
    Check,
    CheckState,
    Image,
    Mergeable,
    MergeRequest,
    MergeRequestState,
    Permission,
    Pin,
    Release,
    Sighting,
    SourceCommit,
    Target,
    Trouble,
    User,
)
from policies.order import BARE_TAG
from policies.snapshot import (
    Arrival,
    Attempt,
    Attempts,
    Between,
    Content,
    Exists,
    Integrity,
    Members,
    Moment,
    Owners,
    OwnersFile,
    Place,
    Promotion,
    Question,
    Reported,
    Reviewed,
    Right,
    Snapshot,
    Splice,
    StageView,
)

API = "registry.example.com/commerce/api"
WORKER = "registry.example.com/commerce/worker"
SOURCE = "https://gitlab.example.com/commerce/payments"
PATH = "environments/{environment}/{cluster}/{service}/values.yaml"
UNIT = "payments"
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
BOT = User(7, "towpath", "Towpath", bot=True)
ALEX = User(42, "alex", "Alex")
GREEN = Check("ci", CheckState.success)
HEAD = "4eadc0de" * 5
MADE = "0ddba115" * 5
TREE = "7ee" * 13 + "7"
UNSEEN = Validation("")
"""There was nothing that validators look at."""

Words = str | tuple[str | None, ...] | None
"""What a file pins: one word for each of its images, or one for all; None: not there."""
Pins = Mapping[str, Words]
"""What the files of a unit pin at one time: `prod` are all files of that stage, `prod/us` is one of them."""
Answers = (
    Mapping[Question, object]
    | Mapping[Attempts, object]
    | Mapping[Content, object]
    | Mapping[Between, object]
    | Mapping[Arrival, object]
)
"""What a test knows beforehand of what a decision will ask."""


def digest(word: str) -> str:
    """A digest that a word stands for; a digest or bare tag stands for itself."""
    if word.startswith(("sha256:", BARE_TAG)):
        return word
    return f"sha256:{hashlib.sha256(word.encode()).hexdigest()}"


def image(word: str = "v1", repository: str = API) -> Image:
    """The image of a word, tagged with it."""
    return Image(repository, digest(word), word)


def release(*words: str, images: Sequence[str] = (API, WORKER)) -> Release:
    """The release of one image per word."""
    return Release(tuple(image(word, repository) for word, repository in zip(words, images, strict=False)))


def sighting(word: str, minute: int = 0, repository: str = API, **known: object) -> Sighting:
    """The image of a word, first announced that many minutes after the start of the day."""
    seen_at = NOW.replace(hour=0) + timedelta(minutes=minute)
    plain = Sighting(image(word, repository), seen_at, tags=(word,))
    return replace(plain, **known)  # type: ignore[arg-type] # a test names any field


def built(word: str, minute: int = 0, revision: str = "r1", repository: str = API) -> Sighting:
    """An image of which it is known from which commit it was built."""
    return sighting(word, minute, repository, revision=revision, revisions=(revision,), source=SOURCE)


def stage(name: str = "nonprod", after: str | tuple[str, ...] = (), **more: object) -> Stage:
    """A stage of the environment of its own name."""
    return Stage.model_validate({"name": name, "where": {"environment": name}, "after": after, **more})


def policy(*stages: Stage, **services: object) -> Policy:
    """A policy of these stages."""
    described = {"path": PATH, **services}
    return Policy.model_validate({"version": 1, "services": described, "stages": stages or (stage(),)})


def path_of(where: str, cluster: str = "eu") -> str:
    """The file of a stage in a cluster; `prod/us` names both."""
    name, _, own = where.partition("/")
    return f"environments/{name}/{own or cluster}/{UNIT}/values.yaml"


def target(name: str, word: str, cluster: str = "eu", repository: str = API) -> Target:
    """A place that pins the image of a word (`tag:1.0`: by tag only)."""
    pinned = None if word.startswith(BARE_TAG) else digest(word)
    tag = word.removeprefix(BARE_TAG)
    where = {"environment": name, "cluster": cluster, "service": UNIT}
    return Target(path_of(name, cluster), Pin(repository, pinned, tag, 2), UNIT, where)


def request(iid: int = 1, **more: object) -> MergeRequest:
    """An open merge request of Towpath's."""
    plain = MergeRequest(
        iid=iid,
        url=f"https://gitlab.example.com/platform/config/-/merge_requests/{iid}",
        title="Promote payments",
        description="",
        state=MergeRequestState.opened,
        source_branch=f"towpath/p/nonprod/payments/000000000000-{iid}",
        target_branch="main",
        head=HEAD,
        author=BOT,
        same_project=True,
        labels=(naming.LABEL, naming.label(UNIT)),
        mergeable=Mergeable.yes,
        merge_reason="mergeable",
        created_at=NOW - timedelta(hours=1),
        updated_at=NOW - timedelta(hours=1),
    )
    return replace(plain, **more)  # type: ignore[arg-type] # a test names any field


def closed(iid: int = 1, by: User | None = ALEX, label: str = "", **more: object) -> MergeRequest:
    """A merge request that was closed unmerged."""
    labels = (naming.LABEL, naming.label(UNIT), *filter(None, [label]))
    return request(iid, state=MergeRequestState.closed, closed_at=NOW, closed_by=by, labels=labels, **more)


PROVED = Integrity(TREE, TREE, (), own=True, made=HEAD)
STALE = Integrity(TREE, None, (path_of("nonprod"),), own=True, made=HEAD)
FOREIGN = Integrity(TREE, "f" * 40, (path_of("nonprod"),), own=False, made=MADE)
GONE = Integrity(None, None, (), own=False)


def promotion(name: str = "nonprod", word: str | Release = "v2", iid: int = 1, **more: object) -> Promotion:
    """An open promotion that every gate lets through, and of which nothing was reported yet."""
    moved = release(word) if isinstance(word, str) else word
    plain = Promotion(name, moved.name, moved, 1, request(iid), (GREEN,), PROVED, None, None, validation=UNSEEN)
    return replace(plain, **more)  # type: ignore[arg-type] # a test names any field


def view(
    of: Stage, now: Pins, clusters: Sequence[str], images: Sequence[str], troubles: tuple[Trouble, ...]
) -> StageView:
    """A stage with one target per cluster and image."""
    found = [
        target(of.name, word, cluster, repository)
        for cluster in clusters
        for repository, word in zip(images, _words(now, of.name, cluster, len(images)), strict=True)
        if word is not None
    ]
    return StageView(of, tuple(found), troubles)


def _words(pins: Pins, name: str, cluster: str, count: int) -> tuple[str | None, ...]:
    said = pins[f"{name}/{cluster}"] if f"{name}/{cluster}" in pins else pins.get(name)
    return said if isinstance(said, tuple) else (said,) * count


def moment(number: int, pins: Pins, views: Sequence[StageView], images: Sequence[str]) -> Moment:
    """What the places of these stages pinned at one commit."""
    found: dict[Place, str] = {}
    for one in views:
        for place in one.targets:
            words = _words(pins, one.stage.name, place.where["cluster"], len(images))
            word = words[images.index(place.pin.repository)]
            if word is not None:
                found[place.path, place.pin.repository] = digest(word)
    return Moment(f"{number:040x}", found)


def snapshot(
    *stages: Stage,
    pins: Sequence[Pins] = ({"nonprod": "v1"},),
    seen: Sequence[str | Sighting] = (),
    promotions: tuple[Promotion, ...] = (),
    clusters: Mapping[str, Sequence[str]] | None = None,
    images: Sequence[str] = (API,),
    troubles: Mapping[str, tuple[Trouble, ...]] | None = None,
    answers: Answers | None = None,
    services: Mapping[str, object] | None = None,
) -> Snapshot:
    """A unit: `pins` newest first, `seen` in the order of announcement, a minute apart."""
    rules = policy(*stages, **(services or {}))
    views = tuple(
        view(one, pins[0], (clusters or {}).get(one.name, ("eu",)), images, (troubles or {}).get(one.name, ()))
        for one in rules.ordered()
    )
    known = [sighting(one, minute) if isinstance(one, str) else one for minute, one in enumerate(seen)]
    return Snapshot(
        forge="gitlab",
        repository="platform/config",
        branch="main",
        head="ba5e" * 10,
        unit=UNIT,
        bot_id=BOT.id,
        policy=rules,
        stages=views,
        moments=tuple(moment(len(pins) - index, one, views, images) for index, one in enumerate(pins)),
        sightings={(one.image.repository, one.image.digest): one for one in known},
        promotions=promotions,
        answers=dict(answers.items()) if answers else {},
    )


def attempts(name: str, moved: Release, *found: MergeRequest | bool) -> dict[Question, object]:
    """The answer that names these attempts: a merge request, or whether a branch alone is Towpath's own."""
    known = [
        Attempt(number, None, one) if isinstance(one, bool) else Attempt(number, one, own=True)
        for number, one in enumerate(found, 1)
    ]
    return {Attempts(name, moved.name): tuple(known)}


def commits(old: int, new: int) -> tuple[SourceCommit, ...]:
    """The commits r<old+1> to r<new> of a straight history, newest first."""
    return tuple(SourceCommit(f"r{number}", f"Change {number}", "Alex") for number in range(new, old, -1))


def answer(question: Question) -> object:
    """What a quiet world answers: nothing was tried, everything can be edited, the source's history is straight."""
    match question:
        case Attempts():
            return ()
        case Content():
            return Splice(f"tree of {question.stage} with {question.release.name}", (path_of(question.stage),))
        case Between():
            return commits(int(question.old[1:]), int(question.new[1:]))
        case Arrival() | Reported() | Members() | Exists():
            return None
        case OwnersFile():
            return Owners("gitlab", "CODEOWNERS", None)
        case Reviewed():
            return ()
        case Right():
            return Permission.none
        case _:
            assert_never(question)


def whole(asked: Snapshot, now: datetime = NOW) -> tuple[Snapshot, Plan]:
    """The snapshot with every question answered that the decision asks, and the plan."""
    plan = decide(asked, now)
    while plan.questions:
        known = {question: answer(question) for question in plan.questions}
        asked = replace(asked, answers={**asked.answers, **known})
        plan = decide(asked, now)
    return asked, plan


def plan_of(asked: Snapshot, now: datetime = NOW) -> Plan:
    """The whole plan."""
    return whole(asked, now)[1]


def stage_of(asked: Snapshot, name: str = "nonprod", now: datetime = NOW) -> StagePlan:
    """What becomes of one stage."""
    return next(one for one in plan_of(asked, now).stages if one.stage == name)
