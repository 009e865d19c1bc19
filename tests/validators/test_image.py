"""The digest is in its registry, and built for whatever the one before it was, or for what policy names."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from bot.errors import Transient
from bot.validators import Bench, Change, Part, Skipped, Told, jobs, key_of, look
from bot.validators.image import VALIDATOR
from bot.validators.launching import Launcher
from policies.findings import Finding, Ran
from policies.validating import Validating
from tests.validators.test_pinned import ONE, OURS, PATH, TWO, image
from tests.validators.trees import change_of

BOTH = ("linux/amd64", "linux/arm64")
EAST = "environments/prod/us/shop/values.yaml"


@dataclass
class Known:
    """A registry that knows these digests, with their platforms; it asks nobody."""

    built: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    exists_: bool | None = None
    fails: bool = False
    asked: list[str] = field(default_factory=list)

    def exists(self, image: str, digest: str) -> bool | None:
        self.asked.append(image)
        if self.fails:
            raise Transient("look up image", image, "the registry answers 503")
        return digest in self.built if self.exists_ is None else self.exists_

    def platforms(self, image: str, digest: str) -> tuple[str, ...] | None:
        return self.built.get(digest)


class Nobody(Known):
    """No registry is configured."""

    def exists(self, image: str, digest: str) -> bool | None:
        return None


def rules(*platforms: str) -> Validating:
    return Validating.model_validate({"checks": {"image": {"platforms": platforms}}})


def moved(*platforms: str, before: str = image(digest=ONE), after: str = image(digest=TWO)) -> Change:
    return change_of({PATH: before}, {PATH: after}, rules=rules(*platforms))


def part(change: Change) -> Part:
    (only,) = VALIDATOR.parts(change)
    return only


def check(change: Change, known: Known) -> Told:
    return VALIDATOR.check(change, part(change), Bench(Launcher(), known))


def test_a_digest_that_is_nowhere_is_an_error() -> None:
    assert check(moved(), Known()).findings == (Finding(f"{OURS} has no image {TWO} in its registry", rule="missing"),)


def test_a_digest_that_is_there_is_fine() -> None:
    assert check(moved(), Known({TWO: BOTH})) == Told()


def test_without_a_registry_it_is_skipped() -> None:
    with pytest.raises(Skipped, match=f"no registry is configured for {OURS}"):
        check(moved(), Nobody())


def test_S16_a_registry_that_fails_leaves_it_unknown() -> None:
    (job,) = jobs(moved(), (VALIDATOR,), {})
    found = look(moved(), job, Bench(Launcher(), Known(fails=True)))
    assert found.ran is Ran.broken and "503" in found.why


@pytest.mark.parametrize(
    ("wanted", "built", "missing"),
    [
        (("linux/amd64",), BOTH, []),
        (("linux/amd64", "linux/arm64"), ("linux/amd64",), ["linux/arm64"]),
        (("linux/arm",), ("linux/arm/v7",), []),
        (("linux/arm/v6",), ("linux/arm/v7",), ["linux/arm/v6"]),
        (("linux/arm64/v8",), BOTH, []),
        (("linux/arm",), ("linux/arm64",), ["linux/arm"]),
        (("linux/amd64",), (), ["linux/amd64"]),
        (("linux/amd64/v3",), ("linux/amd64",), ["linux/amd64/v3"]),
    ],
)
def test_the_platforms_that_policy_names(wanted: tuple[str, ...], built: tuple[str, ...], missing: list[str]) -> None:
    found = check(moved(*wanted), Known({TWO: built})).findings
    assert [one.message.split(" is not built for ")[1].split(",")[0] for one in found] == missing


def test_the_words_name_what_it_is_built_for() -> None:
    assert check(moved("linux/s390x"), Known({TWO: BOTH})).findings == (
        Finding(
            f"{OURS} is not built for linux/s390x, which policy wants; it is for linux/amd64 and linux/arm64",
            rule="platform",
        ),
    )
    assert check(moved(), Known({ONE: BOTH, TWO: ()})).findings[1] == Finding(
        f"{OURS} is not built for linux/arm64, for which the image is that it replaces; it is for none",
        rule="platform",
    )


@pytest.mark.parametrize(
    ("before", "missing"),
    [(("linux/amd64",), 0), (BOTH, 1), (None, 0), (("linux/s390x", "linux/arm64"), 2)],
)
def test_without_a_rule_it_is_built_for_what_the_one_before_was(before: tuple[str, ...] | None, missing: int) -> None:
    assert len(check(moved(), Known({ONE: before, TWO: ("linux/amd64",)})).findings) == missing


def test_platforms_that_nobody_can_tell_are_skipped_only_where_they_are_wanted() -> None:
    with pytest.raises(Skipped, match="cannot tell for which platforms"):
        check(moved("linux/amd64"), Known({TWO: None}))
    assert check(moved(), Known({TWO: None})) == Told()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (image(digest=ONE), "a: 1\n" + image(digest=ONE)),
        (image(tag="v1", digest=ONE), image(tag="v2", digest=ONE)),
        (image(tag="v1"), image(tag="v2")),
    ],
)
def test_what_pins_no_new_digest_is_not_looked_at(before: str, after: str) -> None:
    assert list(VALIDATOR.parts(moved(before=before, after=after))) == []


def test_the_same_image_in_many_files_is_one_part_and_the_next_ring_does_not_pay_again() -> None:
    files = {PATH: image(digest=ONE), EAST: image(digest=ONE)}
    together = change_of(files, dict.fromkeys(files, image(digest=TWO)))
    assert part(together) == part(moved())
    other_file = change_of({EAST: image(digest=ONE)}, {EAST: "b: 2\n" + image(digest=TWO)})
    assert key_of(jobs(other_file, (VALIDATOR,), {})) == key_of(jobs(moved(), (VALIDATOR,), {}))


def test_the_key_depends_on_the_platforms_and_on_what_is_replaced_where_that_counts() -> None:
    new = moved(before=image(digest="sha256:" + "3" * 64))
    assert part(new).inputs != part(moved()).inputs
    assert part(moved("linux/amd64")).inputs == (OURS, TWO)
    keys = {key_of(jobs(one, (VALIDATOR,), {})) for one in (moved(), moved("linux/amd64"), moved("linux/arm64"), new)}
    assert len(keys) == 4
