"""`cds-service serve`: the production server."""

from __future__ import annotations

import click

from cds_service.app import create_app
from cds_service.commands.db import prepare
from cds_service.commands.loading import read_settings, usable
from cds_service.server import run
from cds_service.settings import refuse_unsafe


@click.command("serve")
@click.option("--host", help="Address to listen on (CDS_HOST; 127.0.0.1).")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (CDS_PORT; 8080).")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes that answer (CDS_WORKERS; 1).")
@click.option("--threads", type=click.IntRange(1, 512), help="Threads of each process (CDS_THREADS; 4).")
def command(host: str | None, port: int | None, workers: int | None, threads: int | None) -> None:
    """Run the service until it is told to stop (SIGTERM, Ctrl-C); requests under way are finished.

    Options win over the environment variables named with them. Settings that would be unsafe beyond this machine are
    refused (exit code 3), as are settings and knowledge that cannot be used, a database of a newer version, and an
    address that is taken.
    """
    settings = read_settings(host=host, port=port, workers=workers, threads=threads)
    usable(lambda: refuse_unsafe(settings))
    prepare(settings)
    usable(lambda: run(settings, create_app))
