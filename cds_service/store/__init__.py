"""What must be kept: feedback, the cards it answers, the audit trail, used token ids (SQL)."""
