"""Settings from the environment: refused with every fault named."""

from pathlib import Path

import pytest

from bot.settings import RegistrySettings, Settings, SettingsError, load_looking, load_settings

GOOD = {
    "TOWPATH_MIRRORS": "/var/lib/towpath",
    "TOWPATH_SEAL": '["0123456789abcdef"]',
    "TOWPATH_FORGES__MAIN__KIND": "gitlab",
    "TOWPATH_FORGES__MAIN__URL": "https://gitlab.example.com",
    "TOWPATH_FORGES__MAIN__TOKEN": "glpat-not-a-real-one",
    "TOWPATH_FORGES__MAIN__WEBHOOK_TOKENS": '["a-hook-token"]',
    "TOWPATH_FORGES__MAIN__REPOSITORIES": '["platform/config"]',
    "TOWPATH_SOURCES__CI__KIND": "ci",
    "TOWPATH_SOURCES__CI__SECRETS": '["a-ci-secret"]',
    "TOWPATH_SOURCES__CI__IMAGES": '["registry.example.com/shop/"]',
    "PATH": "/usr/bin",
}


def load(**changes: str | None) -> Settings:
    given = {**GOOD, **changes}
    return load_settings({name: value for name, value in given.items() if value is not None})


def faults(**changes: str | None) -> str:
    with pytest.raises(SettingsError) as caught:
        load(**changes)
    return str(caught.value)


def test_good_settings() -> None:
    settings = load()
    assert settings.broker == settings.redis_url == "redis://127.0.0.1:6379/0"
    assert settings.forges["main"].repositories == ("platform/config",)
    assert settings.seal_keys == (b"0123456789abcdef",)


@pytest.mark.parametrize(
    "secret", ["", "changeme", "ChangeMe", "secret", "xxxxxxxxxxxx", "<your-secret>", "TODO", "short"]
)
@pytest.mark.parametrize(
    "name",
    [
        "TOWPATH_SEAL",
        "TOWPATH_FORGES__MAIN__WEBHOOK_TOKENS",
        "TOWPATH_SOURCES__CI__SECRETS",
        "TOWPATH_FORGES__MAIN__TOKEN",
    ],
)
def test_S1_an_empty_secret_or_a_placeholder_stops_the_start(name: str, secret: str) -> None:
    value = secret if name.endswith("TOKEN") else f'["{secret}"]'
    told = faults(**{name: value})
    assert name.rpartition("__")[0] in told or "seal" in told


@pytest.mark.parametrize(
    "name",
    [
        "TOWPATH_SEAL",
        "TOWPATH_FORGES__MAIN__WEBHOOK_TOKENS",
        "TOWPATH_SOURCES__CI__SECRETS",
        "TOWPATH_FORGES__MAIN__TOKEN",
    ],
)
def test_S1_a_missing_secret_stops_the_start(name: str) -> None:
    assert "needed" in faults(**{name: None})


@pytest.mark.parametrize(
    ("kind", "content", "good"),
    [
        ("ssh", b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn", True),
        ("ssh", b"ssh-ed25519 AAAAC3Nza towpath", False),
        ("ssh", b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n", False),
        ("openpgp", b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n", True),
        ("openpgp", b"\x94\x58\x04", True),
        ("openpgp", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n", False),
        ("openpgp", b"-----BEGIN OPENSSH PRIVATE KEY-----\n", False),
        ("openpgp", b"", False),
    ],
)
def test_S1_a_file_that_holds_no_signing_key_stops_the_start(
    tmp_path: Path, kind: str, content: bytes, good: bool
) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    given = {"TOWPATH_SIGNING__KIND": kind, "TOWPATH_SIGNING__KEY_FILE": str(file)}
    if good:
        assert load(**given).signing is not None
    else:
        assert f"TOWPATH_SIGNING: key_file holds no private key of kind {kind}" in faults(**given)


def test_a_signing_key_that_is_not_there_or_said_by_half_stops_the_start() -> None:
    assert load().signing is None
    gone = faults(TOWPATH_SIGNING__KIND="ssh", TOWPATH_SIGNING__KEY_FILE="/nonexistent/key")
    assert "TOWPATH_SIGNING: key_file cannot be read: No such file or directory" in gone
    assert "TOWPATH_SIGNING__KIND" in faults(TOWPATH_SIGNING__KEY_FILE="/nonexistent/key")
    assert "did you mean KEY_FILE?" in faults(TOWPATH_SIGNING__KIND="ssh", TOWPATH_SIGNING__KEYFILE="/x")


def test_S3_two_secrets_are_valid_at_once_and_not_three(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text("the-new-secret\nthe-old-secret\n\n")
    settings = load(TOWPATH_SOURCES__CI__SECRETS=None, TOWPATH_SOURCES__CI__SECRETS_FILE=str(file))
    assert settings.sources["ci"].credentials() == ("the-new-secret", "the-old-secret")
    file.write_text("the-new-secret\nthe-old-secret\nanother-secret\n")
    assert "two" in faults(TOWPATH_SOURCES__CI__SECRETS=None, TOWPATH_SOURCES__CI__SECRETS_FILE=str(file))


def test_a_secret_that_is_rotated_in_its_file_counts_at_once(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text("the-old-secret\n")
    settings = load(TOWPATH_SOURCES__CI__SECRETS=None, TOWPATH_SOURCES__CI__SECRETS_FILE=str(file))
    file.write_text("the-new-secret\nthe-old-secret\n")
    assert settings.sources["ci"].credentials() == ("the-new-secret", "the-old-secret")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TOWPATH_REDISURL", "x", "TOWPATH_REDISURL: there is no such setting; did you mean TOWPATH_REDIS_URL?"),
        ("TOWPATH_FORGES__MAIN__TOKNE", "x", "did you mean TOKEN?"),
        ("TOWPATH_FORGES__MAIN__KIND", "gitlub", "TOWPATH_FORGES__MAIN__KIND"),
        ("TOWPATH_FORGES__MAIN__URL", "gitlab.example.com", "TOWPATH_FORGES__MAIN__URL"),
        ("TOWPATH_FORGES__MAIN__REPOSITORIES", "platform/config", "TOWPATH_FORGES__MAIN__REPOSITORIES: a JSON list"),
        (
            "TOWPATH_FORGES__MAIN__WEBHOOK_TOKENS",
            "abc",
            "TOWPATH_FORGES__MAIN__WEBHOOK_TOKENS: a JSON list is wanted, su",
        ),
        ("TOWPATH_FORGES__MAIN__WEBHOOK_TOKENS", "12345678", 'such as ["first", "second"]'),
        ("TOWPATH_FORGES__MAIN__WEBHOOK_TOKENS", "[12345678]", "TOWPATH_FORGES__MAIN__WEBHOOK_TOKENS: "),
        ("TOWPATH_SEAL", "0123456789abcdef", "TOWPATH_SEAL: a JSON list"),
        ("TOWPATH_SOURCES", "abc", "TOWPATH_SOURCES: a JSON object"),
        ("TOWPATH_SOURCES__REG", "{", "TOWPATH_SOURCES__REG: a JSON object"),
        ("TOWPATH_FORGES__MAIN__SIGNING_SECRETS", '["not-a-whsec-secret"]', "signing_secrets: one of them"),
        ("TOWPATH_FORGES__MAIN__SIGNING_SECRETS", '["whsec_dG9vIHNob3J0"]', "signing_secrets: one of them"),
        (
            "TOWPATH_REDIS_URL",
            "localhost:6379",
            "TOWPATH_REDIS_URL: no Redis URL: write it like redis://localhost:6379/0",
        ),
        ("TOWPATH_REDIS_URL", "redis://localhost:port/0", "TOWPATH_REDIS_URL"),
        ("TOWPATH_BROKER_URL", "localhost:6379", "TOWPATH_BROKER_URL"),
        ("TOWPATH_SOURCES__CI__REGISTRY", "https://registry.example.com", "TOWPATH_SOURCES__CI__REGISTRY: a bare host"),
        ("TOWPATH_SOURCES__CI__REGISTRY", "registry.example.com/", "TOWPATH_SOURCES__CI__REGISTRY: a bare host"),
        ("TOWPATH_PORTS", "1", "TOWPATH_PORTS: there is no such setting"),
        ("TOWPATH_SOURCES__CI__IMAGES", "[]", "TOWPATH_SOURCES__CI__IMAGES"),
        ("TOWPATH_SOURCES__CI__SECRETS_FILE", "/nowhere", "cannot be read"),
        ("TOWPATH_SWEEP_SECONDS", "often", "TOWPATH_SWEEP_SECONDS"),
        ("TOWPATH_SOURCES__CI__KIND", "distribution", "registry is needed"),
    ],
)
def test_a_fault_names_its_variable(name: str, value: str, words: str) -> None:
    assert words in faults(**{name: value})


def test_S10_no_secret_is_in_the_repr_or_in_a_fault() -> None:
    settings = load()
    for secret in ("glpat-not-a-real-one", "a-hook-token", "a-ci-secret", "0123456789abcdef"):
        assert secret not in repr(settings)
        assert secret not in faults(TOWPATH_SWEEP_SECONDS="often", TOWPATH_SOURCES__CI__KIND="nothing")


def test_a_value_that_is_no_json_hides_no_other_fault() -> None:
    told = faults(TOWPATH_FORGES__MAIN__WEBHOOK_TOKENS="abcdefgh", TOWPATH_SWEEP_SECONDS="often", TOWPATH_SEAL="x")
    for name in ("TOWPATH_FORGES__MAIN__WEBHOOK_TOKENS", "TOWPATH_SWEEP_SECONDS", "TOWPATH_SEAL"):
        assert name in told
    assert "abcdefgh" not in told


def test_the_passwords_of_redis_are_in_no_repr_and_in_no_fault() -> None:
    settings = load(TOWPATH_REDIS_URL="redis://:hunter22@redis/0", TOWPATH_BROKER_URL="redis://:hunter23@redis/1")
    assert "hunter2" not in repr(settings)
    assert "hunter" not in faults(TOWPATH_REDIS_URL="redis://:hun/ter22@redis/0")


@pytest.mark.parametrize("registry", ["registry.example.com", "localhost:5000", "registry.example.com:5000/team/shop"])
def test_a_registry_is_what_values_files_write(registry: str) -> None:
    assert load(TOWPATH_SOURCES__CI__REGISTRY=registry).sources["ci"].registry == registry


def test_a_whole_signing_secret_is_taken() -> None:
    secret = "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZg=="
    settings = load(TOWPATH_FORGES__MAIN__SIGNING_SECRETS=f'["{secret}"]')
    assert settings.forges["main"].hook_signing_secrets() == (secret,)


@pytest.mark.parametrize(
    "name",
    [
        "TOWPATH_PORT",
        "TOWPATH_PORT_8080_TCP",
        "TOWPATH_PORT_8080_TCP_ADDR",
        "TOWPATH_SERVICE_HOST",
        "TOWPATH_SERVICE_PORT",
        "TOWPATH_SERVICE_PORT_HTTP",
        "TOWPATH_WEB_SERVICE_HOST",
    ],
)
def test_what_kubernetes_sets_beside_a_service_called_towpath_is_passed_over(name: str) -> None:
    assert load(**{name: "tcp://10.0.0.1:8080"}) == load()


REGISTRY = "TOWPATH_REGISTRIES__MAIN__"


def registry(**changes: str | None) -> RegistrySettings:
    given = {"URL": "https://registry.example.com", **changes}
    return load(**{f"{REGISTRY}{name}": value for name, value in given.items()}).registries["main"]


def registry_faults(**changes: str | None) -> str:
    given = {"URL": "https://registry.example.com", **changes}
    return faults(**{f"{REGISTRY}{name}": value for name, value in given.items()})


def test_a_registry_that_is_asked_anonymously() -> None:
    assert load().registries == {}
    assert (registry().prefixes, registry().credentials()) == (("registry.example.com/",), None)
    assert registry(URL="http://localhost:5000/").prefixes == ("localhost:5000/",)
    assert registry(URL="http://[::1]:5000").prefixes == ("[::1]:5000/",)
    images = '["docker.io/", "registry.example.com/team/", "localhost/api", "[::1]:5000/a/b", "host:5000/"]'
    assert len(registry(IMAGES=images).prefixes) == 5


def test_a_registry_with_a_password(tmp_path: Path) -> None:
    login = registry(USERNAME="robot", PASSWORD="correct-horse")
    assert login.credentials() == ("robot", "correct-horse")
    assert "correct-horse" not in repr(login)
    file = tmp_path / "password"
    file.write_text("another-horse\n")
    login = registry(USERNAME="robot", PASSWORD_FILE=str(file))
    assert login.credentials() == ("robot", "another-horse")
    file.unlink()
    with pytest.raises(ValueError, match="password_file cannot be read"):
        login.credentials()


@pytest.mark.parametrize("secret", ["", "changeme", "password", "xxxxxxxxxxxx", "<your-secret>", "short"])
def test_S1_a_placeholder_for_a_registrys_password_stops_the_start(secret: str) -> None:
    assert "TOWPATH_REGISTRIES__MAIN: password is " in registry_faults(USERNAME="robot", PASSWORD=secret)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("URL", None),
        ("URL", "registry.example.com"),
        ("URL", "https://registry.example.com/v2"),
        ("URL", "https://jo:pw@registry.example.com"),
        ("URL", "ftp://registry.example.com"),
        ("URL", "https://"),
        ("USERNAME", "ro:bot"),
        ("TOKEN_HOST", "https://auth.example.com"),
        ("TOKEN_HOST", "auth.example.com/token"),
        ("IMAGES", '["nginx"]'),
        ("IMAGES", '["library/"]'),
        ("IMAGES", '["registry.example.com"]'),
        ("IMAGES", '["https://registry.example.com/"]'),
        ("IMAGES", '["registry.example.com/*"]'),
        ("IMAGES", '["/"]'),
        ("IMAGES", '[""]'),
        ("IMAGES", "registry.example.com/"),
        ("PASSWORDS", "x"),
    ],
)
def test_a_fault_of_a_registry_names_its_variable(name: str, value: str | None) -> None:
    # The other two are there, so that nothing else is wrong.
    assert f"{REGISTRY}{name}" in registry_faults(**{"USERNAME": "robot", "PASSWORD": "correct-horse", name: value})


@pytest.mark.parametrize("given", [{"USERNAME": "robot"}, {"PASSWORD": "correct-horse"}, {"PASSWORD_FILE": "EMPTY"}])
def test_half_a_registrys_credentials_stop_the_start(tmp_path: Path, given: dict[str, str]) -> None:
    (tmp_path / "EMPTY").touch()
    changes: dict[str, str | None] = {
        name: value.replace("EMPTY", str(tmp_path / "EMPTY")) for name, value in given.items()
    }
    assert "needed together" in registry_faults(**changes)


GITHUB = {
    "TOWPATH_FORGES__MAIN__KIND": "github",
    "TOWPATH_FORGES__MAIN__URL": None,
    "TOWPATH_FORGES__MAIN__WEBHOOK_TOKENS": None,
    "TOWPATH_FORGES__MAIN__WEBHOOK_SECRETS": '["a-webhook-secret"]',
}
PEM = "-----BEGIN RSA PRIVATE KEY-----\nnot a real one\n-----END RSA PRIVATE KEY-----\n"


def test_a_GitHub_by_token() -> None:
    forge = load(**GITHUB).forges["main"]
    assert (forge.address, forge.access_token(), forge.app()) == ("https://github.com", "glpat-not-a-real-one", None)
    assert forge.hook_secrets() == ("a-webhook-secret",)


def test_a_GitHub_App_by_key_or_file(tmp_path: Path) -> None:
    app = {**GITHUB, "TOWPATH_FORGES__MAIN__TOKEN": None, "TOWPATH_FORGES__MAIN__APP_ID": "77"}
    forge = load(**app, TOWPATH_FORGES__MAIN__APP_KEY=PEM).forges["main"]
    assert (forge.app(), forge.access_token()) == (("77", PEM), "")
    assert "not a real one" not in repr(forge)
    file = tmp_path / "key.pem"
    file.write_text(PEM)
    assert load(**app, TOWPATH_FORGES__MAIN__APP_KEY_FILE=str(file)).forges["main"].app() == ("77", PEM)
    assert "app_key_file cannot be read" in faults(**app, TOWPATH_FORGES__MAIN__APP_KEY_FILE=str(tmp_path / "none"))
    assert "needs app_id, and app_key" in faults(**app)
    assert "needs app_id, and app_key" in faults(**app, TOWPATH_FORGES__MAIN__APP_KEY="something else")


def test_what_the_other_kind_of_forge_has_is_refused_with_the_right_name() -> None:
    wrong = {**GITHUB, "TOWPATH_FORGES__MAIN__WEBHOOK_TOKENS": '["a-hook-token"]'}
    assert "webhook_tokens is nothing that a forge of kind github has: set webhook_secrets" in faults(**wrong)
    wrong = {"TOWPATH_FORGES__MAIN__APP_ID": "77"}
    assert "app_id is nothing that a forge of kind gitlab has: set token" in faults(**wrong)
    both = {**GITHUB, "TOWPATH_FORGES__MAIN__APP_ID": "77", "TOWPATH_FORGES__MAIN__APP_KEY": PEM}
    assert "either a token or an App" in faults(**both)
    neither = {**GITHUB, "TOWPATH_FORGES__MAIN__TOKEN": None}
    assert "or app_id and app_key_file" in faults(**neither)
    assert "webhook_secrets is needed" in faults(**{**GITHUB, "TOWPATH_FORGES__MAIN__WEBHOOK_SECRETS": None})


def test_what_stands_before_a_command_can_be_another_word() -> None:
    assert load().command_prefix == "towpath"
    assert load(TOWPATH_COMMAND_PREFIX="tow-bot").command_prefix == "tow-bot"


@pytest.mark.parametrize("prefix", ["", "/towpath", "two words", "é", "a" * 41, "1a"])
def test_a_prefix_that_no_command_could_begin_with_is_refused(prefix: str) -> None:
    assert "TOWPATH_COMMAND_PREFIX" in faults(TOWPATH_COMMAND_PREFIX=prefix)


@pytest.mark.parametrize(
    ("url", "used"),
    [
        (None, ""),
        ("", ""),
        ("https://towpath.example.com", "https://towpath.example.com"),
        ("https://example.com:8443/tools/towpath/", "https://example.com:8443/tools/towpath"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_the_public_url_is_where_people_reach_the_receiver(url: str | None, used: str) -> None:
    assert load(TOWPATH_PUBLIC_URL=url).public_url == used


@pytest.mark.parametrize(
    "url",
    [
        *("towpath.example.com", "http://towpath.example.com", "http://localhost.example.com", "javascript:alert(1)"),
        *("https://me:word@example.com", "https://example.com?a", "https://example.com#a", "https://", "https://a b"),
        *("https://example.com/)[x](", "https://example.com/a\n", "https://example.com//a"),
    ],
)
def test_S9_a_public_url_that_is_no_plain_web_address_stops_the_start(url: str) -> None:
    assert "TOWPATH_PUBLIC_URL: no web address that people can use" in faults(TOWPATH_PUBLIC_URL=url)


LINT = "TOWPATH_VALIDATORS__MY_LINT__"


def test_a_validator_of_the_operators_own() -> None:
    assert load().validators == {}
    assert (load().validators_isolation, load().validators_readable) == ("namespaces", ())
    settings = load(
        **{
            f"{LINT}COMMAND": '["/opt/lint/run", "--strict", "{paths}"]',
            f"{LINT}FORMAT": "sarif",
            f"{LINT}SECONDS": "9",
        },
        TOWPATH_VALIDATORS_ISOLATION="process",
        TOWPATH_VALIDATORS_READABLE='["/opt/lint"]',
    )
    lint = settings.validators["my-lint"]
    assert lint.command == ("/opt/lint/run", "--strict", "{paths}")
    assert (lint.format, lint.seconds, lint.network, lint.paths, lint.folders) == ("sarif", 9, False, ("*",), ("",))
    assert (settings.validators_isolation, settings.validators_readable) == ("process", ("/opt/lint",))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (f"{LINT}COMMAND", None, f"{LINT}COMMAND: Field required"),
        (f"{LINT}COMMAND", "[]", f"{LINT}COMMAND"),
        (f"{LINT}COMMAND", "lint --strict", f"{LINT}COMMAND: a JSON list is wanted"),
        (f"{LINT}COMMAND", '["./lint"]', f"{LINT}COMMAND: a program's name or its absolute path is wanted"),
        (f"{LINT}COMMAND", '["scripts/lint"]', f"{LINT}COMMAND: a program's name or its absolute path is wanted"),
        (f"{LINT}COMMAND", '[""]', f"{LINT}COMMAND"),
        (f"{LINT}COMMAND", '["{paths}"]', f"{LINT}COMMAND"),
        (f"{LINT}COMMAND", '["lint", "a\\u0000"]', f"{LINT}COMMAND"),
        (f"{LINT}FORMAT", "xml", f"{LINT}FORMAT"),
        (f"{LINT}SECONDS", "0", f"{LINT}SECONDS"),
        (f"{LINT}SECONDS", "3600", f"{LINT}SECONDS"),
        (f"{LINT}PATHS", "[]", f"{LINT}PATHS"),
        (f"{LINT}FOLDERS", '["../x"]', f"{LINT}FOLDERS: folders are relative to the repository's root"),
        (f"{LINT}FOLDERS", '["/etc"]', f"{LINT}FOLDERS"),
        (f"{LINT}FOLDERS", '["a/"]', f"{LINT}FOLDERS"),
        (f"{LINT}FOMRAT", "junit", "did you mean FORMAT?"),
        ("TOWPATH_VALIDATORS__HELM__COMMAND", '["x"]', "TOWPATH_VALIDATORS: helm: a validator of Towpath's own"),
        ("TOWPATH_VALIDATORS__1ST__COMMAND", '["x"]', "TOWPATH_VALIDATORS: names begin with a letter"),
        ("TOWPATH_VALIDATORS__MY-LINT__COMMAND", '["x"]', "TOWPATH_VALIDATORS: names begin with a letter"),
        ("TOWPATH_VALIDATORS_ISOLATION", "none", "TOWPATH_VALIDATORS_ISOLATION"),
        ("TOWPATH_VALIDATORS_READABLE", '["opt"]', "TOWPATH_VALIDATORS_READABLE"),
        ("TOWPATH_VALIDATORS_READABLE", '["/"]', "TOWPATH_VALIDATORS_READABLE"),
        ("TOWPATH_VALIDATORS_ISOLATE", "process", "did you mean TOWPATH_VALIDATORS_ISOLATION?"),
    ],
)
def test_a_fault_of_a_validator_names_its_variable(name: str, value: str | None, words: str) -> None:
    # The other two are there, so that nothing else is wrong.
    assert words in faults(**{f"{LINT}COMMAND": '["lint"]', f"{LINT}FORMAT": "lines", name: value})


def test_what_validators_look_with_can_be_read_alone() -> None:
    assert load_looking({"PATH": "/usr/bin"}).registries == {}
    found = load_looking({"TOWPATH_REGISTRIES__OURS__URL": "https://registry.example.com", "TOWPATH_SOURCES__CI": "x"})
    assert found.registries["ours"].prefixes == ("registry.example.com/",)
    with pytest.raises(SettingsError, match="TOWPATH_VALIDATORS__LINT__COMMAND"):
        load_looking({"TOWPATH_VALIDATORS__LINT__FORMAT": "junit"})
