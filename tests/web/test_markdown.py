from __future__ import annotations

import pytest

from cds_service.web.markdown import render_markdown

LINKS = {"mue-exceeded": "../rules/mue-exceeded", "64461": '../codes/64461?"<'}


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("## What it checks", "<h2>What it checks</h2>"),
        ("*Claim* and **note**", "<p><em>Claim</em> and <strong>note</strong></p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("a <img src=x onerror=y> b", "<p>a &lt;img src=x onerror=y&gt; b</p>"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("see `mue-exceeded`", '<p>see <a href="../rules/mue-exceeded"><code>mue-exceeded</code></a></p>'),
        ("see `64461`", '<p>see <a href="../codes/64461?&quot;&lt;"><code>64461</code></a></p>'),
        ("see `other-rule`", "<p>see <code>other-rule</code></p>"),
        ("`<b>`", "<p><code>&lt;b&gt;</code></p>"),
        ("", ""),
    ],
)
def test_markdown_becomes_html_that_runs_nothing(text, html):
    assert render_markdown(text, LINKS).strip() == html
