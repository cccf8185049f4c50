"""What is valid by W3C Trace Context, and that nothing else gets through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.telemetry.w3c import MAX_STATE, NONE, context

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("given_", "parent"),
    [
        (VALID, VALID),
        (f" {VALID}\t", VALID),
        (f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-00"),
        (f"00-{TRACE}-{SPAN}-ff", f"00-{TRACE}-{SPAN}-03"),  # flags that are not known are cleared
        (f"cc-{TRACE}-{SPAN}-01", VALID),  # a later version: what is known of it is read
        (f"cc-{TRACE}-{SPAN}-01-what-comes", VALID),
    ],
)
def test_valid_ones(given_: str, parent: str) -> None:
    found = context(given_)
    assert found.parent == parent
    assert (found.trace_id, found.span_id) == (TRACE, SPAN)
    assert found.headers == {"traceparent": parent}
    assert context(found.parent) == found


@pytest.mark.parametrize(
    "given_",
    [
        "",
        None,
        7,
        b"00",
        ["00"],
        TRACE,
        VALID.upper(),
        VALID[:-1],
        VALID + "0",
        VALID + "-more",  # in version 00 nothing follows
        VALID + "\n",
        f"cc-{TRACE}-{SPAN}-01more",
        f"cc-{TRACE}-{SPAN}-01-" + "x" * 5000,
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}g-{SPAN}-01",
        f"00-{TRACE[:-1]}٣-{SPAN}-01",
        f"0-{TRACE}-{SPAN}-01",
    ],
)
def test_invalid_ones_are_ignored(given_: object) -> None:
    assert context(given_, "a=1") == NONE


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        ("a=1,b=2", "a=1,b=2"),
        ("a=1 , b=2,", "a=1,b=2"),
        ("tenant@system=x y", "tenant@system=x y"),
        ("a=1,a=2", ""),
        ("A=1", ""),
        ("a=1\n", ""),
        ("a=票", ""),
        ("a", ""),
        (",".join(f"k{n}=1" for n in range(33)), ""),
        ("a=1," + "b=" + "x" * 200 + ",c=" + "y" * 200 + ",d=" + "z" * 200, "a=1"),  # long entries go first
        (7, ""),
        (None, ""),
    ],
)
def test_the_state_is_checked_and_bounded(state: object, kept: str) -> None:
    found = context(VALID, state)
    assert found.parent == VALID
    assert found.state == kept


def test_a_long_state_loses_its_last_entries() -> None:
    given_ = ",".join(f"k{n:02}={'v' * 30}" for n in range(32))
    kept = context(VALID, given_).state
    assert given_.startswith(kept)
    assert MAX_STATE - 40 < len(kept) <= MAX_STATE


@given(st.text() | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}.?"), st.text())
def test_whatever_is_sent_the_result_is_valid(parent: str, state: str) -> None:
    found = context(parent, state)
    assert context(found.parent, found.state) == found
    assert len(found.state) <= MAX_STATE
    assert not found or len(found.parent) == 55
