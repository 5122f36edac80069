"""Which FHIR server may be asked, and which address on the network may be connected to for it.

The server's address comes with the request, so it is not trusted. It is compared with the site's list as a whole, and
what its name resolves to is looked at as well: a name on the list must not lead into the inner network (SSRF, DNS
rebinding: https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

Network = IPv4Network | IPv6Network
_Address = IPv4Address | IPv6Address

_OF_IPV4: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"), IPv6Network("::ffff:0:0:0/96"))
"""IPv6 addresses that end in the IPv4 address they stand for: NAT64 (RFC 6052), compatible (RFC 4291, 2.5.5.1) and
translated ones (RFC 2765)."""
_INNER: Final = (IPv6Network("64:ff9b:1::/48"), IPv6Network("fec0::/10"))
"""Not public, although Python counts them so: a site's own NAT64 (RFC 8215), and site-local (RFC 3879)."""
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def is_allowed(server: str, allowed: Collection[str] | None) -> bool:
    """Return whether a FHIR server may be asked.

    It must be one of `allowed` (base addresses; with None, any server on loopback), and be reached by https or on
    loopback.
    """
    base = base_of(server)
    if base is None:
        return False
    if allowed is None:
        return is_loopback(urlsplit(base).hostname)
    return base in {base_of(each) for each in allowed}


def base_of(address: object) -> str | None:
    """Return a base address in one form, or None where no request may go there."""
    if not isinstance(address, str) or _is_odd(address):
        return None
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    if not host or parts.query or parts.fragment or parts.username is not None or _climbs(parts.path):
        return None
    if scheme != "https" and not (scheme == "http" and is_loopback(host)):
        return None
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}{'' if port in (None, _DEFAULT_PORTS[scheme]) else f':{port}'}{parts.path.rstrip('/')}"


def within(base: str, address: object) -> str | None:
    """Return an address as one below `base` (a result of `base_of`), or None where it leads to anywhere else.

    A relative address counts from `base`. What is returned starts with `base`, letter by letter.
    """
    if not isinstance(address, str) or not address or _is_odd(address):
        return None
    try:
        parts = urlsplit(urljoin(f"{base}/", address))
    except ValueError:
        return None
    start = base_of(parts._replace(query="", fragment="").geturl())
    if start is None or _climbs(parts.path) or not f"{start}/".startswith(f"{base}/"):
        return None
    return f"{start}?{parts.query}" if parts.query else start


def is_loopback(host: str | None) -> bool:
    """Return whether a host, as written, is this machine: "localhost" or an address of loopback."""
    address = _literal(host or "")
    return host == "localhost" or (address is not None and address.is_loopback)


def may_connect(found: str, host: str, networks: Collection[Network]) -> bool:
    """Return whether `found`, an address that `host` resolves to, may be connected to.

    Public addresses; those in `networks`; the one that `host` itself is, since the site has then listed it; loopback
    for "localhost". Everything else (private, link-local with the clouds' metadata, loopback, multicast) is not.
    """
    address = ipaddress.ip_address(found.partition("%")[0])
    name = host.strip("[]")
    if name == "localhost":
        return address.is_loopback
    if _literal(name) == address or any(address in network for network in networks):
        return True
    if any(address in network for network in _INNER):
        return False
    return all(each.is_global and not each.is_multicast for each in (address, *_inside(address)))


def _literal(host: str) -> _Address | None:
    """Return the address that a host is, in the usual writing; other ones (decimal, octal) count as names."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _inside(address: _Address) -> Iterator[IPv4Address]:
    """Yield the IPv4 addresses an IPv6 address stands for on the way to its destination."""
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if any(address in network for network in _OF_IPV4):
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def _is_odd(address: str) -> bool:
    """Return whether an address has characters that programs read differently."""
    return "\\" in address or not address.isascii() or any(letter <= " " or letter == "\x7f" for letter in address)


def _climbs(path: str) -> bool:
    """Return whether a path has steps that lead up, written out or encoded.

    Servers of Java take a step's parameters away ("..;x" is ".." to them), so they do not count here either.
    """
    steps = [unquote(unquote(step)) for step in path.split("/")]
    return any(step.partition(";")[0] in (".", "..") or "/" in step or "\\" in step for step in steps)
