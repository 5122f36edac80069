"""Start a server on a core of its own, and read from /proc what it and its workers used."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SERVER_CORE = 0
CLIENT_CORE = 1
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Subject:
    """A server to measure. `command` may hold `{port}`; `ready` is a path that answers 200 once it is up."""

    name: str
    command: tuple[str, ...]
    path: Mapping[str, str]
    """Hook name → path to POST it to."""
    ready: str


@dataclass(frozen=True, slots=True)
class Running:
    """A started server: its process, port and the seconds from start to the first 200."""

    pid: int
    port: int
    start_seconds: float

    def cpu_seconds(self) -> float:
        """Return user plus system time of all its processes, in steps of a clock tick (10 ms as a rule)."""
        return sum(_cpu_ticks(pid) for pid in _tree(self.pid)) / TICKS

    def worker_megabytes(self) -> float:
        """Return the resident memory of its largest process that has no child of its own: a worker."""
        return max(_resident_kilobytes(pid) for pid in _tree(self.pid) if not _children(pid)) / 1024


@contextlib.contextmanager
def running(subject: Subject, environment: Mapping[str, str], seconds_to_wait: float = 30) -> Iterator[Running]:
    """Start `subject` with `environment` added, pinned to the server's core, and stop it at the end.

    Raises RuntimeError with the server's last words when it ends or does not answer in time.
    """
    port = _free_port()
    command = [part.format(port=port) for part in subject.command]
    with tempfile.TemporaryFile() as log:
        process = _start_pinned(command, {**_clean_environment(), **environment}, log)
        try:
            yield Running(process.pid, port, _seconds_until_ready(process, port, subject.ready, seconds_to_wait))
        except RuntimeError as error:
            log.seek(0)
            raise RuntimeError(f"{subject.name}: {error}\n{log.read().decode(errors='replace')[-2000:]}") from None
        finally:
            _stop(process)


def pin_client() -> bool:
    """Put this process on the client's core; False when the machine has one core only."""
    if CLIENT_CORE not in os.sched_getaffinity(0):
        return False
    os.sched_setaffinity(0, {CLIENT_CORE})
    return True


def _start_pinned(command: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a process on the server's core: it inherits the affinity this one has for a moment."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CORE})
    try:
        return subprocess.Popen(command, env=dict(environment), stdout=log, stderr=subprocess.STDOUT)
    finally:
        os.sched_setaffinity(0, before)


def _clean_environment() -> dict[str, str]:
    """Return the environment without settings of the service, which would change what is measured."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}


def _seconds_until_ready(process: subprocess.Popen[bytes], port: int, path: str, limit: float) -> float:
    started = time.perf_counter()
    while (elapsed := time.perf_counter() - started) < limit:
        if process.poll() is not None:
            raise RuntimeError(f"ended with status {process.returncode}")
        if _answers(port, path):
            return time.perf_counter() - started
        time.sleep(0.002)
    raise RuntimeError(f"did not answer {path} within {elapsed:.0f} s")


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        for pid in _tree(process.pid):
            os.kill(pid, 9)
        process.wait(timeout=10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(child) for child in path.read_text("ascii").split()]
    return found


def _tree(pid: int) -> list[int]:
    """Return the process and all below it."""
    return [pid, *(below for child in _children(pid) for below in _tree(child))]


def _cpu_ticks(pid: int) -> int:
    # The command name stands in parentheses and may hold spaces: count from after it (man 5 proc, fields 14 and 15).
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _resident_kilobytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0
