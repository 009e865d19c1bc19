"""`towpath.yaml` as a file: how much of one is read, and how often."""

import pytest

from policies.config import PolicyError
from workers.policy_file import MOST_BYTES, MOST_EVENTS, _loaded, load

BARE = b"""version: 1
services: {path: "{environment}/{service}.yaml"}
stages:
- {name: test, where: {environment: test}}
"""


def faults(raw: bytes) -> list[tuple[str, int | None]]:
    with pytest.raises(PolicyError) as refused:
        load(raw)
    return [(fault.message, fault.line) for fault in refused.value.faults]


def test_S8_a_file_beyond_measure_is_not_read_and_not_kept() -> None:
    _loaded.cache_clear()
    assert load(BARE + b"#" * (MOST_BYTES - len(BARE))).stages
    assert faults(BARE + b"#" * (MOST_BYTES - len(BARE) + 1)) == [("the file is larger than 256 KiB", None)]
    assert _loaded.cache_info().currsize == 1


def test_S8_of_a_file_of_many_small_values_only_so_many_are_read() -> None:
    assert faults(BARE + b"x: [" + b"a," * MOST_EVENTS + b"]\n") == [("the file has more than 20,000 YAML events", 5)]


@pytest.mark.parametrize("raw", [b"a: [", BARE + b"more: 1\n", b""])
def test_a_file_with_faults_is_read_once(raw: bytes) -> None:
    _loaded.cache_clear()
    assert faults(raw) == faults(raw)
    assert (_loaded.cache_info().misses, _loaded.cache_info().hits) == (1, 1)
