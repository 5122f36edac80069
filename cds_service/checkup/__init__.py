"""What an operator asks of an installation: what works, what does not, and what to do. A module for each kind."""
