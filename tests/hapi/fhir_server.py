"""A real FHIR server for tests: HAPI FHIR's JPA server for R4, in memory, on a free port of loopback.

What it is made of comes from Maven Central into Maven's own cache, once (`launcher/pom.xml`, 330 MB).

    python -m tests.hapi.fhir_server

starts one with the sample cases in it, says its address, and ends it at Ctrl-C.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Any, Final

import requests

from cds_service.resources import cases_folder
from docker.seed_hapi import transaction

MISSING: Final = "Java 17 or Maven is not installed (Debian: apt-get install default-jdk-headless maven)"
FHIR_JSON: Final = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}

_LAUNCHER: Final = Path(__file__).parent / "launcher"
_BUILT: Final = _LAUNCHER / "target"
_CLASSPATH: Final = _BUILT / "classpath"
_BUILD_WITHIN_S: Final = 600
_START_WITHIN_S: Final = 90
# Starting is most of what it does here: the quick compiler is three times as fast at that as the thorough one.
_JAVA: Final = ("java", "-Xmx1500m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


class NotStartedError(Exception):
    """The server could not be built or started; says the last it wrote."""


def programs() -> bool:
    """Return whether the machine has what building and running it takes."""
    return shutil.which("javac") is not None and shutil.which("mvn") is not None


def build() -> None:
    """Compile the launcher and fetch what it needs, where that has not been done. Raises `NotStartedError`."""
    _BUILT.mkdir(exist_ok=True)
    with (_BUILT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run of the tests may be at it
        if _is_built():
            return
        # -C: a file that is not what Central says it is ends the build.
        command = ["mvn", "-B", "-C", "-q", "-Dmaven.wagon.http.retryHandler.count=3"]
        command += ["compile", "dependency:build-classpath", f"-Dmdep.outputFile={_CLASSPATH}"]
        done = subprocess.run(
            command, cwd=_LAUNCHER, capture_output=True, text=True, timeout=_BUILD_WITHIN_S, check=False
        )
        if done.returncode:
            _CLASSPATH.unlink(missing_ok=True)
            raise NotStartedError(f"Maven: {done.stdout[-3000:]}{done.stderr[-1000:]}")


def _is_built() -> bool:
    if not _CLASSPATH.exists() or not (_BUILT / "classes" / "FhirServer.class").exists():
        return False
    sources = [_LAUNCHER / "pom.xml", *(_LAUNCHER / "src").rglob("*")]
    newest = max(path.stat().st_mtime for path in sources)
    jars = _CLASSPATH.read_text("utf-8").strip().split(os.pathsep)
    return _CLASSPATH.stat().st_mtime > newest and all(Path(jar).exists() for jar in jars)


class LocalFhirServer:
    """The server, built and started; it holds nothing. Call `close` at the end.

    It is a process of its own group, and ends by itself when this one does: its standard input is a pipe from here.

    Raises:
        NotStartedError: it could not be built, ended by itself, or was not ready in time.
    """

    def __init__(self) -> None:
        build()
        self._folder = Path(tempfile.mkdtemp(prefix="cds-hapi-"))
        self._log = self._folder / "log"
        classpath = f"{_BUILT / 'classes'}{os.pathsep}{_CLASSPATH.read_text('utf-8').strip()}"
        command = [*_JAVA, f"-Djava.io.tmpdir={self._folder}", "-cp", classpath, "FhirServer"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        try:
            self.base = f"http://127.0.0.1:{self._port()}/fhir"
        except NotStartedError:
            self.close()
            raise

    def load(self, transaction: Mapping[str, Any]) -> None:
        """Load a transaction Bundle. Raises AssertionError with what the server says where it refuses any of it."""
        answer = requests.post(self.base, json=transaction, headers=FHIR_JSON, timeout=120)
        assert answer.ok, f"{answer.status_code}: {answer.text[:2000]}"

    def get(self, query: str, **headers: str) -> requests.Response:
        """Return the answer to a GET of `query`, below the base address."""
        return requests.get(f"{self.base}/{query}", headers={**FHIR_JSON, **headers}, timeout=60)

    def kill(self) -> None:
        """End it as a crash would, in the middle of whatever it does."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """End it, and remove its files."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _port(self) -> int:
        output: IO[bytes] | None = self._process.stdout
        assert output is not None
        until = time.monotonic() + _START_WITHIN_S
        while (left := until - time.monotonic()) > 0 and select.select([output], [], [], left)[0]:
            line = output.readline()
            if line.startswith(b"ready "):
                return int(line.split()[1])
            if not line:
                break
        raise NotStartedError(
            f"not ready within {_START_WITHIN_S} s: {self._log.read_text('utf-8', 'replace')[-3000:]}"
        )


def main() -> None:
    """Run a server with the sample cases until Ctrl-C."""
    server = LocalFhirServer()
    with suppress(KeyboardInterrupt), closing(server):
        for path in sorted(cases_folder().glob("*/bundle.json")):
            server.load(transaction(json.loads(path.read_text("utf-8")), path.parent.name))
        print(f"{server.base} holds the sample cases; Ctrl-C ends it", flush=True)  # noqa: T201 - it is what it says
        signal.pause()


if __name__ == "__main__":
    main()
