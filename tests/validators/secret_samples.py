"""Secrets and what looks like them, as lines of configuration; put together here, so that none stands in a file.

None was ever anybody's: every random part is drawn from a seeded generator, and every fixed part is public.
"""

import base64
import random
import string
from dataclasses import dataclass

from bot.validators import Bench
from bot.validators.launching import Launcher
from bot.validators.secrets import VALIDATOR
from policies.findings import Finding
from tests.validators.trees import change_of

_BASE62 = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True)
class Sample:
    """A file's text; `secret` is what must not come out again, empty in those that hold none."""

    name: str
    text: str
    secret: str = ""
    warns: bool = False
    """Whether it is found as a warning rather than an error."""


def drawn(name: str, length: int, letters: str = _BASE62) -> str:
    """Random letters, the same each time for the same name."""
    return "".join(random.Random(name).choices(letters, k=length))


def _random_bytes(name: str, length: int) -> str:
    """In base64."""
    return base64.b64encode(random.Random(name).randbytes(length)).decode()


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _pem(kind: str, body: list[str]) -> list[str]:
    dashes = "-" * 5
    return [f"{dashes}BEGIN {kind}{dashes}", *body, f"{dashes}END {kind}{dashes}"]


def _indented(lines: list[str], by: int = 2) -> str:
    return "\n".join(" " * by + line for line in lines)


def _token(name: str, prefix: str, body: str, line: str = "note: {}") -> Sample:
    return Sample(name, line.format(prefix + body), prefix + body)


def _tokens() -> list[Sample]:
    """Under a key that says nothing, so that the shape alone is found."""
    jwt = ".".join(_b64(part).rstrip("=") for part in ('{"alg":"HS256"}', '{"sub":"deploy","aud":"api"}'))
    return [
        _token("GitHub personal token", "gh" + "p_", drawn("ghp", 36)),
        _token("GitHub OAuth token", "gh" + "o_", drawn("gho", 36)),
        _token("GitHub server token", "gh" + "s_", drawn("ghs", 36), "run: git clone https://x-access-token@{}"),
        _token("GitHub fine-grained token", "github" + "_pat_", drawn("a", 22) + "_" + drawn("b", 59)),
        _token("GitLab personal token", "gl" + "pat-", drawn("glpat", 20)),
        _token("GitLab runner token", "gl" + "rt-", drawn("glrt", 20)),
        _token("GitLab deploy token", "gl" + "dt-", drawn("gldt", 20), "args: [--quiet, {}]"),
        _token("AWS access key", "AK" + "IA", drawn("akia", 16, _BASE32)),
        _token("AWS temporary access key", "AS" + "IA", drawn("asia", 16, _BASE32), 'id: "{}"'),
        _token("Slack bot token", "xox" + "b-", "123456789012-" + drawn("xoxb", 24)),
        _token("Slack app token", "xap" + "p-", "1-A0123456789-" + drawn("xapp", 40)),
        _token("Slack webhook", "hooks.slack" + ".com/services/", f"T0123/B0456/{drawn('h', 24)}", "u: https://{}"),
        _token("Stripe key", "sk" + "_live_", drawn("stripe", 24)),
        _token("Stripe restricted key", "rk" + "_live_", drawn("stripe-r", 24)),
        _token("Google API key", "AI" + "za", drawn("aiza", 35)),
        _token("Google client secret", "GOC" + "SPX-", drawn("gocspx", 28)),
        _token("Azure storage key", "Account" + "Key=", _random_bytes("azure", 64), "s: AccountName=a;{};x=y"),
        _token("Azure client secret", drawn("az", 3) + "8" + "Q~", drawn("azure", 34)),
        _token("npm token", "npm" + "_", drawn("npm", 36)),
        _token("PyPI token", "py" + "pi-AgE", "IcHlwaS5vcmc" + drawn("pypi", 60)),
        _token("Docker Hub token", "dckr" + "_pat_", drawn("dckr", 27)),
        _token("SendGrid key", "SG" + ".", drawn("sg1", 22) + "." + drawn("sg2", 43)),
        _token("Twilio key", "S" + "K", drawn("twilio", 32, _HEX)),
        _token("OpenAI key", "sk" + "-", drawn("oa1", 20) + "T3Blbk" + "FJ" + drawn("oa2", 20)),
        _token("Anthropic key", "sk-" + "ant-", "api03-" + drawn("ant", 93) + "AA"),
        _token("Hugging Face token", "h" + "f_", drawn("hf", 34, string.ascii_letters)),
        _token("Vault service token", "hv" + "s.", drawn("hvs", 24)),
        _token("Terraform token", drawn("tf1", 14) + ".atlas" + "v1.", drawn("tf2", 64)),
        _token("Databricks token", "da" + "pi", drawn("dapi", 32, _HEX)),
        _token("DigitalOcean token", "do" + "p_v1_", drawn("dop", 64, _HEX)),
        _token("Grafana service account", "gl" + "sa_", drawn("glsa", 32) + "_" + drawn("glsa2", 8, _HEX)),
        _token("New Relic key", "NR" + "AK-", drawn("nr", 27, string.ascii_uppercase + string.digits)),
        _token("Shopify token", "shp" + "at_", drawn("shp", 32, _HEX)),
        _token("Telegram bot token", "1234567890" + ":A", "A" + drawn("tg", 33)),
        _token("Linear key", "lin" + "_api_", drawn("lin", 40)),
        _token("Pulumi token", "pu" + "l-", drawn("pul", 40, _HEX)),
        _token("age key", "AGE-" + "SECRET-KEY-1", drawn("age", 58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")),
        _token("a service account's JWT", jwt + ".", drawn("jwt", 43)),
    ]


def _keys() -> list[Sample]:
    """Private keys, as PEM, in one line of JSON, in base64, as DER."""
    body = [_random_bytes(f"key{number}", 48) for number in range(4)]
    told = []
    for kind in ("RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"):
        pem = _pem(kind, body)
        told.append(Sample(f"{kind} in a block", f"key.pem: |\n{_indented(pem)}\nother: 1", body[1]))
        told.append(Sample(f"{kind} in base64", f"ca: {_b64(chr(10).join(pem))}", _b64("\n".join(pem))[60:]))
    one_line = "\\n".join(_pem("PRIVATE KEY", body))
    der = "MIIEv" + "QIBADANBgkqhki" + _random_bytes("der", 300)
    return [*told, Sample("a Google account's JSON", f'  "x": "{one_line}",', body[0]), Sample("DER", f"k: {der}", der)]


def _pairs() -> list[Sample]:
    """Values under names that say what they are."""
    word, mixed, password = drawn("word", 12), drawn("mixed", 40), "Tr0ub4dor&" + drawn("p", 4)
    lines = {
        "password: {}": password,
        'password: "{}"': password,
        "  dbPassword: '{}'   # the database's": password,
        "postgresqlPassword: {}": "correcthorsebatterystaple",
        "root_passwd: {}": word,
        "apiKey: {}": drawn("api", 32, _HEX),
        "AWS_SECRET_ACCESS_KEY: {}": mixed,
        "clientSecret: {}": drawn("cs", 36, _HEX + "-"),
        "jwt_secret: {}": word,
        "authToken: {}": mixed,
        "- name: DB_PASSWORD\n  value: {}": password,
        "    - name: GITHUB_TOKEN\n      value: '{}'": mixed,
        "args:\n- --password\n- {}": word,
        "args: [--db-password={}, --verbose]": word,
        "command: mysql --password {} -e 'select 1'": word,
        "passphrase: |\n  {}\nother: 1": word,
        "DB_PASSWORD={}": word,
        "export API_KEY={}": mixed,
        'config: \'{{"password": "{}"}}\'': word,
        "db: {{user: app, password: {}}}": word,
        "url: postgres://app:{}@db.internal:5432/app": word,
        "redis: redis://:{}@redis:6379/0": word,
        "amqp: amqps://user:{}@mq/vhost": "hunter-two",
        "dsn: Server=db;User Id=app;Password={};Encrypt=true": word,
        "header: 'Authorization: Bearer {}'": mixed,
        "curl: curl -H 'Authorization: Basic {}' https://x": _b64("app:" + word),
        "encryptionKey: {}": _random_bytes("encryption", 32),
        "connectionString: {}": "Endpoint=sb://x/;SharedAccessKeyName=r;k=" + word,
        "credentials: {}": mixed,
        "secret: {}": mixed,
        "pin: {}": "abc123xyz",
        "kind: Secret\ndata:\n  username: {}": _b64("administrator"),
        "kind: Secret\nmetadata: {{name: x}}\nstringData:\n  colour: {}": "heliotrope",
        "stringData:\n  config: |\n    user = {}\nkind: Secret": "heliotrope",
        '{{"auths": {{"registry.example.com": {{"auth": "{}"}}}}}}': _b64("robot:" + mixed),
        "sops:\n    age: []\npassword: {}": password,
        "kind: SealedSecret\nspec:\n  encryptedData:\n    password: {}": password,
        "api_key: {}": f"{drawn('u', 8, _HEX)}-1111-4222-8333-{drawn('v', 12, _HEX)}",
        'password: {{{{ .Values.p | default "{}" }}}}': word,
        "password: ${{DB_PASSWORD:-{}}}": word,
    }
    return [Sample(line, line.format(secret), secret) for line, secret in lines.items()]


def _apart() -> list[Sample]:
    """Values that stand apart from their names, in braces, or under names with escaped letters."""
    word, mixed = drawn("apart", 14), "Tr0ub4dor" + drawn("q", 4)
    lines = {
        "password:\n  {}": word,
        "password: &p\n  {}": word,
        "passwords:\n- {}": word,
        "passwords:\n  admin: {}": word,
        "passwords:\n  reader: {}": "heliotrope",
        "credentials:\n  admin: {}": mixed,
        "? password\n: {}": word,
        '"passw\\u006frd": {}': word,
        "env: [{{name: DB_PASSWORD, value: {}}}]": word,
        "env:\n- {{value: '{}', name: DB_PASSWORD}}": word,
        'args: ["--password", "{}"]': word,
        "args: [--token, {}, --verbose]": mixed,
        'cfg: "{{\\"password\\": \\"{}\\"}}"': word,
        'cfg: \'["--password", "{}"]\'': word,
        "app.yaml: |\n  db:\n    password:\n      {}\nother: 1": word,
        "app.yaml: |\n  users:\n  - {{name: DB_PASSWORD, value: {}}}": word,
        "app.yaml: >\n  password:\n\n   {}": word,
        "base: &b {}\npassword: *b": word,
        "a: b\n---\n[\n---\npassword:\n  {}": word,
        "? [a, b]\n: password:\n    {}": word,
        "password: '*{}'": word,
        "kind: Secret\nstringData: {{foo: {}}}": word,
        "kind: List\nitems:\n- kind: Secret\n  stringData:\n    foo: {}": word,
        '{{"kind":"Secret","stringData":{{"foo":"{}"}}}}': word,
        '{{"kind": "Secret",\n"stringData": {{\n"foo": "{}"}}}}': word,
        'original: \'{{"kind":"Secret","data":{{"foo":"{}"}}}}\'': _b64(word),
    }
    return [Sample(line, line.format(secret), secret) for line, secret in lines.items()]


def _disguised() -> list[Sample]:
    """Names that begin like something else, values that begin like a reference, and other ways to write a pair."""
    word = "hunter2" + drawn("disguised", 8)
    lines = {
        "IMAGE_REGISTRY_PASSWORD: {}": word,
        "- name: PULL_TOKEN\n  value: {}": word,
        "PUBLIC_API_PASSWORD: {}": word,
        "ENABLE_PASSWORD: {}": word,
        "USE_PASSWORD: {}": word,
        "pw: {}": word,
        "DB_PW: {}": word,
        "password: {} ": "<b>" + word,
        "password:  {}": "removed-" + word,
        "password:   {}": "lookup." + word,
        "password:    {}": "process.env" + word,
        "password: '{}'": "vault:a#b c " + word,
        "password: '{}'  ": "ref+echo://" + word,
        "password:     {}": "$uper" + "Secret",
        "password: '{}' ": "x" * 200 + word,
        "url: postgres://u:p@{}@h/x": word,
        "url: postgres://u@tenant:{}@h/x": word,
        'password        = "{}"': word,
        "password       = {}": word,
        "ftpPassword         : {}": word,
        "x: <password>{}</password>": word,
        "<api_key> {} </api_key>": word,
        "requirepass {}": word,
        'masterauth "{}"': word,
        "machine a login b password {}": word,
        "machine a\nlogin b\npassword {}": word,
    }
    return [Sample(line, line.format(secret), secret) for line, secret in lines.items()]


def _warned() -> list[Sample]:
    """Found as warnings: random strings under names that say nothing, placeholders, hashes of passwords."""
    mixed, base36 = drawn("entropy", 40), drawn("base36", 32, string.ascii_lowercase + string.digits)
    blob, basic, crypt = _random_bytes("blob", 48), _b64("app:" + drawn("b", 14)), "$2y$10$" + drawn("bcrypt", 53)
    lines = {
        "value: {}": mixed,
        "id: {}": base36,
        "blob: {}": blob,
        "url: https://example.com/hook/{}": mixed,
        "x: {}": basic,
        "password: {}": "changeme",
        "adminPassword: {}": "admin123",
        "users: app:{}": crypt,
    }
    return [Sample(f"{line} (warning)", line.format(secret), secret, warns=True) for line, secret in lines.items()]


SECRETS: tuple[Sample, ...] = (*_tokens(), *_keys(), *_pairs(), *_apart(), *_disguised(), *_warned())


def _sealed_ones() -> list[str]:
    """What is encrypted, and where secrets are named."""
    sealed = "AgB" + _random_bytes("sealed", 600)[3:]
    value = _random_bytes("sops", 20)
    sops = f"ENC[AES256_GCM,data:{value},iv:{_random_bytes('iv', 32)},tag:{_random_bytes('tag', 16)},type:str]"
    age = _indented(_pem("AGE ENCRYPTED FILE", [_random_bytes(f"age{number}", 48) for number in range(4)]), 10)
    external = "  secretStoreRef:\n    name: vault-backend\n  data:\n  - secretKey: password\n    remoteRef:\n"
    external += "      key: team/app/database\n      property: password"
    return [
        f"password: {sops}",
        f"data:\n  password: {sops}\nkind: Secret\nsops:\n  age:\n    - enc: |\n{age}\n  mac: {sops}",
        f"kind: SealedSecret\nspec:\n  encryptedData:\n    password: {sealed}",
        f"kind: SealedSecret\nspec:\n  encryptedData:\n    tls.key: '{sealed}'",
        f"kind: ExternalSecret\nspec:\n{external}",
        "password: vault:secret/data/app#password",
        "password: <path:kv/data/app#password>",
        "password: ref+vault://secret/app#/password",
        "password: op://vault/item/password",
        "password: ${DB_PASSWORD}",
        'password: "${DB_PASSWORD:-}"',
        "password: $(DB_PASSWORD)",
        "password: {{ .Values.db.password }}",
        'password: "{{ .Values.db.password | quote }}"',
        "password: $DB_PASSWORD",
        "token: ${{ secrets.GITHUB_TOKEN }}",
        "password: !vault |",
        "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:\n      name: db-credentials\n      key: password",
        "secretName: app-tls",
        "existingSecret: app-database",
        "existingSecretPasswordKey: postgres-password",
        "auth:\n  existingSecret: app\n  secretKeys:\n    adminPasswordKey: postgres-password",
        "imagePullSecrets:\n- name: registry-credentials",
        "secret: app-production-tls",
        "tokenSecretRef: {name: app-token, key: token}",
        "serviceAccountToken:\n  path: token\n  expirationSeconds: 3600",
        "automountServiceAccountToken: false",
        "volumes:\n- name: certs\n  secret:\n    secretName: certs\n    defaultMode: 420",
        "passwordFile: /run/secrets/db-password",
        "DB_PASSWORD_FILE: /run/secrets/db",
        "password: /run/secrets/db/password",
        "clientSecretArn: arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf",
        "clientSecret: arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf",
        "url: postgres://app:${DB_PASSWORD}@db:5432/app",
        "header: 'Authorization: Bearer ${TOKEN}'",
        "args: [--password-file=/run/secrets/x, --token=$(TOKEN)]",
        "password: *database-password",
        "password: os.environ['DB_PASSWORD']",
        "kind: Secret\nstringData:\n  password: ${DB_PASSWORD}",
    ]


def _public_ones() -> list[str]:
    """What is drawn by lot or computed, and may be read by anybody."""
    uuid, sha1 = "7f0c7ad2-6a4e-4b8e-9a5c-" + drawn("uuid", 12, _HEX), drawn("sha1", 40, _HEX)
    digest, certificate = drawn("digest", 64, _HEX), "MIIDdzCC" + _random_bytes("certificate", 300)
    block = [_random_bytes(f"block{number}", 48) for number in range(4)]
    return [
        "AWS_ACCESS_KEY_ID: AKIA" + "IOSFODNN7EXAMPLE",
        f"image: registry.example.com/team/app@sha256:{digest}",
        f"image: registry.example.com/team/app:1.4.2-{sha1}",
        f"tag: main-{sha1[:8]}-20260101",
        f"digest: sha256:{digest}",
        f"checksum/config: {digest}",
        f"revision: {sha1}",
        f"uid: {uuid}",
        f"client_id: {uuid}",
        f"md5: {drawn('md5', 32, _HEX)}",
        f"integrity: sha512-{_random_bytes('integrity', 64)}",
        f"caBundle: {certificate}",
        f"caBundle: {_b64(chr(10).join(_pem('CERTIFICATE', block)))}",
        f"ca.crt: |\n{_indented(_pem('CERTIFICATE', block))}\nother: 1",
        f"key.pub: |\n{_indented(_pem('PUBLIC KEY', block))}",
        f"ssh: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5{drawn('ssh', 48)} deploy@example.com",
        f"ssh: ssh-rsa AAAAB3NzaC1yc2E{drawn('rsa', 340)}",
        f"publicKey: MCowBQYDK2VwAyEA{_random_bytes('ed25519', 32)}",
    ]


def _plain_ones() -> list[str]:
    """What is about secrets, or only looks drawn by lot."""
    return [
        "password: ''",
        'password: ""',
        "password:",
        "password: null",
        "password: '********'",
        "password: <password>",
        "passwordPolicy: strict",
        "passwordMinLength: 12",
        "maxTokens: 4096",
        "tokens: 4096",
        "tokenTTL: 3600s",
        "token_url: https://login.example.com/oauth2/token",
        "tokenReviewer: https://kubernetes.default.svc/apis/authentication.k8s.io/v1/tokenreviews",
        f"banner: {_b64('Welcome to the staging environment, mind the gap.')}",
        f"config: {_b64('replicas: 3' + chr(10) + 'colour: green')}",
        "host: a1b2c3-prod-eu-west-1.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com",
        "podDisruptionBudgetMaxUnavailablePercentageV2: 25",
        "path: charts/commerce/templates/PodDisruptionBudget/HorizontalPodAutoscalerV2Beta2.yaml",
        "pod: checkout-api-7f8d9c6b5d-x2k9l",
        "description: the password of the database stands in Vault",
        "# rotate the token: see the runbook",
        "url: https://user@git.example.com/team/app.git",
        "cipherSuites: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "roleArn: arn:aws:iam::123456789012:role/ClusterAutoscalerServiceAccountProduction",
        "resources: [secrets, configmaps]",
        "kind: ConfigMap\ndata:\n  colour: heliotrope",
        "keycloak.auth.realm: production",
    ]


def _structured_ones() -> list[str]:
    """What stands where a secret could, by its structure or its name, and is none."""
    sealed = "AgB" + _random_bytes("sealed too", 600)[3:]
    return [
        "password:\n  secretKeyRef: {name: db, key: password}",
        "password:\n  minLength: 12\n  algorithm: argon2id\n  strength: strict",
        "password:\n  valueFrom:\n    secretKeyRef:\n      name: db-credentials\n      key: password",
        "credentials:\n  user: app\n  secretName: app-database",
        "credentials: {source: Secret, secretRef: {namespace: crossplane-system, name: aws-creds, key: creds}}",
        "passwords:\n  admin: ${ADMIN_PASSWORD}\n  reader:\n    secretKeyRef: {name: reader, key: password}",
        "passwords: []",
        'args: ["--password", "$(DB_PASSWORD)"]',
        'args: ["--password", "--verbose"]',
        "args: [--password-file, /run/secrets/db, --token-ttl, 1h]",
        "env: [{name: DB_PASSWORD_FILE, value: /run/secrets/db}]",
        "env: [{name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]",
        "env:\n- {name: COLOUR, value: heliotrope12}",
        'cfg: "{\\"password\\": \\"${DB_PASSWORD}\\"}"',
        "? password\n: ${DB_PASSWORD}",
        '"passw\\u006frd": ""',
        "kind: Secret\nstringData: {foo: '${FOO}'}\ntype: Opaque",
        "kind: Secret\nmetadata: {name: app, labels: {tier: backend12}}",
        "kind: List\nitems:\n- kind: ConfigMap\n  data: {foo: heliotrope12}\n- kind: Secret\n  metadata: {name: x}",
        '{"kind":"ConfigMap","data":{"foo":"heliotrope12"}}',
        f"kind: SealedSecret\nspec: {{encryptedData: {{password: {sealed}}}}}",
        "app.yaml: |\n  password:\n    $(DB_PASSWORD)\n  db: {name: PASSWORD_FILE, value: /run/secrets/db}",
        "imagePullSecret: registry-credentials2",
        "pullSecrets: [{name: registry2}]",
        "usePassword: true",
        "enableTokenAuth: true",
        "publicKey: abcDEF123",
        "publicApiKey: pk12abc",
        "maxTokens: 4096k",
        "power: 12kW",
        "password: <database-password>",
        "password: '[REDACTED]'",
        "password: redacted (3fa94c)",
        "password: vault:secret/data/app#password#2",
        'password: process.env["DB_PASSWORD"]',
        "password: os.environ.get('DB_PASSWORD')",
        "password: lookup('env', 'DB_PASSWORD')",
        "command: login --password $password",
        "password: !secret db_password",
        "url: mongodb://user@h1:27017/x",
        "url: https://git.example.com:8443/team?mail=app@example.com",
        "<password></password>",
        "<password>${db.password}</password>",
        "<secretName>registry2b</secretName>",
        "requirepass ${REDIS_PASSWORD}",
        "password required",
        "Password reset",
        "tokens 4096",
    ]


FINE: tuple[Sample, ...] = tuple(
    Sample(text, text) for text in (*_sealed_ones(), *_public_ones(), *_plain_ones(), *_structured_ones())
)


def told(text: str) -> tuple[Finding, ...]:
    """What the validator says of a new file."""
    change = change_of({}, {"values.yaml": text})
    (part,) = VALIDATOR.parts(change)
    return VALIDATOR.check(change, part, Bench(Launcher())).findings


@dataclass(frozen=True)
class Score:
    """How the validator does on the table."""

    missed: tuple[str, ...]
    wrong: tuple[str, ...]
    """The look-alikes that it takes for secrets."""

    @property
    def recall(self) -> float:
        return 1 - len(self.missed) / len(SECRETS)

    @property
    def precision(self) -> float:
        caught = len(SECRETS) - len(self.missed)
        return caught / (caught + len(self.wrong))


def score() -> Score:
    """Looks at every sample by itself."""
    missed = tuple(sample.name for sample in SECRETS if not told(sample.text))
    return Score(missed, tuple(sample.name for sample in FINE if told(sample.text)))
