"""How the judgement is said: an assessment becomes a few CDS Hooks cards."""
