import re
import socket
from typing import Any

import pytest
import pytest_socket
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import PermanentError, TransientError, UsageError
from pipeline.remote.policy import SourcePolicy, resolve_public
from pipeline.remote.signing import sign, verify
from pipeline.remote.urls import locate, public_callback, public_source, shown

POLICY = SourcePolicy.sources(
    "file:///inbox, s3://inbox,s3://archive/2026,https://scans.example.org,https://data.example.org/a b/in,"
    "https://bücher.example,https://alt.example.org:8443/x,https://[2001:4860::1]/v6,http://legacy.example.org/only"
)

ALLOWED = [
    "file:///inbox/a.jpg",
    "file:///inbox",
    "file://localhost/inbox/a.jpg",
    "FILE:///inbox/a.jpg",
    "file:///inbox/sub/%E5%8F%91%E7%A5%A8.pdf",
    "file:///inbox/发票 1.pdf",
    "file:///inbox/100%.pdf",
    "file:///inbox/..a/b..c/...",
    "file:///%69nbox/a.jpg",
    "s3://inbox/a.jpg",
    "s3://inbox/with space/a%2Fb?c#d",
    "s3://archive/2026/a.jpg",
    "https://scans.example.org/a.pdf",
    "https://scans.example.org",
    "https://scans.example.org?q=1",
    "https://scans.example.org/a.pdf?sig=../..//%2e%2e@x#frag",
    "HTTPS://SCANS.Example.ORG/a.pdf",
    "https://scans.example.org./a.pdf",
    "https://scans.example.org:443/a.pdf",
    "https://scans.example.org/a/@b:c",
    "https://scans.example.org/%B7%A2.pdf",
    "https://data.example.org/a%20b/in/c",
    "https://data.example.org/a b/in/c",
    "https://xn--bcher-kva.example/a",
    "https://BÜCHER.example/a",
    "https://alt.example.org:8443/x/y",
    "https://[2001:4860:0:0::1]/v6/a",
    "http://legacy.example.org/only/a",
]

REFUSED = [
    "file:///inbox2/a.jpg",
    "file:///inbo",
    "file:///",
    "file:///inbox/../etc/passwd",
    "file:///inbox/./a",
    "file:///inbox/%2e%2e/etc/passwd",
    "file:///inbox/.%2E/etc/passwd",
    "file:///inbox/%252e%252e/etc/passwd",
    "file:///inbox/..%2fetc",
    "file:///inbox%2f..%2fetc",
    "file:///inbox/..;x/etc",
    "file:///inbox//etc",
    "file:////inbox/a",
    "file:///inbox\\..\\etc",
    "file:///inbox/..%5cetc",
    "file:///inbox/a\0.jpg",
    "file:///inbox/a%00.jpg",
    "file:///inbox/a%2500.jpg",
    "file:///inbox/a\n.jpg",
    "file:///inbox/a?b",
    "file:///inbox/a#b",
    "file://evil/inbox/a",
    "file://inbox/a.jpg",
    "file:/inbox/a.jpg",
    "/inbox/a.jpg",
    "inbox/a.jpg",
    "",
    "://",
    "s3:inbox/a",
    "s3://inbox2/a.jpg",
    "s3://INBOX/a.jpg",
    "s3://user@inbox/a",
    "s3://inbox:80/a",
    "s3://inbox/../archive/a",
    "s3://inbox//a",
    "s3:///inbox/a",
    "s3://archive/2026-old/a.jpg",
    "s3://archive/2025/a.jpg",
    "s3://archive/2026/../2025/a.jpg",
    "s3://archive",
    "http://scans.example.org/a.pdf",
    "https://legacy.example.org/only/a",
    "http://legacy.example.org/other",
    "http://legacy.example.org:443/only/a",
    "https://scans.example.org@evil.example/a",
    "https://scans.example.org:443@evil.example/a",
    "https://user:pw@scans.example.org/a",
    "https://evil.example/https://scans.example.org/",
    "https://evil.example#@scans.example.org/",
    "https://evil.example?@scans.example.org/",
    "https://evil.example\\@scans.example.org/",
    "https://scans.example.org\\@evil.example/",
    "https://scans.example.org.evil.example/a",
    "https://scans.example.orgevil/a",
    "https://xscans.example.org/a",
    "https://scans.example.org:8443/a",
    "https://scans.example.org:/a",
    "https://scans.example.org:0/a",
    "https://scans.example.org:99999/a",
    "https://scans.example.org:４４３/a",
    "https://scans.example.org../a",
    "https://.scans.example.org/a",
    "https://scans%2eexample.org/a",
    "https://scans.example.org%00.evil.example/a",
    "https://scans.example.org%40evil.example/a",
    "https:// scans.example.org/a",
    " https://scans.example.org/a",
    "https:///scans.example.org/a",
    "https:/scans.example.org/a",
    "https://scans.ex\tample.org/a",
    "https://scans.example.org/a\r\nHost: evil",
    "https://scans.exаmple.org/a",  # a Cyrillic а
    "https://data.example.org/a b/in2/c",
    "https://data.example.org/a b/in/../out",
    "https://data.example.org/a b/in/%2e%2e/out",
    "https://data.example.org/a b/in/..;a=b/out",
    "https://data.example.org/a b/in%2f..%2fout",
    "https://data.example.org//a b/in/c",
    "https://alt.example.org/x/y",
    "https://[2001:4860::2]/v6/a",
    "https://[2001:4860::1%25eth0]/v6/a",
    "https://[::1",
    "https://127.1/a",
    "https://0x7f.1/a",
    "https://2130706433/a",
    "ftp://scans.example.org/a",
    "data:text/plain,hello",
    "gopher://scans.example.org/_x",
    "file:///inbox/\ud800",
    "https://scans.example.org/" + "a" * 5000,
]


@pytest.mark.parametrize("url", ALLOWED)
def test_allowed_urls(url: str) -> None:
    POLICY.check(url)


@pytest.mark.parametrize("url", REFUSED)
def test_refused_urls(url: str) -> None:
    with pytest.raises(PermanentError) as caught:
        POLICY.check(url)
    assert caught.value.code == "source_refused"
    assert caught.value.message.endswith(".")
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 350


@given(st.sampled_from(["", "/"]), st.text(st.sampled_from("./\\%2eEfF5cC;@:?# ab\0é"), max_size=30))
def test_no_spelling_escapes_the_allowed_folder(mark: str, rest: str) -> None:
    for root, prefix in (
        ("/inbox", "file:///inbox"),
        ("/in", "https://h.example/in"),
        ("in", "s3://bucket/in"),
    ):
        policy = SourcePolicy.sources(prefix)
        try:
            place, _ = policy.match(prefix + mark + rest)
        except PermanentError:
            continue
        assert place.parts[:1] == (root.strip("/"),)
        assert not {".", "..", ""} & set(place.parts)
        assert not any("/" in part or "\\" in part or "\0" in part for part in place.parts)
        assert place.host == {"file": "", "https": "h.example", "s3": "bucket"}[place.scheme]
        if place.scheme == "https":
            assert re.fullmatch(r"/in(/[!-~]*)?(\?[!-~]*)?", place.target)


@given(st.text(max_size=60))
def test_any_text_is_a_location_or_a_clear_reason(text: str) -> None:
    for url in (text, "https://" + text, "file://" + text, "s3://" + text):
        try:
            locate(url)
        except ValueError as error:
            if isinstance(error, UnicodeError):
                raise


def test_what_is_sent_is_what_was_checked() -> None:
    place = locate("HTTPS://Bücher.example:443/a b/é?q=ü&r=%20#frag")
    assert place.target == "/a%20b/%C3%A9?q=%C3%BC&r=%20"
    assert place.authority == "xn--bcher-kva.example"
    assert locate("https://h.example:8443").authority == "h.example:8443"
    assert locate("https://h.example:8443").target == "/"
    assert locate("https://[2001:db8::1]:1/").authority == "[2001:db8::1]:1"
    assert locate("s3://bucket/a?b%2F#c").target == "a?b%2F#c"


def test_an_empty_policy_refuses_all_and_names_the_setting() -> None:
    with pytest.raises(PermanentError, match="NIGHTSHIFT_ALLOWED_SOURCES is empty") as caught:
        SourcePolicy.sources(" , ").check("s3://inbox/a.jpg")
    assert caught.value.code == "source_refused"
    with pytest.raises(PermanentError, match="NIGHTSHIFT_ALLOWED_CALLBACKS is empty") as caught:
        SourcePolicy.callbacks("").check("https://a.example/")
    assert caught.value.code == "callback_refused"


@pytest.mark.parametrize(
    "wrong",
    [
        "/inbox",
        "https://*.example.org",
        "file://inbox",
        "s3://",
        "https://a.example/?x",
        "https://u@a.example",
    ],
)
def test_a_wrong_prefix_is_a_usage_error(wrong: str) -> None:
    with pytest.raises(UsageError, match="NIGHTSHIFT_ALLOWED_SOURCES"):
        SourcePolicy.sources(f"s3://inbox,{wrong}")


def test_callbacks_go_over_the_web_only() -> None:
    with pytest.raises(UsageError, match="NIGHTSHIFT_ALLOWED_CALLBACKS"):
        SourcePolicy.callbacks("file:///inbox")
    SourcePolicy.callbacks("https://hooks.example.org/in").check("https://hooks.example.org/in/1")


def test_secrets_in_a_url_are_not_shown() -> None:
    assert shown("https://u:pw@h.example/a?sig=secret#x") == "https://h.example/a"
    with pytest.raises(PermanentError) as caught:
        POLICY.check("https://u:pw@elsewhere.example/a?sig=secret")
    assert "pw" not in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "source", "callback"),
    [
        ("https://h.example/a?sig=hush", "https://h.example/a", "https://h.example/a?"),
        ("HTTPS://h.example/a?sig=hush#x", "HTTPS://h.example/a", "HTTPS://h.example/a?"),
        ("https://h.example/a#hush", "https://h.example/a", "https://h.example/a"),
        ("https://h.example/a#hush?hush", "https://h.example/a", "https://h.example/a"),
        ("https://u:hush@h.example/a", "https://h.example/a", "https://h.example/a"),
        ("ftp://u:hush@h.example/a", "ftp://h.example/a", "ftp://h.example/a"),
        ("https://h.example/a@b", "https://h.example/a@b", "https://h.example/a@b"),
    ],
)
def test_what_results_show_of_a_url(url: str, source: str, callback: str) -> None:
    assert (public_source(url), public_callback(url)) == (source, callback)


@pytest.mark.parametrize("name", ["file:///in/a%3Fb.jpg", "s3://inbox/a?b#c", "message", "a b?c.zip!x#y"])
def test_other_sources_are_shown_as_they_are(name: str) -> None:
    assert public_source(name) == name


@pytest.fixture
def look_up() -> None:
    """Numeric addresses are resolved without a network."""
    pytest_socket.enable_socket()


PUBLIC = ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
INTERNAL = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd12::1",
    "::ffff:10.0.0.1",
]
NEVER = [
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "fe80::1",
    "fec0::1",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd00:c1::a9fe:a9fe",
    "fd20:ce::254",
    "fd00:42::42",
    "fd00:a9fe:a9fe::1",
    "100.100.100.200",
    "168.63.129.16",
    "::ffff:168.63.129.16",
    "64:ff9b::a83f:8110",
    "0.0.0.0",
    "::",
    "::7f00:1",
    "224.0.0.1",
    "239.1.1.1",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "192.88.99.1",
    "2001:db8::1",
    "2002:a00:1::1",
    "2001:0:a00:1::",
    "3fff::1",
]


@pytest.mark.usefixtures("look_up")
@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert resolve_public(address, 443)


@pytest.mark.usefixtures("look_up")
@pytest.mark.parametrize("address", INTERNAL)
def test_internal_addresses_pass_only_when_allowed(address: str) -> None:
    with pytest.raises(PermanentError, match="NIGHTSHIFT_ALLOW_PRIVATE_HOSTS") as caught:
        resolve_public(address, 443)
    assert caught.value.code == "source_refused"
    assert resolve_public(address, 443, allow_private=True)


@pytest.mark.usefixtures("look_up")
@pytest.mark.parametrize("allow_private", [False, True])
@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_never_pass(address: str, allow_private: bool) -> None:
    with pytest.raises(PermanentError, match="is not public"):
        resolve_public(address, 443, allow_private=allow_private)


@pytest.mark.usefixtures("look_up")
@pytest.mark.parametrize("spelling", ["127.1", "0x7f.1", "2130706433", "0177.0.0.1"])
def test_unusual_spellings_of_loopback_are_recognised(spelling: str) -> None:
    with pytest.raises(PermanentError, match=re.escape("127.0.0.1")):
        resolve_public(spelling, 443)


def test_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*_: Any, **__: Any) -> list[Any]:
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, ("8.8.8.8", 443)), (*kind, ("10.0.0.1", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    with pytest.raises(PermanentError, match=re.escape("10.0.0.1")):
        resolve_public("mixed.example", 443)


def test_a_failed_lookup_is_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(TransientError, match=r"scans\.example\.org can't be resolved"):
        resolve_public("scans.example.org", 443)


def test_signature_is_the_documented_one() -> None:
    # printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac whsec
    assert (
        sign(b'{"a":1}', "whsec", 1700000000)
        == "t=1700000000,v1=8ad37ba156048ae0e0a5533c75cdf26fee88b07f93cb57ee4c80adb053012032"
    )


def test_signatures_are_verified() -> None:
    header = sign(b"body", "secret", 1000)
    assert verify(b"body", header, "secret", now=1000)
    assert verify(b"body", header, "secret", now=1300)
    assert verify(b"body", header + ",v1=" + "0" * 64 + ",v2=x", "secret", now=1000)
    assert not verify(b"body", header, "secret", now=1301)
    assert not verify(b"body", header, "secret", now=699)
    assert not verify(b"bodY", header, "secret", now=1000)
    assert not verify(b"body", header, "other", now=1000)
    assert not verify(b"body", header.replace("t=1000", "t=1001"), "secret", now=1000)
    assert not verify(b"body", "t=1000,t=1000," + header.partition(",")[2], "secret", now=1000)
    with pytest.raises(ValueError, match="must not be empty"):
        sign(b"body", "", 1000)


@given(st.text(max_size=40))
def test_a_malformed_header_is_invalid(header: str) -> None:
    assert not verify(b"body", header, "secret", now=1000)
