"""`cds-service keys`: a key pair, its registration and a signed token, to try client trust within a minute."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import time
from pathlib import Path
from typing import Any, Final

import click
import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from cds_service.commands.loading import InputError, read_settings
from cds_service.hooks.services import ORDER_SIGN_SERVICE

PRIVATE_KEY: Final = "private-key.pem"
KEY_SET: Final = "jwks.json"
REGISTRATION: Final = "trusted-clients.toml"

ISSUER: Final = "https://ehr.example.org"
LIFETIME_S: Final = 300

_ALGORITHM: Final = "ES384"
_REQUEST: Final = {
    "hook": "order-sign",
    "hookInstance": "5f0c1a52-9f0e-4f3a-8a51-7f0a4f1f9c11",
    "context": {
        "userId": "Practitioner/anna",
        "patientId": "example",
        "draftOrders": {"resourceType": "Bundle", "type": "collection"},
    },
    "prefetch": {"patient": {"resourceType": "Patient", "id": "example"}},
}


@click.command("keys")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("cds-keys"),
    show_default=True,
    metavar="DIR",
    help="The folder of the files; one that has them is only read.",
)
def command(out: Path) -> None:
    r"""Make a key pair of a test client, register it, and sign a token with it.

    \b
    private-key.pem       signs tokens (ES384); keep it secret
    jwks.json             the public key, as a client publishes it
    trusted-clients.toml  the registration, for CDS_TRUSTED_CLIENTS

    No file is ever overwritten. Where all three are there, the key in DIR signs another token: a token is good for five
    minutes, one address and one call.
    """
    names = (PRIVATE_KEY, KEY_SET, REGISTRATION)
    there = [name for name in names if os.path.lexists(out / name)]
    if not there:
        _make(out)
        click.echo(f"Made {', '.join(names)} in {out}.\n")
    elif len(there) < len(names):
        raise InputError(f"{out} has {' and '.join(there)} already; nothing was written: choose another folder")
    _show(out)


def _make(folder: Path) -> None:
    private = ec.generate_private_key(ec.SECP384R1())
    kid = secrets.token_hex(8)
    public = jwt.algorithms.ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    key_set = {"keys": [{**public, "kid": kid, "use": "sig", "alg": _ALGORITHM}]}
    registration = (
        "# The clients whose tokens are accepted: CDS_TRUSTED_CLIENTS is the path of this file.\n"
        f'[[issuers]]\nissuer = "{ISSUER}"\nalgorithms = ["{_ALGORITHM}"]\njwks_file = "{KEY_SET}"\n'
    )
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(folder / PRIVATE_KEY, pem, 0o600)
        _write(folder / KEY_SET, orjson.dumps(key_set, option=orjson.OPT_INDENT_2) + b"\n", 0o644)
        _write(folder / REGISTRATION, registration.encode(), 0o644)
    except OSError as error:
        raise InputError(f"{error.filename or folder} cannot be written ({error.strerror})") from None


def _write(path: Path, content: bytes, mode: int) -> None:
    # Made anew (O_EXCL follows no link) and with its mode from the first moment, so that nobody reads it in between.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)


def _show(folder: Path) -> None:
    address = f"{read_settings(trusted_clients=()).public_url}/cds-services/{ORDER_SIGN_SERVICE.id}"
    token = _sign(folder, address)
    variable = f"CDS_TRUSTED_CLIENTS={shlex.quote(str((folder / REGISTRATION).absolute()))}"
    call = (
        f"curl {shlex.quote(address)} \\",
        f"  --header 'Authorization: Bearer {token}' \\",
        "  --header 'Content-Type: application/json' \\",
        f"  --data '{json.dumps(_REQUEST)}'",
    )
    click.echo(f"Start the service so that it asks for tokens:\n\n{variable} cds-service serve\n")
    click.echo(f"Token of {ISSUER}, for one call within five minutes:\n\n{token}\n")
    click.echo("Use it, {} for an answer and a second time for a 401:\n\n{}".format("once", "\n".join(call)))


def _sign(folder: Path, audience: str) -> str:
    """Return a token for `audience`, signed with the key in `folder`."""
    try:
        private: Any = load_pem_private_key((folder / PRIVATE_KEY).read_bytes(), password=None)
        kid = json.loads((folder / KEY_SET).read_bytes())["keys"][0]["kid"]
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "iat": now,
            "exp": now + LIFETIME_S,
            "jti": secrets.token_hex(16),
        }
        return jwt.encode(claims, private, _ALGORITHM, headers={"kid": kid})
    except (OSError, ValueError, LookupError, TypeError, jwt.PyJWTError) as error:
        raise InputError(f"{folder} has no key of this command ({type(error).__name__})") from None
