"""`cosign`: a newly pinned digest is signed by whom policy says, and has an SLSA provenance where it asks for one.

Program: cosign 2.6; its flags and exit codes: the repository sigstore/cosign, doc/ and cmd/cosign/errors/exit_codes.go.
It asks the image's own registry, without credentials, and Sigstore's hosts for whom to trust (The Update Framework); it
asks no transparency log, for a signature carries the log's word with it (`--offline`)."""

import re
from collections.abc import Iterator
from pathlib import Path

from bot.validators.base import Bench, Broken, Change, Part, Skipped, Told, Validator
from bot.validators.checking import checked_out, complaint, failed, placed, ranked, workplace
from bot.validators.launching import Ended, Limits
from bot.validators.pins import compared
from policies.findings import Finding
from policies.validating import Cosign

NAME = "cosign"
LIMITS = Limits(seconds=60)
UNSIGNED = {10: "unsigned", 11: "missing", 12: "signer", 13: "signer"}
"""Exit codes that speak of the image: no signature, no such image, none that matches, one without a certificate."""
UNPROVEN = ("no matching attestations", "none of the attestations matched the predicate type")
"""How `verify-attestation` says the same; it ends with 1 for that as for any other failure."""
PROVENANCES = ("slsaprovenance1", "slsaprovenance")
"""SLSA 1 and SLSA 0.2; either will do."""
_IMAGE = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)+")
"""A name with its host, by the grammar of `distribution/reference`."""
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PREFIX = re.compile(r"^(?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )?(?:Error: |error during command execution: )*")


def parts(change: Change) -> Iterator[Part]:
    """A part for each image and digest that the change brings, with the key that its signature must fit."""
    rules = change.rules.checks.cosign
    if not (rules.is_told_whose or rules.required):
        return
    wanted = dict.fromkeys(
        (pin.repository, pin.digest, *placed((rules.key,) if rules.key else (), target))
        for target in change.targets
        for pin, is_new in compared(target)
        if is_new and pin.digest is not None
    )
    for repository, digest, *key in wanted:
        yield Part(f"{repository}@{digest}", (repository, digest, *key, *(change.before.id(one) or "-" for one in key)))


def check(change: Change, part: Part, bench: Bench) -> Told:
    """One error for an image without the signature, one for an image without the provenance."""
    rules = change.rules.checks.cosign
    repository, digest, *key = part.inputs
    if not rules.is_told_whose:
        raise Skipped("policy does not say whose signature counts")
    if not _IMAGE.fullmatch(repository) or not _DIGEST.fullmatch(digest):
        raise Broken("what is pinned is no image with its host and a digest")
    exists = bench.registries.exists(repository, digest)
    if exists is None:  # requests go only to hosts that the operator configured (S11)
        raise Skipped(f"no registry is configured for {repository}")
    if not exists:
        return Told((Finding(f"{repository} has no image {digest} in its registry", rule="missing"),))
    folder = workplace(bench)
    signer = _signer(rules, checked_out(change.before, tuple(key[:1]), folder / "keys"), folder)
    return Told(ranked(_findings(rules, bench, folder, signer, f"{repository}@{digest}")), version=_version(bench))


def _version(bench: Bench) -> str:
    return bench.launcher.version(NAME) or ""


def _signer(rules: Cosign, key: tuple[Path, ...], folder: Path) -> list[str]:
    """Whose signature counts. A pattern must fit all of the identity: cosign would let it fit a part."""
    if key:
        return ["--key", str(key[0].relative_to(folder))]
    identity, issuer = rules.identity or "", rules.issuer or ""
    if len(identity) > 2 and identity.startswith("/") and identity.endswith("/"):
        who = ["--certificate-identity-regexp", f"^(?:{identity[1:-1]})$"]
    else:
        who = ["--certificate-identity", identity]
    return [*who, "--certificate-oidc-issuer", issuer]


def _findings(rules: Cosign, bench: Bench, folder: Path, signer: list[str], image: str) -> Iterator[Finding]:
    last = [*signer, "--offline=true", "--output", "json", image]
    ended = bench.launcher.run([NAME, "verify", *last], folder, limits=LIMITS, network=True)
    if ended.code in UNSIGNED:
        yield Finding(f"{image} is not signed by whom policy names: {_why(ended)}", rule=UNSIGNED[ended.code])
    elif ended.code != 0:
        raise failed(NAME, ended)
    if rules.provenance:
        yield from _unproven(bench, folder, last)


def _unproven(bench: Bench, folder: Path, last: list[str]) -> Iterator[Finding]:
    why = ""
    for kind in PROVENANCES:
        command = [NAME, "verify-attestation", "--type", kind, *last]
        ended = bench.launcher.run(command, folder, limits=LIMITS, network=True)
        if ended.code == 0:
            return
        why = _why(ended)
        if ended.code not in UNSIGNED and not why.startswith(UNPROVEN):
            raise failed(NAME, ended)
    yield Finding(f"{last[-1]} has no SLSA provenance by whom policy names: {why}", rule="provenance")


def _why(ended: Ended) -> str:
    return _PREFIX.sub("", complaint(ended))


VALIDATOR = Validator(NAME, "new digests are signed by whom policy says", parts, check, program=NAME, asks=True)
