"""When two names mean one image repository."""

import pytest

from bot.formats.names import canonical


@pytest.mark.parametrize(
    ("written", "full"),
    [
        ("nginx", "docker.io/library/nginx"),
        ("docker.io/nginx", "docker.io/library/nginx"),
        ("index.docker.io/library/nginx", "docker.io/library/nginx"),
        ("registry-1.docker.io/shop/api", "docker.io/shop/api"),
        ("shop/api", "docker.io/shop/api"),
        ("library/nginx", "docker.io/library/nginx"),
        ("registry.example.com/api", "registry.example.com/api"),
        ("registry:5000/api", "registry:5000/api"),
        ("localhost/api", "localhost/api"),
        ("Registry.example.com/API", "Registry.example.com/API"),
    ],
)
def test_the_full_name_of_a_repository(written: str, full: str) -> None:
    assert canonical(written) == full
    assert canonical(full) == full
