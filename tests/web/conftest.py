from __future__ import annotations

from html.parser import HTMLParser

import pytest
from flask import Flask

from cds_service.knowledge.library import load
from cds_service.web.pages import create_pages

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """What a page is made of; refuses one whose elements are not nested properly."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.links, self.loaded, self.ids, self.headings, self.tags = [], [], [], [], [], set()
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == [], f"never closed: {self.open}"
        assert text.startswith("<!doctype html>")

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        assert len(attributes) == len(attrs), f"an attribute twice on {tag}"
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "a":
            self.links.append(attributes["href"])
        elif "href" in attributes or "src" in attributes:
            self.loaded.append(attributes.get("href") or attributes["src"])
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag in {"h1", "h2", "h3", "h4"}:
            self.headings.append(int(tag[1]))
        assert not any(name.startswith("on") or name == "style" for name in attributes), "against the policy"

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        opened = self.open.pop()
        assert opened == tag, f"<{opened}> is closed by </{tag}>"

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="session")
def knowledge():
    return load()


@pytest.fixture(scope="session")
def browse(knowledge):
    """Return a function that gets an address, as a browser does or with another Accept header."""

    def get(address, accept="text/html,application/xhtml+xml,*/*;q=0.8", *, of=knowledge, descriptors=None, **headers):
        app = Flask("pages")
        app.register_blueprint(create_pages(of, descriptors or {}))
        return app.test_client().get(address, headers={"Accept": accept, **headers}, buffered=True)

    return get


@pytest.fixture(scope="session")
def page_of():
    return Page
