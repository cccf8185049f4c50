"""TLS to the broker, S3 and HTTPS hosts: who is trusted, who we say we are, and what a refusal means.

The chain and the name of a server are always checked, by TLS 1.2 or later; no setting turns this off. The files are
read again when they have changed, so that a renewed certificate needs no restart.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from pipeline.environment import PREFIX, printable
from pipeline.errors import UsageError

Service = Literal["broker", "s3", "http"]
SERVICES: tuple[Service, ...] = get_args(Service)
PARTS = ("ca", "cert", "key")

_HOST_MISMATCH = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH and _IP_ADDRESS_MISMATCH of OpenSSL
_OTHER_NAME = (
    "its certificate was issued for another name; connect by a name that is in the certificate, or have this one "
    "added to it"
)
_EXPIRED, _NOT_YET = 10, 9
_UNKNOWN_ISSUER = (2, 18, 19, 20, 21, 27)  # no issuer, self-signed, not in the file, untrusted
_ASKS = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE")
_REFUSES = (
    "ALERT_UNKNOWN_CA",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_UNSUPPORTED_CERTIFICATE",
    "ALERT_CERTIFICATE",
    "ALERT_ACCESS_DENIED",
    "ALERT_DECRYPT_ERROR",
)
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE")
_OLD = ("ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE")


class Files(msgspec.Struct, frozen=True):
    """PEM files for one service: authorities to trust, our certificate, its key; each may be empty.

    Without `ca` the system's authorities are trusted; with it only those in the file. The key may be in the file of
    the certificate.
    """

    service: Service
    ca: str = ""
    cert: str = ""
    key: str = ""

    @classmethod
    def of(cls, settings: Any, service: Service) -> Files:
        """Those of the settings `NIGHTSHIFT_<SERVICE>_CA`, `_CERT` and `_KEY`."""
        return cls(service, *(getattr(settings, f"{service}_{part}") for part in PARTS))

    @property
    def given(self) -> bool:
        """Whether there are any."""
        return bool(self.ca or self.cert or self.key)

    def setting(self, name: str) -> str:
        """The variable of one of them."""
        return f"{PREFIX}{self.service.upper()}_{name.upper()}"


class Refusal(msgspec.Struct, frozen=True):
    """Why there is no TLS connection, as one sentence. `lasting`: a person must act on a certificate."""

    sentence: str
    lasting: bool


_contexts: dict[Files, tuple[tuple[int, ...], ssl.SSLContext]] = {}


def context(files: Files) -> ssl.SSLContext:
    """What to connect with; raises `UsageError` that names the setting of a file that can't be used."""
    stamp = tuple(_changed(files, part) for part in PARTS)
    known = _contexts.get(files)
    if known and known[0] == stamp:
        return known[1]
    if files.key and not files.cert:
        raise UsageError(f"Set {files.setting('cert')} together with {files.setting('key')}.")
    made = _trusting(files)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.cert:
        _identify(made, files)
    _contexts[files] = stamp, made
    return made


def _changed(files: Files, name: str) -> int:
    """When a file was last changed, after it could be opened; 0 where none is set."""
    path = getattr(files, name)
    if not path:
        return 0
    try:
        with Path(path).open("rb") as file:
            file.read(1)
        return Path(path).stat().st_mtime_ns
    except OSError as error:
        raise _invalid(files, name, f"a readable PEM file; {error.strerror}") from None


def _invalid(files: Files, name: str, expected: str) -> UsageError:
    path = printable(getattr(files, name))[:200]
    return UsageError(f'Invalid setting {files.setting(name)}="{path}": expected {expected}.')


def _trusting(files: Files) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=files.ca or None)
    except ssl.SSLError:
        raise _invalid(files, "ca", "a PEM file with certificates of authorities") from None


class _Encrypted(Exception):
    """A key asks for a password."""


def _identify(made: ssl.SSLContext, files: Files) -> None:
    def ask() -> str:
        raise _Encrypted

    name = "key" if files.key else "cert"
    try:
        made.load_cert_chain(files.cert, files.key or None, password=ask)
    except _Encrypted:
        raise _invalid(
            files,
            name,
            "a key without a password, as workers start unattended; only their user should be able to read it",
        ) from None
    except ssl.SSLError as error:
        if "KEY_VALUES_MISMATCH" in (error.reason or ""):
            raise _invalid(files, name, f"the key of the certificate in {files.setting('cert')}") from None
        if _has_certificate(files.cert):
            raise _invalid(files, name, "a PEM file with a private key") from None
        raise _invalid(files, "cert", "a PEM file with a certificate") from None


def _has_certificate(path: str) -> bool:
    return b"-----BEGIN CERTIFICATE-----" in Path(path).read_bytes()


def refusal(error: BaseException, peer: str, files: Files) -> Refusal | None:
    """What an error of a connection to `peer` means, if TLS is behind it; `None` for any other error."""
    from urllib3.util.ssl_match_hostname import CertificateError  # of names that botocore compares

    found = next((one for one in _chain(error) if isinstance(one, (ssl.SSLError, CertificateError))), None)
    if isinstance(found, CertificateError):
        return Refusal(f"TLS with {peer} failed: {_OTHER_NAME}.", lasting=True)
    if found is None or isinstance(found, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return None
    if isinstance(found, ssl.SSLCertVerificationError):
        return Refusal(f"TLS with {peer} failed: {_of_certificate(found, files)}.", lasting=True)
    reason = getattr(found, "reason", None) or type(found).__name__
    what, lasting = _of_handshake(reason, files)
    return Refusal(f"TLS with {peer} failed: {what}.", lasting)


def ended(peer: str, files: Files) -> str:
    """One sentence for a server that ends a TLS connection without a reason, or before the reason could be read."""
    hint = f"; if it asks for a client certificate, set {files.setting('cert')} and {files.setting('key')}"
    return f"{peer[:1].upper()}{peer[1:]} ended the TLS connection{'' if files.cert else hint}."


def _of_certificate(error: ssl.SSLCertVerificationError, files: Files) -> str:
    code = error.verify_code
    if code in _HOST_MISMATCH:
        return _OTHER_NAME
    if code == _EXPIRED:
        return "its certificate has expired: renew it, or set this machine's clock (NTP)"
    if code == _NOT_YET:
        return "its certificate is not valid yet: set this machine's clock (NTP), or have it issued again"
    if code in _UNKNOWN_ISSUER:
        return (
            f"its certificate was issued by an authority that is not trusted here; add the authority to the file "
            f"{files.setting('ca')}"
        )
    return f"its certificate is not trusted ({error.verify_message})"


def _of_handshake(reason: str, files: Files) -> tuple[str, bool]:
    """What the reason of a failed handshake means, and whether it lasts."""
    if reason.endswith(_ASKS) and not files.cert:
        return (
            f"it asks for a client certificate: set {files.setting('cert')} and {files.setting('key')}"
        ), True
    if reason.endswith(_ASKS) or any(word in reason for word in _REFUSES):
        alert = reason.rpartition("ALERT_")[2].replace("_", " ").lower()
        whose = (
            f"the client certificate in {files.setting('cert')}" if files.cert else "a missing certificate"
        )
        return f"it rejects {whose} ({alert}): renew it, or have the server trust its issuer", True
    if any(word in reason for word in _NO_TLS):
        return "it does not speak TLS there: check the port", False
    if any(word in reason for word in _OLD):
        return "it offers no version that is accepted: TLS 1.2 or later is required", True
    return f"the handshake ended with {reason.replace('_', ' ').lower()}", False


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and all that it wraps: as cause, as context, or as an argument, as urllib3 and botocore do."""
    seen: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or any(one is other for other in seen):
            continue
        seen.append(one)
        yield one
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        waiting += getattr(one, "kwargs", {}).values()
