"""The access log names the addresses that are served, and repeats nothing that a caller wrote into one."""

from __future__ import annotations

import logging

import pytest

from cds_service.access_log import NO_METHOD, NOT_OURS, KnownAddresses

RULES = [
    "/cds-services",
    "/cds-services/<service_id>",
    "/cds-services/<service_id>/feedback",
    "/codes/<code>",
    "/static/<path:filename>",
    "/a.b",
]


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/cds-services", "/cds-services"),
        ("/cds-services/", "/cds-services"),
        ("/cds-services/jane-roe", "/cds-services/<service_id>"),
        ("/cds-services/jane-roe/feedback", "/cds-services/<service_id>/feedback"),
        ("/cds-services/jane/roe", NOT_OURS),
        ("/cds-services/a\nb", "/cds-services/<service_id>"),
        ("/codes/64461", "/codes/<code>"),
        ("/static/jane/roe.css", "/static/<path:filename>"),
        ("/a.b", "/a.b"),
        ("/axb", NOT_OURS),
        ("/Patient/jane-roe", NOT_OURS),
        ("/", NOT_OURS),
        ("", NOT_OURS),
        ("/cds-services/<service_id>", "/cds-services/<service_id>"),
    ],
)
def test_an_address_is_written_as_the_rule_it_is_served_by(path, written):
    record = logging.LogRecord("granian.access", logging.INFO, "", 0, "%(method)s %(path)s", None, None)
    record.args = {"method": "GET", "path": path}
    assert KnownAddresses(RULES).filter(record)
    assert record.getMessage() == f"GET {written}"


@pytest.mark.parametrize(
    ("method", "written"), [("GET", "GET"), ("OPTIONS", "OPTIONS"), ("get", NO_METHOD), ("JANE-ROE", NO_METHOD)]
)
def test_a_method_is_written_if_it_is_one(method, written):
    record = logging.LogRecord("granian.access", logging.INFO, "", 0, "%(method)s %(path)s", None, None)
    record.args = {"method": method, "path": "/cds-services"}
    assert KnownAddresses(RULES).filter(record)
    assert record.getMessage() == f"{written} /cds-services"


def test_a_line_without_members_stays_as_it_is():
    record = logging.LogRecord("granian.access", logging.INFO, "", 0, "started %s", ("x",), None)
    assert KnownAddresses(RULES).filter(record)
    assert record.getMessage() == "started x"
