"""How the service is asked something odd, and what every answer must be, whatever was asked."""

from __future__ import annotations

import json
import logging
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import FrameType

from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from cds_service.resources import schema

STATUSES = frozenset({200, 400, 404, 405, 412, 413, 422})
HANGS_AFTER_S = 20
"""Far more than any of these requests takes, also on a busy machine."""
_GIVEN_AWAY = re.compile(rb"Traceback|File \"|\.py\b|/site-packages/|Error\b|Exception\b")
"""What a stack trace, the message of an exception or a path of the installation would have in it."""
_FAILED = re.compile(rb"error id [0-9a-f]{12}")
"""How `notChecked` says that a rule raised an exception."""


def ask(client: FlaskClient, path: str, body: bytes, secret: bytes | None = None) -> tuple[int, bytes]:
    """Post `body`, judge the answer, and return its status and content.

    Args:
        client: of the application.
        path: where to.
        body: anything.
        secret: what stands in the request for data of a patient, and must not be repeated by a refusal.

    Raises:
        AssertionError: the answer is not as it must be, the log has an error, or no answer came.
    """
    with _no_errors_logged(), _within(HANGS_AFTER_S):
        answer = client.post(path, data=body, content_type="application/json")
        content = answer.get_data()
    judge(path, answer.status_code, content)
    if secret is not None and answer.status_code != 200:
        assert secret not in content
    return answer.status_code, content


def judge(path: str, status: int, body: bytes) -> None:
    """Do nothing where an answer is as it must be, else raise AssertionError.

    No body may tell of a fault of the service, also none that was caught; 200 follows the schema of the answer, and
    everything else is an OperationOutcome that tells nothing of the inside.
    """
    assert status in STATUSES, f"{status}: {body[:500]!r}"
    assert not _FAILED.search(body), _FAILED.findall(body)
    kind = _kind(path) if status == 200 else "operation-outcome"
    if kind is None:
        assert body == b"{}"
    else:
        wrong = next(_validator(kind).iter_errors(json.loads(body)), None)
        assert wrong is None, f"{wrong.json_path}: {wrong.message[:300]}"
    if status != 200:
        assert not _GIVEN_AWAY.search(body), body[:500]


def _kind(path: str) -> str | None:
    if path.endswith("/feedback"):
        return None
    return "assessment" if path == "/assessments" else "response"


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schema(name))


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def _no_errors_logged() -> Iterator[None]:
    """Fail where the service logs a fault: one that was answered with 500, or one that was caught."""
    errors = _Errors()
    logger = logging.getLogger("cds_service")
    logger.addHandler(errors)
    try:
        yield
    finally:
        logger.removeHandler(errors)
    assert not errors.messages, errors.messages[0]


@contextmanager
def _within(seconds: int) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"no answer after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
