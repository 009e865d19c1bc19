"""What is shown holds no secret (S10), and still shows that one changed."""

import copy
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.validators import redaction
from bot.validators.redaction import TOO_MUCH
from tests.validators.secret_samples import FINE, SECRETS, Sample, drawn

WORD = drawn("redaction", 16)
KEY = b"a key of the tests"
MARK = re.compile(r"redacted \([0-9a-f]{6}\)")


def shown(value: object) -> object:
    """The redacted value, its marks as `#`."""
    return _each(redaction.redacted(value, KEY), lambda text: MARK.sub("#", text))


def _each(value: object, change: Callable[[str], str]) -> object:
    if isinstance(value, dict):
        return {_each(name, change): _each(one, change) for name, one in value.items()}
    if isinstance(value, list):
        return [_each(one, change) for one in value]
    return change(value) if isinstance(value, str) else value


def secret(**data: object) -> dict[str, object]:
    return {"kind": "Secret", "metadata": {"name": "db"}, "type": "Opaque", "data": data}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (secret(user="YQ=="), {**secret(), "data": {"user": "#"}}),
        (secret(deep={"name": "x"}), {**secret(), "data": {"deep": {"name": "#"}}}),
        (
            {"kind": "Secret", "stringData": {"a": "b", "empty": ""}},
            {"kind": "Secret", "stringData": {"a": "#", "empty": ""}},
        ),
        ({"kind": "Secret", "data": "b"}, {"kind": "Secret", "data": "#"}),
        ({"kind": "ConfigMap", "data": {"colour": "green"}}, {"kind": "ConfigMap", "data": {"colour": "green"}}),
        ({"password": "hunter2"}, {"password": "#"}),
        ({"password": 12345678}, {"password": "#"}),
        ({"apiKey": b"\xff\x00"}, {"apiKey": "#"}),
        ({"token": "abc"}, {"token": "#"}),
        (
            {"tokens": 4096, "automountServiceAccountToken": False},
            {"tokens": 4096, "automountServiceAccountToken": False},
        ),
        ({"passwords": ["a1", "b2"]}, {"passwords": ["#", "#"]}),
        ({"credentials": {"user": "u", "secretName": "x"}}, {"credentials": {"user": "#", "secretName": "x"}}),
        ([{"name": "DB_PASSWORD", "value": "x1"}], [{"name": "DB_PASSWORD", "value": "#"}]),
        ([{"value": "x1", "name": "DB_PASSWORD"}], [{"value": "#", "name": "DB_PASSWORD"}]),
        ([{"name": "COLOUR", "value": "green"}], [{"name": "COLOUR", "value": "green"}]),
        (["--password=x1", "--token", "x1", "-v"], ["--password=#", "--token", "#", "-v"]),
        ([{"name": "IMAGE_REGISTRY_PASSWORD", "value": "x1"}], [{"name": "IMAGE_REGISTRY_PASSWORD", "value": "#"}]),
        ([{"name": "PULL_TOKEN", "value": "x1"}], [{"name": "PULL_TOKEN", "value": "#"}]),
        ({"imagePullSecret": "registry"}, {"imagePullSecret": "registry"}),
        ({"password": f"<b>{WORD}"}, {"password": "#"}),
        ({"password": f"removed-{WORD}"}, {"password": "#"}),
        ({"password": f"lookup.{WORD}"}, {"password": "#"}),
        ({"password": "$uperSecret"}, {"password": "#"}),
        ({"url": f"postgres://u:p@{WORD}@h/x"}, {"url": "postgres://u:#@h/x"}),
        ({"a.yaml": f"password:\n  {WORD}\nb: 1\n"}, {"a.yaml": "password:\n  #\nb: 1\n"}),
        ({"a.yaml": f"passwords:\n- {WORD}\n- x9{WORD}\n"}, {"a.yaml": "passwords:\n- #\n- #\n"}),
        ({"a.yaml": f"u:\n- {{name: DB_PASSWORD, value: {WORD}}}"}, {"a.yaml": "u:\n- {name: DB_PASSWORD, value: #}"}),
        ({"a.json": f'{{"args": ["--password", "{WORD}"]}}'}, {"a.json": '{"args": ["--password", "#"]}'}),
        (
            {"original": f'{{"kind":"Secret","data":{{"a":"{WORD}"}}}}'},
            {"original": '{"kind":"Secret","data":{"a":"#"}}'},
        ),
        ({"a.xml": f"<a><password>{WORD}</password></a>"}, {"a.xml": "<a><password>#</password></a>"}),
        ({"redis.conf": f"port 1\nrequirepass {WORD}\n"}, {"redis.conf": "port 1\nrequirepass #\n"}),
        ({".netrc": f"machine a login b password {WORD}9aB"}, {".netrc": "machine a login b password #"}),
        ({"password": "vault:secret/data/db#password"}, {"password": "vault:secret/data/db#password"}),
        ({"password": "$(DB_PASSWORD)"}, {"password": "$(DB_PASSWORD)"}),
        ({"url": f"postgres://app:{WORD}@db/app"}, {"url": "postgres://app:#@db/app"}),
        ({"a.properties": f"x=1\ndb.password={WORD}\n"}, {"a.properties": "x=1\ndb.password=#\n"}),
        ({"blob": drawn("blob", 40)}, {"blob": "#"}),
        ({drawn("key", 40): 1}, {"#": 1}),
        (
            {"kubectl.kubernetes.io/last-applied-configuration": '{"a":1}'},
            {"kubectl.kubernetes.io/last-applied-configuration": "#"},
        ),
    ],
)
def test_S10_an_object_is_shown_without_its_secrets(value: object, told: object) -> None:
    assert shown(value) == told


@pytest.mark.parametrize(
    "value",
    [
        {"image": f"registry.example.com/app@sha256:{drawn('digest', 64, '0123456789abcdef')}"},
        {"metadata": {"uid": "7f0c7ad2-6a4e-4b8e-9a5c-0123456789ab", "annotations": {"checksum/config": "ab12" * 16}}},
        {"revision": drawn("sha", 40, "0123456789abcdef")},
        {"valueFrom": {"secretKeyRef": {"name": "db-credentials", "key": "password", "optional": True}}},
        {"volumes": [{"secret": {"secretName": "certs", "items": [{"key": "a", "path": "b"}], "defaultMode": 420}}]},
        {"serviceAccountToken": {"path": "token", "audience": "vault", "expirationSeconds": 3600}},
        {"imagePullSecrets": [{"name": "registry"}], "secrets": [{"name": "app"}]},
        {"args": ["--password-file=/run/secrets/x", "--verbose", "hello"]},
        {"n": 1, "f": 1.5, "b": True, "none": None, 5: "five"},
    ],
)
def test_what_is_no_secret_stays_readable(value: object) -> None:
    assert redaction.redacted(value) == value


def test_a_mark_tells_that_a_value_changed_and_nothing_else() -> None:
    first, same, other = (redaction.redacted(secret(user=value)) for value in ("a", "a", "a much longer one"))
    assert first == same
    assert first != other
    assert len(str(first)) == len(str(other))


def test_S10_a_guess_beside_a_secret_has_another_mark() -> None:
    told = redaction.redacted(secret(password="x", guess="x"))
    assert isinstance(told, dict)
    assert told["data"]["password"] != told["data"]["guess"]
    marks = {str(redaction.redacted({**secret(a="x"), "metadata": {"name": name}})["data"]) for name in "ab"}  # type: ignore[index]
    assert len(marks) == 2


def test_S10_a_mark_is_made_with_the_key_alone() -> None:
    assert redaction.redacted(secret(a="x"), KEY) == redaction.redacted(secret(a="x"), KEY)
    assert redaction.redacted(secret(a="x"), KEY) != redaction.redacted(secret(a="x"), b"another")


def test_one_more_entry_changes_no_mark_of_the_others() -> None:
    entries = [{"name": f"PASSWORD_{number}", "value": WORD} for number in range(3)]
    before, after = redaction.redacted({"env": entries[1:]}), redaction.redacted({"env": entries})
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert after["env"][1:] == before["env"]


def test_what_is_given_is_not_altered() -> None:
    value = {**secret(a="x"), "env": [{"name": "TOKEN", "value": "y"}]}
    kept = copy.deepcopy(value)
    redaction.redacted(value)
    assert value == kept


def test_what_leads_back_into_itself_or_is_too_deep_or_too_large_is_cut() -> None:
    around: list[object] = [1]
    around += [around, around]
    assert redaction.redacted(around) == [1, TOO_MUCH, TOO_MUCH]
    deep: object = "password: x"
    for _ in range(100_000):
        deep = [deep]
    assert TOO_MUCH in str(redaction.redacted(deep))
    bomb: object = ["lol"] * 10
    for _ in range(9):
        bomb = [bomb] * 10
    told = redaction.redacted(bomb)
    assert TOO_MUCH in str(told)
    assert TOO_MUCH in str(redaction.redacted([{"a": "b " * 10_000}] * 10_000))


def test_an_integer_that_cannot_be_written_in_decimal_is_no_trouble() -> None:
    assert shown({"password": 16**5000}) == {"password": "#"}


@pytest.mark.parametrize("sample", SECRETS, ids=lambda sample: sample.name)
def test_S10_no_secret_stays_in_a_text(sample: Sample) -> None:
    assert sample.secret not in redaction.line(sample.text)
    assert sample.secret not in str(redaction.redacted({"text": [sample.text]}))


@pytest.mark.parametrize("sample", FINE, ids=lambda sample: sample.name)
def test_a_text_without_secrets_stays_as_it_is(sample: Sample) -> None:
    assert redaction.line(sample.text) == sample.text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"Error: login failed for app with --password {WORD}", "Error: login failed for app with --password redacted"),
        (f"got:\n  password:\r\n    {WORD}\r\nend: 1", "got:\n  password:\r\n    redacted\r\nend: 1"),
        (f"password:\n  &p {WORD}\n", "password:\n  &p redacted\n"),
        (f'? password\n: !!str "{WORD}"\n', '? password\n: !!str "redacted"\n'),
        (f"GET https://u:{WORD}@h/x: 401", "GET https://u:redacted@h/x: 401"),
        (f"Authorization: Bearer {drawn('b', 30)}", "Authorization: Bearer redacted"),
        (f'{{"password":"{WORD}","user":"app"}}', '{"password":"redacted","user":"app"}'),
        (f"a\r\npassword: {WORD}\r\n\r\n", "a\r\npassword: redacted\r\n\r\n"),
        ("error: no such file: a.yaml\n", "error: no such file: a.yaml\n"),
        ("", ""),
        ("\n", "\n"),
        ("a\n---\n---\n", "a\n---\n---\n"),
    ],
)
def test_S10_a_programs_output_is_told_without_secrets(text: str, told: str) -> None:
    assert redaction.line(text) == told


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary())
NAMES = st.one_of(st.sampled_from(["kind", "data", "password", "name", "value", "metadata", "Secret"]), SCALARS)
OBJECTS = st.recursive(
    st.one_of(SCALARS, st.just("Secret")),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(NAMES, inner)),
    max_leaves=20,
)


@given(OBJECTS)
def test_no_object_makes_it_raise_and_containers_keep_their_form(value: object) -> None:
    told = redaction.redacted(value)
    assert isinstance(told, (type(value), str))


@given(st.text(min_size=6), OBJECTS)
def test_S10_nothing_of_a_secrets_data_is_left(word: str, beside: object) -> None:
    told = redaction.redacted({"kind": "Secret", "data": {"a": [word, {"b": word}]}, "beside": beside})
    assert isinstance(told, dict)
    assert MARK.fullmatch(told["data"]["a"][0])
    assert MARK.fullmatch(told["data"]["a"][1]["b"])


PIECES = st.sampled_from(
    [
        "password",
        ": ",
        "\n",
        "\n  ",
        "- ",
        '"',
        "'",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "|\n  ",
        "hunter2A",
        "\\",
        "\r",
        "\u2028",
        "---\n",
    ]
)


@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_a_text_keeps_its_lines(text: str) -> None:
    assert redaction.line(text).count("\n") == text.count("\n")
