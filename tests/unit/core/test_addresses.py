"""Which addresses are private; what an operator allows; how hosts are spelt."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaugeway.core.addresses import AllowedPrivate, is_private, literal_address, private_kind

untimed = settings(deadline=None)

PRIVATE = [
    ("127.0.0.1", "loopback"),
    ("127.255.255.254", "loopback"),
    ("0.0.0.0", "unspecified"),
    ("0.1.2.3", "unspecified"),
    ("10.1.2.3", "private"),
    ("172.16.0.1", "private"),
    ("172.31.255.255", "private"),
    ("192.168.1.1", "private"),
    ("100.64.0.1", "carrier"),
    ("100.127.255.255", "carrier"),
    ("169.254.1.1", "link-local"),
    ("169.254.169.254", "metadata"),
    ("100.100.100.200", "metadata"),
    ("168.63.129.16", "metadata"),
    ("192.0.0.8", "reserved"),
    ("192.0.2.1", "documentation"),
    ("198.18.0.1", "benchmarking"),
    ("224.0.0.1", "multicast"),
    ("240.0.0.1", "reserved"),
    ("255.255.255.255", "reserved"),
    ("::", "unspecified"),
    ("::1", "loopback"),
    ("fc00::1", "private"),
    ("fd00:ec2::254", "metadata"),
    ("fd20:ce::254", "metadata"),
    ("fe80::1", "link-local"),
    ("fe80::1%2", "link-local"),
    ("fec0::1", "private"),
    ("ff02::1", "multicast"),
    ("2001:db8::1", "documentation"),
    ("4000::1", "reserved"),
    ("100::1", "reserved"),
    ("64:ff9b:1::1", "private"),
    # An IPv4 address inside an IPv6 one is what counts.
    ("::ffff:127.0.0.1", "loopback"),
    ("::ffff:169.254.169.254", "metadata"),
    ("::127.0.0.1", "loopback"),
    ("::ffff:0:10.0.0.1", "private"),
    ("64:ff9b::10.0.0.1", "private"),
    ("64:ff9b::169.254.169.254", "metadata"),
    ("2002:7f00:1::", "loopback"),  # 6to4 of 127.0.0.1
    ("2002:a9fe:a9fe::1", "metadata"),
    ("2001:0:4136:e378:8000:63bf:f5ff:fffe", "private"),  # Teredo, client 10.0.0.1
    ("2001:0:a00:1:8000:63bf:3fff:fdd2", "private"),  # Teredo, server 10.0.0.1
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "169.253.255.255",
    "192.0.1.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001:830::200e",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]


@pytest.mark.parametrize(("address", "kind"), PRIVATE)
def test_private_addresses_are_named_by_their_kind(address: str, kind: str) -> None:
    found = private_kind(address)
    assert found is not None
    assert kind in found
    assert is_private(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_not_private(address: str) -> None:
    assert private_kind(address) is None
    assert not is_private(address)


@untimed
@given(st.ip_addresses(v=4))
def test_nothing_the_standard_library_calls_private_is_public(address: ipaddress.IPv4Address) -> None:
    if not address.is_global or address.is_multicast:
        assert is_private(str(address))


@untimed
@given(st.ip_addresses(v=6))
def test_nothing_the_standard_library_calls_private_is_public_in_ipv6(address: ipaddress.IPv6Address) -> None:
    wraps = address.sixtofour or address.teredo or address in ipaddress.ip_network("64:ff9b::/96")
    if not wraps and (not address.is_global or address.is_multicast):
        assert is_private(str(address))


@untimed
@given(st.ip_addresses(v=4))
def test_wrapping_an_address_changes_nothing(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    nat64 = ipaddress.IPv6Address((0x0064_FF9B << 96) | number)
    sixtofour = ipaddress.IPv6Address((0x2002 << 112) | (number << 80) | 1)
    assert is_private(str(nat64)) == is_private(str(sixtofour)) == is_private(str(address))
    # The mapped forms of public addresses are not what anybody connects to: refused with the others.
    assert is_private(f"::ffff:{address}")


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("127.0.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("0xa9fea9fe", "169.254.169.254"),
        ("[::1]", "::1"),
        ("::1", "::1"),
        ("::FFFF:7f00:1", "::ffff:7f00:1"),
        ("example.com", None),
        ("1.2.3.4.5", None),
        ("256.1.1.1", None),
        ("1.2.3.256", None),
        ("089.1", None),
        ("", None),
        ("a.1", None),
        ("1..2", None),
    ],
)
def test_numbers_are_read_as_the_resolver_reads_them(host: str, address: str | None) -> None:
    assert literal_address(host) == address


@untimed
@given(st.text("0123456789abcdefx.", max_size=16))
def test_numbers_are_read_exactly_as_inet_aton_reads_them(host: str) -> None:
    try:
        expected = socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        expected = None
    assert literal_address(host) == expected


def test_networks_and_names_can_be_allowed() -> None:
    allowed = AllowedPrivate([ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128")], ["Ollama.lan"])
    assert allowed.refusal("db.example", "10.1.1.1") is None
    assert allowed.refusal("db.example", "::ffff:10.1.1.1") is None
    assert allowed.refusal("db.example", "::1") is None
    assert allowed.refusal("ollama.LAN.", "192.168.0.7") is None
    assert allowed.refusal("example.com", "1.1.1.1") is None
    refusal = allowed.refusal("db.example", "192.168.0.7")
    assert refusal is not None
    for part in ("db.example", "192.168.0.7", "private", "GAUGEWAY_PRIVATE_UPSTREAMS"):
        assert part in refusal


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "[::1]", "2130706433", "localhost", "LOCALHOST.", "a.localhost"]
)
def test_hosts_are_refused_by_their_spelling_alone(host: str) -> None:
    assert AllowedPrivate().check_literal(host) is not None
    networks = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1")]
    assert AllowedPrivate(networks).check_literal(host) is None
    assert AllowedPrivate(hosts=[host]).check_literal(host) is None


@pytest.mark.parametrize("host", ["example.com", "1.1.1.1", "intranet", "[2606:4700::1111]"])
def test_other_hosts_cannot_be_refused_by_their_spelling(host: str) -> None:
    assert AllowedPrivate().check_literal(host) is None
