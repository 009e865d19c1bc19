"""Rendered YAML as objects: what is told apart, what is found fault with, and what hostile text cannot do."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.validators.documents import MOST_BYTES, MOST_NODES, documents
from bot.validators.objects import Identity, objects
from bot.yaml import Unreadable
from policies.findings import Finding, Severity
from tests.validators.secret_samples import drawn


def config(name: str, namespace: str = "", **fields: object) -> dict[str, object]:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **fields}


def rendered(*values: object) -> bytes:
    """JSON is YAML."""
    return b"".join(b"---\n" + json.dumps(value).encode() + b"\n" for value in values)


def values(text: str) -> list[object]:
    return [one.value for one in documents(text.encode())]


def test_an_object_is_told_by_kind_namespace_name_and_group() -> None:
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "namespace": "shop"}}
    found = objects(rendered(deployment, config("api", "shop"), config("api")))
    assert found.findings == ()
    assert list(found.found) == [
        Identity("Deployment", "shop", "api", "apps"),
        Identity("ConfigMap", "shop", "api", ""),
        Identity("ConfigMap", "", "api", ""),
    ]


def test_the_version_of_an_api_makes_no_other_object() -> None:
    old, new = ({"apiVersion": f"apps/{version}", "kind": "D", "metadata": {"name": "a"}} for version in ("v1", "v2"))
    assert objects(rendered(old)).found.keys() == objects(rendered(new)).found.keys()


@pytest.mark.parametrize("raw", [None, b"", b"---\n", b"# nothing\n---\n# nothing\n---\nnull\n"])
def test_nothing_is_no_object_and_no_fault(raw: bytes | None) -> None:
    assert objects(raw) == objects(None)


def test_lists_are_taken_apart_lists_within_them_too() -> None:
    inner = {"apiVersion": "v1", "kind": "ConfigMapList", "items": [config("b")]}
    found = objects(rendered({"apiVersion": "v1", "kind": "List", "items": [config("a"), inner, None]}))
    assert [one.name for one in found.found] == ["a", "b"]
    assert found.findings == ()


def test_an_object_without_a_name_of_its_own_goes_by_the_name_that_is_to_be_made() -> None:
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "migrate-"}}
    assert [str(one) for one in objects(rendered(job)).found] == ["Job migrate-"]


def test_of_two_objects_with_one_identity_the_last_counts_and_it_is_told() -> None:
    found = objects(rendered(config("a", "shop", data={"k": "1"}), config("a", "shop", data={"k": "2"})))
    assert [one["data"] for one in found.found.values()] == [{"k": "2"}]
    message = "ConfigMap shop/a is rendered twice; the last one counts"
    assert found.findings == (Finding(message, Severity.warning, rule="duplicate-object"),)


def test_S10_a_name_or_key_that_is_a_token_is_not_repeated() -> None:
    token = "gh" + "p_" + drawn("ghp", 36)
    one = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {token}}}\ndata: {{{token}: b, {token}: c}}\n"
    messages = [finding.message for finding in objects(f"{one}---\n{one}".encode()).findings]
    assert messages == [
        "the key 'redacted' is rendered twice in one mapping (line 4 of the output)",
        "the key 'redacted' is rendered twice in one mapping (line 9 of the output)",
        "ConfigMap redacted is rendered twice; the last one counts",
    ]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (["a"], "is no mapping"),
        ("text", "is no mapping"),
        (3, "is no mapping"),
        ({}, "has no apiVersion or no kind"),
        ({"apiVersion": "v1", "kind": ["x"]}, "has no apiVersion or no kind"),
        ({"apiVersion": 1, "kind": "ConfigMap"}, "has no apiVersion or no kind"),
        ({"apiVersion": "v1", "kind": "List", "items": "a"}, "has no metadata"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": []}, "has no metadata"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": {}}}, "has no name"),
    ],
)
def test_what_is_no_object_is_told_with_its_line(value: object, why: str) -> None:
    found = objects(rendered(config("a"), value))
    assert [one.name for one in found.found] == ["a"]
    message = f"the document at line 3 of the output {why}, so it is no object of Kubernetes"
    assert found.findings == (Finding(message, rule="no-object"),)


def test_a_key_that_is_rendered_twice_is_told_and_the_last_one_counts() -> None:
    raw = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: 1\n  k: 2\n"
    found = objects(raw)
    assert [one["data"] for one in found.found.values()] == [{"k": 2}]
    assert [(one.message, one.severity) for one in found.findings] == [
        ("the key 'k' is rendered twice in one mapping (line 6 of the output)", Severity.warning)
    ]


def test_what_stands_before_unreadable_text_is_still_seen() -> None:
    found = objects(rendered(config("a")) + b"---\na: b: c\n")
    assert [one.name for one in found.found] == ["a"]
    assert [one.rule for one in found.findings] == ["unreadable"]
    assert "line 4" in found.findings[0].message


def test_faults_beyond_fifty_are_counted() -> None:
    findings = objects(b"---\n3\n" * 80).findings
    assert len(findings) == 51
    assert findings[-1].message == "and 30 more"


# Documents.


def test_plain_values_are_those_of_the_core_schema() -> None:
    assert values("a: 1\nb: yes\nc: '1'\nd: ~\ne: 1.5\nf: true\n---\n- !!str 1\n- !!binary aGk=\n") == [
        {"a": 1, "b": "yes", "c": "1", "d": None, "e": 1.5, "f": True},
        ["1", "aGk="],
    ]


@pytest.mark.parametrize("text", ["[--url=http://x]", "{a: b:c}", "[:8080]"])
def test_a_colon_in_braces_is_read_which_libyaml_refuses(text: str) -> None:
    other = "---\nb: 1\nb: 2\n"
    found = [*documents(f"{other}---\na: {text}\nc: 1\nc: 2\n{other}".encode())]
    assert [one.line for one in found] == [1, 4, 8]
    assert [one.repeated for one in found] == [(("b", 3),), (("c", 7),), (("b", 10),)]


def test_S8_the_slow_parser_reads_so_many_bytes_of_a_stream_and_no_more() -> None:
    document = "---\na: [:8080]\n"
    text = (document * 3 + "---\nb: 1\n").encode()
    assert len([*documents(text, 3 * len(document))]) == 4
    with pytest.raises(Unreadable, match="did not find") as caught:
        [*documents(text, 3 * len(document) - 1)]
    assert caught.value.line == 6


def test_an_alias_gives_what_its_anchor_stands_for() -> None:
    assert values("a: &x {k: [1]}\nb: *x\n? &n key\n: *n\n*n : 2\n") == [{"a": {"k": [1]}, "b": {"k": [1]}, "key": 2}]


def test_an_anchor_ends_with_its_document() -> None:
    with pytest.raises(Unreadable, match="alias"):
        values("a: &x 1\n---\nb: *x\n")


def test_S8_a_bomb_of_aliases_is_refused_before_anybody_walks_it() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    with pytest.raises(Unreadable, match=f"more than {MOST_NODES:,} values"):
        values("\n".join(lines))


def test_S8_a_bomb_spread_over_documents_is_refused() -> None:
    one = "---\na: &a [" + "x, " * 1000 + "]\nb: [" + "*a, " * 400 + "]\n"
    with pytest.raises(Unreadable, match="values"):
        values(one * 3)


def test_S8_a_ladder_of_aliases_is_refused_where_it_grows_too_deep() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 500)]
    with pytest.raises(Unreadable, match="deep"):
        values("\n".join(lines))


@pytest.mark.parametrize("text", ["&a [*a]", "a: &a {b: *a}", "*x", "? [1]\n: 2", "? {a: 1}\n: 2", "a: &a [1]\n*a : 2"])
def test_what_has_no_plain_value_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        values(text)


def test_more_than_sixteen_mebibytes_are_not_read() -> None:
    assert [one.rule for one in objects(b"#" * (MOST_BYTES + 1)).findings] == ["unreadable"]


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc:- ", max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(plain_values, max_size=4))
def test_what_json_says_is_read_as_it_was_meant(found: list[object]) -> None:
    assert [one.value for one in documents(rendered(*found))] == found


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_make_it_fail(raw: bytes) -> None:
    objects(raw)
