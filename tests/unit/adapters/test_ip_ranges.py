"""Which addresses are public, which are private, and which are never connected to."""

from __future__ import annotations

import pytest
from tocsin.adapters.ip_ranges import Reach, reach


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "52.96.0.1",
        "2606:4700::1111",
        "2a00:1450:4001::1a",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
    ],
)
def test_a_public_address_is_public_however_it_is_written(address: str) -> None:
    assert reach(address) is Reach.PUBLIC


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("127.8.9.10", id="the rest of loopback"),
        pytest.param("10.0.0.1", id="private 10"),
        pytest.param("172.16.0.1", id="private 172"),
        pytest.param("192.168.1.1", id="private 192"),
        pytest.param("100.64.0.1", id="carrier-grade NAT"),
        pytest.param("169.254.10.10", id="link-local"),
        pytest.param("0.0.0.0", id="unspecified"),  # noqa: S104  (nothing is bound)
        pytest.param("224.0.0.1", id="multicast"),
        pytest.param("240.0.0.1", id="reserved"),
        pytest.param("255.255.255.255", id="broadcast"),
        pytest.param("198.18.0.1", id="benchmarking"),
        pytest.param("192.0.2.1", id="documentation"),
        pytest.param("::1", id="IPv6 loopback"),
        pytest.param("::", id="IPv6 unspecified"),
        pytest.param("fe80::1%eth0", id="IPv6 link-local with its zone"),
        pytest.param("fc00::1", id="unique local"),
        pytest.param("fec0::1", id="site-local"),
        pytest.param("ff0e::1", id="IPv6 multicast"),
        pytest.param("2001:db8::1", id="IPv6 documentation"),
        pytest.param("2001::1", id="Teredo"),
        pytest.param("5f00::1", id="outside global unicast"),
        pytest.param("::ffff:127.0.0.1", id="IPv4-mapped loopback"),
        pytest.param("::127.0.0.1", id="IPv4-compatible loopback"),
        pytest.param("2002:7f00:1::", id="6to4 loopback"),
        pytest.param("64:ff9b::10.0.0.1", id="NAT64 private"),
        pytest.param("64:ff9b:1::8.8.8.8", id="local-use NAT64"),
    ],
)
def test_an_address_that_is_not_of_the_public_internet_is_private(address: str) -> None:
    assert reach(address) is Reach.PRIVATE


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "169.254.169.253",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd00:ec2::254%eth0",
        "100.100.100.200",
        "168.63.129.16",
        "::ffff:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "2002:a9fe:a9fe::",
    ],
)
def test_a_metadata_address_is_known_however_it_is_written(address: str) -> None:
    assert reach(address) is Reach.METADATA
