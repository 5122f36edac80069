import pytest

RULE = "guidance-code"
LUMBAR = {"technique": "interlaminar-epidural", "region": "lumbar", "levels": "L4-L5", "side": None}
NECK = LUMBAR | {"region": "cervical", "levels": "C7-T1"}
FLUOROSCOPY = {"guidance": ["fluoroscopy"]}
ADDENDUM = " If fluoroscopy or CT was used, the author of the note can add it in a dated addendum."


@pytest.mark.parametrize(
    ("blocks", "options"),
    [
        pytest.param([LUMBAR | FLUOROSCOPY], {"claim": "62323"}, id="with imaging"),
        pytest.param([LUMBAR], {"claim": "62322"}, id="without imaging"),
        pytest.param([LUMBAR | {"guidance": ["landmark"]}], {"claim": "62322"}, id="by landmarks"),
        pytest.param([LUMBAR | {"guidance": ["ultrasound"]}], {"claim": "62322"}, id="ultrasound is not the imaging"),
        pytest.param([LUMBAR | {"guidance": ["landmark", "ct"]}], {"claim": "62323"}, id="two guidances told"),
        pytest.param([NECK | FLUOROSCOPY | {"catheter": True}], {"claim": "62325"}, id="a catheter with imaging"),
        pytest.param([LUMBAR], {"claim": "62323", "notes": "unknown"}, id="no note that could tell"),
        pytest.param([LUMBAR], {"claim": "62323", "not_read": ["documents"]}, id="a note could not be read"),
        pytest.param([LUMBAR], {"claim": "62321"}, id="another region: not here"),
        pytest.param([LUMBAR | FLUOROSCOPY], {"claim": "62327"}, id="no catheter: not here"),
        pytest.param(
            [{"technique": "facet", "region": "lumbar", "levels": "L4-L5", "guidance": ["ultrasound"]}],
            {"claim": "64493-RT"},
            id="facets: not here",
        ),
        pytest.param([LUMBAR | FLUOROSCOPY], {"orders": "62323"}, id="ordered as such"),
    ],
)
def test_silent(blocks, options, judge):
    assert judge(RULE, *blocks, **options) == []


@pytest.mark.parametrize(
    ("block", "options", "message", "remedy"),
    [
        pytest.param(
            LUMBAR,
            {"claim": "62323"},
            "62323 stands for an injection or catheter under fluoroscopy or CT, "
            "but the record does not document fluoroscopy or CT.",
            "Report 62322 ×1." + ADDENDUM,
            id="imaging nobody wrote down",
        ),
        pytest.param(
            LUMBAR | {"guidance": ["landmark"]},
            {"claim": "62323"},
            "62323 stands for an injection or catheter under fluoroscopy or CT, but the record documents landmarks.",
            "Report 62322 ×1." + ADDENDUM,
            id="placed by landmarks",
        ),
        pytest.param(
            LUMBAR | FLUOROSCOPY,
            {"claim": "62322"},
            "62322 stands for an injection or catheter without imaging, but the record documents fluoroscopy.",
            "Report 62323 ×1.",
            id="imaging given away",
        ),
        pytest.param(
            NECK | FLUOROSCOPY | {"catheter": True},
            {"claim": "62324"},
            "62324 stands for an injection or catheter without imaging, but the record documents fluoroscopy.",
            "Report 62325 ×1.",
            id="a catheter",
        ),
        pytest.param(
            LUMBAR | FLUOROSCOPY,
            {"orders": "62322"},
            "62322 stands for an injection or catheter without imaging, but the record documents fluoroscopy.",
            "Order 62323 ×1.",
            id="ordered",
        ),
    ],
)
def test_speaks(block, options, message, remedy, judge):
    (finding,) = judge(RULE, block, **options)
    assert (finding.message, finding.remedy) == (message, remedy)


def test_it_speaks_alone(make_case, make_block, every_finding):
    (finding,) = every_finding(make_case(make_block(**LUMBAR, **FLUOROSCOPY), claim="62322"))
    assert finding.rule == RULE
    assert [evidence.quote for evidence in finding.evidence] == ["62322", "fluoroscopy"]
