from __future__ import annotations


def test_healthz_answers_while_the_process_does(client, fake):
    fake.check = "the feedback database is not available"
    response = client.get("/healthz")
    assert (response.status_code, response.get_json()) == (200, {"status": "ok"})


def test_readyz_answers_200_where_every_check_is_fine(client):
    response = client.get("/readyz")
    assert (response.status_code, response.get_json()) == (200, {"status": "ok", "checks": {"database": "ok"}})
    assert response.headers["Cache-Control"] == "no-store"


def test_readyz_answers_503_and_says_which_check_failed(client, fake):
    fake.check = "the feedback database is not available"
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.get_json() == {
        "status": "unavailable",
        "checks": {"database": "the feedback database is not available"},
    }
