"""What the error codes of S3-compatible servers mean: who or what is at fault, and so who must act.

The codes are those of Amazon S3, its token and key services, and of MinIO, Ceph, Swift and others that extend them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

Fault = Literal["clock", "credentials", "access", "bucket", "key", "overload", "setup", "other"]
"""`clock`: this machine's. `credentials`: invalid, expired or rotated. `access`: this key is denied to these
credentials. `bucket`, `key`: missing. `overload`: it passes by itself. `setup`: region, endpoint or encryption keys.
`other`: anything else, such as an argument that the server refuses."""

_CODES: dict[str, Fault] = {
    **dict.fromkeys(("RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"), "clock"),
    **dict.fromkeys(("AccessDenied", "AccessForbidden", "InvalidObjectState"), "access"),
    "NoSuchBucket": "bucket",
    **dict.fromkeys(("404", "NoSuchKey", "NotFound"), "key"),
    **dict.fromkeys(
        (
            "SlowDown",
            "RequestTimeout",
            "RequestTimeoutException",
            "TooManyRequests",
            "TooManyRequestsException",
            "RequestLimitExceeded",
            "BandwidthLimitExceeded",
            "PriorRequestNotComplete",
            "OperationAborted",
            "Busy",
            "ServerBusy",
            "InternalError",
            "ServiceUnavailable",
        ),
        "overload",
    ),
    **dict.fromkeys(
        (
            "SignatureDoesNotMatch",
            "InvalidAccessKeyId",
            "ExpiredToken",
            "ExpiredTokenException",
            "InvalidToken",
            "TokenRefreshRequired",
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "InvalidSignatureException",
            "IncompleteSignature",
            "InvalidSecurity",
            "InvalidPayer",
            "InvalidTokenId",
            "MissingAuthenticationToken",
            "MissingSecurityHeader",
            "CredentialsNotSupported",
            "AuthFailure",
            "AuthenticationFailed",
            "Unauthorized",
            "UnauthorizedAccess",
            "AccountProblem",
            "AllAccessDisabled",
            "NotSignedUp",
            "OptInRequired",
            "UserSuspended",
            "XMinioInvalidIAMCredentials",
        ),
        "credentials",
    ),
    **dict.fromkeys(
        (
            "AuthorizationHeaderMalformed",
            "PermanentRedirect",
            "TemporaryRedirect",
            "Redirect",
            "301",
            "307",
            "IllegalLocationConstraintException",
            "InvalidBucketName",
            "InvalidRegionName",
            "NotImplemented",
            "XMinioServerNotInitialized",
            "XMinioStorageFull",
            "QuotaExceeded",
        ),
        "setup",
    ),
}
_PREFIXES: tuple[tuple[str, Fault], ...] = (
    ("Throttl", "overload"),
    ("SlowDown", "overload"),
    ("ProvisionedThroughput", "overload"),
    ("KMS", "setup"),
)
_WORDS: tuple[tuple[re.Pattern[str], Fault], ...] = (
    (re.compile("Skew"), "clock"),
    (
        re.compile("AccessKey|SecretKey|SecurityToken|SessionToken|Signature|Credential|Expired"),
        "credentials",
    ),
    (re.compile(r"TooMany(?!Keys)|Throttl|RateLimit|RequestLimit|RateExceeded|QpsLimit"), "overload"),
)
"""What codes of other servers contain, such as `SecurityTokenExpired` and `InvalidAccessKeyId.Inactive`."""
_STATUSES: dict[int, Fault] = {
    401: "credentials",
    403: "access",
    407: "credentials",
    408: "overload",
    423: "overload",
    425: "overload",
    429: "overload",
    507: "setup",
    511: "credentials",
}

TOLERATED = timedelta(minutes=5)
"""By how much a clock may differ from the server's before it is named: S3 itself refuses 15 minutes."""


def fault_of(code: str, status: int) -> Fault:
    """What an error answer means, by its code, else by its HTTP status."""
    if found := _CODES.get(code):
        return found
    for prefix, fault in _PREFIXES:
        if code.startswith(prefix):
            return fault
    for words, fault in _WORDS:
        if words.search(code):
            return fault
    return _STATUSES.get(status, "overload" if status >= 500 else "other")


def clock_difference(date: str, now: datetime) -> timedelta | None:
    """How far this machine's clock is ahead of a server's `Date` header; `None` within `TOLERATED`, or without one."""
    ahead = _ahead(date, now)
    return ahead if ahead is not None and abs(ahead) > TOLERATED else None


def seconds_ahead(date: str, now: datetime) -> float | None:
    """The same in seconds, whatever it is; a header of whole seconds is taken as the middle of its second."""
    ahead = _ahead(date, now)
    return None if ahead is None else ahead.total_seconds() - 0.5


def _ahead(date: str, now: datetime) -> timedelta | None:
    try:
        theirs = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    return now - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))


def wrong_by(ahead: timedelta) -> str:
    """`20 min ahead of`, `3.0 h behind`."""
    seconds = abs(ahead.total_seconds())
    size = f"{seconds / 60:.0f} min" if seconds < 2 * 3600 else f"{seconds / 3600:.1f} h"
    return f"{size} ahead of" if ahead > timedelta() else f"{size} behind"
