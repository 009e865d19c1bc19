"""Whether a name (a YAML key, an environment variable, an option) says that its value is a secret."""

import re
from enum import IntEnum
from functools import lru_cache


class Says(IntEnum):
    """How plainly a name says that its value is a secret."""

    nothing = 0
    maybe = 1
    """`token`, `secret`, `credentials`: the value may as well be the name of something."""
    surely = 2
    """`password`, `api_key`, `clientSecret`: nobody calls anything else so."""


# Where a camel hump, an acronym's end or a separator parts two words: `dbPassword`, `AWSSecretKey`, `DB_PASSWORD`.
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_SURELY = {
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "pwd",
    "passcode",
    "apikey",
    "apikeys",
    "htpasswd",
    "pgpass",
    "pw",
    "requirepass",
    "masterauth",
}
_SURELY |= {"dockerconfigjson", "dockercfg", "privatekey", "accesskey", "authtoken", "accesstoken"}
_SURELY_PAIRS = {
    *((first, "key") for first in ("api", "access", "private", "encryption", "signing", "account", "master")),
    *((first, "key") for first in ("shared", "license", "app", "webhook", "hmac", "aes", "cookie")),
    *((first, "secret") for first in ("client", "webhook", "shared", "session", "signing", "app", "consumer", "jwt")),
    *((first, "token") for first in ("access", "auth", "bearer", "refresh", "bot", "api", "private", "session")),
    ("connection", "string"),
    ("db", "pass"),
    ("pass", "phrase"),
    ("pass", "word"),
}
_MAYBE = {"secret", "secrets", "token", "tokens", "credential", "credentials", "creds", "pass", "pin", "authorization"}
_MAYBE |= {"kubeconfig", "secretkey", "jwt", "bearer", "auth", "cookie", "psk", "salt", "pepper"}

# The last word says that the value is something about a secret: where it is, how long it lives, how it is made.
_ABOUT = frozenset(
    re.findall(
        r"[a-z]+",
        """
    name names ref refs path paths file files filename dir directory url urls uri endpoint host port id ids arn
    enabled enable disabled required policy length size count limit max min ttl expiry expiration expires seconds
    minutes hours days lifetime duration timeout interval age type kind version mode method format algorithm alg
    store provider namespace mount volume rotation rotate header prefix suffix issuer audience audiences template
    generator class selector annotations labels field fields env var variable review reviewer scope scopes digest
    checksum selectors keyref keyname backend engine source sources usage budget reset regex pattern realm
""",
    )
)
# The first word says that it is about one: a count of tokens, an existing Secret. A password stays one all the same.
_NOT_ITS_OWN = {"existing", "max", "min", "num", "total", "public", "automount", "enable", "use", "has"}
_PULLED = {"image", "pull"}
_OBJECTS = {"secret", "secrets", "credential", "credentials", "creds"}
"""Behind `imagePull` and the like they are the names of Secrets."""
_KEY_IN_A_SECRET = {"password", "token", "secretkey", "credentials", "user", "username"}

_ENDINGS = ("password", "passwd", "passphrase")
"""Also where nothing parts them: PGPASSWORD."""
_MANY = ("credentials", "creds", "secrets", "tokens")

HINT = re.compile(
    "|".join(sorted(_SURELY | _MAYBE | {second for _, second in _SURELY_PAIRS})) + r"|[\\]|last-applied", re.IGNORECASE
)
"""A text in which it is not found names no secret, nor does it escape a letter of a name."""


@lru_cache(maxsize=4096)
def says(name: str) -> Says:
    """How plainly a name says so; names are split at humps and separators, so `passwordPolicy` says nothing."""
    words = [word.lower() for word in _PARTS.findall(name[-80:])]
    while len(words) > 1 and words[-1].isdigit():
        words.pop()
    if not words or words[-1] in _ABOUT or _is_key(words):
        return Says.nothing
    if words[-1].endswith(_ENDINGS) or words[-1] in _SURELY or tuple(words[-2:]) in _SURELY_PAIRS:
        return Says.surely
    if words[0] in _NOT_ITS_OWN or (words[0] in _PULLED and words[-1] in _OBJECTS):
        return Says.nothing
    if words[-1] in _MAYBE or tuple(words[-2:]) == ("secret", "key"):
        return Says.maybe
    return Says.maybe if _SURELY & set(words) else Says.nothing


def _is_key(words: list[str]) -> bool:
    """Whether it names another key: a public one, or that of a Secret under which the password is."""
    return words[-1] == "key" and (words[0] == "public" or (len(words) > 1 and words[-2] in _KEY_IN_A_SECRET))


def is_about(name: str) -> bool:
    """Whether a name says that its value is something about a secret: its length, its algorithm."""
    words = [word.lower() for word in _PARTS.findall(name[-80:])]
    return bool(words) and words[-1] in _ABOUT


def is_many(name: str) -> bool:
    """Whether a name is a secret's in the plural: what stands below it are secrets, whatever they are called."""
    return says(name) is not Says.nothing and name.lower().endswith("s")


def holds_secrets(name: str) -> bool:
    """Whether each thing under a name is a secret: `passwords`, `credentials`; not `secret`, which may name one."""
    said = says(name)
    return said is Says.surely or (said is Says.maybe and name.lower().endswith(_MANY))
