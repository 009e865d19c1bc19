"""Trailers: what they remember comes back, and nobody but Towpath can write one that is believed (S9)."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import trailers
from policies.model import Image, Release, Sighting
from policies.trailers import NEVER, Approver, Record, read, sealed, unsealed, write
from policies.wording.promotion import headline, message
from tests import builders as a

KEY, OLD_KEY, OTHER = b"k" * 32, b"o" * 32, b"x" * 32
LINE = re.compile(r"^Towpath-([A-Za-z]+):", re.MULTILINE)
EVIL = "x\nTowpath-Image: registry.example.com/evil@sha256:" + "0" * 64

texts = st.one_of(st.text(min_size=1, max_size=40), st.sampled_from([EVIL, "a\rb", "a b", "%0A", "\u2028", "a@b", "…"]))
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 told by timezones
digests = st.integers(0, 2**256 - 1).map(lambda number: f"sha256:{number:064x}")
numbers = st.integers(0, 10**9)
approvers = st.builds(Approver, numbers, st.just("") | texts, st.none() | moments, st.just("") | texts)


@st.composite
def sightings(draw: st.DrawFn) -> Sighting:
    """A sighting of any image, with what a trailer can remember."""
    tag, revision = draw(st.none() | texts), draw(st.none() | texts)
    return Sighting(
        Image(draw(texts), draw(digests), tag),
        draw(moments | st.just(NEVER)),
        tags=(tag,) if tag else (),
        revision=revision,
        revisions=(revision,) if revision else (),
        source=draw(st.none() | texts),
    )


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Any record, its images in the order of a release."""
    found = draw(st.lists(sightings(), min_size=1, max_size=3, unique_by=lambda one: one.image.repository))
    known = tuple(sorted(found, key=lambda one: one.image.repository))
    release = Release(tuple(one.image for one in known))
    number = draw(st.none() | st.integers(1, 10**6))
    return Record(draw(texts), draw(st.sampled_from(["prod", "prod-ring-1"])), release, known, number, draw(texts))


@st.composite
def merges(draw: st.DrawFn) -> Record:
    """Any record of a merge."""
    return replace(
        draw(records()),
        requesters=tuple(draw(st.lists(numbers, max_size=2))),
        approvers=tuple(draw(st.lists(approvers, max_size=3))),
        request=draw(numbers),
        head=draw(st.just("") | texts),
        gates=tuple(draw(st.lists(st.tuples(texts, texts | st.just("pass")), max_size=3))),
        overrides=tuple(draw(st.lists(texts | st.just(" soak by=1,2 until=2026-05-04T00:00:00+00:00 "), max_size=2))),
        validation=draw(st.just("") | texts),
    )


def commit(record: Record) -> str:
    """The message of Towpath's own commit."""
    return sealed(message(headline(record.unit, record.stage, record.release), record), KEY)


@given(records())
def test_what_is_written_and_sealed_comes_back(record: Record) -> None:
    assert unsealed(commit(record), [KEY]) == record


@given(merges())
def test_the_evidence_of_a_merge_comes_back(record: Record) -> None:
    assert unsealed(commit(record), [KEY]) == record


@given(merges())
def test_S9_nobodys_text_adds_a_line_to_the_evidence(record: Record) -> None:
    lines = write(record).splitlines()
    assert len(lines) == len(write(record).split("\n"))
    assert all(LINE.match(line) and line.isascii() and line.isprintable() for line in lines)
    wanted = {"Approver": len(record.approvers), "Gate": len(record.gates), "Override": len(record.overrides)}
    names = LINE.findall(write(record))
    assert {name: names.count(name) for name in wanted} == wanted


@given(records())
def test_S9_nobodys_text_adds_a_trailer_line(record: Record) -> None:
    names = LINE.findall(commit(record))
    images = ["Image"] * len(record.release.images)
    more = ["Supersedes"] if record.supersedes is not None else []
    assert names == ["Unit", "Stage", "Release", *images, *more, "Cause", "Seal"]
    assert len(write(record).splitlines()) == len(names) - 1


def test_S9_a_repository_that_writes_a_line_of_its_own_is_quoted() -> None:
    """A values file may say anything; what Towpath seals must be its own words."""
    release = Release((Image(EVIL, a.digest("v2")),))
    found = unsealed(commit(Record("payments", "prod", release, ())), [KEY])
    assert found is not None
    assert [one.image.repository for one in found.sightings] == [EVIL]


@given(records(), st.data())
def test_S9_a_changed_trailer_is_not_believed(record: Record, data: st.DataObject) -> None:
    genuine = commit(record)
    start = genuine.index("Towpath-Unit")
    at = data.draw(st.integers(start, len(genuine) - 2))
    other = data.draw(st.sampled_from("abcdef0123456789").filter(lambda letter: letter != genuine[at]))
    changed = genuine[:at] + other + genuine[at + 1 :]
    found = unsealed(changed, [KEY])
    # A letter of the seal's own line, or one before its colon, may leave nothing; never another record.
    assert found in (None, record)


RECORD = Record("payments", "prod", a.release("v2"), (a.built("v2", 1, "r2"),), 7, "push")
MERGE = replace(
    RECORD,
    requesters=(3,),
    approvers=(Approver(42, "alex o=x", datetime(2026, 5, 3, 12, tzinfo=UTC), a.HEAD), Approver(43)),
    request=9,
    head=a.HEAD,
    gates=(("checks", "pass"), ("soak", "overridden")),
    overrides=("soak by=1,2 until=2026-05-04T00:00:00+00:00",),
    validation="abc",
)


def test_the_block_as_git_keeps_it() -> None:
    known = f"tag=v2 seen=2026-05-04T00:01:00+00:00 revision=r2 source={a.SOURCE}"
    assert write(RECORD) == "\n".join(
        [
            "Towpath-Unit: payments",
            "Towpath-Stage: prod",
            f"Towpath-Release: {a.release('v2').name}",
            f"Towpath-Image: {a.API}@{a.digest('v2')} {known}",
            "Towpath-Supersedes: 7",
            "Towpath-Cause: push",
        ]
    )


def test_the_evidence_as_git_keeps_it() -> None:
    assert write(MERGE).splitlines()[5:-1] == [
        "Towpath-Requester: 3",
        f"Towpath-Approver: 42 alex%20o%3Dx at=2026-05-03T12:00:00+00:00 head={a.HEAD}",
        "Towpath-Approver: 43",
        "Towpath-Request: 9",
        f"Towpath-Head: {a.HEAD}",
        "Towpath-Gate: checks=pass",
        "Towpath-Gate: soak=overridden",
        "Towpath-Override: soak by=1,2 until=2026-05-04T00:00:00+00:00",
        "Towpath-Validation: abc",
    ]


def test_what_an_older_version_wrote_is_read_and_what_a_newer_one_does_is_passed_over() -> None:
    old = write(RECORD) + "\nTowpath-Approver: 5\nTowpath-Approver: nobody\nTowpath-Weather: fine"
    assert unsealed(sealed(old, KEY), [KEY]) == replace(RECORD, approvers=(Approver(5),))
    newer = write(MERGE).replace("43\n", "43 sam mood=good at=then\n")
    found = read(newer)
    assert found is not None
    assert found.approvers[1] == Approver(43, "sam")


@pytest.mark.parametrize("number", ["", "x", "-1", "1.5", "٣", "9" * 5000])
def test_what_is_no_number_is_none(number: str) -> None:
    found = read(
        write(RECORD) + f"\nTowpath-Request: {number}\nTowpath-Requester: {number}\nTowpath-Approver: {number}"
    )
    assert found is not None
    assert (found.request, found.requesters, found.approvers) == (None, (), ())


def test_an_image_that_was_never_seen_is_written_by_its_digest_alone() -> None:
    record = replace(RECORD, sightings=(), release=Release((replace(a.image("v2"), tag=None),)))
    assert f"Towpath-Image: {a.API}@{a.digest('v2')}\n" in write(record)
    found = read(write(record))
    assert found is not None
    assert found.sightings[0].seen_at == NEVER


def test_S9_unsealed_trailers_are_anybodys() -> None:
    assert unsealed(message("Promote", RECORD), [KEY]) is None
    assert unsealed(commit(RECORD), [OTHER]) is None
    assert unsealed(commit(RECORD), []) is None


def test_S3_the_key_before_the_present_one_still_counts() -> None:
    assert unsealed(sealed(message("Promote", RECORD), OLD_KEY), [KEY, OLD_KEY]) == RECORD


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("Towpath-Stage: prod", "Towpath-Stage: test"),
        lambda text: text.replace(a.digest("v2"), a.digest("v3")),
        lambda text: text.replace("00:01:00", "00:00:00"),
        lambda text: text.replace("Towpath-Cause: push\n", ""),
        lambda text: text.replace("Towpath-Cause", "Towpath-Image: x@y\nTowpath-Cause"),
        lambda text: text + "Towpath-Cause: late\n",
        lambda text: text + "Towpath-Seal: " + "0" * 64 + "\n",
        lambda text: text + text[text.index("Towpath-Seal") :],
        lambda text: re.sub("Towpath-Seal: .*", "Towpath-Seal: " + "0" * 64, text),
        lambda text: re.sub("Towpath-Seal: .*", "Towpath-Seal: ünïcode", text),
        lambda text: re.sub("Towpath-Seal: .*\n", "", text),
    ],
)
def test_S9_a_rewritten_message_is_not_believed(change: object) -> None:
    assert callable(change)
    assert change(commit(RECORD)) != commit(RECORD)
    assert unsealed(change(commit(RECORD)), [KEY]) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "Merge branch 'x' into main\n\n" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text + "\nSigned-off-by: Alex <alex@example.com>\n",
        lambda text: text.replace("\n", "  \n"),
    ],
)
def test_what_a_forge_changes_around_the_trailers_leaves_them_believed(change: object) -> None:
    assert callable(change)
    assert unsealed(change(commit(RECORD)), [KEY]) == RECORD


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:0],
        lambda text: text[: text.index("\n")],
        lambda text: text.replace("Towpath-Unit: payments\n", ""),
        lambda text: text.replace("Towpath-Stage: prod\n", ""),
        lambda text: re.sub("Towpath-Image: .*\n", "", text),
        lambda text: re.sub("Towpath-Release: .*", "Towpath-Release: 000000000000", text),
        lambda text: re.sub("(Towpath-Release: .*)", r"\1\n\1", text),
        lambda text: text.replace(a.digest("v2"), "sha256:short"),
        lambda text: text.replace(f"{a.API}@", ""),
    ],
)
def test_trailers_that_do_not_hang_together_are_no_record(change: object) -> None:
    assert callable(change)
    assert read(change(write(RECORD))) is None


def test_what_is_not_known_of_an_old_record_is_left_open() -> None:
    found = read(write(Record("payments", "prod", a.release("v2"), ())).replace("tag=v2", "seen=then"))
    assert found is not None
    assert (found.supersedes, found.cause, found.sightings[0].seen_at) == (None, "", NEVER)
    assert (found.sightings[0].tags, found.sightings[0].revisions) == ((), ())


def test_a_supersedes_that_is_no_number_is_none() -> None:
    found = read(write(RECORD).replace("Supersedes: 7", "Supersedes: seven"))
    assert found is not None
    assert found.supersedes is None


def test_a_time_is_written_in_utc_and_read_with_its_zone() -> None:
    elsewhere = replace(a.sighting("v2"), seen_at=datetime(2026, 5, 4, 2, tzinfo=timezone(timedelta(hours=2))))
    record = replace(RECORD, sightings=(elsewhere,))
    assert "seen=2026-05-04T00:00:00+00:00" in write(record)
    naive = read(write(record).replace("+00:00", ""))
    assert naive is not None
    assert naive.sightings[0].seen_at == datetime(2026, 5, 4, tzinfo=UTC)


def test_the_seal_is_over_the_trailers_and_their_order() -> None:
    lines = write(RECORD).splitlines()
    swapped = "\n".join([lines[1], lines[0], *lines[2:]])
    assert sealed(swapped, KEY)[-65:] != sealed(write(RECORD), KEY)[-65:]
    assert trailers.sealed(f"one\n\n{write(RECORD)}", KEY)[-65:] == sealed(f"two\n\n{write(RECORD)}", KEY)[-65:]
