"""`cosign`: newly pinned digests are signed by whom policy says; against a stand-in for cosign 2.6.

The contract is recorded from the repository sigstore/cosign at v2.6.2: cmd/cosign/cli/options (flags),
cmd/cosign/errors/exit_codes.go, cmd/cosign/cli/verify and pkg/cosign/verify.go (what is said), and cmd/cosign/main.go
(the lines of a failure). The real program takes too long to build, and needs a network."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.validators.base import Broken, Part, Skipped, Told
from bot.validators.cosign import NAME, VALIDATOR
from policies.findings import Finding
from policies.validating import Validating
from tests.validators.programs import bench, stand_in
from tests.validators.trees import change_of

PATH = "environments/prod/eu/shop/values.yaml"
OTHER = "environments/prod/us/shop/values.yaml"
DIGEST = "sha256:" + "a" * 64
OLD = "sha256:" + "b" * 64
KEY = "keys/release.pub"
PEM = "-----BEGIN PUBLIC KEY-----\n"
RECORDED = r"""
VALUED = {"--key", "--certificate-identity", "--certificate-identity-regexp", "--certificate-oidc-issuer",
          "--certificate-oidc-issuer-regexp", "--output", "-o", "--rekor-url", "--trusted-root", "--max-workers"}
BARE = {"--offline", "--check-claims", "--insecure-ignore-tlog", "--private-infrastructure", "--new-bundle-format"}
KEYLESS = "--certificate-{0} or --certificate-{0}-regexp is required for verification in keyless mode"

def fail(why, code=1):
    print(f"Error: {why}\nmain.go:69: error during command execution: {why}", file=sys.stderr)
    sys.exit(code)

command = sys.argv[1]
if command not in {"verify", "verify-attestation"}:
    fail(f'unknown command "{command}" for "cosign"')
given, images = arguments(sys.argv[2:], VALUED | ({"--type", "--policy"} if command != "verify" else set()), BARE, fail)
identity = given.get("--certificate-identity") or given.get("--certificate-identity-regexp")
if "--key" not in given:
    if not identity:
        fail(KEYLESS.format("identity"))
    if "--certificate-oidc-issuer" not in given and "--certificate-oidc-issuer-regexp" not in given:
        fail(KEYLESS.format("oidc-issuer"))
elif not pathlib.Path(given["--key"][0]).is_file():
    fail(f"loading public key: open {given['--key'][0]}: no such file or directory")
if len(images) != 1:
    fail("the stand-in verifies one image")
if "/down" in images[0]:
    fail('Get "https://registry.example.com/v2/": dial tcp: lookup registry.example.com: no such host')
if command == "verify":
    if "/unsigned" in images[0]:
        fail("no signatures found", 10)
    if "/other" in images[0] or identity == ["mallory"]:
        fail("no matching signatures: invalid signature when validating ASN.1 encoded signature", 12)
    if given.get("--certificate-identity-regexp", ["^(?:.*)$"])[0][:4] != "^(?:":
        fail("no matching signatures: none of the expected identities matched", 12)
else:
    if given.get("--type") == ["slsaprovenance1"] and "/old" in images[0]:
        fail("none of the attestations matched the predicate type: slsaprovenance1, found: slsaprovenance")
    if "/unproven" in images[0]:
        fail("no matching attestations: ")
print(f"\nVerification for {images[0]} --", file=sys.stderr)
name, _, digest = images[0].partition("@")
critical = {"identity": {"docker-reference": name}, "image": {"docker-manifest-digest": digest}, "type": "cosign"}
print("\n" + json.dumps([{"critical": critical, "optional": None}]))
"""


class Answers:
    """A registry that has all images but those of one name, and knows one host."""

    def exists(self, image: str, digest: str) -> bool | None:
        assert digest.startswith("sha256:")
        return not image.endswith("/gone") if image.startswith("registry.example.com/") else None

    def platforms(self, image: str, digest: str) -> tuple[str, ...] | None:
        raise AssertionError((image, digest))


def values(image: str, digest: str = DIGEST) -> str:
    return f"image:\n  repository: {image}\n  digest: {digest}\n"


def parts(rules: object, after: dict[str, str], before: dict[str, str] | None = None) -> list[Part]:
    checks = Validating.model_validate({"checks": {"cosign": rules}})
    return list(VALIDATOR.parts(change_of({KEY: PEM, **(before or {})}, {KEY: PEM, **after}, rules=checks)))


@pytest.fixture
def program(tmp_path: Path) -> str:
    return stand_in(tmp_path, NAME, RECORDED)


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., Told]:
    def tell(program: str, image: str, **rules: object) -> Told:
        checks = Validating.model_validate({"checks": {"cosign": rules or {"key": KEY}}})
        change = change_of({KEY: PEM}, {KEY: "another's", PATH: values(image)}, rules=checks)
        (part,) = VALIDATOR.parts(change)
        return VALIDATOR.check(change, part, bench(tmp_path, {NAME: program}, registries=Answers()))

    return tell


API = "registry.example.com/shop/api"
IDENTITY = {"identity": "https://ci.example.com/release", "issuer": "https://ci.example.com"}


@pytest.mark.parametrize(
    "rules",
    [
        {"key": KEY},
        IDENTITY,
        {**IDENTITY, "identity": "/https://ci.example.com/.*/"},
        {"key": KEY, "provenance": True},
        {**IDENTITY, "provenance": True},
    ],
)
def test_a_signed_image_is_in_order(program: str, told: Callable[..., Told], rules: dict[str, object]) -> None:
    found = told(program, API, **rules)
    assert found.findings == ()
    assert found.version


@pytest.mark.parametrize(
    ("name", "why", "rule"),
    [
        ("unsigned", "no signatures found", "unsigned"),
        ("other", "no matching signatures: invalid signature when validating ASN.1 encoded signature", "signer"),
    ],
)
def test_an_image_that_is_not_signed_by_whom_policy_names_is_an_error(
    program: str, told: Callable[..., Told], name: str, why: str, rule: str
) -> None:
    image = f"registry.example.com/shop/{name}"
    message = f"{image}@{DIGEST} is not signed by whom policy names: {why}"
    assert told(program, image).findings == (Finding(message, rule=rule),)


def test_another_identity_is_an_error(program: str, told: Callable[..., Told]) -> None:
    (found,) = told(program, API, identity="mallory", issuer="https://ci.example.com").findings
    assert found.rule == "signer"


@pytest.mark.parametrize(("name", "rules"), [("api", []), ("old", []), ("unproven", ["provenance"])])
def test_a_provenance_of_either_version_will_do_but_one_there_must_be(
    program: str, told: Callable[..., Told], name: str, rules: list[str]
) -> None:
    found = told(program, f"registry.example.com/shop/{name}", key=KEY, provenance=True).findings
    assert [one.rule for one in found] == rules


def test_S16_a_registry_that_does_not_answer_says_nothing_of_the_signature(
    program: str, told: Callable[..., Told]
) -> None:
    with pytest.raises(Broken, match=r"cosign ended with 1: Error: Get .* no such host"):
        told(program, "registry.example.com/shop/down")


def test_S11_an_image_of_a_host_that_is_not_configured_is_not_asked_for(told: Callable[..., Told]) -> None:
    with pytest.raises(Skipped, match="no registry is configured for evil"):
        told("nowhere", "evil.example.net/shop/api")


@pytest.mark.parametrize(
    "image", ["--key=x/y", "registry.example.com/a b", "registry.example.com/../x", "api", "HTTP://a/b"]
)
def test_S9_what_is_no_image_is_given_to_no_program(told: Callable[..., Told], image: str) -> None:
    with pytest.raises(Broken, match="no image with its host"):
        told("nowhere", f'"{image}"')


def test_an_image_that_is_gone_is_an_error(told: Callable[..., Told]) -> None:
    (found,) = told("nowhere", "registry.example.com/shop/gone").findings
    assert found.rule == "missing"


def test_a_key_that_is_not_on_the_target_branch_is_told_as_such(told: Callable[..., Told]) -> None:
    with pytest.raises(Skipped, match=r"keys/none\.pub is not on the target branch"):
        told("nowhere", API, key="keys/none.pub")


def test_S16_a_required_check_that_is_told_nobody_is_skipped(told: Callable[..., Told]) -> None:
    with pytest.raises(Skipped, match="does not say whose signature"):
        told("nowhere", API, required=True)


def test_each_new_image_is_one_part_wherever_it_is_pinned() -> None:
    both = {PATH: values(API), OTHER: values(API)}
    assert [one.subject for one in parts({"key": KEY}, both)] == [f"{API}@{DIGEST}"]
    assert parts({"key": KEY}, {PATH: values(API)})[0].inputs[:3] == (API, DIGEST, KEY)


def test_without_a_signer_in_policy_there_is_no_part() -> None:
    assert parts({}, {PATH: values(API)}) == []


def test_S12_the_key_is_that_of_the_target_branch(tmp_path: Path) -> None:
    assert parts({"key": KEY}, {PATH: values(API), KEY: "x"}) == parts({"key": KEY}, {PATH: values(API)})
    assert parts({"key": KEY}, {PATH: values(API)}, {KEY: "y"}) != parts({"key": KEY}, {PATH: values(API)})
