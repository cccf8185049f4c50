"""Hand the report to a mail server: TLS always, but to a server on this machine where it offers none."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

from pipeline import mail, tls
from pipeline.errors import PermanentError, TransientError
from pipeline.settings import Settings

SECONDS = 20.0
"""For each answer of the server."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def message(subject: str, text: str, page: str, name: str, settings: Settings) -> EmailMessage:
    """A mail with a short text, and the page attached under this name."""
    made = EmailMessage()
    made["Subject"] = " ".join(subject.split())
    made["From"] = mail.server(settings.smtp_url).sender
    made["To"] = ", ".join(mail.addresses(settings.report_mail))
    made.set_content(text)
    made.add_attachment(page, subtype="html", charset="utf-8", cte="base64", filename=name)
    return made


def send(made: EmailMessage, settings: Settings) -> None:
    """Hand a mail to the server of NIGHTSHIFT_SMTP_URL.

    Raises `PermanentError` where the server refuses it for good, `TransientError` where another attempt may succeed.
    Neither names user or password.
    """
    server = mail.server(settings.smtp_url)
    place, files = f"{server.host}:{server.port}", tls.Files.of(settings, "http")
    context = tls.context(files)
    try:
        with _connected(server, context) as client:
            if not server.implicit:
                _secured(client, server, context, required=settings.require_tls)
            if server.user:
                client.login(server.user, server.password)
            client.send_message(made)
    except smtplib.SMTPAuthenticationError as error:
        raise PermanentError(
            f"The mail server {place} refuses the login ({error.smtp_code}): check NIGHTSHIFT_SMTP_URL.",
            code="mail_refused",
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({code for code, _ in error.recipients.values()})
        raise _refused(place, codes[0], "the addresses of NIGHTSHIFT_REPORT_MAIL") from None
    except smtplib.SMTPResponseException as error:
        raise _refused(place, error.smtp_code, "the mail") from None
    except (smtplib.SMTPException, OSError) as error:
        refused = tls.refusal(error, f"the mail server {place}", files)
        raise TransientError(
            refused.sentence
            if refused
            else f"The mail server {place} does not answer ({type(error).__name__}): check NIGHTSHIFT_SMTP_URL.",
            code="mail_unavailable",
        ) from None


def _connected(server: mail.MailServer, context: ssl.SSLContext) -> smtplib.SMTP:
    if server.implicit:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=context)
    return smtplib.SMTP(server.host, server.port, timeout=SECONDS)


def _secured(
    client: smtplib.SMTP, server: mail.MailServer, context: ssl.SSLContext, *, required: bool
) -> None:
    """Begin TLS; without it mail goes to this machine only, without a password, and not where TLS is required."""
    client.ehlo_or_helo_if_needed()
    if client.has_extn("starttls"):
        client.starttls(context=context)
        client.ehlo()
    elif required or server.user or server.host not in _LOOPBACK:
        raise PermanentError(
            f"The mail server {server.host}:{server.port} offers no STARTTLS: the report is not sent without TLS; use "
            "smtps:// or another server in NIGHTSHIFT_SMTP_URL.",
            code="mail_refused",
        )


def _refused(place: str, code: int, what: str) -> PermanentError | TransientError:
    sentence = f"The mail server {place} does not accept {what} ({code})."
    if 500 <= code < 600:
        return PermanentError(sentence, code="mail_refused")
    return TransientError(sentence, code="mail_unavailable")
