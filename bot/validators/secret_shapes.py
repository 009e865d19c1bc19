"""How secrets look by themselves: the tokens that their makers gave a shape, random strings, and what only looks so.

The shapes are those that the makers document; where they document none, those of gitleaks 8 (config/gitleaks.toml,
MIT). Every repetition in a pattern is bounded, so no line makes the search more than linear."""

import base64
import binascii
import math
import re
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of token that is known by its shape."""

    rule: str
    hint: str
    """Text that stands in each of them: what is without it need not be searched."""
    pattern: re.Pattern[str]
    public: int = 0
    """How many of its first characters every token of the kind has; at most 4 are shown."""


def _shape(rule: str, hint: str, pattern: str, public: int = 0) -> Shape:
    return Shape(rule, hint, re.compile(r"(?<![A-Za-z0-9])(?:" + pattern + ")"), public)


_END = r"(?![A-Za-z0-9])"
SHAPES: tuple[Shape, ...] = (
    # docs.github.com: About authentication to GitHub, token formats
    *(_shape("github-token", f"gh{kind}_", rf"gh{kind}_[A-Za-z0-9]{{36,251}}", 4) for kind in "pousr"),
    _shape("github-token", "github_pat_", r"github_pat_[A-Za-z0-9_]{60,251}", 4),
    # docs.gitlab.com: Token overview, token prefixes
    _shape("gitlab-token", "gl", r"gl(?:pat|dt|rt|rtr|cbt|ptt|ft|agent|imt|oas|soat|ffct)-[A-Za-z0-9_.-]{20,300}", 4),
    # docs.aws.amazon.com: IAM identifiers, unique ID prefixes; AWS's own examples end in EXAMPLE
    _shape("aws-access-key", "A", rf"(?:AKIA|ASIA|ABIA|ACCA)(?![A-Z0-9]{{9}}EXAMPLE)[A-Z2-7]{{16}}{_END}", 4),
    # api.slack.com: Token types
    _shape("slack-token", "xox", r"xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,300}", 4),
    _shape("slack-token", "xapp-", r"xapp-[0-9]-[A-Za-z0-9-]{20,300}", 4),
    _shape("slack-webhook", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/+]{30,100}"),
    # docs.stripe.com: API keys
    *(_shape("stripe-key", f"{kind}k_", rf"{kind}k_(?:live|test|prod)_[A-Za-z0-9]{{10,250}}", 3) for kind in "sr"),
    # cloud.google.com: API keys; developers.google.com: OAuth 2.0
    _shape("google-api-key", "AIza", rf"AIza[A-Za-z0-9_-]{{35}}{_END}", 4),
    _shape("google-client-secret", "GOCSPX-", r"GOCSPX-[A-Za-z0-9_-]{28}", 4),
    _shape("google-access-token", "ya29.", r"ya29\.[A-Za-z0-9_-]{30,500}", 4),
    # learn.microsoft.com: storage connection strings, shared access signatures; gitleaks: azure-ad-client-secret
    _shape("azure-key", "Key=", r"(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,90}={0,2}"),
    _shape("azure-sas", "sig=", r"sig=[A-Za-z0-9+/%]{40,130}={0,2}"),
    _shape("azure-client-secret", "Q~", r"[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}"),
    # github.blog and the documentation of the registries of Node, Python and Docker: access tokens
    _shape("npm-token", "npm_", rf"npm_[A-Za-z0-9]{{36}}{_END}", 4),
    _shape("pypi-token", "pypi-", r"pypi-AgE[A-Za-z0-9_-]{50,1000}", 4),
    _shape("docker-token", "dckr_", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,60}", 4),
    # docs.sendgrid.com; twilio.com/docs: API keys; gitleaks: mailgun
    _shape("sendgrid-key", "SG.", r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{30,64}", 3),
    _shape("twilio-key", "SK", rf"SK[0-9a-f]{{32}}{_END}", 2),
    _shape("mailgun-key", "key-", rf"key-[0-9a-f]{{32}}{_END}", 4),
    # gitleaks: openai-api-key, anthropic-api-key, huggingface-access-token
    _shape("openai-key", "T3BlbkFJ", r"sk-[A-Za-z0-9_-]{16,80}T3BlbkFJ[A-Za-z0-9_-]{16,80}", 3),
    _shape("anthropic-key", "sk-ant-", r"sk-ant-[a-z0-9]{3,10}-[A-Za-z0-9_-]{80,120}", 3),
    _shape("huggingface-token", "hf_", rf"hf_[A-Za-z]{{34}}{_END}", 3),
    # developer.hashicorp.com: Vault tokens, HCP Terraform tokens
    *(_shape("vault-token", f"hv{kind}.", rf"hv{kind}\.[A-Za-z0-9_-]{{24,300}}", 4) for kind in "sbr"),
    _shape("terraform-token", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,70}"),
    # docs.databricks.com, docs.digitalocean.com, grafana.com/docs, docs.newrelic.com, shopify.dev, dynatrace.com
    _shape("databricks-token", "dapi", rf"dapi[0-9a-f]{{32}}{_END}", 4),
    _shape("digitalocean-token", "_v1_", rf"do[opr]_v1_[0-9a-f]{{64}}{_END}", 4),
    _shape("grafana-token", "glsa_", r"glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}", 4),
    _shape("grafana-token", "glc_", r"glc_[A-Za-z0-9+/]{32,400}={0,2}", 4),
    _shape("newrelic-key", "NRAK-", r"NRAK-[A-Z0-9]{27}", 4),
    _shape("shopify-token", "shp", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}", 3),
    _shape("dynatrace-token", "dt0", r"dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}", 3),
    # core.telegram.org: bots; gitleaks: atlassian, linear, pulumi, planetscale, sentry
    _shape("telegram-token", ":AA", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}"),
    _shape("atlassian-token", "ATATT3", r"ATATT3[A-Za-z0-9_=-]{60,250}", 4),
    _shape("linear-key", "lin_api_", r"lin_api_[A-Za-z0-9]{40}", 4),
    _shape("pulumi-token", "pul-", rf"pul-[0-9a-f]{{40}}{_END}", 4),
    _shape("planetscale-token", "pscale_", r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_=.-]{32,64}", 4),
    _shape("sentry-token", "sntry", r"sntry[su]_[A-Za-z0-9+/_=-]{40,300}", 4),
    # github.com/FiloSottile/age: the secret key's Bech32
    _shape("age-key", "AGE-SECRET-KEY-", r"AGE-SECRET-KEY-(?:PQ-)?1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}", 4),
    # RFC 7519: a signed token; Kubernetes' own for service accounts are such
    _shape("jwt", "eyJ", r"eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{10,2000}", 3),
    # RFC 7468 and OpenSSH; the same in base64, as a Secret holds it: `-----BEGIN` and ` PRIVATE KEY` at each offset
    _shape("private-key", "PRIVATE KEY", r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"),
    # RFC 5208: PKCS #8 in DER; RFC 8017: RSA's own
    _shape("private-key", "IBA", r"MII[A-J][A-Za-z0-9+/][gQ]IBA[AD][A-Za-z0-9+/]{60,8000}={0,2}"),
    _shape(
        "private-key",
        "LS0tLS1CRUdJTi",
        r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{0,40}(?:UFJJVkFURSBLRV|BSSVZBVEUgS0VZ|QUklWQVRFIEtFW)[A-Za-z0-9+/=]{0,8000}",
    ),
)

PASSWORD_HASHES = re.compile(
    # crypt(5): what a password can be guessed from, though it is none
    r"\$(?:2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{53}|apr1\$[^$\s]{1,8}\$[./A-Za-z0-9]{22}|[56y]\$[^\s$]{1,40}\$[^\s\"']{20,200}"
    r"|argon2(?:id?|d)\$[^\s\"']{20,250})"
)
CREDENTIALS_IN_URL = re.compile(
    # RFC 3986, 3.2.1: userinfo, up to the last @, for whoever writes a URL by hand escapes none
    r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s/:\"'<>]{0,200}:(?P<value>[^\s/\"'<>]{1,300})@"
)
AUTHORIZATION = re.compile(
    r"(?<![A-Za-z0-9])(?:Bearer|Basic|bearer|basic) {1,3}(?P<value>[A-Za-z0-9._~+/-]{8,4000}={0,2})"
)

# A random string, if it is one, ends at a character that base64, its URL-safe form and hexadecimal never have.
WORDS = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{20,}={0,2}")

_HASH = re.compile(r"(?:[0-9a-f]{7,40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})", re.IGNORECASE)
_RUN = re.compile(r"[A-Za-z0-9]+")
_TURNS = re.compile(r"[a-z](?=[A-Z0-9])|[A-Z](?=[a-z0-9])|[0-9](?=[A-Za-z])")
_LOOKED_AT = 4096
"""Characters of one word: a longer one is judged by its beginning."""


def entropy(text: str) -> float:
    """Shannon's, in bits a character; 0 for an empty text."""
    counts = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())


def is_random(word: str) -> bool:
    """Whether a word of 20 characters or more looks drawn by lot: its letters and digits mix as no name's do.

    A hash (its length and digits say so), a path, a name in humps or with dashes is not."""
    word = word[:_LOOKED_AT]
    if _HASH.fullmatch(word) or is_public(word):
        return False
    run = max(_RUN.findall(word), key=len, default="")
    if len(run) < 14 or _HASH.fullmatch(run) or entropy(word) < 3.5:
        return False
    # Of neighbours in random base62 62 % are of different kinds, in base36 40 %; in names of humps at most 30 %.
    turns = len(_TURNS.findall(run)) / (len(run) - 1)
    kinds = [any(map(kind, run)) for kind in (str.islower, str.isupper, str.isdigit)]
    return turns >= 0.36 if all(kinds) else kinds[2] and len(run) >= 20 and turns >= 0.25


def decoded(word: str) -> str | None:
    """The text that a word is the base64 of; None where it is not, or of nothing printable."""
    if len(word) % 4 or len(word) < 8:
        return None
    try:
        text = base64.b64decode(word[:_LOOKED_AT], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return text if all(letter.isprintable() or letter in "\r\n\t" for letter in text) else None


# What stands first in the base64 of a certificate's DER, of SubjectPublicKeyInfo (RFC 5280), of an OpenSSH public key,
# and of a PEM file that begins with `-----BEGIN CERTIFICATE` or `-----BEGIN PUBLIC KEY`.
_PUBLIC = re.compile(
    r"MII[A-J][A-Za-z0-9+/]{2}CC|MII[BC]IjANBgkqhki|MFkwEwYHKoZI|MHYwEAYHKoZI|MCowBQYDK2Vw|AAAA[BCE][23]N?[zV][aj]"
    r"|LS0tLS1CRUdJTiBDRVJUSUZJQ0FUR|LS0tLS1CRUdJTiBQVUJMSUMg"
)


def is_public(word: str) -> bool:
    """Whether a word is a certificate or a public key in base64."""
    return _PUBLIC.match(word) is not None
