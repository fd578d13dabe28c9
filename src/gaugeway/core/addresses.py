"""Which addresses are private, and which of those an operator allows."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# IANA's special-purpose registries (RFC 6890 and its updates), and the addresses at which clouds hand out
# credentials. The first that matches names the kind, so the particular ones come first.
_IPV4_KINDS: tuple[tuple[ipaddress.IPv4Network, str], ...] = tuple(
    (ipaddress.IPv4Network(network), kind)
    for network, kind in (
        ("169.254.169.254/32", "a cloud's metadata address"),
        ("100.100.100.200/32", "a cloud's metadata address"),
        ("192.0.0.192/32", "a cloud's metadata address"),
        ("168.63.129.16/32", "a cloud's metadata address"),
        ("0.0.0.0/8", "an unspecified address"),
        ("127.0.0.0/8", "a loopback address"),
        ("10.0.0.0/8", "a private address"),
        ("172.16.0.0/12", "a private address"),
        ("192.168.0.0/16", "a private address"),
        ("169.254.0.0/16", "a link-local address"),
        ("100.64.0.0/10", "a carrier's shared address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "a documentation address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("192.88.99.0/24", "a reserved address"),
        ("198.18.0.0/15", "a benchmarking address"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
    )
)
_IPV6_KINDS: tuple[tuple[ipaddress.IPv6Network, str], ...] = tuple(
    (ipaddress.IPv6Network(network), kind)
    for network, kind in (
        ("fd00:ec2::254/128", "a cloud's metadata address"),
        ("fd20:ce::254/128", "a cloud's metadata address"),
        ("::/128", "an unspecified address"),
        ("::1/128", "a loopback address"),
        ("fc00::/7", "a private address"),
        ("fec0::/10", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("ff00::/8", "a multicast address"),
        ("64:ff9b:1::/48", "a private address"),
        ("2001:db8::/32", "a documentation address"),
        ("3fff::/20", "a documentation address"),
        ("2001:2::/48", "a benchmarking address"),
    )
)
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_PROTOCOLS_OWN = ipaddress.IPv6Network("2001::/23")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_IPV4_IN_LOW_BITS = (
    ipaddress.IPv6Network("::/96"),  # IPv4-compatible
    ipaddress.IPv6Network("::ffff:0:0/96"),  # IPv4-mapped
    ipaddress.IPv6Network("::ffff:0:0:0/96"),  # IPv4-translated
    _NAT64,
)
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]+")


def private_kind(address: str) -> str | None:
    """What makes an address private ("a loopback address"), or None for one on the public internet.

    What is no address at all is an error of the caller: ValueError.
    """
    return _kind(ipaddress.ip_address(address))


def is_private(address: str) -> bool:
    """True for every address that is not a plain one on the public internet."""
    return private_kind(address) is not None


def literal_address(host: str) -> str | None:
    """The address that a host written in numbers means, or None where the host is a name.

    Takes the spellings that the system's resolver takes: "[::1]", "127.1", "2130706433", "0x7f.0.0.1", "0177.1".
    """
    bare = host.removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return _numeric_ipv4(bare)


class AllowedPrivate:
    """The private addresses that requests may go to: networks, and host names whatever they resolve to."""

    def __init__(self, networks: Iterable[Network] = (), hosts: Iterable[str] = ()) -> None:
        self._networks = tuple(networks)
        self._hosts = frozenset(_plain_name(host) for host in hosts)

    def refusal(self, host: str, address: str) -> str | None:
        """Why a request to `host` may not go to `address`: a sentence that says what would allow it; or None."""
        parsed = ipaddress.ip_address(address)
        kind = _kind(parsed)
        if kind is None or self._allows_name(host) or self._allows_address(parsed):
            return None
        return _sentence(host, f"{address} is {kind}")

    def check_literal(self, host: str) -> str | None:
        """Why a host can be refused by its spelling alone, without asking a resolver; None where it cannot."""
        address = literal_address(host)
        if address is not None:
            return self.refusal(host, address)
        name = _plain_name(host)
        if (name == "localhost" or name.endswith(".localhost")) and not self._allows_name(host):
            loopback = ("127.0.0.1", "::1")
            if not any(self._allows_address(ipaddress.ip_address(item)) for item in loopback):
                return _sentence(host, "it is this machine")
        return None

    def _allows_name(self, host: str) -> bool:
        return _plain_name(host) in self._hosts

    def _allows_address(self, address: Address) -> bool:
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        address = mapped or address
        return any(address.version == network.version and address in network for network in self._networks)


def _sentence(host: str, why: str) -> str:
    return (
        f"Requests may not go to {host!r}: {why}."
        " The operator can allow it by naming the host or its network in GAUGEWAY_PRIVATE_UPSTREAMS."
    )


def _plain_name(host: str) -> str:
    return host.lower().rstrip(".")


def _kind(address: Address) -> str | None:
    if isinstance(address, ipaddress.IPv4Address):
        return next((kind for network, kind in _IPV4_KINDS if address in network), None)
    for network, kind in _IPV6_KINDS:
        if address in network:
            return kind
    for wrapped in _wrapped_ipv4(address):
        kind = _kind(wrapped)
        if kind is not None:
            return f"{kind} ({wrapped}) wrapped in IPv6"
    if address in _NAT64 or address.teredo is not None:
        return None
    if address in _PROTOCOLS_OWN or address not in _GLOBAL_UNICAST:
        return "a reserved address"
    return None


def _wrapped_ipv4(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses that packets to this one may end up at."""
    if any(address in network for network in _IPV4_IN_LOW_BITS):
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    if address.sixtofour is not None:
        return [address.sixtofour]
    return list(address.teredo or ())


def _numeric_ipv4(text: str) -> str | None:
    """inet_aton(3): one to four numbers, decimal, octal or hexadecimal; the last fills the remaining bytes."""
    parts = text.split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    try:
        numbers = [_number(part) for part in parts]
    except ValueError:
        return None
    *leading, last = numbers
    if any(number > 255 for number in leading) or last >= 256 ** (4 - len(leading)):
        return None
    value = last
    for position, number in enumerate(leading):
        value |= number << (8 * (3 - position))
    return str(ipaddress.IPv4Address(value))


def _number(part: str) -> int:
    if part[:2].lower() == "0x":
        return int(part, 16)
    return int(part, 8 if part.startswith("0") else 10)
