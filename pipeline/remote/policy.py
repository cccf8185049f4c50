"""Policy for sources and callbacks: allowed URLs and allowed addresses of hosts."""

from __future__ import annotations

import ipaddress
import socket

import msgspec

from pipeline.errors import PermanentError, SourceUnavailable, UsageError
from pipeline.remote.urls import PORTS, Location, locate, shown
from pipeline.settings import Settings
from pipeline.tls import Files, context

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # the only range that IANA has allocated for public hosts
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_SPECIAL = tuple(  # not recognised by every Python 3.11: protocol assignments, tunnels, documentation
    ipaddress.ip_network(net)
    for net in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "2001:db8::/32", "3fff::/20")
)
_INTERNAL = tuple(
    ipaddress.ip_network(net)
    for net in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "::1/128",
        "fc00::/7",
    )
)
_METADATA = frozenset(  # cloud services that hand out credentials or settings; the others are link-local
    ipaddress.ip_address(a)
    for a in (
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure's wire server
        "192.0.0.192",  # Oracle
        "fd00:c1::a9fe:a9fe",  # Oracle
        "fd00:ec2::254",  # AWS
        "fd00:ec2::23",  # AWS: credentials of pods
        "fd20:ce::254",  # Google
        "fd00:42::42",  # Scaleway
        "fd00:a9fe:a9fe::1",  # Akamai
    )
)


class SourcePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Which URLs are allowed: those at or below a prefix. Created by `sources` or `callbacks`.

    `allow_private`: whether allowed hosts may have addresses of internal networks.
    `kind`: `source`, `callback`, `report` or `ocr`; the prefix of error codes. `tls`: whom their hosts must be
    certified by.
    """

    prefixes: tuple[Location, ...]
    allow_private: bool
    kind: str
    setting: str
    tls: Files = Files("http")

    @classmethod
    def sources(cls, allowed: str, *, allow_private: bool = False) -> SourcePolicy:
        """Parse NIGHTSHIFT_ALLOWED_SOURCES: prefixes `file://`, `s3://`, `https://`, separated by commas.

        Plain `http://` is allowed where a prefix says so. Raises `UsageError` naming the invalid prefix.
        """
        return cls._make(allowed, allow_private, "source", "NIGHTSHIFT_ALLOWED_SOURCES")

    @classmethod
    def callbacks(cls, allowed: str, *, allow_private: bool = False) -> SourcePolicy:
        """Parse NIGHTSHIFT_ALLOWED_CALLBACKS: like `sources`, but only `https://` (and `http://`).

        Raises `UsageError` naming the invalid prefix.
        """
        return cls._make(allowed, allow_private, "callback", "NIGHTSHIFT_ALLOWED_CALLBACKS")._of_web()

    @classmethod
    def receiver(cls, url: str, *, allow_private: bool = False) -> SourcePolicy:
        """Parse NIGHTSHIFT_REPORT_URL: the only URL that reports are posted to; raises as `callbacks` does."""
        return cls._make(url, allow_private, "report", "NIGHTSHIFT_REPORT_URL")._of_web()

    @classmethod
    def servers(cls, urls: str) -> SourcePolicy:
        """Parse NIGHTSHIFT_OCR_SERVERS: the only URLs that pages are sent to; raises as `callbacks` does.

        They are the operator's own, so they may be on internal networks.
        """
        return cls._make(urls, True, "ocr", "NIGHTSHIFT_OCR_SERVERS")._of_web()

    def _of_web(self) -> SourcePolicy:
        for prefix in self.prefixes:
            if prefix.scheme not in PORTS:
                raise UsageError(f"{self.setting}: {self.kind}s must use https://, not {prefix.scheme}://.")
        return self

    @classmethod
    def _make(cls, allowed: str, allow_private: bool, kind: str, setting: str) -> SourcePolicy:
        prefixes = []
        for text in filter(None, (item.strip() for item in allowed.split(","))):
            try:
                prefix = locate(text)
            except ValueError as error:
                raise UsageError(f"{setting}: the URL {shown(text)} {error}.") from None
            if prefix.scheme in PORTS and "?" in text:
                raise UsageError(f"{setting}: {shown(text)} must end before the query (?).")
            prefixes.append(prefix)
        return cls(prefixes=tuple(prefixes), allow_private=allow_private, kind=kind, setting=setting)

    def check(self, url: str) -> None:
        """Raise `PermanentError` (code `source_refused` or `callback_refused`) unless `url` is allowed."""
        self.match(url)

    def match(self, url: str) -> tuple[Location, Location]:
        """Return the URL's parts and the longest prefix that allows it; raises like `check`."""
        if not self.prefixes:
            raise self.refusal(
                f"{shown(url)} is refused, as is every URL: {self.setting} is empty; "
                "add the allowed URL prefixes to it."
            )
        try:
            place = locate(url)
        except ValueError as error:
            raise self.refusal(f"The URL {shown(url)} {error}.") from None
        covering = [prefix for prefix in self.prefixes if prefix.covers(place)]
        if not covering:
            raise self.refusal(f"{shown(url)} is refused: no prefix in {self.setting} allows it.")
        return place, max(covering, key=lambda prefix: len(prefix.parts))

    def refusal(self, sentence: str) -> PermanentError:
        """Create the error for a URL that is not allowed."""
        return PermanentError(sentence, code=f"{self.kind}_refused")

    def addresses(self, place: Location) -> list[str]:
        """Resolve an allowed location's host; raises as `resolve_public` does, with this policy's code."""
        return resolve_public(
            place.host, place.port, allow_private=self.allow_private, code=f"{self.kind}_refused"
        )


def source_policy(settings: Settings) -> SourcePolicy:
    """Policy for sources (NIGHTSHIFT_ALLOWED_SOURCES).

    Raises `UsageError` as `SourcePolicy.sources` does, and for a TLS file that can't be used.
    """
    return _certified(
        SourcePolicy.sources(settings.allowed_sources, allow_private=settings.allow_private_hosts), settings
    )


def callback_policy(settings: Settings) -> SourcePolicy:
    """Policy for callbacks (NIGHTSHIFT_ALLOWED_CALLBACKS).

    Raises `UsageError` as `SourcePolicy.callbacks` does, and for a TLS file that can't be used.
    """
    return _certified(
        SourcePolicy.callbacks(settings.allowed_callbacks, allow_private=settings.allow_private_hosts),
        settings,
    )


def report_policy(settings: Settings) -> SourcePolicy:
    """Policy for reports: NIGHTSHIFT_REPORT_URL itself, which is empty where none is posted.

    Raises `UsageError` as `SourcePolicy.receiver` does, and for a TLS file that can't be used.
    """
    return _certified(
        SourcePolicy.receiver(settings.report_url, allow_private=settings.allow_private_hosts), settings
    )


def server_policy(settings: Settings) -> SourcePolicy:
    """Policy for OCR servers: NIGHTSHIFT_OCR_SERVERS themselves.

    Raises `UsageError` as `SourcePolicy.servers` does, and for a TLS file that can't be used.
    """
    return _certified(SourcePolicy.servers(settings.ocr_servers), settings)


def _certified(policy: SourcePolicy, settings: Settings) -> SourcePolicy:
    files = Files.of(settings, "http")
    if files.given:
        context(files)
    return msgspec.structs.replace(policy, tls=files)


def resolve_public(
    host: str, port: int, *, allow_private: bool = False, code: str = "source_refused"
) -> list[str]:
    """Resolve a host and return its addresses, in the order to try them.

    The caller must connect to one of these addresses and not resolve the name again, so that a name that
    changes its address in between (DNS rebinding) has no effect. With `allow_private`
    (NIGHTSHIFT_ALLOW_PRIVATE_HOSTS) addresses of internal networks are allowed; link-local ones, cloud
    metadata services, multicast and reserved ones never are.

    Raises `PermanentError` (`code`) if any address is not allowed, `SourceUnavailable` if the lookup fails.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise SourceUnavailable(
            f"The host {host} can't be resolved ({error.strerror}): check its name and this machine's DNS."
        ) from None
    addresses = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    for address in addresses:
        ip = _embedded(ipaddress.ip_address(address))
        if not (_is_public(ip) or (allow_private and _is_internal(ip))):
            advice = (
                "" if allow_private else "; NIGHTSHIFT_ALLOW_PRIVATE_HOSTS allows hosts of internal networks"
            )
            raise PermanentError(
                f"The host {host} is refused: its address {address} is not public{advice}.", code=code
            )
    return addresses


def _embedded(ip: IPAddress) -> IPAddress:
    """The IPv4 address embedded in an IPv6 one (mapped or NAT64), else the address itself."""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return ip.ipv4_mapped
        if ip in _NAT64:
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def _is_public(ip: IPAddress) -> bool:
    if ip.version == 6 and ip not in _GLOBAL_UNICAST:
        return False
    special = ip.is_multicast or ip.is_reserved or any(ip in net for net in _SPECIAL)
    return ip.is_global and not special and ip not in _METADATA


def _is_internal(ip: IPAddress) -> bool:
    """Loopback, RFC 1918, shared (RFC 6598) and unique local addresses, as used by intranets."""
    return ip not in _METADATA and any(ip in net for net in _INTERNAL)
