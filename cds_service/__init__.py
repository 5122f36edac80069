"""CDS Hooks service for the coding and documentation of paravertebral and neighbouring nerve blocks."""

__version__ = "0.1.0"
