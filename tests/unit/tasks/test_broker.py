"""What errors of the broker mean, in RabbitMQ's own words."""

import pytest
from amqp.exceptions import AccessRefused, NotAllowed, NotFound, PreconditionFailed, ResourceLocked
from kombu.exceptions import OperationalError

from tasks.broker import NotDeclared, is_refusal, trouble
from tasks.secure import NoTls, Untrusted

URL = "amqp://user:**@broker:5672/night"


def caused(cause: BaseException) -> OperationalError:
    error = OperationalError("text")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NotAllowed("NOT_ALLOWED - vhost night not found"), "no such virtual host"),
        (NotAllowed("NOT_ALLOWED - access to vhost 'night' refused for user 'user'"), "may not access it"),
        (
            AccessRefused("ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN."),
            "password",
        ),
        (
            AccessRefused("ACCESS_REFUSED - access to queue 'ocr' in vhost 'night' refused for user 'user'"),
            'the user "user" has no configure permission for queue "ocr" in the virtual host "night"',
        ),
        (
            AccessRefused(
                "ACCESS_REFUSED - access to topic 'step.ocr' in exchange 'nightshift' in vhost '/' refused "
                "for user 'u'",
                (60, 40),
            ),
            'the user "u" has no write permission for topic "step.ocr" in exchange "nightshift" in the virtual',
        ),
        (
            AccessRefused("ACCESS_REFUSED - read access to queue 'ocr' in vhost '/' refused for user 'u'"),
            'the user "u" has no read permission for queue "ocr"',
        ),
        (NotDeclared('RabbitMQ has no queue "ocr", and so on'), 'RabbitMQ has no queue "ocr", and so on'),
        (
            PreconditionFailed(
                "PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'ocr' in vhost 'night': received "
                "the value 'quorum' of type 'longstr' but current is none"
            ),
            'The queue "ocr" exists with another x-queue-type (none instead of quorum)',
        ),
        (
            PreconditionFailed(
                "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'nightshift' in vhost '/': received "
                "'topic' but current is 'direct'"
            ),
            'The exchange "nightshift" exists with another type (direct instead of topic)',
        ),
        (
            PreconditionFailed(
                "PRECONDITION_FAILED - user_id property set to 'scanner' but authenticated user was 'admin'"
            ),
            'the user "admin" may not publish a message of the user "scanner" again: give it the tag impersonator',
        ),
        (caused(NotAllowed("NOT_ALLOWED - vhost night not found")), "no such virtual host"),
        (Untrusted("TLS with RabbitMQ failed: it has expired."), "TLS with RabbitMQ failed: it has expired."),
        (caused(Untrusted("TLS with RabbitMQ failed")), "TLS with RabbitMQ failed"),
        (ResourceLocked("RESOURCE_LOCKED - cannot obtain exclusive access to locked queue"), "exclusive"),
    ],
)
def test_what_a_person_must_change_is_said_once(error: Exception, said: str) -> None:
    found = trouble(error, URL)
    assert found.lasting
    assert said in found.sentence
    assert "\n" not in found.sentence


@pytest.mark.parametrize(
    "error",
    [
        OSError("Connection refused"),
        NoTls("RabbitMQ ended the TLS connection"),
        caused(ConnectionResetError()),
        NotFound("NOT_FOUND - no queue 'ocr' in vhost 'night'"),
        NotAllowed("NOT_ALLOWED - access to vhost 'night' refused: vhost 'night' is down"),
        NotAllowed("NOT_ALLOWED - access to vhost 'night' refused: connection limit (2) is reached"),
        PreconditionFailed("PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out"),
        PreconditionFailed("PRECONDITION_FAILED - unknown delivery tag 7"),
    ],
)
def test_anything_else_is_waited_for(error: Exception) -> None:
    assert not trouble(error, URL).lasting


def test_a_missing_permission_is_no_wrong_password() -> None:
    denied = AccessRefused("ACCESS_REFUSED - access to queue 'ocr' in vhost 'night' refused for user 'user'")
    assert is_refusal(caused(denied))
    assert not is_refusal(
        AccessRefused("ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.")
    )
