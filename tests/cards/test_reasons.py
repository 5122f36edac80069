import pytest

from cds_service.cards.reasons import SYSTEM, override_reasons


@pytest.mark.parametrize("kind", ["suggested-codes", "suggested-orders", "missing-documentation", "clarification"])
def test_every_kind_of_card_has_reasons_a_client_can_store(kind: str) -> None:
    reasons = override_reasons(kind)
    codes = [reason["code"] for reason in reasons]
    assert len(set(codes)) == len(codes) > 3
    for reason in reasons:
        assert reason["system"] == SYSTEM
        assert reason["display"].strip()


def test_the_sets_differ_by_kind() -> None:
    assert override_reasons("suggested-codes") != override_reasons("missing-documentation")


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(KeyError):
        override_reasons("weather")
