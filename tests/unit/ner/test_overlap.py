"""The overlap rule, by example and by property."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.models import Mention
from pipeline.ner.overlap import resolve


def mention(kind: str, start: int, end: int, confidence: float = 0.9, value: str | None = None) -> Mention:
    return Mention(type=kind, start=start, end=end, confidence=confidence, value=value)


MENTIONS = st.lists(
    st.builds(
        lambda kind, start, size, confidence, value: mention(kind, start, start + size, confidence, value),
        st.sampled_from(["DATE", "MONEY", "ORG", "ID_NUMBER", "URL", "PHONE"]),
        st.integers(0, 40),
        st.integers(0, 12),
        st.sampled_from([0.4, 0.6, 0.9]),
        st.sampled_from([None, "x"]),
    ),
    max_size=25,
)


def test_a_checked_type_wins_over_a_longer_one() -> None:
    date = mention("DATE", 5, 15, value="2018-12-25")
    assert resolve([mention("ORG", 0, 20), date]) == [date]


def test_a_failed_check_has_no_priority() -> None:
    org = mention("ORG", 0, 20)
    assert resolve([mention("USCC", 0, 18, 0.45), org]) == [org]


def test_longer_then_more_confident_then_earlier() -> None:
    long, sure, early = mention("ORG", 0, 9, 0.1), mention("ORG", 20, 25, 0.9), mention("PER", 40, 45)
    losers = [mention("PER", 3, 8), mention("PER", 21, 26, 0.8), mention("PER", 42, 47)]
    assert resolve([*losers, long, sure, early]) == [long, sure, early]


def test_adjacent_mentions_of_one_type_are_not_merged() -> None:
    pair = [mention("ORG", 0, 4), mention("ORG", 4, 8)]
    assert resolve(pair) == pair


@given(MENTIONS, st.randoms())
def test_properties(mentions: list[Mention], random: object) -> None:
    kept = resolve(mentions)
    assert all(m in mentions for m in kept)
    assert all(a.end <= b.start for a, b in pairwise(kept))
    assert resolve(kept) == kept
    assert resolve(reversed(mentions)) == kept
    for lost in mentions:
        touching = [k for k in kept if k.start < lost.end and lost.start < k.end]
        assert lost in kept or touching or lost.start == lost.end
        # Every dropped mention lost against a kept one, never against another dropped one.
        assert lost in kept or lost.start == lost.end or resolve([lost, *touching]) == touching
