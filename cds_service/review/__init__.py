"""The judgement: expected claim lines, findings of the rules, documentation status."""
