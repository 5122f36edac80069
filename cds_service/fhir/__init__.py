"""What the record holds: prefetch states, references, tolerant reading of FHIR R4, attachments as text."""
