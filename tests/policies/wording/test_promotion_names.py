"""How a release is named to people."""

import pytest

from policies.model import Image, Release
from policies.wording.promotion import release_name


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        (("v1",), "v1"),
        (("1.5.0", "1.5.0"), "1.5.0"),
        (("1.5.0", "1.4.9"), None),
        ((None,), "sha256:000000000000"),
        ((None, None), None),
    ],
)
def test_a_release_is_named_by_the_tag_that_all_its_images_share(
    tags: tuple[str | None, ...], name: str | None
) -> None:
    images = [Image(f"registry.example.com/app-{n}", f"sha256:{n:064x}", tag) for n, tag in enumerate(tags)]
    release = Release(tuple(images))
    assert release_name(release) == (name or f"release {release.name}")
