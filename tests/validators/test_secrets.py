"""Secrets in plain text: caught where a change adds them, told without being repeated."""

import random
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.validators import Bench
from bot.validators.launching import Launcher
from bot.validators.secret_names import Says, says
from bot.validators.secrets import MOST_BYTES, MOST_FINDINGS, VALIDATOR
from policies.findings import Finding, Severity
from tests.validators.secret_samples import FINE, SECRETS, Sample, drawn, score, told
from tests.validators.trees import change_of

WORD = drawn("test", 16)


def between(before: str | bytes, after: str | bytes) -> list[tuple[int | None, str]]:
    """Line and rule of what is told of a change from one content to the other."""
    change = change_of({"a.yaml": before}, {"a.yaml": after})
    return [
        (finding.line, finding.rule)
        for part in VALIDATOR.parts(change)
        for finding in VALIDATOR.check(change, part, Bench(Launcher())).findings
    ]


def longest_echo(secret: str, found: tuple[Finding, ...]) -> int:
    """How many characters of a secret stand in a row in what is told of it."""
    said = " ".join(f"{one.message} {one.rule}" for one in found)
    lengths = range(len(secret), 0, -1)
    return next((n for n in lengths if any(secret[at : at + n] in said for at in range(len(secret) - n + 1))), 0)


@pytest.mark.parametrize("sample", SECRETS, ids=lambda sample: sample.name)
def test_S10_a_secret_is_caught_and_not_repeated(sample: Sample) -> None:
    found = told(sample.text)
    severities = {finding.severity for finding in found}
    assert severities
    assert (Severity.error not in severities) is sample.warns
    assert not any(sample.secret in finding.message for finding in found)


@pytest.mark.parametrize("sample", FINE, ids=lambda sample: sample.name)
def test_what_only_looks_like_a_secret_is_left_alone(sample: Sample) -> None:
    assert told(sample.text) == ()


def test_the_table_is_as_large_as_promised_and_precision_and_recall_hold() -> None:
    found = score()
    assert min(len(SECRETS), len(FINE)) >= 60
    assert len({sample.text for sample in (*SECRETS, *FINE)}) == len(SECRETS) + len(FINE)
    assert (found.missed, found.recall) == ((), 1.0)
    assert (found.wrong, found.precision) == ((), 1.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"note: gh{'p_'}{drawn('ghp', 36)}", "a token (ghp_…)"),
        (f"password: {WORD}", "a secret in plain text under password"),
        (f"- name: DB_PASSWORD\n  value: {WORD}", "a secret in plain text under DB_PASSWORD"),
        (f"url: postgres://app:{WORD}@db/app", "a password in a URL"),
        (
            f"kind: Secret\ndata:\n  user: {WORD}",
            "a Secret in plain text (base64 hides nothing) under user",
        ),
        ("password: changeme", "a placeholder or a well-known password under password"),
        (f"value: {drawn('entropy', 40)}", "what looks like a random string"),
        (f"x: -----BEGIN {'PRIVATE'} KEY-----", "a private key"),
    ],
)
def test_a_finding_says_what_it_is_and_under_which_name(text: str, message: str) -> None:
    assert [finding.message for finding in told(text)] == [message]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("password: {0}\n", "password: {0}\nreplicas: 2\n", []),
        ("password: {0}\n", "replicas: 2\npassword: {0}\n", []),
        ("password: {0}\n", "password: {0}\npassword: {0}\n", [(2, "secret-value")]),
        ("replicas: 1\n", "replicas: 1\npassword: {0}\n", [(2, "secret-value")]),
        ("password: {0}\n", "replicas: 2\n", []),
        ("password: {0}\r\n", "password: {0}\n", []),
        ("passwords:\n- {0}\n", "passwords:\n- {0}\n- other{0}\n", [(3, "secret-value")]),
        ("kind: Secret\nstringData: {{\n  a: {0}\n}}\n", "kind: Secret\nstringData: {{\n  a: {0}\n}}\nb: 1\n", []),
        # The name stood there before; what is added is the value.
        ("- name: DB_PASSWORD\n", "- name: DB_PASSWORD\n  value: {0}\n", [(2, "secret-value")]),
    ],
)
def test_only_what_a_change_adds_is_told(before: str, after: str, found: list[tuple[int, str]]) -> None:
    assert between(before.format(WORD), after.format(WORD)) == found


def test_a_private_key_is_told_once_also_where_only_its_body_changes() -> None:
    old, new = ("\n".join([f"-----BEGIN {'PRIVATE'} KEY-----", drawn(k, 64), drawn(k * 2, 64)]) for k in "ab")
    assert between("", new) == [(1, "private-key")]
    assert between(old, new) == [(2, "private-key")]


@pytest.mark.parametrize(
    "comment", ["# towpath:not-a-secret", "// towpath:not-a-secret", "#towpath:not-a-secret: see X"]
)
def test_S16_a_line_that_says_it_holds_none_stays_a_warning_for_the_approver(comment: str) -> None:
    (found,) = told(f"password: {WORD} {comment}")
    assert (found.severity, found.rule) == (Severity.warning, "secret-value-allowed")
    assert "look at it before you approve" in found.message
    assert WORD not in found.message


def test_a_remark_on_another_line_allows_nothing() -> None:
    found = told(f"# towpath:not-a-secret\npassword: {WORD}")
    assert [finding.severity for finding in found] == [Severity.error]


def test_S16_a_file_too_large_to_look_at_is_named_and_a_binary_one_passed_over() -> None:
    binary = change_of({}, {"logo.png": b"password: " + WORD.encode() + b"\x00"})
    (part,) = VALIDATOR.parts(binary)
    assert VALIDATOR.check(binary, part, Bench(Launcher())).findings == ()
    secret = f"password: {WORD}\n".encode()
    assert between(b"", secret + b"#" * MOST_BYTES) == [(None, "too-large")]
    # What only seems to be a binary file is looked at as far as that is possible, and never in silence.
    assert between(b"", b"\x00\n" + secret) == [(None, "binary"), (2, "secret-value")]
    assert between(b"", secret.decode().encode("utf-16-le")) == [(None, "binary")]
    assert between(b"", secret.decode().encode("utf-16")) == [(1, "secret-value")]


def test_what_is_more_than_can_be_shown_is_counted() -> None:
    found = told("".join(f"password: {WORD}{number}\n" for number in range(MOST_FINDINGS + 7)))
    assert len(found) == MOST_FINDINGS + 1
    assert found[-1].message == "7 more such findings"
    assert found[-1].severity is Severity.error


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("password: {0}", [(1, "secret-value")]),
        ('{{"kind": "Secret", "stringData": {{"password": "{0}"}}}}', [(1, "secret-value")]),
        ("kind: Secret\nstringData:\n  a: {0}\n", [(3, "secret-manifest")]),
        ("a: &x {0}\npassword: *x\nenv: {{token: *x}}\n", [(1, "secret-value")]),
        ("x: |\n  env: [{{name: PASSWORD, value: {0}}}]\n", [(2, "secret-value")]),
        ('\n\nx: "a\\n- b\\npassword:\\n  {0}"\n', [(3, "secret-value")]),
        ("password:\n\n  # the database's\n  {0}\n", [(4, "secret-value")]),
    ],
)
def test_a_secret_is_told_once_at_the_line_on_which_it_stands(text: str, found: list[tuple[int, str]]) -> None:
    assert between("", text.format(WORD)) == found


def test_a_key_that_is_a_secret_itself_is_not_repeated() -> None:
    token = "gh" + "p_" + drawn("ghp", 36)
    assert longest_echo(token, told(f"{token}_password: {WORD}")) <= 4


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("password", Says.surely),
        ("dbPassword", Says.surely),
        ("DB_PASSWORD", Says.surely),
        ("spring.datasource.password", Says.surely),
        ("PGPASSWORD", Says.surely),
        ("password2", Says.surely),
        ("AWSSecretAccessKey", Says.surely),
        ("client-secret", Says.surely),
        ("IMAGE_REGISTRY_PASSWORD", Says.surely),
        ("usePassword", Says.surely),
        ("DB_PW", Says.surely),
        ("PULL_TOKEN", Says.maybe),
        ("imagePullSecret", Says.nothing),
        ("public_access_key", Says.nothing),
        ("maxTokens", Says.nothing),
        ("password_file_2", Says.nothing),
        ("power", Says.nothing),
        ("apikey", Says.surely),
        ("token", Says.maybe),
        ("secretKey", Says.maybe),
        ("passwordHash", Says.maybe),
        ("passwordPolicy", Says.nothing),
        ("existingSecret", Says.nothing),
        ("secretName", Says.nothing),
        ("accessKeyId", Says.nothing),
        ("passwordKey", Says.nothing),
        ("tokenTTL", Says.nothing),
        ("compass", Says.nothing),
        ("tokenizer", Says.nothing),
        ("monkey", Says.nothing),
        ("", Says.nothing),
        ("--", Says.nothing),
    ],
)
def test_a_name_says_how_surely_its_value_is_a_secret(name: str, said: Says) -> None:
    assert says(name) is said


FRAMES = (
    "password: {}",
    "- name: API_TOKEN\n  value: '{}'",
    "run --password={} now",
    "x: gh" + "p_{}",
    "https://u:{}@h/",
    "kind: Secret\nstringData:\n  a: {}",
    "a {} b",
    "{}_password: {}",
    "password: |\n  {}",
    "password:\n  {}",
    "passwords:\n- {}\n- {}",
    'a: "{{\\"password\\": \\"{}\\"}}"',
    "env: [{{name: DB_PASSWORD, value: {}}}]",
    "env: [{{name: {}_PASSWORD, value: {}}}]",
    "<password>{}</password>",
    '{{"kind": "Secret", "data": {{"{}": "{}"}}}}',
)


@given(st.sampled_from(FRAMES), st.text(string.ascii_letters + string.digits, min_size=12, max_size=60))
def test_S10_no_finding_repeats_more_than_four_characters_of_a_secret(frame: str, secret: str) -> None:
    secret = drawn(secret, len(secret))
    assert longest_echo(secret, told(frame.format(secret, secret))) <= 4


PIECES = (
    *(
        "---",
        "  - ",
        '"',
        "{{",
        "|",
        ": ",
        "\n",
        "[",
        "]",
        "{",
        "}",
        ",",
        "password",
        "kind: Secret\n",
        "data",
        "*a",
        "&a ",
    ),
    *(
        "? ",
        "\\",
        "\\u0061",
        "\r",
        "\t",
        "\u2028",
        "\x85",
        "\ud800",
        "!!x ",
        "<<: ",
        "--token",
        "'",
        ">-\n",
        "name",
        "value",
    ),
)


@given(
    st.one_of(
        st.text(),
        st.binary(),
        st.lists(st.sampled_from([*FRAMES, *PIECES])).map("".join),
        st.lists(st.sampled_from(PIECES)).map("".join),
    )
)
@example("---\n---")
@example("\ufeffpassword: x")
@example("password: \x85\u2028y")
def test_no_content_makes_it_raise(content: str | bytes) -> None:
    between(b"", content.encode(errors="surrogatepass") if isinstance(content, str) else content)


HOSTILE = (
    *("a", "aB1", "password=", 'password="', "a://", "a://b:", "-", " ", "eyJabcdefghij.", "-----BEGIN ", "{{", "${"),
    *("$6$", "xoxb-", "a:", '"', "a/", "ENC[AES256_GCM,data:", "LS0tLS1CRUdJTi", "MIIEvQIBAD", "- ", "--token ", "SG."),
    *(
        "password:\n",
        "[",
        "{password: ",
        "- - ",
        "&a [",
        "? ",
        "\\u0061",
        '"password":"a",',
        "password \t",
        "<password>",
    ),
    *("requirepass a\n", "- --password\n", 'a: "\\\\"\n', "password: &a b\n", "login x password ", "[password: "),
    *("password: a-", "password_", "arn:aws:", "Bearer ", "a = ", "<path:", "\n", "---\n", "password: |\n"),
)


@pytest.mark.parametrize("part", HOSTILE)
def test_a_hostile_line_comes_to_an_end(part: str) -> None:
    """Whatever is more than linear here would take hours: the line has as many characters as a file may have."""
    told(part * (MOST_BYTES // len(part.encode()) // 4))


def test_a_random_string_is_found_wherever_it_was_drawn() -> None:
    """Of strings as long as those that people use for secrets."""
    chance = random.Random(2)
    words = ["".join(chance.choices(string.ascii_letters + string.digits, k=40)) for _ in range(500)]
    found = sum(bool(told(f"value: {word}")) for word in words)
    assert found >= 490
