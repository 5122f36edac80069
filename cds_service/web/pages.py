"""`GET /codes`, `/codes/{code}`, `/rules`, `/rules/{rule}`: pages for people, JSON for who asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from cds_service.knowledge.library import Knowledge
from cds_service.review.rules import all_rules, find_rule
from cds_service.web.reference import ROLES, code_reference, codes_by_role, rule_reference

_MAX_AGE_S = 300  # new knowledge comes with a restart; five minutes are soon enough for a reference page
_NO_DESCRIPTORS: Mapping[str, str] = {}

_HEADERS = {
    # No scripts, no frames, nothing from elsewhere: the pages are text and one style sheet.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept",
}


def create_pages(knowledge: Knowledge, descriptors: Mapping[str, str] = _NO_DESCRIPTORS) -> Blueprint:
    """Return the reference pages.

    Args:
        knowledge: what they tell of.
        descriptors: licensed CPT descriptors by code, where the site has them (`read_descriptors`).
    """
    views = _Views(knowledge, descriptors)
    blueprint = Blueprint(
        "pages", __name__, template_folder="templates", static_folder="static", static_url_path="/pages"
    )
    blueprint.add_url_rule("/codes", "codes", views.codes)
    blueprint.add_url_rule("/codes/<code>", "code", views.code)
    blueprint.add_url_rule("/rules", "rules", views.rules)
    blueprint.add_url_rule("/rules/<rule_id>", "rule", views.rule)
    blueprint.after_request(_finish)
    return blueprint


class _Views:
    def __init__(self, knowledge: Knowledge, descriptors: Mapping[str, str]) -> None:
        self._knowledge = knowledge
        self._descriptors = descriptors

    def codes(self) -> Response:
        groups = codes_by_role(self._knowledge)
        found = [{"code": code.code, "title": code.title, "role": code.role} for _, codes in groups for code in codes]
        return _answer("codes.html", {"codes": found}, root="", groups=groups)

    def code(self, code: str) -> Response:
        known = self._knowledge.codes.get(code)
        if known is None:
            return _not_found("code", "The knowledge of this service has no such code.", "codes")
        told = code_reference(self._knowledge, known, self._descriptors.get(code))
        return _answer("code.html", told, root="../", roles=ROLES, known=self._knowledge.codes)

    def rules(self) -> Response:
        found = [{"id": rule.id, "title": rule.title, "severity": rule.severity.value} for rule in all_rules()]
        return _answer("rules.html", {"rules": found}, root="")

    def rule(self, rule_id: str) -> Response:
        from cds_service.web.markdown import render_markdown  # noqa: PLC0415 - the parser, only where a page is looked at

        rule = find_rule(rule_id)
        if rule is None:
            return _not_found("rule", "This service has no such rule.", "rules")
        told = rule_reference(self._knowledge, rule)
        links = {known.id: f"../rules/{known.id}" for known in all_rules()}
        links |= {code: f"../codes/{code}" for code in self._knowledge.codes}
        return _answer("rule.html", told, root="../", body=render_markdown(told["page"], links))


def _answer(template: str, told: Mapping[str, Any], *, root: str, **more: Any) -> Response:
    """Return what is told as JSON or as a page. `root` leads from the page to the service's root, as links need it."""
    if _wants_json():
        return jsonify(told)
    return Response(render_template(f"pages/{template}", told=told, root=root, **more), mimetype="text/html")


def _not_found(kind: str, text: str, index: str) -> Response:
    """Return a 404. It does not repeat what was asked for."""
    if _wants_json():
        issue = {"severity": "error", "code": "not-found", "details": {"text": f"{text} GET /{index} lists them."}}
        response = jsonify({"resourceType": "OperationOutcome", "issue": [issue]})
    else:
        page = render_template("pages/not_found.html", kind=kind, text=text, index=index, root="../")
        response = Response(page, mimetype="text/html")
    response.status_code = 404
    return response


def _wants_json() -> bool:
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def _finish(response: Response) -> Response:
    response.headers.extend(_HEADERS)
    if response.status_code == 200:
        response.cache_control.public = True
        response.cache_control.max_age = _MAX_AGE_S
        response.cache_control.no_cache = None  # Flask's own word on files
        if not response.is_streamed:  # the style sheet comes as a file, with an ETag of its own
            response.add_etag()
            response.make_conditional(request)
    return response
