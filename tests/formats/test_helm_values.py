"""Exact edits of values files: what changes, what never does, and what is refused by name."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from bot.formats import FORMATS, Refused
from policies.model import Image

FORMAT = FORMATS["helm-values"]
REPO = "registry.example.com/shop/api"
OLD, NEW = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def edited(text: str, tag: str | None = "v2", repository: str = REPO) -> str:
    return FORMAT.set_images(text.encode(), {repository: Image(repository, NEW, tag)}).decode()


STYLES = {
    "block": (
        f"image:\n  repository: {REPO}\n  tag: v1\n  digest: {OLD}\n",
        f"image:\n  repository: {REPO}\n  tag: v2\n  digest: {NEW}\n",
    ),
    "comments": (
        f"# top\nimage: # here\n  repository: {REPO} # a\n  tag: v1   # b\n  digest: {OLD}    # c\n# end",
        f"# top\nimage: # here\n  repository: {REPO} # a\n  tag: v2   # b\n  digest: {NEW}    # c\n# end",
    ),
    "double quotes": (
        f'image:\n  repository: "{REPO}"\n  tag: "v1"\n  digest: "{OLD}"\n',
        f'image:\n  repository: "{REPO}"\n  tag: "v2"\n  digest: "{NEW}"\n',
    ),
    "single quotes": (
        f"image:\n    repository: '{REPO}'\n    tag: 'v1'\n    digest: '{OLD}'\n",
        f"image:\n    repository: '{REPO}'\n    tag: 'v2'\n    digest: '{NEW}'\n",
    ),
    "flow": (
        f"image: {{repository: {REPO}, tag: v1, digest: '{OLD}'}} # x\n",
        f"image: {{repository: {REPO}, tag: v2, digest: '{NEW}'}} # x\n",
    ),
    "no digest yet": (
        f"image:\n  repository: {REPO}\n  tag: v1 # why\n  pullPolicy: Always\n",
        f"image:\n  repository: {REPO}\n  tag: v2 # why\n  digest: {NEW}\n  pullPolicy: Always\n",
    ),
    "no digest yet, quoted": (
        f'image:\n  repository: {REPO}\n  tag: "v1"\n',
        f'image:\n  repository: {REPO}\n  tag: "v2"\n  digest: "{NEW}"\n',
    ),
    "no digest yet, flow": (
        f"image: {{repository: {REPO}, tag: v1}}\n",
        f'image: {{repository: {REPO}, tag: v2, digest: "{NEW}"}}\n',
    ),
    "no digest yet, no final newline": (
        f"image:\n  repository: {REPO}\n  tag: v1",
        f"image:\n  repository: {REPO}\n  tag: v2\n  digest: {NEW}",
    ),
    "empty digest": (
        f"image:\n  repository: {REPO}\n  tag: v1\n  digest:\n  pullPolicy: Always\n",
        f"image:\n  repository: {REPO}\n  tag: v2\n  digest: {NEW}\n  pullPolicy: Always\n",
    ),
    "empty quoted digest": (
        f'image:\n  repository: {REPO}\n  tag: v1\n  digest: ""\n',
        f'image:\n  repository: {REPO}\n  tag: v2\n  digest: "{NEW}"\n',
    ),
    "digest alone": (
        f"image:\n  repository: {REPO}\n  digest: {OLD}\n",
        f"image:\n  repository: {REPO}\n  digest: {NEW}\n",
    ),
    "registry apart": (
        f"image:\n  registry: registry.example.com\n  repository: shop/api\n  tag: v1\n  digest: {OLD}\n",
        f"image:\n  registry: registry.example.com\n  repository: shop/api\n  tag: v2\n  digest: {NEW}\n",
    ),
    "deep, in a list, twice": (
        f"a:\n- b:\n    image: {{repository: {REPO}, digest: '{OLD}'}}\nc:\n  repository: {REPO}\n  digest: {OLD}\n",
        f"a:\n- b:\n    image: {{repository: {REPO}, digest: '{NEW}'}}\nc:\n  repository: {REPO}\n  digest: {NEW}\n",
    ),
    "second document": (
        f"x: 1\n---\nimage:\n  repository: {REPO}\n  digest: {OLD}\n",
        f"x: 1\n---\nimage:\n  repository: {REPO}\n  digest: {NEW}\n",
    ),
    "carriage returns": (
        f"image:\r\n  repository: {REPO}\r\n  tag: v1\r\n  x: y\r\n",
        f"image:\r\n  repository: {REPO}\r\n  tag: v2\r\n  digest: {NEW}\r\n  x: y\r\n",
    ),
    "byte order mark": (
        f"\ufeffimage:\n  repository: {REPO}\n  digest: {OLD}\n",
        f"\ufeffimage:\n  repository: {REPO}\n  digest: {NEW}\n",
    ),
    "digest inside the tag": (
        f"image:\n  repository: {REPO}\n  tag: v1@{OLD}\n",
        f"image:\n  repository: {REPO}\n  tag: v2@{NEW}\n",
    ),
    "another image beside it": (
        f"a: {{repository: other/x, tag: '1'}}\nb:\n  repository: {REPO}\n  digest: {OLD}\n",
        f"a: {{repository: other/x, tag: '1'}}\nb:\n  repository: {REPO}\n  digest: {NEW}\n",
    ),
    "wide characters before it": (
        f'# 日本語 🚀\nname: ü\nimage: {{repository: {REPO}, digest: "{OLD}"}}\n',
        f'# 日本語 🚀\nname: ü\nimage: {{repository: {REPO}, digest: "{NEW}"}}\n',
    ),
}


@pytest.mark.parametrize("style", STYLES)
def test_exactly_the_digest_and_tag_change(style: str) -> None:
    before, after = STYLES[style]
    assert edited(before) == after


@pytest.mark.parametrize("style", STYLES)
def test_a_second_edit_returns_the_same_bytes(style: str) -> None:
    once = edited(STYLES[style][0])
    assert edited(once) == once


@pytest.mark.parametrize("style", STYLES)
def test_an_independent_parser_sees_only_the_wanted_difference(style: str) -> None:
    before, after = STYLES[style]
    assert _blank(before) == _blank(after)


def _blank(text: str) -> list[object]:
    def without(value: object) -> object:
        if isinstance(value, dict):
            ours = str(value.get("repository", "")).endswith("shop/api")
            return {key: without(one) for key, one in value.items() if not (ours and key in {"tag", "digest"})}
        return [without(one) for one in value] if isinstance(value, list) else value

    return [without(document) for document in YAML(typ="safe", pure=True).load_all(io.StringIO(text))]


REFUSED = {
    "repeated key": (f"image:\n  repository: {REPO}\n  tag: a\n  tag: b\n", 4, "written twice"),
    "block scalar": (f"image:\n  repository: {REPO}\n  tag: |\n    v1\n", 3, "block"),
    "alias": (f"x: &d {OLD}\nimage:\n  repository: {REPO}\n  digest: *d\n", 4, "alias"),
    "anchor on the value": (f"image:\n  repository: {REPO}\n  digest: &d {OLD}\ny: *d\n", 3, "anchor"),
    "anchor on the image": (f"image: &i\n  repository: {REPO}\n  digest: {OLD}\nb: *i\n", 1, "anchor"),
    "not YAML": ("image: [\n", None, "no YAML"),
    "a template": ("image:\n  tag: {{ .Values.tag }}\n  repository: {{ .x }}\n", None, "no place pins"),
    "another image": ("image:\n  repository: registry.example.com/shop/apl\n  tag: v1\n", None, "nearest"),
    "encrypted": (f"image:\n  repository: {REPO}\n  tag: v1\nsops:\n  mac: x\n", 5, "SOPS"),
    "NUL": ("a: \0\n", 1, "control"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_exact_is_refused_with_line_and_reason(name: str) -> None:
    text, line, words = REFUSED[name]
    with pytest.raises(Refused, match=words) as caught:
        edited(text)
    if line is not None:
        assert caught.value.line == line


HARD = [
    "1.10",
    "8e12345",
    "yes",
    "12:30:45",
    "0444",
    "null",
    "~",
    "1e3",
    ".5",
    "0x1f",
    "off",
    "2026-01-01",
    "1_000",
    "v1",
]


@pytest.mark.parametrize("tag", HARD)
@pytest.mark.parametrize("style", ["block", "double quotes", "single quotes", "flow", "no digest yet"])
def test_hard_tags_stay_strings(tag: str, style: str) -> None:
    after = edited(STYLES[style][0], tag)
    for version in ((1, 1), (1, 2)):
        yaml = YAML(typ="safe", pure=True)
        yaml.version = version
        image = yaml.load(io.StringIO(after))["image"]
        assert image["tag"] == tag and image["digest"] == NEW


BOMBS = {
    "deep flow": b"[" * 100_000,
    "deep block": "".join(f"{' ' * n}a:\n" for n in range(2_000)).encode(),
    "many documents": b"---\na\n" * 100_000,
    "too large": b"a: " + b"x" * (5 * 1024 * 1024),
    "not UTF-8": b"a: \xff\n",
}


@pytest.mark.parametrize("name", BOMBS)
def test_hostile_files_are_refused(name: str) -> None:
    with pytest.raises(Refused):
        FORMAT.pins(BOMBS[name])


def test_aliases_are_never_expanded() -> None:
    laughs = "a: &a [x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
    )
    assert FORMAT.pins(laughs.encode()) == ()


@given(
    before=st.text(st.characters(blacklist_categories=("C", "Z")), max_size=20),
    old=st.sampled_from(["v1", "'1.0'", '"x"', "1.2.3-rc.1"]),
    comment=st.sampled_from(["", "  # keep", " # 🚀"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    new=st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True),
)
def test_bytes_around_the_tokens_are_untouched_and_editing_back_restores_the_file(
    before: str, old: str, comment: str, newline: str, new: str
) -> None:
    lines = [f"# {before}", "image:", f"  repository: {REPO}", f"  tag: {old}{comment}", f"  digest: {OLD}", "x: 1", ""]
    text = newline.join(lines)
    there = edited(text, new)
    start, end = text.index(old), text.index(old) + len(old)
    assert there.startswith(text[:start]) and there.endswith(text[end:].replace(OLD, NEW))
    back = FORMAT.set_images(there.encode(), {REPO: Image(REPO, OLD, old.strip("'\""))}).decode()
    assert YAML(typ="safe", pure=True).load(back) == YAML(typ="safe", pure=True).load(text)
    if old[0] in "'\"":
        assert back == text  # A plain one may come back quoted, where the other value had to be.
