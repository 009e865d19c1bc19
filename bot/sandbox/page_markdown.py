"""Others' Markdown as the forges show it: tables, folds and coloured diffs, and none of their HTML."""

import html
import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

COMMENT = re.compile(r"^[ \t]*<!--.*?-->[ \t]*$\n?", re.MULTILINE | re.DOTALL)
"""An HTML comment on lines of its own, which GitLab does not show either."""
_FOLD = re.compile(r"(<details>|</details>|<summary>(?:[^<]|<code>[^<]*</code>)*</summary>)")
"""All of HTML that passes; both forges let more of it through."""
_KINDS = {"+": "add", "-": "del", "@": "hunk"}


class _Forge(RendererHTML):
    """Markdown to HTML, where HTML itself is text but for folds."""

    def html_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:  # noqa: ARG002
        """A block of HTML."""
        return _folds_alone(tokens[idx].content)

    def html_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:  # noqa: ARG002
        """HTML within a line."""
        return html.escape(tokens[idx].content)

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A block of code, a diff with its colours."""
        if tokens[idx].info.strip() != "diff":
            return super().fence(tokens, idx, options, env)
        lines = tokens[idx].content.removesuffix("\n").split("\n")
        return f'<pre class="diff">{"".join(_coloured(line) for line in lines)}</pre>\n'


def rendered(text: str) -> Markup:
    """Others' Markdown as HTML: no image is loaded, no script's address becomes a link."""
    markdown = MarkdownIt("commonmark", {"html": True, "breaks": True}, renderer_cls=_Forge)
    made = markdown.enable(["table", "strikethrough"]).disable("image").render(COMMENT.sub("", text))
    return Markup(made)  # noqa: S704 - markdown-it escapes everything but HTML, of which only folds pass


def _folds_alone(text: str) -> str:
    """Every second part is a fold's tag, in which nothing but text and `<code>` stands."""
    parts = _FOLD.split(text)
    return "".join(part if number % 2 else html.escape(part) for number, part in enumerate(parts))


def _coloured(line: str) -> str:
    return f'<span class="{_KINDS.get(line[:1], "same")}">{html.escape(line) or " "}</span>'
