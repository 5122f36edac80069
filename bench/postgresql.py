"""A PostgreSQL server of one's own in a temporary folder, for tests and measurements."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

MISSING = "PostgreSQL's server programs are not installed (Debian: apt-get install postgresql)"


def programs() -> Path | None:
    """Return the newest folder with the server's programs: where Debian puts them, else on the path; None: nowhere."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


class LocalPostgresql:
    """A server on a free port of this machine. Call `close` at the end.

    Raises:
        FileNotFoundError: its programs are not installed.
    """

    def __init__(self) -> None:
        folder = programs()
        if folder is None:
            raise FileNotFoundError(MISSING)
        self._programs = folder
        self._folder = Path(tempfile.mkdtemp(prefix="cds-postgresql-"))
        # The server refuses to run as root; Debian's package makes a user for it.
        self._user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._user:
            shutil.chown(self._folder, "postgres", "postgres")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._run("initdb", "-U", "cds", "--auth=trust", "--encoding=UTF8", "--no-sync")
        self.start()

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        options = (
            f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder} -c fsync=off"
        )
        self._run("pg_ctl", "-l", str(self._folder / "log"), "-o", options, "-w", "start")

    def stop(self) -> None:
        """Stop the server as a crash would: at once, every connection broken."""
        self._run("pg_ctl", "-m", "immediate", "-w", "stop")

    def new_database(self) -> str:
        """Return the address of a new, empty database."""
        address = make_url(f"postgresql+psycopg://cds@127.0.0.1:{self._port}/postgres")
        name = f"test_{uuid.uuid4().hex}"
        engine = create_engine(address, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"create database {name}"))
        engine.dispose()
        return address.set(database=name).render_as_string(hide_password=False)

    def close(self) -> None:
        """Stop the server where it runs, and remove its files."""
        if (self._folder / "data" / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._user, str(self._programs / program), "-D", str(self._folder / "data"), *arguments]
        # The server keeps open what it inherits: with a pipe, nobody would see the end of the output.
        nothing = subprocess.DEVNULL
        subprocess.run(command, check=True, cwd=self._folder, stdin=nothing, stdout=nothing, stderr=nothing)
