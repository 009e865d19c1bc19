"""Exact edits of values files: what is found, what changes, and what never does."""

import pytest

from bot.formats import FORMATS, helm_values
from bot.yaml import Parser
from policies.model import Image, Pin
from tests.formats.styles import NEW, OLD, ONLY_IN_C, PARSERS, REPO, STYLES, loaded, without_pins

FORMAT = FORMATS["helm-values"]


def edited(text: str, tag: str | None = "v2", parser: Parser = PARSERS["C"]) -> str:
    return helm_values.set_images(text.encode(), {REPO: Image(REPO, NEW, tag)}, parser).decode()


def pinned(text: str) -> list[tuple[str, str | None, str | None, int]]:
    return [(pin.repository, pin.digest, pin.tag, pin.line) for pin in FORMAT.pins(text.encode())]


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("style", STYLES)
def test_exactly_the_digest_and_tag_change(style: str, parser: str) -> None:
    before, after = STYLES[style]
    assert edited(before, parser=PARSERS[parser]) == after


@pytest.mark.parametrize("style", ONLY_IN_C)
def test_what_only_the_parser_in_c_reads_is_edited_by_it(style: str) -> None:
    before, after = ONLY_IN_C[style]
    assert edited(before) == after


@pytest.mark.parametrize("style", STYLES)
def test_what_already_says_so_stays_the_very_same_bytes(style: str) -> None:
    once = edited(STYLES[style][0]).encode()
    assert FORMAT.set_images(once, {REPO: Image(REPO, NEW, "v2")}) is once


@pytest.mark.parametrize("style", STYLES)
def test_an_independent_parser_sees_only_the_wanted_difference(style: str) -> None:
    before, after = STYLES[style]
    assert without_pins(loaded(before)) == without_pins(loaded(after)) != []


@pytest.mark.parametrize("style", STYLES)
def test_what_was_written_is_what_is_read(style: str) -> None:
    found = [pin for pin in FORMAT.pins(STYLES[style][1].encode()) if pin.repository == REPO]
    assert found and {pin.digest for pin in found} == {NEW}


@pytest.mark.parametrize("style", [name for name, (before, _) in STYLES.items() if "'v1'" in before or "v1 " in before])
def test_without_a_tag_the_file_keeps_its_own(style: str) -> None:
    assert "v1" in edited(STYLES[style][0], None) and NEW in edited(STYLES[style][0], None)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"image:\n  repository: {REPO}\n  tag: v1\n  digest: {OLD}\n", [(REPO, OLD, "v1", 2)]),
        ("a: {registry: r.example.com, repository: x, tag: 1.10}\n", [("r.example.com/x", None, "1.10", 1)]),
        ("a: {registry: r.example.com/, repository: /x, tag: a}\n", [("r.example.com/x", None, "a", 1)]),
        ("a: {registry: ~, repository: x, tag: ~, digest: ''}\n", [("x", None, None, 1)]),
        (f"a: {{repository: x, tag: 'v1@{OLD}'}}\n", [("x", OLD, "v1", 1)]),
        (f"a: {{repository: x, tag: 'v1@{OLD}', digest: '{NEW}'}}\n", [("x", NEW, "v1", 1)]),
        (f"a: {{repository: x, tag: '{OLD}'}}\n", [("x", OLD, None, 1)]),
        ("a: {repository: x, tag: v1, digest: short}\n", [("x", None, "v1", 1)]),
        ("image: {repository: x}\n", [("x", None, None, 1)]),
        ("sidecarImage: {repository: x}\n", [("x", None, None, 1)]),
        ("images:\n- image: {repository: x}\n", [("x", None, None, 2)]),
        ("git: {repository: 'https://gitlab.example.com/x'}\n", []),
        ("image:\n- repository: x\n", []),
        ("image: {repository: }\n", []),
        ("image: {repository: {{ .Values.x }}, tag: v1}\n", []),
        ("image: {repository: [x], tag: v1}\n", []),
        ("a: {tag: v1, digest: x}\n", []),
        ("d: &d {repository: x}\na: {<<: *d, tag: v1}\n", []),
        ("r: &r x\nt: &t v1\na: {repository: *r, tag: *t}\n", [("x", None, "v1", 3)]),
        ("r: &r x\ns: &r [1]\na: {repository: *r, tag: v1}\n", []),
        ("a: &x {repository: x, tag: v1}\nb: *x\n", [("x", None, "v1", 1)]),
        (
            "b:\n  tag: v1\n  inner: {repository: y, tag: w}\n  repository: x\n",
            [("y", None, "w", 3), ("x", None, "v1", 4)],
        ),
        ("repository: x\ninner: {repository: y, tag: w}\ntag: v1\n", [("x", None, "v1", 1), ("y", None, "w", 2)]),
        ("? {a: b}\n: c\nrepository: x\ntag: v1\n", [("x", None, "v1", 3)]),
        ("? [a, {repository: y, tag: w}]\n: {repository: x, tag: v1}\n", [("y", None, "w", 1), ("x", None, "v1", 2)]),
        ("# nothing\n", []),
        ("", []),
        ("just text\n", []),
        ("- repository\n- tag\n", []),
    ],
)
def test_every_place_that_pins_an_image_is_found(
    text: str, found: list[tuple[str, str | None, str | None, int]]
) -> None:
    assert pinned(text) == found


def test_a_pin_tells_the_line_of_its_repository() -> None:
    text = f"# a\n\nimage:\n  tag: v1\n  repository: {REPO}\n".encode()
    assert FORMAT.pins(text) == (Pin(REPO, None, "v1", 5),)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("repository: nginx", "nginx"),
        ("repository: nginx", "docker.io/library/nginx"),
        ("repository: docker.io/library/nginx", "nginx"),
        ("registry: docker.io\n  repository: nginx", "index.docker.io/library/nginx"),
        ("repository: shop/api", "docker.io/shop/api"),
        ("repository: localhost/api", "localhost/api"),
        ("registry: registry.example.com:5000\n  repository: api", "registry.example.com:5000/api"),
    ],
)
def test_short_names_of_docker_hub_mean_the_full_ones(written: str, asked: str) -> None:
    text = f"image:\n  {written}\n  digest: {OLD}\n"
    images = {asked: Image(asked, NEW)}
    assert FORMAT.set_images(text.encode(), images).decode() == text.replace(OLD, NEW)


def test_several_images_move_in_one_edit() -> None:
    text = "a: {repository: x.example.com/a, tag: 'v1'}\nb: {repository: x.example.com/b, tag: 'v1'}\nc: [1]\n"
    images = {name: Image(name, NEW, "v2") for name in ("x.example.com/b", "x.example.com/a")}
    assert FORMAT.set_images(text.encode(), images).decode() == text.replace("'v1'", f"'v2', digest: '{NEW}'")


def test_no_images_change_nothing() -> None:
    text = b"image: {repository: x, tag: v1}\n"
    assert FORMAT.set_images(text, {}) is text


HARD = [
    *("1.10", "8e12345", "yes", "No", "y", "ON", "12:30:45", "0444", "0o17", "0b1", "null", "~", "1e3", ".5", "5."),
    *("0x1f", "off", "2026-01-01", "2026-1-1 1:2:3", "1_000", "1,000", "+1", "-1", ".inf", ".NaN", "=", "<<", "1.2_3"),
    *("- a", "a: b", "a #b", "# a", "a:", "[a]", "{a}", "*a", "&a", "!a", "|", ">", "%a", "@a", "`a", "'a'", '"a"'),
    *("it's", 'a"b', "a\\b", " a", "a ", "?", "? a", "--- a", "ü", "v1", "1.2.3", "v1@x", "a,b", "a}b"),
]


@pytest.mark.parametrize("tag", HARD)
@pytest.mark.parametrize("style", ["block", "double quotes", "single quotes", "flow", "no digest yet", "empty tag"])
def test_hard_tags_stay_text_for_every_reader(style: str, tag: str) -> None:
    after = edited(STYLES[style][0], tag)
    for version in ((1, 1), (1, 2)):
        [values] = loaded(after, version)
        assert isinstance(values, dict)
        assert (values["image"]["tag"], values["image"]["digest"]) == (tag, NEW)


@pytest.mark.parametrize("tag", ["v2", "1.2.3", "1.2.3-rc.1", "main-0123abc", "v1.2_x"])
def test_easy_tags_stay_plain(tag: str) -> None:
    assert f"tag: {tag} # why" in edited(STYLES["no digest yet"][0], tag)
