"""The hook requests that are measured: made up afresh for every request, so that no cache can help by accident.

Everything here is synthetic. The same seed gives the same requests.
"""

from __future__ import annotations

import base64
import json
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CPT = "http://www.ama-assn.org/go/cpt"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
DAY = "2026-03-02"

PREFETCH_KEYS = (
    "patient", "encounter", "coverage", "procedures", "claims",
    "documents", "medications", "observations", "conditions", "orders",
)  # fmt: skip
SINGLE = frozenset({"patient", "encounter"})

BLOCK_NOTE = """REGIONAL ANESTHESIA PROCEDURE NOTE {nonce}
Date of service: 03/02/2026. Requested by the thoracic surgeon, Dr. {surgeon}, for pain relief after {operation}.
Indication: acute pain of the {side} chest wall, rated {before}/10 at rest and {worse}/10 with coughing. The block is
meant for postoperative analgesia and was placed apart from the general anesthetic of the operation. Coagulation was
normal this morning, platelets {wait}0 after {wait} hours without heparin, and {name} had no allergy to anesthetics.
Consent: the risks, benefits and alternatives were explained to {name}, all questions were answered and written consent
is on the chart. A time-out was performed with nurse {nurse} at {hour}:{minute}: patient, side and procedure agreed.
Monitoring: pulse oximetry, ECG and blood pressure every five minutes. Oxygen {oxygen} L/min by nasal cannula.
Technique: {name} was placed in the sitting position. The back was prepared with chlorhexidine and draped. With a
linear probe in the parasagittal plane the {side} thoracic paravertebral space was seen at T{level} and T{next}. After a
skin wheal with {skin} mL of lidocaine 1% a {gauge} gauge needle of {length} mm was advanced in plane under real-time
ultrasound until the pleura moved down. Aspiration was negative for blood and air. {volume} mL of ropivacaine 0.5% were
injected at T{level}. The same was repeated at T{next} with {volume} mL of ropivacaine 0.5%. Images were saved to the
archive under {nonce}.
Response: after {wait} minutes pinprick was reduced from T{level} to T{last} on the {side} side, and pain had fallen
from {before}/10 to {after}/10. Complications: none; no pneumothorax, no hematoma, no signs of toxicity.
Plan: {drug} by mouth every {interval} hours, pain team to review {name} in the evening round on ward {ward}. The
surgeon {surgeon} was informed at {hour}:{later}. Family was told on the telephone by nurse {nurse}. A second look at
the {side} chest is planned for {hour}:{later} tomorrow, with the pain team's number left at the bedside.
Signed electronically by the anesthesiologist on duty, record {nonce}.
"""

OTHER_NOTE = """DISCHARGE SUMMARY {nonce}
Date of discharge: 03/02/2026. Dr. {surgeon} looked after {name} on ward {ward} for {wait} hours.
Reason for admission: pain of the right lower abdomen with fever of 38.{before} since the evening, appetite poor. Blood
count showed {volume} thousand white cells; the scan showed a thickened appendix without perforation, and the urine of
{hour}:{minute} was clear. {name} had eaten last at {hour}:{later} the day before and took nothing but {drug} at home.
Course: laparoscopic appendectomy on the first day under general anesthesia, without difficulty. Blood loss was {skin}0
mL. The appendix was sent to pathology as {nonce}. {name} drank at {hour}:{minute} and walked the corridor with nurse
{nurse} the same evening. Drains were not needed. Cefazolin was stopped after {interval} hours.
Findings on discharge: temperature 36.{after}, pulse 7{before}, blood pressure 12{after} over 7{before}, saturation 97
percent on room air. The abdomen is soft, bowel sounds are present, the dressings are dry. Pain is {after}/10 at rest
and is well treated with tablets.
Medication: {drug} by mouth every {interval} hours for {oxygen} days, then as needed; pantoprazole in the morning. Known
hypertension: lisinopril as before, to be checked by the family doctor within {wait} days.
Instructions: light food today, normal food from tomorrow. Showers are allowed, baths after {gauge} days. No lifting
over {last} kg for {oxygen} weeks. Return to the emergency department with fever, vomiting or redness of the wounds.
Follow-up: outpatient clinic with Dr. {surgeon} in {length} days at {hour}:{later}, stitches out by then. Pathology will
be sent to the family doctor. {name} understood this and could repeat it; the family was present and nurse {nurse} gave
the leaflet of the ward. The summary was handed over on paper as well, with the telephone number of ward {ward} on it.
Letter dictated by Dr. {surgeon} at {hour}:{later} and typed the same day; copies go to the insurer and to the
referring practice of Dr. {nurse}, which had asked for them by telephone on ward {ward}.
Signed electronically, record {nonce}.
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table: a hook, a title, and what builds its requests, without or with a `block` in them."""

    id: str
    title: str
    hook: str
    build: Callable[..., dict[str, Any]]


def note(template: str, chance: random.Random) -> str:
    """Return a note of about 2 kB in which nearly every sentence has something of its own."""
    level = chance.randrange(3, 8)
    return template.format(
        nonce=f"{chance.getrandbits(48):012x}", name=_name(chance), surgeon=_name(chance), nurse=_name(chance),
        operation=chance.choice(("thoracotomy", "rib fixation", "lobectomy", "mastectomy")),
        side=chance.choice(("right", "left")), before=chance.randrange(6, 9), worse=chance.randrange(8, 10),
        after=chance.randrange(1, 4), hour=chance.randrange(10, 18), minute=chance.randrange(10, 40),
        later=chance.randrange(40, 60), oxygen=chance.randrange(2, 6), level=level, next=level + 2, last=level + 4,
        skin=chance.randrange(2, 5), gauge=chance.choice((21, 22)), length=chance.choice((50, 80, 100)),
        volume=chance.randrange(8, 13), wait=chance.randrange(15, 31), interval=chance.choice((6, 8, 12)),
        drug=chance.choice(("acetaminophen", "ibuprofen", "naproxen")),
        ward=f"{chance.choice('ABCDE')}{chance.randrange(1, 90)}",
    )  # fmt: skip


def order_sign(chance: random.Random, *, block: bool) -> dict[str, Any]:
    """Return an order-sign request of about 5 kB: two draft orders, and the patient's own data beside them."""
    frame = _Frame(chance)
    # An add-on without its primary code, so that there is something to say.
    code, text = ("64462", "Thoracic paravertebral block, further sites") if block else ("80053", "Metabolic panel")
    drafts = [frame.order(code, text), frame.order("85025", "Blood count with differential")]
    return frame.request(
        "order-sign",
        [frame.coverage(), *(frame.condition(number) for number in range(3)), *(frame.observation() for _ in range(3))],
        draftOrders={
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": draft} for draft in drafts],
        },
    )


def discharge(chance: random.Random, *, block: bool) -> dict[str, Any]:
    """Return an encounter-discharge request: Claim, Procedure and one note of about 2 kB."""
    frame = _Frame(chance)
    return frame.request("encounter-discharge", [frame.coverage(), *frame.treatment(block=block)])


def long_stay(chance: random.Random, *, block: bool) -> dict[str, Any]:
    """Return an encounter-discharge request with 50 resources, five notes of about 2 kB among them."""
    frame = _Frame(chance)
    resources = [
        frame.coverage(),
        *frame.treatment(block=block),
        *(frame.document(OTHER_NOTE) for _ in range(4)),
        *(frame.condition(number) for number in range(6)),
        *(frame.medication() for _ in range(12)),
        *(frame.observation() for _ in range(18)),
        *(frame.order("85025", "Blood count with differential") for _ in range(4)),
    ]
    return frame.request("encounter-discharge", resources)


KINDS = (
    Kind("order-sign", "order-sign, 5 kB", "order-sign", order_sign),
    Kind("discharge", "discharge, Claim + Procedure + 2 kB note", "encounter-discharge", discharge),
    Kind("long-stay", "50 resources, five notes", "encounter-discharge", long_stay),
)


def resources(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the resources of the prefetch of a request."""
    found: list[Mapping[str, Any]] = []
    for value in filter(None, request["prefetch"].values()):
        found += [entry["resource"] for entry in value["entry"]] if value["resourceType"] == "Bundle" else [value]
    return found


def body(request: Mapping[str, Any]) -> bytes:
    """Return a request as it travels."""
    return json.dumps(request, separators=(",", ":")).encode()


def fired_again(request: Mapping[str, Any], chance: random.Random) -> dict[str, Any]:
    """Return the same chart as a client sends it when the hook fires again: only the hook instance is new."""
    return {**request, "hookInstance": _uuid(chance)}


class _Frame:
    """One patient and encounter, and resources about them. Every id is new."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.patient = self._id()
        self.encounter = self._id()

    def request(self, hook: str, entries: Sequence[dict[str, Any]], **context: Any) -> dict[str, Any]:
        keys: dict[str, Any] = {key: [] for key in PREFETCH_KEYS}
        for resource in entries:
            keys[_KEY_OF_TYPE[resource["resourceType"]]].append(resource)
        prefetch: dict[str, Any] = {key: _searchset(found) if found else None for key, found in keys.items()}
        prefetch |= {"patient": self._patient(), "encounter": self._encounter()}
        return {
            "hook": hook,
            "hookInstance": _uuid(self.chance),
            "context": {
                "userId": "Practitioner/p1",
                "patientId": self.patient,
                "encounterId": self.encounter,
                **context,
            },
            "prefetch": prefetch,
        }

    def treatment(self, *, block: bool) -> list[dict[str, Any]]:
        if block:
            # The claim repeats the add-on for every level, so that there is something to correct.
            return [self._procedure("64461"), self._claim(("64461", 1), ("64462", 3)), self.document(BLOCK_NOTE)]
        return [self._procedure("44970"), self._claim(("44970", 1)), self.document(OTHER_NOTE)]

    def document(self, template: str) -> dict[str, Any]:
        text = note(template, self.chance)
        return self._about(
            "DocumentReference",
            status="current",
            type={"coding": [{"system": LOINC, "code": "28570-0" if template is BLOCK_NOTE else "18842-5"}]},
            date=f"{DAY}T15:00:00Z",
            content=[{"attachment": {"contentType": "text/plain", "data": base64.b64encode(text.encode()).decode()}}],
            context={"encounter": [self._encounter_reference()]},
        )

    def order(self, code: str, text: str) -> dict[str, Any]:
        return self._about(
            "ServiceRequest",
            status="draft",
            intent="order",
            code={"coding": [{"system": CPT, "code": code}], "text": text},
            encounter=self._encounter_reference(),
            authoredOn=f"{DAY}T08:00:00Z",
            occurrenceDateTime=DAY,
            requester={"reference": "Practitioner/p1"},
            reasonCode=[{"coding": [{"system": ICD10, "code": "G89.18"}]}],
        )

    def coverage(self) -> dict[str, Any]:
        return {
            "resourceType": "Coverage",
            "id": self._id(),
            "status": "active",
            "type": {"coding": [{"system": "https://nahdo.org/sopt", "code": "1", "display": "Medicare"}]},
            "beneficiary": self._patient_reference(),
            "payor": [{"display": "Medicare"}],
        }

    def condition(self, number: int) -> dict[str, Any]:
        code = ("G89.18", "I10", "E11.9", "K21.9", "Z87.891", "M19.90")[number]
        return self._about(
            "Condition",
            clinicalStatus={"coding": [{"code": "active"}]},
            code={"coding": [{"system": ICD10, "code": code}]},
            encounter=self._encounter_reference(),
            recordedDate=DAY,
        )

    def observation(self) -> dict[str, Any]:
        return self._about(
            "Observation",
            status="final",
            category=[{"coding": [{"code": "vital-signs"}]}],
            code={"coding": [{"system": LOINC, "code": "8867-4"}], "text": "Heart rate"},
            encounter=self._encounter_reference(),
            effectiveDateTime=f"{DAY}T{self.chance.randrange(10, 24)}:00:00Z",
            valueQuantity={"value": self.chance.randrange(55, 110), "unit": "/min"},
        )

    def medication(self) -> dict[str, Any]:
        return self._about(
            "MedicationAdministration",
            status="completed",
            medicationCodeableConcept={"coding": [{"system": RXNORM, "code": "161"}], "text": "acetaminophen"},
            context=self._encounter_reference(),
            effectiveDateTime=f"{DAY}T{self.chance.randrange(10, 24)}:00:00Z",
            dosage={"dose": {"value": self.chance.choice((500, 1000)), "unit": "mg"}},
        )

    def _procedure(self, code: str) -> dict[str, Any]:
        return self._about(
            "Procedure",
            status="completed",
            code={"coding": [{"system": CPT, "code": code}]},
            encounter=self._encounter_reference(),
            performedDateTime=f"{DAY}T13:30:00Z",
            performer=[{"actor": {"reference": "Practitioner/p1"}}],
        )

    def _claim(self, *lines: tuple[str, int]) -> dict[str, Any]:
        items = [
            {
                "sequence": number,
                "productOrService": {"coding": [{"system": CPT, "code": code}]},
                "servicedDate": DAY,
                "quantity": {"value": units},
                "encounter": [self._encounter_reference()],
            }
            for number, (code, units) in enumerate(lines, start=1)
        ]
        return {
            "resourceType": "Claim",
            "id": self._id(),
            "status": "draft",
            "type": {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]
            },
            "use": "claim",
            "patient": self._patient_reference(),
            "created": DAY,
            "provider": {"reference": "Practitioner/p1"},
            "priority": {"coding": [{"code": "normal"}]},
            "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "Medicare"}}],
            "item": items,
        }

    def _patient(self) -> dict[str, Any]:
        return {
            "resourceType": "Patient",
            "id": self.patient,
            "gender": self.chance.choice(("female", "male")),
            "birthDate": f"{self.chance.randrange(1935, 2000)}-05-1{self.chance.randrange(10)}",
            "name": [{"family": _name(self.chance), "given": [_name(self.chance)]}],
        }

    def _encounter(self) -> dict[str, Any]:
        return {
            "resourceType": "Encounter",
            "id": self.encounter,
            "status": "in-progress",
            "class": {"code": "IMP"},
            "subject": self._patient_reference(),
            "period": {"start": f"{DAY}T07:00:00Z"},
        }

    def _about(self, resource_type: str, **members: Any) -> dict[str, Any]:
        return {"resourceType": resource_type, "id": self._id(), "subject": self._patient_reference(), **members}

    def _patient_reference(self) -> dict[str, str]:
        return {"reference": f"Patient/{self.patient}"}

    def _encounter_reference(self) -> dict[str, str]:
        return {"reference": f"Encounter/{self.encounter}"}

    def _id(self) -> str:
        return f"b{self.chance.getrandbits(60):015x}"


_KEY_OF_TYPE = {
    "Coverage": "coverage",
    "Procedure": "procedures",
    "Claim": "claims",
    "DocumentReference": "documents",
    "MedicationAdministration": "medications",
    "Observation": "observations",
    "Condition": "conditions",
    "ServiceRequest": "orders",
}


def _searchset(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "entry": [
            {"fullUrl": f"https://ehr.example.org/fhir/{r['resourceType']}/{r['id']}", "resource": r} for r in found
        ],
    }


def _name(chance: random.Random) -> str:
    syllables = ("ba", "den", "fir", "gol", "han", "kel", "lor", "mi", "nor", "pel", "ros", "sen", "tam", "vel", "wen")
    return "".join(chance.choices(syllables, k=3)).capitalize()


def _uuid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))
