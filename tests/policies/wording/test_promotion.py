"""What a promotion says of itself: title, description and commit message."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from policies import trailers
from policies.model import Image, Release, Sighting, SourceCommit
from policies.snapshot import Arrival, Between, Question, Snapshot
from policies.trailers import NEVER, Record
from policies.wording.promotion import description, headline, message, release_name, shown
from tests import builders as a
from tests.policies.texts import golden

NONPROD, PROD = a.stage(), a.stage("prod", after="nonprod")
SEEN = (a.built("v1", 0, "r1"), a.built("v2", 600, "r3"))


def text(asked: Snapshot, moved: Release, upstream: str | None = None, name: str = "nonprod") -> str:
    """The description of a promotion."""
    answered, _ = a.whole(asked)
    return description(answered, asked.view(name), moved, upstream)


def test_into_a_first_stage() -> None:
    assert text(a.snapshot(NONPROD, seen=SEEN), a.release("v2")) == golden("description-first") + "\n"


def test_from_upstream() -> None:
    answers: Mapping[Question, object] = {Arrival("nonprod", a.release("v2").name): a.request(3, merged_at=a.NOW)}
    asked = a.snapshot(NONPROD, PROD, pins=[{"nonprod": "v2", "prod": "v1"}], seen=SEEN, answers=answers)
    assert text(asked, a.release("v2"), "nonprod", "prod") == golden("description-upstream") + "\n"


def test_pushed_upstream_directly() -> None:
    asked = a.snapshot(NONPROD, PROD, pins=[{"nonprod": "v2", "prod": "v1"}], seen=("v1", "v2"))
    assert "it is what `nonprod` runs, pushed there directly.\n" in text(asked, a.release("v2"), "nonprod", "prod")


def test_several_images_targets_and_many_of_all() -> None:
    clusters = tuple(f"c{number:02d}" for number in range(22))
    seen = (
        a.built("v1", 0, "r1"),
        a.built("v2", 1, "r30"),
        a.built("v1", 0, "r1", a.WORKER),
        a.built("v2", 2, "r30", a.WORKER),
    )
    pins: list[a.Pins] = [{"nonprod": "v1", "nonprod/c01": ("v1", "tag:1.0")}]
    asked = a.snapshot(NONPROD, pins=pins, images=(a.API, a.WORKER), seen=seen, clusters={"nonprod": clusters})
    assert text(asked, a.release("v2", "v2")) == golden("description-several") + "\n"


def test_one_commit_is_one_commit() -> None:
    asked = a.snapshot(NONPROD, seen=(a.built("v1", 0, "r1"), a.built("v2", 1, "r2")))
    assert f"\n1 commit of {a.SOURCE} between `r1` and `r2`:\n\n- `r2` `Change 2` by `Alex`\n" in text(
        asked, a.release("v2")
    )


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (a.sighting("v1"), a.built("v2", 1, "r2"), f"Built from `r2` of {a.SOURCE}."),
        (None, a.built("v2", 1, "r2"), f"Built from `r2` of {a.SOURCE}."),
        (a.built("v1", 0, "r2"), a.built("v2", 1, "r2"), f"Built from `r2` of {a.SOURCE}."),
        (a.built("v1"), replace(a.built("v2", 1, "r2"), source=None), "Built from `r2`."),
        (a.built("v1"), replace(a.built("v2", 1, "r2"), source="javascript:x"), "Built from `r2`"),
        (a.built("v1"), replace(a.built("v2", 1, "r2"), source="https://x.example.com/@all"), "Built from `r2`"),
        (a.built("v1", 0, "r3"), a.built("v2", 1, "r2"), f"Built from `r2` of {a.SOURCE}; before it was `r3`."),
        (a.built("v1"), a.sighting("v2", 1), None),
    ],
)
def test_what_is_known_of_the_source(old: Sighting | None, new: Sighting, line: str | None) -> None:
    known = {
        Between(new.source or "", "r1", "r2"): (),
        Between(new.source or "", "r3", "r2"): (),
        Between(new.source or "", "r2", "r3"): (),
    }
    asked = a.snapshot(NONPROD, seen=[one for one in (old, new) if one is not None], answers=known)
    found = description(asked, asked.view("nonprod"), a.release("v2"), None)
    assert ("Built from" in found) is (line is not None)
    assert line is None or f"\n{line}" in found


def test_a_time_that_nobody_wrote_down_is_not_told() -> None:
    asked = a.snapshot(NONPROD, seen=(replace(a.sighting("v2"), seen_at=NEVER),))
    assert text(asked, a.release("v2")).startswith("`payments` moves to `v2` in `nonprod`.\n")


def test_what_nobody_announced_is_told_without_a_time() -> None:
    assert text(a.snapshot(NONPROD), a.release("v2")).startswith("`payments` moves to `v2` in `nonprod`.\n")


def test_a_file_that_pins_nothing_readable() -> None:
    asked = a.snapshot(NONPROD, pins=[{"nonprod": "tag:"}], seen=("v2",))
    empty = replace(asked.stages[0].targets[0], pin=replace(asked.stages[0].targets[0].pin, tag=None))
    view = replace(asked.stages[0], targets=(empty,))
    assert f"| `{a.API}` | nothing | `v2` `{a.digest('v2')[:19]}` |" in description(asked, view, a.release("v2"), None)


@pytest.mark.parametrize(
    ("release", "name"),
    [
        (a.release("v2"), "v2"),
        (Release((Image(a.API, a.digest("v2")),)), a.digest("v2")[:19]),
        (a.release("v2", "v3"), f"release {a.release('v2', 'v3').name}"),
    ],
)
def test_what_a_release_is_called(release: Release, name: str) -> None:
    assert release_name(release) == name


def test_the_name_of_a_release_is_its_digests_and_nothing_else() -> None:
    pair = a.release("v1", "v2")
    assert pair.name == Release(pair.images[::-1]).name == Release((a.image("v1"), pair.images[1])).name
    assert pair.name == "050d0b81c2a5"
    assert pair.digests == {a.API: a.digest("v1"), a.WORKER: a.digest("v2")}


def test_the_headline() -> None:
    assert headline("payments", "prod", a.release("v2")) == "Promote payments v2 to prod"


def test_the_commits_message() -> None:
    record = Record("payments", "prod", a.release("v2"), ())
    assert (
        message("Promote payments v2 to prod", record) == f"Promote payments v2 to prod\n\n{trailers.write(record)}\n"
    )


# Others' text (S9).

MARK = "evilword"
HOSTILE = st.one_of(
    st.sampled_from(
        ["@all", "a | b", "`x`", "<img src=x>", "![x](https://evil.example.com/x.png)", "a\n\n- @all", "#1", "\x1b"]
    ),
    st.text(alphabet="@|`<>![]()#\n\\*_ ab", max_size=30),
)
MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})


@given(HOSTILE)
def test_S9_a_title_is_one_line_that_mentions_nobody(name: str) -> None:
    found = headline(f"{name}@{MARK}", "prod", Release((replace(a.image(), tag=f"#1{name}@{MARK}"),)))
    assert len(found.splitlines()) == 1
    assert f"@{MARK}" not in found
    assert "#1" not in found
    assert found.startswith("Promote ")


@given(HOSTILE)
def test_S9_a_description_shows_others_text_as_code_only(name: str) -> None:
    evil = f"{name}{MARK}{name}"
    image = Image(evil, a.digest("v2"), evil)
    new = replace(a.built("v2", 1, "r2", evil), image=image, revision=f"r2{evil}")
    old = a.built("v1", 0, "r1", evil)
    asked = replace(a.snapshot(NONPROD, images=(evil,), seen=(old, new)), unit=evil)
    commit = SourceCommit("c0ffee", evil, evil)
    answers: dict[Question, object] = {
        Between(a.SOURCE, "r1", f"r2{evil}"): (commit,),
        Arrival("nonprod", Release((image,)).name): None,
    }
    found = description(replace(asked, answers=answers), asked.stages[0], Release((image,)), None)
    for token in MARKDOWN.parse(found):
        live = [child for child in token.children or () if child.type != "code_inline"]
        assert not [child for child in live if MARK in child.content], found
    assert found.count("\n| ") == 2


def test_S9_what_an_image_is_shown_as_is_one_line() -> None:
    assert shown(replace(a.image(), tag="a\nb")) == "a b"
