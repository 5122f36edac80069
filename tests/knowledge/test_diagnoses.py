import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from cds_service.knowledge import diagnoses
from cds_service.knowledge.diagnoses import edition, listed, lookup, normal
from cds_service.knowledge.errors import KnowledgeError


@pytest.mark.parametrize(
    ("code", "billable", "side"),
    [
        pytest.param("S22.41XA", True, "right", id="right, with a seventh character"),
        pytest.param("S22.42XD", True, "left", id="left"),
        pytest.param("S22.43XA", True, "bilateral", id="both sides"),
        pytest.param("S22.49XA", True, "unspecified", id="side left open"),
        pytest.param("S22.41", False, "right", id="seventh character missing"),
        pytest.param("S22.4", False, None, id="a header"),
        pytest.param("S22", False, None, id="a category"),
        pytest.param("C50.911", True, "right", id="breast, right"),
        pytest.param("C50.919", True, "unspecified", id="breast, side left open"),
        pytest.param("C34.90", True, "unspecified", id="lung, side left open"),
        pytest.param("N63.0", True, "unspecified", id="unspecified breast"),
        pytest.param("M1A.0110", True, "right", id="a seventh character without a placeholder"),
        pytest.param("G89.18", True, None, id="no side in it"),
        pytest.param("R07.82", True, None, id="no side in it, a symptom"),
        pytest.param("M54.5", False, None, id="reported by many, a header since 2021"),
        pytest.param("M54.50", True, None, id="what took its place: unspecified, but not of a side"),
        pytest.param("M47.816", True, None, id="of the spine"),
        pytest.param("I10", True, None, id="a category without anything below it"),
        pytest.param("B20", True, None, id="a category listed as a block as well"),
        pytest.param("C50", False, None, id="a category listed as a block, with codes below it"),
        pytest.param("C4A.9", True, None, id="a letter in the third place"),
        pytest.param("QA0.0101", True, None, id="a letter in the second place"),
    ],
)
def test_a_code_of_the_release(code, billable, side):
    found = lookup(code)
    assert found is not None
    assert (found.code, found.billable, found.laterality, found.edition) == (code, billable, side, edition())


@pytest.mark.parametrize(
    "code",
    ["", " ", ".", "S22.", "S22.41XX", "S22.41XAX", "S22.99", "M47.82", "A00-A09", "1", "64461", "XXX", "S22.41 XA"],
)
def test_what_is_no_code_of_the_release(code):
    assert lookup(code) is None


@pytest.mark.parametrize(
    ("written", "official"),
    [
        ("s2241xa", "S22.41XA"),
        (" S22.41XA ", "S22.41XA"),
        ("i10", "I10"),
        ("G8918", "G89.18"),
        ("none", "NONE"),
        ("pain", "PAIN"),
        ("qa00101", "QA0.0101"),
    ],
)
def test_dot_and_case_do_not_matter(written, official):
    assert normal(written) == official


def test_found_in_any_form():
    assert lookup("s2241xa") == lookup("S22.41XA")


def test_every_code_is_as_the_package_itself_has_it():
    """The package's own tree, which the service does not load, has the same codes and the same headers."""
    script = (
        "import simple_icd_10_cm as package; from cds_service.knowledge.diagnoses import lookup;"
        "names = [name for name in package.get_all_codes(with_dots=True) if package.is_category_or_subcategory(name)];"
        "found = {name: lookup(name) for name in names}; assert len(found) > 90_000;"
        "bad = [n for n, one in found.items() if one is None or (one.code, one.billable) != (n, package.is_leaf(n))];"
        "assert not bad, bad[:20]"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_the_release_is_of_a_fiscal_year():
    release = edition()
    assert (release.valid_from.month, release.valid_from.day) == (10, 1)
    assert release.valid_to == date(release.valid_from.year + 1, 9, 30)
    assert str(release.valid_to.year) in release.label or str(release.valid_from.year) in release.label
    assert release.covers(release.valid_from)
    assert release.covers(release.valid_to)
    assert not release.covers(date(release.valid_to.year, 10, 1))


def test_threads_get_the_same_answer():
    diagnoses._read.cache_clear()
    listed.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lookup, ["S22.41XA", "S22.42XA"] * 8))
    assert {one.laterality for one in found if one} == {"right", "left"}
    assert diagnoses._read.cache_info().misses == 1


def test_a_package_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(diagnoses, "PACKAGE", "no_such_package")
    with pytest.raises(KnowledgeError, match="no_such_package"):
        edition.__wrapped__()


def test_nothing_is_read_before_the_first_question():
    """The start of the service pays for neither the package nor its files."""
    script = (
        "import sys, cds_service.knowledge.diagnoses as d; import cds_service.review.engine;"
        "assert 'simple_icd_10_cm' not in sys.modules; assert d._read.cache_info().currsize == 0;"
        "d.lookup('I10'); assert 'simple_icd_10_cm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
