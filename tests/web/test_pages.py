"""The reference pages: every code and rule, for people and for programs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from cds_service.knowledge.library import load
from cds_service.knowledge.model import Code, Reference
from cds_service.review.rules import all_rules, page

ADDRESSES = [
    "/codes",
    "/rules",
    *(f"/codes/{code}" for code in sorted(load().codes)),
    *(f"/rules/{rule.id}" for rule in all_rules()),
]
JSON = "application/json"


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_is_well_formed_readable_and_needs_nothing_from_elsewhere(browse, page_of, address):
    answer = browse(address)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    shown = page_of(answer.text)
    assert {"main", "nav", "header", "footer", "title", "h1"} <= shown.tags
    assert 'lang="en"' in answer.text
    assert 'name="viewport"' in answer.text
    assert shown.headings[0] == 1
    assert shown.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(shown.headings, shown.headings[1:], strict=False))
    assert len(shown.ids) == len(set(shown.ids))
    assert not shown.tags & {"script", "iframe", "img", "form", "style"}
    assert [urljoin(address, loaded) for loaded in shown.loaded] == ["/pages/pages.css"]
    assert not [word for word in ("None,", "None.", "{{", "{%", "&lt;") if word in shown.text]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_link_leads_somewhere(browse, page_of, address):
    shown = page_of(browse(address).text)
    for link in {urljoin(f"http://localhost{address}", link) for link in shown.links}:
        parts = urlsplit(link)
        if parts.netloc == "localhost":
            assert browse(parts.path).status_code == 200, link
            assert not parts.fragment or parts.fragment in shown.ids
        else:
            assert parts.scheme == "https", link


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_same_address_gives_json_to_who_asks_for_it(browse, address):
    answer = browse(address, JSON)
    assert (answer.status_code, answer.mimetype) == (200, JSON)
    assert _empty_members(answer.json) == []


@pytest.mark.parametrize(
    ("accept", "mimetype"),
    [
        ("*/*", "text/html"),
        ("", "text/html"),
        ("text/html", "text/html"),
        ("application/json", JSON),
        ("application/json;q=0.4, text/html;q=0.9", "text/html"),
        ("application/json, text/html;q=0.9", JSON),
        ("image/png", "text/html"),
        ("nonsense", "text/html"),
    ],
)
def test_the_form_follows_the_accept_header(browse, accept, mimetype):
    answer = browse("/codes/64461", accept)
    assert answer.mimetype == mimetype
    assert "Accept" in answer.vary


@pytest.mark.parametrize(
    "address",
    [
        "/codes/99999",
        "/codes/%3Cscript%3E",
        "/codes/64461x",
        "/rules/no-such-rule",
        "/rules/%3Cb%3E",
        "/rules/__init__",
        "/rules/Imaging-Included",
        "/rules/imaging_included",
    ],
)
@pytest.mark.parametrize("accept", ["text/html", JSON])
def test_what_there_is_not_is_said_without_repeating_it(browse, page_of, address, accept):
    answer = browse(address, accept)
    assert (answer.status_code, answer.mimetype) == (404, accept)
    assert unquote(address.rpartition("/")[2]) not in answer.text
    if accept == JSON:
        assert answer.json["resourceType"] == "OperationOutcome"
        assert answer.json["issue"][0]["code"] == "not-found"
    else:
        page_of(answer.text)
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("address", ["/codes", "/codes/64461", "/rules/mue-exceeded", "/pages/pages.css", "/codes/0"])
def test_the_policy_allows_nothing_but_the_own_style_sheet(browse, address):
    policy = browse(address).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert "unsafe" not in policy
    assert "*" not in policy
    assert browse(address).headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("accept", ["text/html", JSON])
def test_a_page_seen_before_is_not_sent_again(browse, accept):
    first = browse("/codes/64462", accept)
    assert first.headers["Cache-Control"] == "public, max-age=300"
    again = browse("/codes/64462", accept, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert browse("/codes/64461", accept).headers["ETag"] != first.headers["ETag"]


def test_the_two_forms_have_tags_of_their_own(browse):
    assert browse("/codes/64462").headers["ETag"] != browse("/codes/64462", JSON).headers["ETag"]


def test_what_there_is_not_is_not_cached(browse):
    assert "ETag" not in browse("/codes/1").headers


def test_a_code_page_says_what_the_knowledge_says(browse, page_of):
    shown = " ".join(page_of(browse("/codes/64462").text).text.split())
    for words in (
        "Thoracic paravertebral block, all further sites",
        "one unit, whether one site was added or five",
        "At most 1 unit on one day, whatever the reason",
        "adjudication indicator 2",
        "bilateral indicator 1",
        "for services from 2016-01-01",
        "Ambulatory surgical center",
        "Medicare NCCI medically unlikely edits, practitioner services, 2024 Q3",
        "Centers for Medicare & Medicaid Services, 2024-07-01",
        "vertebral levels",
        "copyright of the American Medical Association",
    ):
        assert words in shown


def test_a_code_in_json_has_the_edits_as_figures(browse, knowledge):
    told = browse("/codes/64461", JSON).json
    assert told["code"] == "64461"
    assert (told["dailyLimit"]["units"], told["dailyLimit"]["adjudication"]) == (1, 2)
    groups = {(group["column"], group["indicator"]): group for group in told["pairs"]["groups"]}
    assert {"76942", "77002", "77003"} <= set(groups[1, "1"]["codes"])
    assert groups[2, "1"]["anesthesiaCodes"] > 0
    pairs = [pair for pair in knowledge.tables.ptp[-1].rows if "64461" in pair]
    assert told["pairs"]["count"] == len(pairs)
    assert {element["element"] for element in told["elements"] if element["requirement"] == "required"} >= {
        "consent",
        "laterality",
        "levels",
    }


def test_an_add_on_names_its_primaries(browse):
    assert browse("/codes/64421", JSON).json["primaries"] == ["64420"]
    assert "primaries" not in browse("/codes/64420", JSON).json


@pytest.mark.parametrize(
    ("code", "words"),
    [
        pytest.param("01996", ["Follow-up care", "Sides do not apply", "Paid as anesthesia"], id="follow-up"),
        pytest.param("64466", ["Both sides are another code, 64468"], id="both-sides-elsewhere"),
        pytest.param("64461", ["Medicare pays both sides at 150 %"], id="both-sides-by-modifier"),
        pytest.param("01992", ["Anesthesia", "Five base units", "Paid as anesthesia"], id="anesthesia"),
        pytest.param("0213T", ["Has no price in the fee schedule", "64490"], id="carrier-priced"),
        pytest.param("64635", ["the ten days after it", "global days 010"], id="ten-days"),
        pytest.param("64634", ["An add-on: the days its primary covers"], id="add-on-days"),
        pytest.param("77002", ["codes without a page here", "the equipment is the hospital's"], id="many-primaries"),
        pytest.param(
            "64466",
            ["medically unlikely edits do not have 64466", "procedure-to-procedure edits do not have 64466"],
            id="no-edits-loaded",
        ),
    ],
)
def test_a_code_page_says_how_medicare_pays_and_what_is_not_known(browse, page_of, code, words):
    shown = " ".join(page_of(browse(f"/codes/{code}").text).text.split())
    assert not [word for word in words if word not in shown]


@pytest.mark.parametrize(
    ("code", "modifiers"),
    [
        ("64461", ["RT", "LT", "50", "59, XE, XS, XP, XU"]),
        ("64462", ["RT", "LT", "50"]),
        ("64466", ["RT", "LT", "59, XE, XS, XP, XU"]),
        ("64468", ["59, XE, XS, XP, XU"]),
        ("64494", ["RT", "LT", "50", "KX"]),
        ("64517", ["59, XE, XS, XP, XU"]),
        ("62321", ["59, XE, XS, XP, XU"]),
        ("76942", ["26", "TC"]),
        ("01996", []),
        ("64999", []),
    ],
)
def test_the_modifiers_of_a_code_come_from_tables_and_profiles(browse, code, modifiers):
    told = browse(f"/codes/{code}", JSON).json
    assert [each["modifier"] for each in told.get("modifiers", [])] == modifiers
    assert all(each["when"] for each in told.get("modifiers", []))


def test_codes_with_a_page_come_before_those_without(browse, knowledge):
    for group in browse("/codes/64493", JSON).json["pairs"]["groups"]:
        known = [code in knowledge.codes for code in group.get("codes", [])]
        assert known == sorted(known, reverse=True)


def test_a_rule_page_shows_its_file_and_what_it_cites(browse, page_of):
    for rule in all_rules():
        answer = browse(f"/rules/{rule.id}")
        shown = page_of(answer.text).text
        assert rule.title in shown
        for heading in ("What it checks", "Why it matters", "Sources", "Known limits", "Example", "Corrected"):
            assert f"<h2>{heading}</h2>" in answer.text
        told = browse(f"/rules/{rule.id}", JSON).json
        assert [source["source"] for source in told["sources"]] == list(rule.sources)
        assert all(source["title"] in shown and source["date"] in shown for source in told["sources"])
        assert page(rule).endswith(told["page"])


def test_licensed_descriptors_take_the_place_of_the_note(browse):
    descriptors = {"64461": 'What the <b>license</b> & "file" says'}
    shown = browse("/codes/64461", descriptors=descriptors).text
    assert "What the &lt;b&gt;license&lt;/b&gt; &amp; &#34;file&#34; says" in shown
    assert "not shipped" not in shown
    told = browse("/codes/64461", JSON, descriptors=descriptors).json
    assert told["descriptor"] == descriptors["64461"]
    assert "descriptorNote" not in told
    assert "descriptorNote" in browse("/codes/64462", JSON, descriptors=descriptors).json


def test_words_of_the_knowledge_are_shown_as_words(browse, page_of, knowledge):
    nasty = "<script>alert('x')</script> & \"quotes\""
    code = Code(
        code="00001",
        title=nasty,
        role="unlisted",
        family=None,
        valid_from=date(2020, 1, 1),
        valid_to=date(2020, 12, 31),
        sources=("cpt-2016",),
        plain=nasty,
        reference=Reference(used_when=nasty, examples=(nasty,), related=("00002",)),
    )
    altered = replace(knowledge, codes={**knowledge.codes, "00001": code})
    for address in ("/codes", "/codes/00001"):
        answer = browse(address, of=altered)
        assert "<script" not in answer.text
        assert nasty in page_of(answer.text).text
    shown = page_of(browse("/codes/00001", of=altered).text).text
    assert "for services from 2020-01-01 to 2020-12-31" in shown


def _empty_members(value, place=""):
    if isinstance(value, dict):
        return [found for name, member in value.items() for found in _empty_members(member, f"{place}.{name}")]
    if isinstance(value, list) and value:
        return [found for item in value for found in _empty_members(item, place)]
    return [place] if value in (None, "", []) else []


def test_a_code_tells_what_payers_have_published_and_of_whom_nothing_was_found(browse, page_of):
    told = browse("/codes/64495", JSON).json["positions"]
    by_payer = {payer["profile"]: payer for payer in told}
    assert any("paid on appeal" in one["statement"] for one in by_payer["medicare"]["statements"])
    assert all(one["sources"] for payer in told for one in payer.get("statements", ()))
    assert "Nothing published" in by_payer["aetna"]["note"]
    assert "statements" not in by_payer["aetna"]
    shown = page_of(browse("/codes/64495").text).text
    assert "What payers have published" in shown
    assert by_payer["aetna"]["note"] in shown
    assert "positions" not in browse("/codes/76942", JSON).json
