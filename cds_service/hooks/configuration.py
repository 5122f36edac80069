"""What a client may choose of the answer: the kinds of cards, and how many.

Two extensions of the Da Vinci CRD guide, borrowed without a claim to conform to it: discovery lists the options, a
request holds what was chosen (https://hl7.org/fhir/us/davinci-crd/deviations.html, "New hook configuration mechanism").
Nothing of it is ever required, and what cannot be understood is ignored: a request never fails for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

OPTIONS_EXTENSION: Final = "davinci-crd.configuration-options"
"""Of a service in discovery: a list of options."""

CONFIGURATION_EXTENSION: Final = "davinci-crd.configuration"
"""Of a request: an object from the code of an option to its value."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing a client may choose. What it is while nothing is chosen, `default`, also tells its type."""

    code: str
    name: str
    description: str
    default: bool | int

    def to_json(self) -> dict[str, Any]:
        """Return the option as discovery lists it."""
        return {
            "code": self.code,
            "type": "boolean" if isinstance(self.default, bool) else "integer",
            "name": self.name,
            "description": self.description,
            "default": self.default,
        }

    def chosen(self, configuration: Mapping[str, Any]) -> bool | int | None:
        """Return the value a client chose; None where it chose none, or one that this option cannot have."""
        value = configuration.get(self.code)
        if type(value) is not type(self.default) or (type(value) is int and value < 0):
            return None
        chosen: bool | int = value
        return chosen


# Codes of the card types of CRD where one fits (http://terminology.hl7.org/CodeSystem/cdshooks-card-type).
CLAIM = Option(
    code="claim",
    name="Codes",
    description="Cards on how a nerve block is to be coded: suggested codes, and questions that decide on a code.",
    default=True,
)
GUIDELINE = Option(
    code="guideline",
    name="Documentation",
    description="Cards on what the documentation of a nerve block lacks.",
    default=True,
)
CLARIFICATION = Option(
    code="clarification",
    name="Questions",
    description="Cards that ask the clinician where the record is ambiguous. Where this is not sent, it follows claim.",
    default=True,
)
MAX_CARDS = Option(
    code="max-cards",
    name="Number of cards",
    description="The most cards in an answer, the most important first; 0 for none. There are never more than three.",
    default=3,
)
COVERAGE_INFO = Option(
    code="coverage-info",
    name="Coverage information",
    description="A note on each draft order that its coverage is not known to this service, for tests of CRD clients.",
    default=True,
)

CARD_OPTIONS: Final = (CLAIM, GUIDELINE, CLARIFICATION, MAX_CARDS)
"""What may be chosen of the cards of every service."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What one client chose for one call, and the defaults for what it did not."""

    codes: bool = True
    documentation: bool = True
    questions: bool = True
    coverage: bool = True
    max_cards: int = MAX_CARDS.default


EVERYTHING: Final = Configuration()
"""Of a client that chooses nothing."""


def read_configuration(extension: Mapping[str, Any]) -> Configuration:
    """Return what the extension of a request chooses; values of another type than the option's are as if not sent."""
    chosen = extension.get(CONFIGURATION_EXTENSION)
    if not isinstance(chosen, dict):
        return EVERYTHING
    codes = CLAIM.chosen(chosen) is not False
    questions = CLARIFICATION.chosen(chosen)
    most = MAX_CARDS.chosen(chosen)
    return Configuration(
        codes=codes,
        documentation=GUIDELINE.chosen(chosen) is not False,
        # A client that knows the card types of CRD only, and wants no `claim`, means every card of that topic.
        questions=codes if questions is None else bool(questions),
        coverage=COVERAGE_INFO.chosen(chosen) is not False,
        max_cards=MAX_CARDS.default if most is None else most,
    )
