"""The ways in which values files are written, each with what the edit of the image must make of it."""

import io

from ruamel.yaml import YAML

from bot.yaml import Parser, parse_in_c, parse_in_python

REPO = "registry.example.com/shop/api"
OLD, NEW = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"

PARSERS: dict[str, Parser] = {"C": parse_in_c, "Python": parse_in_python}

MORE = f"  digest: {NEW}\n"
QUOTED = f'digest: "{NEW}"'

STYLES: dict[str, tuple[str, str]] = {
    "block": (
        f"image:\n  repository: {REPO}\n  tag: v1\n  digest: {OLD}\n",
        f"image:\n  repository: {REPO}\n  tag: v2\n  digest: {NEW}\n",
    ),
    "comments": (
        f"# top\nimage: # here\n  repository: {REPO} # a\n  tag: v1   # b\n  digest: {OLD}    # c\n# end",
        f"# top\nimage: # here\n  repository: {REPO} # a\n  tag: v2   # b\n  digest: {NEW}    # c\n# end",
    ),
    "double quotes": (
        f'image:\n  repository: "{REPO}"\n  tag: "v1"\n  digest: "{OLD}"\n',
        f'image:\n  repository: "{REPO}"\n  tag: "v2"\n  digest: "{NEW}"\n',
    ),
    "single quotes": (
        f"image:\n    repository: '{REPO}'\n    tag: 'v1'\n    digest: '{OLD}'\n",
        f"image:\n    repository: '{REPO}'\n    tag: 'v2'\n    digest: '{NEW}'\n",
    ),
    "flow": (
        f"image: {{repository: {REPO}, tag: v1, digest: '{OLD}'}} # x\n",
        f"image: {{repository: {REPO}, tag: v2, digest: '{NEW}'}} # x\n",
    ),
    "flow over lines": (
        f"image: {{\n  repository: {REPO}, # a\n  tag: v1 # b\n}}\n",
        f"image: {{\n  repository: {REPO}, # a\n  tag: v2, {QUOTED} # b\n}}\n",
    ),
    "flow without spaces": (
        f'image: {{"repository":"{REPO}","tag":"v1"}}\n',
        f'image: {{"repository":"{REPO}","tag":"v2","digest":"{NEW}"}}\n',
    ),
    "flow with empty values": (
        f"image: {{repository: {REPO}, tag: , digest: }}\n",
        f"image: {{repository: {REPO}, tag: v2 , {QUOTED} }}\n",
    ),
    "JSON": (
        f'{{\n  "image": {{\n    "repository": "{REPO}",\n    "tag": "v1"\n  }}\n}}',
        f'{{\n  "image": {{\n    "repository": "{REPO}",\n    "tag": "v2", "digest": "{NEW}"\n  }}\n}}',
    ),
    "no digest yet": (
        f"image:\n  repository: {REPO}\n  tag: v1 # why\n  pullPolicy: Always\n",
        f"image:\n  repository: {REPO}\n  tag: v2 # why\n{MORE}  pullPolicy: Always\n",
    ),
    "no digest yet, quoted": (
        f'image:\n  repository: {REPO}\n  tag: "v1"\n',
        f'image:\n  repository: {REPO}\n  tag: "v2"\n  {QUOTED}\n',
    ),
    "no digest yet, flow": (
        f"image: {{repository: {REPO}, tag: v1}}\n",
        f"image: {{repository: {REPO}, tag: v2, {QUOTED}}}\n",
    ),
    "no digest yet, no final newline": (
        f"image:\n  repository: {REPO}\n  tag: v1",
        f"image:\n  repository: {REPO}\n  tag: v2\n  digest: {NEW}",
    ),
    "no digest yet, followed by comments": (
        f"image:\n  repository: {REPO}\n  tag: v1\n  # more\n\n# end\n",
        f"image:\n  repository: {REPO}\n  tag: v2\n{MORE}  # more\n\n# end\n",
    ),
    "no digest yet, end of document": (
        f"image:\n  repository: {REPO}\n  tag: v1\n...\n",
        f"image:\n  repository: {REPO}\n  tag: v2\n{MORE}...\n",
    ),
    "no digest yet, value on the next line": (
        f"image:\n  repository:\n    {REPO}\n  tag:\n  # why\n    v1\nx: 1\n",
        f"image:\n  repository:\n    {REPO}\n  tag:\n  # why\n    v2\n{MORE}x: 1\n",
    ),
    "repository alone": (
        f"image:\n  repository: {REPO}\n  pullPolicy: Always\n",
        f"image:\n  repository: {REPO}\n{MORE}  pullPolicy: Always\n",
    ),
    "repository alone, another key": (
        f"sidecarImage: {{repository: {REPO}}}\n",
        f"sidecarImage: {{repository: {REPO}, {QUOTED}}}\n",
    ),
    "empty digest": (
        f"image:\n  repository: {REPO}\n  tag: v1\n  digest:\n  pullPolicy: Always\n",
        f"image:\n  repository: {REPO}\n  tag: v2\n  digest: {NEW}\n  pullPolicy: Always\n",
    ),
    "empty quoted digest": (
        f'image:\n  repository: {REPO}\n  tag: v1\n  digest: ""\n',
        f'image:\n  repository: {REPO}\n  tag: v2\n  digest: "{NEW}"\n',
    ),
    "empty tag": (
        f"image:\n  repository: {REPO}\n  tag:\n  pullPolicy: Always\n",
        f"image:\n  repository: {REPO}\n  tag: v2\n{MORE}  pullPolicy: Always\n",
    ),
    "empty tag, comment": (
        f"image:\n  repository: {REPO}\n  tag:   # by CI\nx: 1\n",
        f"image:\n  repository: {REPO}\n  tag: v2   # by CI\n{MORE}x: 1\n",
    ),
    "empty tag at the end": (
        f"image:\n  repository: {REPO}\n  tag:",
        f"image:\n  repository: {REPO}\n  tag: v2\n  digest: {NEW}",
    ),
    "null tag": (
        f"image:\n  repository: {REPO}\n  tag: null # x\n",
        f"image:\n  repository: {REPO}\n  tag: v2 # x\n{MORE}",
    ),
    "digest alone": (
        f"image:\n  repository: {REPO}\n  digest: {OLD}\n",
        f"image:\n  repository: {REPO}\n  digest: {NEW}\n",
    ),
    "digest inside the tag": (
        f"image:\n  repository: {REPO}\n  tag: v1@{OLD}\n",
        f"image:\n  repository: {REPO}\n  tag: v2@{NEW}\n",
    ),
    "digest inside the tag, empty digest": (
        f'image:\n  repository: {REPO}\n  tag: "v1@{OLD}" # x\n  digest: ""\n',
        f'image:\n  repository: {REPO}\n  tag: "v2@{NEW}" # x\n  digest: ""\n',
    ),
    "digest instead of the tag": (
        f"image:\n  repository: {REPO}\n  tag: {OLD}\n",
        f"image:\n  repository: {REPO}\n  tag: {NEW}\n",
    ),
    "registry apart": (
        f"image:\n  registry: registry.example.com\n  repository: shop/api\n  tag: v1\n  digest: {OLD}\n",
        f"image:\n  registry: registry.example.com\n  repository: shop/api\n  tag: v2\n  digest: {NEW}\n",
    ),
    "empty registry": (
        f"image:\n  registry: ''\n  repository: {REPO}\n  digest: {OLD}\n",
        f"image:\n  registry: ''\n  repository: {REPO}\n  digest: {NEW}\n",
    ),
    "first in an item": (
        f"images:\n- repository: {REPO}\n  tag: v1\n- x\n",
        f"images:\n- repository: {REPO}\n  tag: v2\n{MORE}- x\n",
    ),
    "tag first in a nested item": (
        f"- - tag: v1\n    repository: {REPO}\n",
        f"- - tag: v2\n    digest: {NEW}\n    repository: {REPO}\n",
    ),
    "deep, in a list, twice": (
        f"a:\n- b:\n    image: {{repository: {REPO}, digest: '{OLD}'}}\nc:\n  repository: {REPO}\n  digest: {OLD}\n",
        f"a:\n- b:\n    image: {{repository: {REPO}, digest: '{NEW}'}}\nc:\n  repository: {REPO}\n  digest: {NEW}\n",
    ),
    "several documents": (
        f"x:\n---\nimage:\n  repository: {REPO}\n  tag: v1\n--- {{repository: {REPO}, digest: '{OLD}'}}\n---\n",
        f"x:\n---\nimage:\n  repository: {REPO}\n  tag: v2\n{MORE}--- {{repository: {REPO}, digest: '{NEW}'}}\n---\n",
    ),
    "carriage returns": (
        f"image:\r\n  repository: {REPO}\r\n  tag: v1\r\n  x: y\r\n",
        f"image:\r\n  repository: {REPO}\r\n  tag: v2\r\n  digest: {NEW}\r\n  x: y\r\n",
    ),
    "carriage returns, no final one": (
        f"image:\r\n  repository: {REPO}\r\n  tag: v1",
        f"image:\r\n  repository: {REPO}\r\n  tag: v2\r\n  digest: {NEW}",
    ),
    "mixed line ends": (
        f"image:\n  repository: {REPO}\n  tag: v1\r\nx: y\n",
        f"image:\n  repository: {REPO}\n  tag: v2\r\n  digest: {NEW}\r\nx: y\n",
    ),
    "carriage returns alone": (
        f"image:\r  repository: {REPO}\r  tag: v1\r",
        f"image:\r  repository: {REPO}\r  tag: v2\r  digest: {NEW}\r",
    ),
    "byte order mark": (
        f"\ufeffrepository: {REPO}\ntag: v1\n",
        f"\ufeffrepository: {REPO}\ntag: v2\ndigest: {NEW}\n",
    ),
    "directive": (
        f"%YAML 1.1\n---\nimage:\n  repository: {REPO}\n  tag: v1\n",
        f"%YAML 1.1\n---\nimage:\n  repository: {REPO}\n  tag: v2\n{MORE}",
    ),
    "anchors without an alias": (
        f"image: &i\n  repository: {REPO}\n  tag: &t 'v1' # x\n",
        f"image: &i\n  repository: {REPO}\n  tag: &t 'v2' # x\n  digest: '{NEW}'\n",
    ),
    "the same anchor in another document": (
        f"image: &i\n  repository: {REPO}\n  tag: v1\n---\na: &i b\nc: *i\n",
        f"image: &i\n  repository: {REPO}\n  tag: v2\n{MORE}---\na: &i b\nc: *i\n",
    ),
    "repository by an alias": (
        f"r: &r {REPO}\nimage:\n  repository: *r\n  tag: v1\n",
        f"r: &r {REPO}\nimage:\n  repository: *r\n  tag: v2\n{MORE}",
    ),
    "merge key beside it": (
        f"d: &d {{pullPolicy: Always, digest: x}}\nimage:\n  <<: *d\n  repository: {REPO}\n  tag: v1\n",
        f"d: &d {{pullPolicy: Always, digest: x}}\nimage:\n  <<: *d\n  repository: {REPO}\n  tag: v2\n{MORE}",
    ),
    "tagged as text": (
        f"image:\n  repository: {REPO}\n  tag: !!str 1.0\n",
        f"image:\n  repository: {REPO}\n  tag: !!str v2\n{MORE}",
    ),
    "quoted keys": (
        f"'image':\n  \"repository\": {REPO}\n  'tag': v1\n",
        f"'image':\n  \"repository\": {REPO}\n  'tag': v2\n  'digest': {NEW}\n",
    ),
    "another image beside it": (
        f"a: {{repository: other/x, tag: '1'}}\nb:\n  repository: {REPO}\n  digest: {OLD}\n",
        f"a: {{repository: other/x, tag: '1'}}\nb:\n  repository: {REPO}\n  digest: {NEW}\n",
    ),
    "wide characters before it": (
        f'# 日本語 🚀\nname: ü\nimage: {{repository: {REPO}, digest: "{OLD}"}}\n',
        f'# 日本語 🚀\nname: ü\nimage: {{repository: {REPO}, digest: "{NEW}"}}\n',
    ),
    "a key written twice elsewhere": (
        f"x: {{a: 1, a: 2}}\nimage:\n  repository: {REPO}\n  digest: {OLD}\n  y: 1\n  y: 2\n",
        f"x: {{a: 1, a: 2}}\nimage:\n  repository: {REPO}\n  digest: {NEW}\n  y: 1\n  y: 2\n",
    ),
}

ONLY_IN_C = {
    "tabs": (
        f"image:\n  repository\t: {REPO}\n  tag:\tv1\t# x\n",
        f"image:\n  repository\t: {REPO}\n  tag:\tv2\t# x\n{MORE}",
    ),
}
"""What the parser in Python takes for no YAML."""


def loaded(text: str, version: tuple[int, int] = (1, 2)) -> list[object]:
    """The data of all documents as ruamel.yaml's own loader in Python understands them."""
    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = True
    yaml.version = version
    return list(yaml.load_all(io.StringIO(text)))


def without_pins(value: object) -> object:
    """Data without the tags and digests of the image that is edited."""
    if isinstance(value, list):
        return [without_pins(one) for one in value]
    if not isinstance(value, dict):
        return value
    ours = str(value.get("repository", "")).endswith("shop/api")
    return {key: without_pins(one) for key, one in value.items() if not (ours and key in {"tag", "digest"})}
