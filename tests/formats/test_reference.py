"""A values file as real charts write them: the whole of the edit, line by line, and what another reader makes of it."""

import difflib

import pytest

from bot.formats import FORMATS, Refused
from policies.model import Image, Pin
from tests.formats.styles import NEW, OLD, loaded

FORMAT = FORMATS["helm-values"]
HOST = "registry.example.com"

FILE = f"""\
# Default values for shop.
# Declare variables to be passed into your templates.
global:
  imageRegistry: ""
  imagePullSecrets: []   # e.g. [ myRegistryKey ]
  security: {{allowInsecureImages: false}}

## @section API parameters

api:
  ## @param api.image.registry [default: {HOST}] registry
  ## @param api.image.tag image tag (immutable tags are recommended)
  ##
  image:
    registry: {HOST}
    repository: shop/api
    tag: 1.10.3-debian-12-r3   # keep in step with appVersion
    digest: ""
    pullPolicy: IfNotPresent
  replicaCount: 3
  command: ['/bin/sh', "-c", 'exec api --tag "$TAG"']
  metrics:
    enabled: "ON"
    image: {{ registry: {HOST}, repository: shop/exporter, tag: "0.26" }}

worker:
    image:
        repository: "{HOST}/shop/worker"
        tag: "v4"
        digest: "{OLD}"
    mode: 0444
    script: |-
      # image:
      #   repository: {HOST}/shop/api
      repository: {HOST}/shop/api
      tag: 1.10.3
    tolerations:
    - key: dedicated
      operator: "Equal"

jobs:
- name: migrate
  image:
    repository: {HOST}/shop/api
    tag: 1.10.3-debian-12-r3
- name: report
  image: {{}}

sidecars:
  - name: proxy
    proxyImage:
      repository: {HOST}/mesh/proxy

git:
  repository: https://gitlab.example.com/shop/config
  revision: main
"""

API, WORKER, EXPORTER, PROXY = (f"{HOST}/{name}" for name in ("shop/api", "shop/worker", "shop/exporter", "mesh/proxy"))


def changed(images: dict[str, Image]) -> tuple[list[str], list[str]]:
    """The lines that an edit takes out, and those that it puts in."""
    after = FORMAT.set_images(FILE.encode(), images).decode()
    lines = list(difflib.ndiff(FILE.splitlines(), after.splitlines()))
    return [line[2:] for line in lines if line[0] == "-"], [line[2:] for line in lines if line[0] == "+"]


def test_every_pin_is_read() -> None:
    assert FORMAT.pins(FILE.encode()) == (
        Pin(API, None, "1.10.3-debian-12-r3", 16),
        Pin(EXPORTER, None, "0.26", 24),
        Pin(WORKER, OLD, "v4", 28),
        Pin(API, None, "1.10.3-debian-12-r3", 44),
        Pin(PROXY, None, None, 52),
    )


def test_both_places_of_an_image_move_and_nothing_else() -> None:
    assert changed({API: Image(API, NEW, "1.11.0")}) == (
        [
            "    tag: 1.10.3-debian-12-r3   # keep in step with appVersion",
            '    digest: ""',
            "    tag: 1.10.3-debian-12-r3",
        ],
        [
            "    tag: 1.11.0   # keep in step with appVersion",
            f'    digest: "{NEW}"',
            "    tag: 1.11.0",
            f"    digest: {NEW}",
        ],
    )


def test_a_release_of_several_images_moves_at_once() -> None:
    new = {API: None, WORKER: "1.10", EXPORTER: None, PROXY: None}
    exporter = f'registry: {HOST}, repository: shop/exporter, tag: "0.26"'
    assert changed({name: Image(name, NEW, tag) for name, tag in new.items()}) == (
        ['    digest: ""', f"    image: {{ {exporter} }}", '        tag: "v4"', f'        digest: "{OLD}"'],
        [
            f'    digest: "{NEW}"',
            f'    image: {{ {exporter}, digest: "{NEW}" }}',
            '        tag: "1.10"',
            f'        digest: "{NEW}"',
            f"    digest: {NEW}",
            f"      digest: {NEW}",
        ],
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_mark_stay(newline: str, mark: str) -> None:
    images = {API: Image(API, NEW, "1.11.0"), PROXY: Image(PROXY, NEW)}
    dressed = mark + FILE.replace("\n", newline)
    after = FORMAT.set_images(dressed.encode(), images).decode()
    assert after == mark + FORMAT.set_images(FILE.encode(), images).decode().replace("\n", newline)


def test_another_reader_sees_the_wanted_data() -> None:
    [before] = loaded(FILE, (1, 1))
    [after] = loaded(FORMAT.set_images(FILE.encode(), {API: Image(API, NEW, "1.10")}).decode(), (1, 1))
    assert isinstance(before, dict)
    before["api"]["image"] |= {"tag": "1.10", "digest": NEW}
    before["jobs"][0]["image"] |= {"tag": "1.10", "digest": NEW}
    assert after == before
    assert isinstance(after, dict)
    assert (after["worker"]["mode"], after["api"]["metrics"]["enabled"]) == (0o444, "ON")


def test_a_chart_template_is_refused() -> None:
    """Templates are no YAML: only the values beside them are edited."""
    template = f"""\
{{{{- if .Values.enabled }}}}
image:
  repository: {API}
  tag: {{{{ .Values.tag | quote }}}}
{{{{- end }}}}
"""
    with pytest.raises(Refused, match="no YAML"):
        FORMAT.pins(template.encode())
