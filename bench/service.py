"""The service as a process of its own, started as an operator does, for tests and measurements."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

_START_S = 30
_STOP_S = 20


class Service:
    """`cds-service serve` on a free port of this machine. Call `stop` at the end.

    Args:
        environment: its settings (`CDS_...`); none of this process's own are handed on.
        workers: its processes that answer.
        most_bytes: the largest file it may write, None for any.
        log: the file that gets all it prints, None for nowhere.

    Raises:
        TimeoutError: it does not answer.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        workers: int,
        most_bytes: int | None = None,
        log: Path | None = None,
    ) -> None:
        self.port = free_port()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
        with (log or Path(os.devnull)).open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cds_service", "serve", "--port", str(self.port), "--workers", str(workers)],
                env=inherited | {"PYTHONPATH": str(ROOT)} | dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        if most_bytes is not None:  # before any worker is started
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
        try:
            self._wait()
        except TimeoutError:
            self.process.kill()
            raise

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in children]

    def cpu_seconds(self, pid: int) -> float:
        """Return the user and system time of the process `pid` so far."""
        # The command name stands in parentheses and may hold spaces: count from after it (man 5 proc, 14 and 15).
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def forget_peak(self) -> float:
        """Return the resident memory of the largest worker in MB, and count its peak from here on."""
        for pid in self.workers():
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # man 5 proc: resets VmHWM
        return max(_megabytes(pid, "VmRSS") for pid in self.workers())

    def peak(self) -> float:
        """Return the most memory in MB that a worker had since `forget_peak`."""
        return max(_megabytes(pid, "VmHWM") for pid in self.workers())

    def stop(self) -> None:
        """Stop it as an operator does."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            for pid in self.workers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)
            self.process.kill()
            self.process.wait(_STOP_S)

    def _wait(self) -> None:
        until = time.monotonic() + _START_S
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if send(self.port, "GET", "/healthz").status == http.HTTPStatus.OK:
                    return
            time.sleep(0.1)
        raise TimeoutError("the service did not start")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: status, body, and the milliseconds from the request to its end."""

    status: int
    body: bytes
    milliseconds: float


def send(port: int, method: str, path: str, document: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
    """Return the answer of the service on `port` of this machine; a `document` that is not bytes is sent as JSON."""
    body = document if isinstance(document, bytes | None) else json.dumps(document).encode()
    sent = {"Content-Type": "application/json"} if body is not None else {}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    began = time.perf_counter()
    try:
        connection.request(method, path, body, {**sent, **(headers or {})})
        response = connection.getresponse()
        content = response.read()
        return Answer(response.status, content, (time.perf_counter() - began) * 1000)
    finally:
        connection.close()


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _megabytes(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    return 0.0
