"""What stands where a secret could, and is none: references, placeholders, switches."""

import re
from enum import Enum

# All of a value must be one: `lookup.X` and `<b>X` only begin like one.
_REFERENCE = re.compile(
    r"(?:>>)?vault:[A-Za-z0-9_./-]{1,300}(?:#[^\s#]{1,100}){0,2}"  # bank-vaults: vault:secret/data/x#key#version
    r"|<path:[^<>]{1,300}>|<[A-Za-z_][\w .:/#|-]{0,100}>"  # argocd-vault-plugin: <path:kv/data/x#key>, <key>
    # vals, 1Password, others
    r"|(?:ref\+(?!echo)[a-z0-9]{2,20}|secretref|awssm|gcpsm|azkv|op|vault|kv|file|env)://[\w ./#?=&%:@+-]{1,300}"
    r"|\$(?:[A-Z_][A-Z0-9_]{1,60}|[a-z_]{0,30}(?:password|passwd|secret|token|api_?key)[a-z_]{0,30})"
    r"|\$ANSIBLE_VAULT;[0-9.]{1,8};AES256[\s0-9a-f]{0,9000}"
    r"|%[A-Z_]{2,60}%|@[A-Za-z_.]{2,60}@"
    r"|!vault(?: \|[-+]?)?|!(?:Ref|secret)(?: [\w.:-]{1,100})?|!Sub(?: [\"']?[\w./:-]{0,100}\$\{[\w.:]{1,200}\}[\"']?)?"
    r"|projects/[a-z0-9-]{4,40}/secrets/[\w/-]{1,200}|@Microsoft\.KeyVault\([^()]{1,300}\)"
    r"|(?:\.{0,2}/)?(?:[\w.-]{1,60}/){1,12}[\w.-]{1,60}\.(?:pem|key|crt|txt|json|ya?ml|env|conf|ini|token|password)"
    r"|/(?:run|var|etc|vault|mnt|secrets?|home|opt|tmp)/[\w./-]{1,200}"
    r"|process\.env\.[A-Z_][A-Z0-9_]{1,60}"
    r"|(?:os\.environ|os\.environ\.get|process\.env|(?:os\.)?getenv|lookup)[\[(][\w\"', ./:-]{0,200}[\])]?"
)
_B64 = "[A-Za-z0-9+/]"
_ENCLOSED = re.compile(
    # The shell's and Kubernetes' variables, Helm's and Jinja's expressions; with a literal default they are none.
    r"\$\{\{[^{}\"']{1,200}\}\}|\$\{[\w.]{1,200}(?::?[-?])?\}|\$\([\w.-]{1,100}\)|[%#]\{[\w.]{1,100}\}"
    r"|\{\{(?![^{}]{0,200}default [\"'][^\"'])[^{}]{1,300}\}\}"
    # github.com/getsops/sops: "Encryption format"; github.com/voxpupuli/hiera-eyaml
    rf"|ENC\[AES256_GCM,data:{_B64}{{0,8000}}={{0,2}},iv:{_B64}{{42,44}}=?,tag:{_B64}{{22}}==,type:\w{{1,10}}\]"
    rf"|ENC\[(?:PKCS7|GPG),{_B64}{{200,8000}}={{0,2}}\]"
    # docs.aws.amazon.com: Amazon Resource Names; the OCI image specification: digests; W3C: Subresource Integrity
    r"|arn:aws[a-z-]{0,10}:[\w:/.-]{1,300}"
    rf"|sha1[:-](?:[0-9a-f]{{40}}|{_B64}{{27}}=)|(?:sha256[:-]|h1:)(?:[0-9a-f]{{64}}|{_B64}{{43}}=)"
    rf"|sha384-{_B64}{{64}}|sha512[:-](?:[0-9a-f]{{128}}|{_B64}{{86}}==)"
)
_SEALED = re.compile(r"(?<![A-Za-z0-9+/])Ag[A-D][A-Za-z0-9+/]{200,}={0,2}")
"""SealedSecrets: two bytes of length (512 or less), the session key under RSA, the value under AES; in base64."""
_IMAGE = re.compile(r"(?:[\w.:-]{1,100}/){0,10}[\w.-]{1,100}(?::[\w.-]{1,128})?@sha(?:256|512):[0-9a-f]{64,128}")
_DIGEST = re.compile(r"(?:sha(?:1|256|384|512)|md5|h1)[:-][A-Za-z0-9+/=]{22,128}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SWITCH = re.compile(
    r"|true|false|yes|no|on|off|null|none|nil|~|\{\}|\[\]|\"\"|''|undefined|enabled|disabled|required|optional|default"
    r"|string|str|always|never|bearer|basic|[|>][-+]?",
    re.IGNORECASE,
)
_MASK = re.compile(
    r"[*x.•…_#?X-]{2,}|[(\[<]{0,2}(?:redacted|masked|hidden|omitted|filtered|removed)(?: \([0-9a-f]{6}\))?[)\]>]{0,2}",
    re.IGNORECASE,
)
_DEFAULT = re.compile(
    r"change[-_ ]?(?:me|it|this)\w{0,20}|replace[-_ ]?(?:me|this|with)[\w -]{0,40}|to-?do|fixme|tbd|changeit"
    r"|(?:your|my|some|enter|insert|put|set)[-_ ][\w -]{0,60}"
    r"|(?:example|dummy|fake|sample|test|placeholder)(?:[-_ ]?(?:password|secret|token|key|value)s?)?[0-9]{0,3}"
    r"|(?:password|passwd|pass|secret|admin|root|guest|user|postgres|mysql|letmein|qwerty|token|s3cr3t)[0-9!]{0,6}",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"[A-Za-z][a-z]*[0-9]{0,4}(?:[-_./:][A-Z]?[a-z]*[0-9]{0,4}){1,12}|[A-Za-z][a-z]*(?:[A-Z][a-z]+){0,8}|[A-Z_]{1,80}"
)


BLOT = "…"
_LONGEST_REFERENCE = 10_000


class Value(Enum):
    """What a value is that stands under a secret's name."""

    nothing = "nothing"
    """A reference, a mask, a switch, an empty text."""
    default = "default"
    """A well-known password, or a placeholder that a person was to replace."""
    name = "name"
    """It could name a thing: words of letters, with dashes or humps; or a UUID."""
    identifier = "identifier"
    """A digest or a pinned image."""
    other = "other"


def kind(value: str) -> Value:
    """What a value is, without its quotes."""
    text = value.strip()
    if _SWITCH.fullmatch(text) or is_reference(text) or _MASK.fullmatch(text):
        return Value.nothing
    if _IMAGE.fullmatch(text) or _DIGEST.fullmatch(text):
        return Value.identifier
    if _UUID.fullmatch(text):
        return Value.name
    if len(text) <= 80 and _DEFAULT.fullmatch(text):
        return Value.default
    return Value.name if len(text) <= 100 and _NAME.fullmatch(text) else Value.other


def is_reference(text: str) -> bool:
    """Whether a value says where the secret is, or is sealed itself."""
    if len(text) > _LONGEST_REFERENCE:
        return False
    if _REFERENCE.fullmatch(text) is not None:
        return True
    left, times = _ENCLOSED.subn("", text)
    return times > 0 and len(left) < 4


def cleared(text: str, *, sealed: bool = False) -> str:
    """A text in which references and digests are blotted out, letter by letter, so that columns stay what they are;
    `sealed`: what has the form of a SealedSecret's value too."""
    text = _ENCLOSED.sub(lambda found: BLOT * len(found[0]), text)
    return _SEALED.sub(lambda found: BLOT * len(found[0]), text) if sealed else text


def is_sealed(text: str) -> bool:
    """Whether a value has the form of a SealedSecret's."""
    return _SEALED.fullmatch(text) is not None
