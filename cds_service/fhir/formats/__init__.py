"""Files to text: what attachments come as, one module per format. Knows bytes, not FHIR."""
