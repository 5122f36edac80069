"""What must be kept: feedback on cards (SQL)."""
