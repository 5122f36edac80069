"""Tokens of clients (CDS Hooks 2.0, Trusting CDS Clients): which are taken, and that nobody learns why one is not."""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.hooks.caller import Caller, caller
from cds_service.hooks.clients import TrustedClient
from cds_service.hooks.response import Answer
from cds_service.hooks.trust import NotTrustedError, Trust, require_tokens
from cds_service.store.model import StoreUnavailableError
from tests.hooks.signing import BASE, EHR, NOW, PATH, Token, jwk, jwks, shared_secret, signed, token

PARTNER = "https://partner.example.org"
proves = pytest.mark.conformance
REFUSED = (
    b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"login",'
    b'"details":{"text":"This call needs a valid token of a registered client."}}]}'
)
KEYS = ("P-384", "RSA-2048", "P-256", "P-521", "a+b/c==")
EVERY = ("ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")


class Used:
    """What the database does for the service: remembers what was used, as long as it answers."""

    def __init__(self) -> None:
        self.tokens: dict[tuple[str, str], float] = {}
        self.down = False
        self._lock = threading.Lock()

    def __call__(self, issuer: str, jti: str, expires: float) -> bool:
        if self.down:
            raise StoreUnavailableError("the database is not available (OperationalError)")
        with self._lock:
            first = (issuer, jti) not in self.tokens
            self.tokens.setdefault((issuer, jti), expires)
            return first


def key_set() -> dict[str, Any]:
    odd = {**jwk("P-384 odd"), "kid": "a+b/c=="}
    limited = jwk("P-384 limited", alg="ES384")
    return {"keys": [*jwks("P-384", "RSA-2048", "P-256", "P-521")["keys"], odd, limited]}


def clients(**options: Any) -> list[TrustedClient]:
    ehr = {"issuer": EHR, "algorithms": EVERY, "jwks": key_set(), **options}
    partner = {"issuer": PARTNER, "jwks": jwks("P-384 partner")}
    return [TrustedClient.model_validate(ehr), TrustedClient.model_validate(partner)]


def trust(used: Used | None = None, now: float = NOW + 10, **options: Any) -> Trust:
    return Trust(clients(**options), BASE, used or Used(), now=lambda: now)


def bearer(made: Token) -> str:
    return f"Bearer {made.text()}"


@pytest.fixture
def guarded(make_app, fake) -> Any:
    """The routes behind a `Trust`."""

    def app(judge: Trust, public: frozenset[str] = frozenset()) -> Flask:
        made: Flask = make_app(fake, cors_origins=(EHR,))
        require_tokens(made, judge, public)
        return made

    return app


# --- taken -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "options"),
    [
        pytest.param(token(), {}, id="as it should be", marks=proves("jwt-iss", "jwt-exp", "jwt-iat", "jwt-jti")),
        *(
            pytest.param(
                token(header={"alg": algorithm, "kid": key}, sign=signed(key, algorithm)),
                {},
                id=f"signed {algorithm}",
                marks=proves("jwt-recommended-algorithms") if algorithm in ("ES384", "RS384") else (),
            )
            for algorithm, key in [
                ("ES256", "P-256"),
                ("ES384", "P-384"),
                ("ES512", "P-521"),
                *((family + size, "RSA-2048") for family in ("RS", "PS") for size in ("256", "384", "512")),
            ]
        ),
        pytest.param(
            token(header={"kid": "a+b/c=="}, sign=signed("P-384 odd")), {}, id="kid with + / =", marks=proves("jwt-kid")
        ),
        pytest.param(token(header={"typ": "jwt"}), {}, id="typ in small letters"),
        pytest.param(token(header={"more": [1]}, sub="x", scope={"a": [None]}), {}, id="unknown members"),
        pytest.param(
            token(header={"jku": "https://evil.example/jwks"}), {}, id="jku of a client that registered none is unread"
        ),
        pytest.param(
            token(header={"jwk": jwk("P-384 evil"), "x5u": "https://evil.example", "x5c": ["x"]}),
            {},
            id="keys in the header are unread",
        ),
        pytest.param(token(aud=[BASE + PATH]), {}, id="audience in a list", marks=proves("jwt-aud-list")),
        pytest.param(
            token(aud=["https://other.example", BASE + PATH, 7]),
            {},
            id="two audiences, one of them ours",
            marks=proves("jwt-aud-list"),
        ),
        pytest.param(
            token(aud=f"{BASE}{PATH}/"), {"audiences": [f"{BASE}{PATH}/"]}, id="registered audience with a slash more"
        ),
        pytest.param(token(aud="sand_man"), {"audiences": ["sand_man"]}, id="registered audience"),
        pytest.param(token(exp=NOW + 10.5, iat=NOW + 0.25), {}, id="parts of seconds"),
        pytest.param(token(iat=NOW - 285, exp=NOW - 15), {}, id="expired within the leeway", marks=proves("jwt-exp")),
        pytest.param(token(iat=NOW + 35, exp=NOW + 300), {}, id="from the future within the leeway"),
        pytest.param(token(nbf=NOW - 300), {}, id="nbf before iat, as Epic sends it"),
        pytest.param(token(nbf=NOW + 35), {}, id="nbf within the leeway"),
        pytest.param(token(exp=NOW + 3600), {}, id="an hour's lifetime"),
        pytest.param(token(exp=NOW + 300), {"max_lifetime_seconds": 300}, id="registered shorter lifetime"),
        pytest.param(token(tenant="west"), {}, id="tenant of a client that registered none"),
        pytest.param(
            token(tenant="west"), {"tenants": ["east", "west"]}, id="registered tenant", marks=proves("jwt-tenant")
        ),
        pytest.param(
            token(iss=PARTNER, header={"kid": "P-384 partner"}, sign=signed("P-384 partner")), {}, id="another client"
        ),
    ],
)
def test_a_token_as_it_should_be_is_taken(made, options):
    tenant = made.claims.get("tenant")
    assert trust(**options).verify(bearer(made), PATH) == Caller(made.claims["iss"], tenant)


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer    ", " Bearer "])
def test_the_name_of_the_scheme_has_no_case(scheme):
    assert trust().verify(scheme + token().text(), PATH).issuer == EHR


@pytest.mark.conformance("jwt-aud")
@pytest.mark.parametrize(
    ("path", "audience"),
    [
        ("/cds-services", "/cds-services"),
        ("/cds-services/", "/cds-services"),
        (PATH, PATH),
        (f"{PATH}/feedback", f"{PATH}/feedback"),
        (f"{PATH}/feedback", PATH),
        ("/assessments", "/assessments"),
    ],
)
def test_the_audience_is_the_address_that_is_called(path, audience):
    assert trust().verify(bearer(token(aud=BASE + audience)), path)


def test_the_answer_knows_who_called(make_app, fake, guarded, order_sign):
    seen = []
    fake.answer = lambda _: seen.append(caller()) or Answer()
    app = guarded(trust())
    headers = {"Authorization": bearer(token(tenant="west"))}
    assert app.test_client().post(PATH, json=order_sign, headers=headers).status_code == 200
    assert seen == [Caller(EHR, "west")]


def test_a_call_that_needs_no_token_has_no_caller(guarded, fake, order_sign):
    seen = []
    fake.answer = lambda _: seen.append(caller()) or Answer()
    assert guarded(trust(), frozenset({"hooks"})).test_client().post(PATH, json=order_sign).status_code == 200
    assert seen == [None]


# --- refused ---------------------------------------------------------------------------------------------------------

OTHER = PATH.replace("order-sign", "encounter-discharge")
REFUSALS = [
    # header
    pytest.param(
        token(header={"alg": "none"}, sign=lambda _: b""),
        "not a single bearer",
        id="alg none, no signature",
        marks=proves("jwt-none"),
    ),
    pytest.param(token(header={"alg": "none"}), "alg is none of", id="alg none", marks=proves("jwt-none")),
    pytest.param(token(header={"alg": "None"}), "alg is none of", id="alg None", marks=proves("jwt-none")),
    pytest.param(token(header={"alg": None}), "alg is none of", id="no alg", marks=proves("jwt-alg")),
    pytest.param(token(header={"alg": ["ES384"]}), "alg is none of", id="alg a list"),
    pytest.param(token(header={"alg": {}}), "alg is none of", id="alg an object"),
    pytest.param(token(header={"alg": "es384"}), "alg is none of", id="alg in small letters"),
    pytest.param(
        token(header={"alg": "HS256"}, sign=shared_secret("P-384")),
        "alg is none of",
        id="HS256, public key as secret",
        marks=proves("jwt-symmetric"),
    ),
    pytest.param(
        token(header={"alg": "HS256", "kid": "RSA-2048"}, sign=shared_secret("RSA-2048", Encoding.DER)),
        "alg is none of",
        id="HS256, public RSA key as secret",
        marks=proves("jwt-symmetric"),
    ),
    pytest.param(token(header={"alg": "ES256K"}), "alg is none of", id="alg of another curve"),
    pytest.param(token(header={"alg": "EdDSA"}), "alg is none of", id="alg nobody registered"),
    pytest.param(token(header={"alg": "ES256"}, sign=signed("P-384")), "signature", id="alg of a shorter curve"),
    pytest.param(
        token(header={"alg": "RS256"}, sign=signed("RSA-2048", "RS256")),
        "no key of the client",
        id="RS256 for an EC key",
    ),
    pytest.param(
        token(header={"alg": "RS256", "kid": "RSA-2048"}, sign=signed("RSA-2048", "RS512")),
        "signature",
        id="signed with another hash",
    ),
    pytest.param(
        token(header={"alg": "ES256", "kid": "P-384 limited"}, sign=signed("P-384 limited")),
        "no key of the client for this alg",
        id="key made for another alg",
    ),
    pytest.param(token(header={"kid": None}), "no kid", id="no kid", marks=proves("jwt-kid")),
    pytest.param(token(header={"kid": ""}), "no kid", id="empty kid"),
    pytest.param(token(header={"kid": 7}), "cannot be decoded", id="kid a number"),
    pytest.param(token(header={"kid": "unknown"}), "no key of the client", id="unknown kid", marks=proves("jwt-kid")),
    pytest.param(
        token(header={"kid": "P-384 partner"}, sign=signed("P-384 partner")),
        "no key of the client",
        id="kid of another client",
        marks=proves("jwt-kid"),
    ),
    pytest.param(
        token(iss=PARTNER),
        "no key of the client for this alg; client https://partner.example.org",
        id="claims to be another",
        marks=proves("jwt-signature"),
    ),
    pytest.param(
        token(sign=signed("P-384 evil")), "signature", id="signed with another key", marks=proves("jwt-signature")
    ),
    pytest.param(token(sign=lambda _: b"x" * 96), "signature", id="made-up signature", marks=proves("jwt-signature")),
    pytest.param(token(sign=lambda _: b"\0" * 96), "signature", id="signature of zeros"),
    pytest.param(token(sign=lambda _: b"x"), "signature", id="short signature"),
    pytest.param(token(header={"typ": None}), "typ is not JWT", id="no typ", marks=proves("jwt-typ")),
    pytest.param(
        token(header={"typ": "at+jwt"}), "typ is not JWT", id="a token for something else", marks=proves("jwt-typ")
    ),
    pytest.param(token(header={"typ": ["JWT"]}), "typ is not JWT", id="typ a list"),
    pytest.param(token(header={"crit": ["b64"], "b64": True}), "extension", id="crit, known to the library"),
    pytest.param(token(header={"crit": ["exp"]}), "cannot be decoded", id="crit, unknown"),
    pytest.param(token(header={"crit": []}), "cannot be decoded", id="crit, empty"),
    pytest.param(token(header={"b64": False}), "cannot be decoded", id="payload elsewhere"),
    pytest.param(replace(token(), header=["alg"]), "cannot be decoded", id="header a list"),
    pytest.param(replace(token(), header=b"{"), "cannot be decoded", id="header no JSON"),
    pytest.param(replace(token(), header=b"[" * 3000), "cannot be decoded", id="header nested"),
    # claims
    *(
        pytest.param(token(**{name: None}), reason, id=f"no {name}", marks=proves(f"jwt-{name}"))
        for name, reason in {
            "iss": "iss is not",
            "aud": "aud is not",
            "exp": "exp is not a time",
            "iat": "iat is not a time",
            "jti": "no jti",
        }.items()
    ),
    pytest.param(
        token(iss="https://evil.example"), "iss is not", id="unknown issuer", marks=proves("jwt-iss", "jwt-allow-list")
    ),
    pytest.param(token(iss=f"{EHR}/"), "iss is not", id="issuer with a slash more"),
    pytest.param(token(iss=[EHR]), "iss is not", id="issuer in a list"),
    pytest.param(token(iss={"a": 1}), "iss is not", id="issuer an object"),
    pytest.param(
        token(aud=BASE),
        f"aud is not {BASE} and the path that was called; client {EHR}",
        id="audience the base address",
        marks=proves("jwt-aud"),
    ),
    pytest.param(token(aud=f"{BASE}{PATH}/"), "aud is not", id="audience with a slash more"),
    pytest.param(token(aud=BASE.upper() + PATH), "aud is not", id="audience in capitals"),
    pytest.param(token(aud=f"http{BASE[5:]}{PATH}"), "aud is not", id="audience without encryption"),
    pytest.param(token(aud=f"{BASE}/cds-services"), "aud is not", id="audience discovery"),
    pytest.param(token(aud=f"{BASE}{OTHER}"), "aud is not", id="audience another service", marks=proves("jwt-aud")),
    pytest.param(token(aud=f"{BASE}{PATH}/feedback"), "aud is not", id="audience its feedback"),
    pytest.param(
        token(aud="https://evil.example" + PATH), "aud is not", id="audience another host", marks=proves("jwt-aud")
    ),
    pytest.param(token(aud=[]), "aud is not", id="no audience in the list", marks=proves("jwt-aud-list")),
    pytest.param(token(aud=["a", [BASE + PATH]]), "aud is not", id="audience in a list of lists"),
    pytest.param(token(aud={BASE + PATH: 1}), "aud is not", id="audience an object"),
    pytest.param(token(iat=NOW - 320, exp=NOW - 21), "exp has passed", id="expired", marks=proves("jwt-exp")),
    pytest.param(token(iat=NOW - 290, exp=NOW - 20), "exp has passed", id="expired, at the end of the leeway"),
    pytest.param(token(exp=str(NOW + 300)), "exp is not a time", id="exp in words"),
    pytest.param(token(exp=True), "exp is not a time", id="exp true"),
    pytest.param(token(exp=1e300), "exp is not a time", id="exp without end"),
    pytest.param(token(exp=int("9" * 400)), "not a JSON object", id="exp of 400 digits"),
    pytest.param(token(exp=-1), "exp is not a time", id="exp before all time"),
    pytest.param(token(exp=float("inf")), "not a JSON object", id="exp infinite"),
    pytest.param(token(exp=float("nan")), "not a JSON object", id="exp no number"),
    pytest.param(token(exp=NOW + 3601), "exp is not within 3600 s", id="lives a second too long"),
    pytest.param(token(exp=NOW), "exp is not within", id="lives not at all"),
    pytest.param(token(iat=0), "exp is not within", id="made in 1970"),
    pytest.param(
        token(iat=NOW + 41, exp=NOW + 300), "iat is in the future", id="from the future", marks=proves("jwt-iat")
    ),
    pytest.param(token(iat=[NOW]), "iat is not a time", id="iat a list"),
    pytest.param(token(nbf=NOW + 41), "nbf is in the future", id="not yet valid"),
    pytest.param(token(nbf="now"), "nbf is not a time", id="nbf in words"),
    pytest.param(token(jti=""), "no jti", id="empty jti", marks=proves("jwt-jti")),
    pytest.param(token(jti=7), "no jti", id="jti a number"),
    *(
        pytest.param(token(tenant=value), "tenant is not a line of text", id=f"tenant {name}")
        for name, value in {"a list": ["west"], "empty": "", "two lines": "a\nb", "long": "x" * 201}.items()
    ),
    pytest.param(replace(token(), claims=["iss"]), "not a JSON object", id="claims a list"),
    pytest.param(replace(token(), claims=b"no JSON"), "not a JSON object", id="claims no JSON"),
    pytest.param(replace(token(), claims=b"\xff"), "not a JSON object", id="claims no text"),
    pytest.param(replace(token(), claims=b"[" * 2500 + b"]" * 2500), "not a JSON object", id="claims nested"),
]


@pytest.mark.conformance("practice-no-reason")
@pytest.mark.parametrize(("made", "reason"), REFUSALS)
def test_any_other_token_is_401_for_a_reason_only_the_log_has(guarded, fake, order_sign, caplog, made, reason):
    used = Used()
    response = guarded(trust(used)).test_client().post(PATH, json=order_sign, headers={"Authorization": bearer(made)})
    assert (response.status_code, response.data) == (401, REFUSED)
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert fake.requests == []
    assert used.tokens == {}
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("401 at hooks.service: ")
    assert reason in record.getMessage()


WHOLE = token().text()
HEADERS = [
    pytest.param(None, "no Authorization header", id="no header"),
    pytest.param("", "not a single bearer token", id="empty"),
    pytest.param("Bearer", "not a single bearer token", id="no token"),
    pytest.param("Bearer ", "not a single bearer token", id="empty token"),
    pytest.param(WHOLE, "not a single bearer token", id="no scheme"),
    pytest.param(f"Basic {WHOLE}", "not a single bearer token", id="basic"),
    pytest.param(f"Digest {WHOLE}", "not a single bearer token", id="another scheme"),
    pytest.param(f"Bearer{WHOLE}", "not a single bearer token", id="no space"),
    pytest.param(f"Bearer {WHOLE} {WHOLE}", "not a single bearer token", id="two tokens"),
    pytest.param(
        f"Bearer {WHOLE}, Bearer {WHOLE}", "not a single bearer token", id="two headers, as servers join them"
    ),
    pytest.param(f"Bearer {WHOLE},Basic dTpw", "not a single bearer token", id="another scheme behind"),
    pytest.param(f"Basic dTpw, Bearer {WHOLE}", "not a single bearer token", id="another scheme before"),
    pytest.param(f'Bearer "{WHOLE}"', "not a single bearer token", id="in quotes"),
    pytest.param(f"Bearer {WHOLE}=", "not a single bearer token", id="padded"),
    pytest.param(f"Bearer {WHOLE}.x", "not a single bearer token", id="four parts"),
    pytest.param(f"Bearer {WHOLE.rpartition('.')[0]}", "not a single bearer token", id="two parts"),
    pytest.param(f"Bearer {WHOLE.rpartition('.')[0]}.", "not a single bearer token", id="no signature"),
    pytest.param(f"Bearer {WHOLE[:-1]}é", "not a single bearer token", id="not ASCII"),
    pytest.param("Bearer a.b.c", "cannot be decoded", id="garbage"),
    pytest.param(f"Bearer {'A' * 9000}.{WHOLE}", "longer than 8192 characters", id="huge"),
    pytest.param(f"Bearer {'.'.join(['A' * 2000] * 3)}", "cannot be decoded", id="long garbage"),
]


@pytest.mark.conformance("jwt-every-call")
@pytest.mark.parametrize(("header", "reason"), HEADERS)
def test_any_other_header_is_401(guarded, fake, order_sign, caplog, header, reason):
    headers = {} if header is None else {"Authorization": header}
    response = guarded(trust()).test_client().post(PATH, json=order_sign, headers=headers)
    assert (response.status_code, response.data) == (401, REFUSED)
    assert fake.requests == []
    assert reason in caplog.text


@pytest.mark.parametrize(
    ("options", "made", "reason"),
    [
        pytest.param(
            {"tenants": ["east"]},
            token(tenant="west"),
            "tenant is not registered",
            id="another tenant",
            marks=proves("jwt-tenant"),
        ),
        pytest.param({"tenants": ["east"]}, token(), "tenant is not registered", id="no tenant"),
        pytest.param({"audiences": ["sand_man"]}, token(), "aud is not sand_man;", id="address, where another is said"),
        pytest.param(
            {"algorithms": ["ES384"]},
            token(header={"alg": "RS384", "kid": "RSA-2048"}, sign=signed("RSA-2048", "RS384")),
            "alg is none of ES384;",
            id="algorithm this client did not register",
            marks=proves("jwt-own-algorithms"),
        ),
        pytest.param(
            {"max_lifetime_seconds": 300}, token(exp=NOW + 301), "exp is not within 300 s", id="shorter lifetime"
        ),
        pytest.param({"leeway_seconds": 0}, token(iat=NOW - 9, exp=NOW + 10), "exp has passed", id="no leeway"),
        pytest.param(
            {"jwks": None, "jku": [f"{EHR}/a"]},
            token(header={"jku": f"{EHR}/b"}),
            "jku is not registered",
            id="other jku",
            marks=proves("jwt-allow-list"),
        ),
        pytest.param(
            {"jku": [f"{EHR}/a"]},
            token(header={"jku": f"{EHR}/b"}),
            "jku is not registered",
            id="other jku, keys agreed",
        ),
        pytest.param({"jku": [f"{EHR}/a"]}, token(header={"jku": [f"{EHR}/a"]}), "jku is not", id="jku a list"),
        pytest.param({"jwks": None, "jku": [f"{EHR}/a"]}, token(), "no jku", id="no jku and no other keys"),
    ],
)
def test_what_a_client_registered_holds_for_it(options, made, reason):
    with pytest.raises(NotTrustedError, match=reason):
        trust(**options).verify(bearer(made), PATH)


@pytest.mark.conformance("jwt-keys-agreed")
def test_keys_agreed_serve_a_token_that_names_none():
    assert trust(jku=[f"{EHR}/a"]).verify(bearer(token()), PATH)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(
    header=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "jku", "crit", "b64", "x"]), json_values),
    claims=st.dictionaries(st.sampled_from(["iss", "aud", "exp", "iat", "nbf", "jti", "tenant", "x"]), json_values),
)
@settings(max_examples=300, deadline=None)
def test_whatever_a_signed_token_holds_it_is_taken_or_refused(header, claims):
    base = token()
    made = Token({**base.header, **header}, {**base.claims, **claims}, base.sign)
    with contextlib.suppress(NotTrustedError):
        assert trust(jku=[f"{EHR}/a"]).verify(bearer(made), PATH).issuer == EHR


@given(st.text() | st.text(alphabet="Bearer .eyJ-_=,", max_size=60).map(lambda text: f"Bearer {text}"))
@settings(max_examples=300, deadline=None)
def test_whatever_the_header_holds_it_is_refused(header):
    with pytest.raises(NotTrustedError):
        trust().verify(header, PATH)


# --- once ------------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("jwt-jti")
def test_a_token_is_good_for_one_call(guarded, fake, order_sign, caplog):
    client = guarded(trust()).test_client()
    headers = {"Authorization": bearer(token())}
    statuses = [client.post(PATH, json=order_sign, headers=headers).status_code for _ in range(3)]
    assert statuses == [200, 401, 401]
    assert len(fake.requests) == 1
    assert "jti was used before" in caplog.text


def test_one_id_of_two_clients_is_two_tokens():
    judge = trust()
    assert judge.verify(bearer(token()), PATH)
    partner = token(iss=PARTNER, header={"kid": "P-384 partner"}, sign=signed("P-384 partner"))
    assert judge.verify(bearer(partner), PATH)


def test_signed_anew_it_is_the_same_token():
    judge = trust()
    judge.verify(bearer(token()), PATH)
    with pytest.raises(NotTrustedError, match="used before"):
        judge.verify(bearer(token(exp=NOW + 200, aud=[BASE + PATH])), PATH)


def test_a_token_is_remembered_until_the_leeway_ends():
    used = Used()
    trust(used).verify(bearer(token()), PATH)
    assert used.tokens == {(EHR, "1"): NOW + 330}


def test_of_many_threads_with_one_token_one_is_answered():
    judge = trust()
    header = bearer(token())
    taken = []

    def call() -> None:
        try:
            taken.append(judge.verify(header, PATH))
        except NotTrustedError:
            taken.append(None)

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken.count(None) == 15


def test_without_the_database_no_token_is_taken_and_none_is_blamed(guarded, fake, order_sign, caplog):
    used = Used()
    used.down = True
    client = guarded(trust(used)).test_client()
    headers = {"Authorization": bearer(token())}
    response = client.post(PATH, json=order_sign, headers=headers)
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert response.get_json()["issue"][0]["code"] == "transient"
    assert "WWW-Authenticate" not in response.headers
    assert fake.requests == []
    assert "503 at hooks.service: the database is not available" in caplog.text
    used.down = False
    assert client.post(PATH, json=order_sign, headers=headers).status_code == 200


def test_without_the_database_a_forged_token_is_still_401(guarded, order_sign):
    used = Used()
    used.down = True
    headers = {"Authorization": bearer(token(sign=signed("P-384 evil")))}
    response = guarded(trust(used)).test_client().post(PATH, json=order_sign, headers=headers)
    assert response.status_code == 401


# --- around it -------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("cors-preflight")
@pytest.mark.parametrize("path", ["/cds-services", PATH, f"{PATH}/feedback", "/assessments"])
def test_a_preflight_has_no_token_and_is_answered(guarded, path):
    asked = {"Origin": EHR, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    response = guarded(trust()).test_client().options(path, headers=asked)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == EHR
    assert "authorization" in response.headers["Access-Control-Allow-Headers"]


@pytest.mark.conformance("cors")
def test_a_page_of_an_allowed_origin_can_read_the_refusal(guarded):
    response = guarded(trust()).test_client().post(PATH, json={}, headers={"Origin": EHR})
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (401, EHR)


def test_who_is_refused_learns_nothing_about_services_bodies_or_sizes(guarded):
    client = guarded(trust()).test_client()
    answers = [
        client.post("/cds-services/no-such-service", json={}),
        client.post("/cds-services/no-such-service/feedback", json={}),
        client.post(PATH, data=b"{"),
        client.post(PATH, data=b"x" * (11 * 1024 * 1024)),
        client.post("/assessments", json=[]),
        client.get("/cds-services"),
    ]
    assert {(answer.status_code, answer.data) for answer in answers} == {(401, REFUSED)}


@pytest.mark.conformance("practice-no-token-logged")
def test_no_marker_of_a_token_or_body_is_in_the_log_or_in_an_answer(guarded, fake, order_sign, caplog):
    caplog.set_level(logging.DEBUG)
    marker = "Jane-Marker"
    names = ("iss", "aud", "jti", "tenant", "sub", "exp", "iat", "nbf", marker)
    made = [token(**{name: marker}) for name in names]
    made += [token(header={name: marker}) for name in ("alg", "kid", "typ", "jku", "crit", marker)]
    made += [token(sub=marker, sign=signed("P-384 evil")), token(sub=marker), token(sub=marker)]
    order_sign["context"]["patientId"] = marker
    client = guarded(trust()).test_client()
    shown = ""
    for number, each in enumerate(made):
        text = each.text()
        for header in (f"Bearer {text}", f"Bearer {text} {marker}", f"{marker} {text}"):
            response = client.post(PATH, json=order_sign, headers={"Authorization": header})
            shown += f"{number} {response.status} {response.headers} {response.text}\n"
    assert shown.count("401 UNAUTHORIZED") > 40
    assert "200 OK" in shown
    assert caplog.records
    for secret in (marker, "SmFuZS1NYXJrZXI", "eyJ"):  # also in base64
        assert secret not in shown
        assert secret not in caplog.text


def test_a_caller_shows_no_more_than_it_is():
    assert repr(trust().verify(bearer(token()), PATH)) == f"Caller(issuer={EHR!r}, tenant=None)"
