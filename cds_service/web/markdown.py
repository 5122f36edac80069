"""Markdown of the rule pages to HTML. Raw HTML in it is shown as text, never passed through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token


def render_markdown(text: str, links: Mapping[str, str]) -> str:
    """Return `text` as HTML; a word in code style that is a key of `links` becomes a link there."""
    return str(_parser().render(text, {"links": links}))


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("code_inline", _code_inline)
    return parser


def _code_inline(_self: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, env: Any) -> str:
    words = tokens[index].content
    shown = f"<code>{escapeHtml(words)}</code>"
    address = env["links"].get(words)
    return f'<a href="{escapeHtml(address)}">{shown}</a>' if address else shown
