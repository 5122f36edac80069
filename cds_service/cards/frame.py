"""What all cards have in common: source, identity, links, reasons to override, and the extension."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from cds_service.cards import wording
from cds_service.cards.drafts import ASSOCIATED_RESOURCE, Draft, associated
from cds_service.cards.identity import action_identity, scope_of, stable_uuid
from cds_service.cards.markdown import cut, escaped, plain
from cds_service.cards.reasons import override_reasons
from cds_service.cards.resources import Json
from cds_service.knowledge.model import Source
from cds_service.review.assessment import Assessment

EXTENSION = "org.paravertebral-cds.card"
TOPIC_SYSTEM = "http://terminology.hl7.org/CodeSystem/cdshooks-card-type"

DETAIL_LIMIT = 1500
"""Characters of detail a clinician still reads beside a chart."""

_RULE_LINKS = 3
_LABEL_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Service:
    """Who speaks: the absolute address of this service, and its name for people."""

    base_url: str
    label: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A change the clinician can accept: its label, its single CDS Hooks action, and whether it is the sure one."""

    label: str
    action: Json
    recommended: bool


@dataclass(frozen=True, slots=True)
class Content:
    """What one card says. `kind` is the card's; `reasons` names its set of override reasons, `topic` its topic.

    `drafts` are the draft orders it is about.
    """

    kind: str
    topic: str
    reasons: str
    summary: str
    warning: bool
    detail: str
    rules: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    code: str | None = None
    suggestions: tuple[Suggestion, ...] = ()
    drafts: tuple[Draft, ...] = ()


def card(content: Content, assessment: Assessment, service: Service) -> Json:
    """Return the CDS Hooks card for `content`, ready for JSON, without any empty member."""
    scope = scope_of(assessment)
    suggestions = [_suggestion(suggestion, scope) for suggestion in content.suggestions]
    identity = [content.summary, content.detail, content.warning, [s["uuid"] for s in suggestions]]
    base_url = service.base_url.rstrip("/")
    members: Json = {
        "uuid": stable_uuid(scope, content.kind, identity),
        "summary": content.summary,
        "detail": content.detail,
        "indicator": "warning" if content.warning else "info",
        "source": _source(content, base_url, service.label),
        "suggestions": suggestions,
        "selectionBehavior": "any" if suggestions else None,
        "overrideReasons": override_reasons(content.reasons),
        "links": _links(content, base_url),
        "extension": _extension(content),
    }
    return {name: member for name, member in members.items() if member}


def _source(content: Content, base_url: str, label: str) -> Json:
    topic = {"code": content.topic, "system": TOPIC_SYSTEM, "display": wording.TOPICS[content.topic]}
    return {"label": plain(label) or wording.DEFAULT_LABEL, "url": base_url, "topic": topic}


def _extension(content: Content) -> Json:
    members = {"kind": content.kind, "rules": list(content.rules), "elements": list(content.elements)}
    own = {name: member for name, member in members.items() if member}
    orders = associated(content.drafts)
    return {EXTENSION: own, ASSOCIATED_RESOURCE: orders} if orders else {EXTENSION: own}


def _links(content: Content, base_url: str) -> list[Json]:
    links = [_link(f"About the rule {rule}", base_url, "rules", rule) for rule in content.rules[:_RULE_LINKS]]
    if content.code:
        links.append(_link(f"About code {content.code}", base_url, "codes", content.code))
    return links


def _link(label: str, base_url: str, kind: str, name: str) -> Json:
    return {"label": label, "url": f"{base_url}/{kind}/{quote(name, safe='')}", "type": "absolute"}


def _suggestion(suggestion: Suggestion, scope: str) -> Json:
    label = cut(plain(suggestion.label), _LABEL_LIMIT)
    members: Json = {
        "label": label,
        "uuid": stable_uuid(scope, "suggestion", [label, action_identity(suggestion.action)]),
        "isRecommended": suggestion.recommended,
        "actions": [suggestion.action],
    }
    return {name: member for name, member in members.items() if member}


def sources_text(citations: Iterable[Source], most: int) -> str:
    """Return a line naming at most `most` different sources with publisher and date, "" where there is none."""
    different = list({source.id: source for source in citations}.values())[:most]
    named = [", ".join(filter(None, (source.title, source.publisher, source.published))) for source in different]
    return (
        f"{'Source' if len(named) == 1 else 'Sources'}: {escaped('; '.join(named), 90 * len(named))}" if named else ""
    )


def first_fitting(details: Iterable[str]) -> str:
    """Return the first of `details` (richest first) within `DETAIL_LIMIT`, else the last."""
    detail = ""
    for detail in details:
        if len(detail) <= DETAIL_LIMIT:
            return detail
    return detail


def code_behind(assessment: Assessment) -> str | None:
    """Return the code whose page a card links to: expected before reported before what blocks and findings name."""
    codes = [line.code for line in assessment.expected_lines]
    codes += [line.code for line in assessment.lines]
    codes += [code for block in assessment.blocks for code in block.reported_codes]
    codes += [code for finding in assessment.findings for code in finding.codes]
    return codes[0] if codes else None


def paragraphs(parts: Sequence[str]) -> str:
    """Return the parts that say something, a blank line between them."""
    return "\n\n".join(part for part in parts if part)
