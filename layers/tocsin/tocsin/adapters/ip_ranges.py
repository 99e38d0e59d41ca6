"""Which IP addresses a host that an admin typed may resolve to."""

from __future__ import annotations

from enum import Enum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address


class Reach(Enum):
    """How far an address may be used."""

    PUBLIC = "public"
    PRIVATE = "private"  # only where the operator listed host and port
    METADATA = "metadata"  # never: it hands out the machine's own credentials


_METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google and most others
        "169.254.169.253",  # Amazon's resolver
        "169.254.170.2",  # ECS task credentials
        "169.254.170.23",  # EKS pod identity
        "fd00:ec2::254",
        "fd00:ec2::253",
        "fd00:ec2::23",
        "fd20:ce::254",  # Google
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure's wire server, in public space
        "192.0.0.192",  # Oracle
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052 section 2.1


def reach(address: str) -> Reach:
    """Judge an address as a resolver gives it; one that embeds an IPv4 address is judged by that."""
    ip = _unwrapped(ip_address(address.partition("%")[0]))
    if ip in _METADATA:
        return Reach.METADATA
    return Reach.PUBLIC if _is_public(ip) else Reach.PRIVATE


def _unwrapped(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    if isinstance(ip, IPv6Address) and ip not in _GLOBAL_UNICAST:
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved
