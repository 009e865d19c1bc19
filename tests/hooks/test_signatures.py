"""Every way to prove who sent a webhook, put to the same questions."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from bot.hooks import HOOKS, Hook, ci
from bot.hooks.events import Unverified
from bot.hooks.signatures import FRESHNESS, Credentials, same_secret

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BODY = '{"name": "grün"}'.encode()
Headers = Mapping[str, str]


@dataclass(frozen=True)
class Scheme:
    """One way: what its sender does with a secret, and where the receiver finds the proof."""

    kind: str
    proof: str
    prove: Callable[[str, bytes, datetime], dict[str, str]]
    signs: bool = True
    """Whether the proof is of this body; a token is the same for all."""
    timed: bool = False
    standard: bool = False

    @property
    def hook(self) -> Hook:
        return HOOKS[self.kind]

    def secret(self, name: str) -> str:
        """A secret as this scheme writes it; the same name gives the same one."""
        return f"whsec_{base64.b64encode(name.encode().ljust(24, b'.')).decode()}" if self.standard else name

    def credentials(self, *names: str) -> Credentials:
        secrets = tuple(self.secret(name) if name else "" for name in names)
        return Credentials(signing_secrets=secrets) if self.standard else Credentials(secrets=secrets)

    def headers(self, name: str, body: bytes = BODY, at: datetime = NOW) -> dict[str, str]:
        """What a sender who has that secret puts beside the body; names in lower case, as the receiver gives them."""
        return {key.lower(): value for key, value in self.prove(self.secret(name), body, at).items()}

    def verify(self, headers: Headers, *names: str, body: bytes = BODY) -> None:
        self.hook.verify(headers, body, self.credentials(*names), NOW)

    def refused(self, headers: Headers, *names: str, body: bytes = BODY) -> str:
        with pytest.raises(Unverified) as caught:
            self.verify(headers, *names, body=body)
        return caught.value.reason


def as_github_signs(secret: str, body: bytes, _at: datetime) -> dict[str, str]:
    return {"X-Hub-Signature-256": f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"}


def as_gitlab_signs(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    signature = Webhook(secret).sign("message-1", at, body.decode())
    seconds = str(int(at.timestamp()))
    return {"webhook-id": "message-1", "webhook-timestamp": seconds, "webhook-signature": signature}


def as_ci_signs(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    seconds = str(int(at.timestamp()))
    signature = hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"X-Towpath-Timestamp": seconds, "X-Towpath-Signature": f"sha256={signature}"}


SCHEMES = {
    "gitlab token": Scheme("gitlab", "x-gitlab-token", lambda secret, _b, _a: {"X-Gitlab-Token": secret}, signs=False),
    "gitlab signed": Scheme("gitlab", "webhook-signature", as_gitlab_signs, timed=True, standard=True),
    "github": Scheme("github", "x-hub-signature-256", as_github_signs),
    "ghcr": Scheme("ghcr", "x-hub-signature-256", as_github_signs),
    "ci": Scheme("ci", "x-towpath-signature", as_ci_signs, timed=True),
    "distribution": Scheme(
        "distribution", "authorization", lambda secret, _b, _a: {"Authorization": f"Bearer {secret}"}, signs=False
    ),
}
every = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES.keys())


def test_every_kind_of_sender_is_asked() -> None:
    assert {scheme.kind for scheme in SCHEMES.values()} == set(HOOKS)


@every
@pytest.mark.parametrize(
    ("sent", "configured", "right"),
    [
        ("old", ("old",), True),
        ("old", ("old", "new"), True),
        ("new", ("old", "new"), True),
        ("new", ("", "new"), True),
        ("old", ("new",), False),
        ("old", ("new", "newer"), False),
        ("old", (), False),
        ("old", ("",), False),
        ("old", ("old ",), False),
        ("grün", ("grün",), True),
    ],
)
def test_S3_any_configured_secret_is_enough_and_no_other(
    scheme: Scheme, sent: str, configured: tuple[str, ...], right: bool
) -> None:
    headers = as_wsgi_gives_them(scheme.headers(sent))
    if right:
        scheme.verify(headers, *configured)
    else:
        scheme.refused(headers, *configured)


def as_wsgi_gives_them(headers: Headers) -> Headers:
    """The bytes of each value, as Latin-1 (PEP 3333)."""
    return {name: value.encode().decode("latin-1") for name, value in headers.items()}


@every
def test_S4_an_empty_secret_is_never_right(scheme: Scheme) -> None:
    proofs = [as_github_signs("", BODY, NOW), as_ci_signs("", BODY, NOW), {"Authorization": "Bearer "}]
    for proof in [*proofs, {"X-Gitlab-Token": ""}]:
        headers = {name.lower(): value for name, value in proof.items()}
        scheme.refused(headers, "")
        scheme.refused(headers)
    assert not same_secret("", [""])


@every
def test_what_is_missing_is_named(scheme: Scheme) -> None:
    headers = scheme.headers("right")
    for name in headers:
        for without in ({**headers, name: ""}, {key: value for key, value in headers.items() if key != name}):
            assert name in scheme.refused(without, "right").lower()


@every
@pytest.mark.parametrize(
    "text", ["ü", "\xff", "\u2603", "\ud800", "\x00", "sha256=ü", "sha256=\u2603", "v1,ü", "Bearer \u2603", " "]
)
def test_a_proof_in_other_characters_is_wrong_and_no_error(scheme: Scheme, text: str) -> None:
    scheme.refused({**scheme.headers("right"), scheme.proof: text}, "right")


@every
def test_S2_a_proof_is_for_one_body(scheme: Scheme) -> None:
    headers = scheme.headers("right")
    for body in (b"", BODY + b"\n", BODY.replace(b" ", b""), BODY.decode().encode("utf-16")):
        if scheme.signs:
            scheme.refused(headers, "right", body=body)
        else:
            scheme.verify(headers, "right", body=body)


@every
def test_a_part_of_a_proof_and_more_than_a_proof_are_wrong(scheme: Scheme) -> None:
    headers = scheme.headers("right")
    proof = headers[scheme.proof]
    for wrong in (proof[:-1], proof + "0", proof[:3], proof.swapcase()):
        scheme.refused({**headers, scheme.proof: wrong}, "right")


@every
def test_S10_a_refusal_holds_neither_the_secret_nor_the_wanted_proof(scheme: Scheme) -> None:
    right = scheme.headers("right")
    reasons = [
        scheme.refused({**right, scheme.proof: "wrong"}, "right"),
        scheme.refused({**right, scheme.proof: ""}, "right"),
        scheme.refused(scheme.headers("other"), "right"),
    ]
    hidden = [scheme.secret("right"), right[scheme.proof], right[scheme.proof].removeprefix("sha256=")]
    assert [reason for reason in reasons for text in hidden if text in reason] == []
    assert scheme.secret("right") not in repr(scheme.credentials("right"))


@every
@pytest.mark.parametrize("seconds", [-FRESHNESS - 1, FRESHNESS + 1, 10**6])
def test_what_is_signed_with_its_time_is_only_right_about_now(scheme: Scheme, seconds: int) -> None:
    headers = scheme.headers("right", at=NOW + timedelta(seconds=seconds))
    if scheme.timed:
        assert "seconds" in scheme.refused(headers, "right")
    else:
        scheme.verify(headers, "right")
    scheme.verify(scheme.headers("right", at=NOW + timedelta(seconds=FRESHNESS)), "right")


def test_S4_a_token_is_no_way_in_where_a_signature_is_wanted() -> None:
    credentials = Credentials(
        secrets=("token",), signing_secrets=SCHEMES["gitlab signed"].credentials("a").signing_secrets
    )
    HOOKS["gitlab"].verify(SCHEMES["gitlab signed"].headers("a"), BODY, credentials, NOW)
    with pytest.raises(Unverified):
        HOOKS["gitlab"].verify({"x-gitlab-token": "token"}, BODY, credentials, NOW)


def test_what_publishes_with_towpath_signs_as_the_receiver_expects() -> None:
    assert ci.sign("a", BODY, NOW) == as_ci_signs("a", BODY, NOW)


def test_one_of_several_standard_signatures_is_enough() -> None:
    scheme = SCHEMES["gitlab signed"]
    old, new = scheme.headers("old"), scheme.headers("new")
    both = f"v2,other {old[scheme.proof]} {new[scheme.proof]}"
    scheme.verify({**old, scheme.proof: both}, "new")
    scheme.refused({**old, scheme.proof: both.replace("v1,", "v2,")}, "new")
