"""The commands of the command line, a module each; `command` is what `cds_service/cli.py` looks for."""
