"""The access token a client lends for its FHIR server (https://cds-hooks.hl7.org/2.0/#passing-the-access-token)."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from cds_service.fhir.references import plain_id

# What RFC 9110 (11.4) lets a header carry as a token68, and a little more: some issuers use other visible characters.
_SENDABLE: Final = re.compile(r"[!-~]+", re.ASCII)
# SMART App Launch 1 (.read, .write, .*) and 2 (.cruds): https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
_SCOPE: Final = re.compile(r"(?:patient|user|system)/(?P<type>[A-Za-z]+|\*)\.(?P<acts>read|write|\*|[cruds]+)(?:\?.*)?")


@dataclass(frozen=True, slots=True)
class Grant:
    """A token and what came with it, for one request: never stored, never logged, sent to one server only.

    `expires_in` is seconds from the request; `subject` the client id the token was issued to; `patient` the patient it
    is limited to. None where the client did not say.
    """

    token: str = field(repr=False)
    token_type: str | None = None
    expires_in: int | None = None
    scope: str | None = None
    subject: str | None = None
    patient: str | None = field(default=None, repr=False)

    def problem(self, patient_id: str | None, client_ids: Collection[str] = ()) -> str | None:
        """Return why the token is not to be used for a patient, in words without a value of it, or None.

        `client_ids` are those this service is registered under; where there is none, the subject is not looked at.
        """
        if not _SENDABLE.fullmatch(self.token):
            return "the access token has characters that cannot be sent"
        if (self.token_type or "Bearer").casefold() != "bearer":
            return "the access token is of another type than Bearer"
        if self.expires_in is not None and self.expires_in <= 0:
            return "the access token has expired"
        if client_ids and self.subject is not None and self.subject not in client_ids:
            return "the access token was issued to another service"
        if self.patient is not None and patient_id is not None and plain_id(self.patient, "Patient") != patient_id:
            return "the access token is for another patient"
        return None

    def covers(self, resource_type: str) -> bool:
        """Return whether the scopes let a type be read; True where they say nothing of resources."""
        scopes = [found for found in map(_SCOPE.fullmatch, (self.scope or "").split()) if found]
        return not scopes or any(
            found["type"] in ("*", resource_type) and (found["acts"] in ("read", "*") or "r" in found["acts"])
            for found in scopes
            if found["acts"] != "write"
        )
