"""Measures what a request costs: see docs/performance.md."""
