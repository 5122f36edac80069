"""`cds-service codes`: what is known of the procedure codes."""

from __future__ import annotations

import click

from cds_service.commands.loading import InputError, licensed_descriptors, read_knowledge, read_settings
from cds_service.terminal.reference import print_code, print_codes
from cds_service.web.reference import code_reference, codes_by_role


@click.command("codes")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """List the codes, or show what is known of CODE."""
    settings = read_settings()
    knowledge = read_knowledge(settings)
    descriptors = licensed_descriptors(settings)
    if code is None:
        print_codes(codes_by_role(knowledge))
        return
    known = knowledge.codes.get(code.upper())
    if known is None:
        raise InputError(f"no code {code!r}; `cds-service codes` lists them")
    print_code(code_reference(knowledge, known, descriptors.get(known.code)))
