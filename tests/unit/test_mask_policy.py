"""What the setting NIGHTSHIFT_MASK may say, and what each policy masks."""

from __future__ import annotations

import pytest

from pipeline.errors import UsageError
from pipeline.mask_policy import KINDS, NUMBERS, policy
from pipeline.settings import Settings


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("ids", NUMBERS),
        ("true", NUMBERS),
        ("TRUE", NUMBERS),
        ("all", KINDS),
        ("none", ()),
        ("false", ()),
        ("PHONE", ("PHONE",)),
        ("per, loc", ("PERSON", "ADDRESS")),
        ("ids,PERSON", (*NUMBERS, "PERSON")),
    ],
)
def test_a_policy_names_kinds(text: str, kinds: tuple[str, ...]) -> None:
    assert policy(text).kinds == set(kinds)
    assert Settings.from_env({"NIGHTSHIFT_MASK": text}).mask == text


@pytest.mark.parametrize(
    ("text", "hint"), [("PERSN", "PERSON"), ("ids,IBN", "IBAN"), ("al", "all"), ("phones", "PHONE")]
)
def test_an_unknown_type_gets_one_sentence_with_a_guess(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        Settings.from_env({"NIGHTSHIFT_MASK": text})
    assert f'NIGHTSHIFT_MASK="{text}": expected ids, all, none, or types' in raised.value.message
    assert f"(did you mean {hint}?)" in raised.value.message


@pytest.mark.parametrize("text", [",", "nothing like it"])
def test_what_resembles_no_type_gets_no_guess(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        Settings.from_env({"NIGHTSHIFT_MASK": text})
    assert "did you mean" not in raised.value.message


def test_types_of_own_models_are_masked_by_all_alone() -> None:
    assert policy("all").covers("MEDICINE")
    assert not policy("ids").covers("MEDICINE")
    assert not policy(",".join(KINDS)).covers("MEDICINE")
    assert not policy("all").covers("MONEY")


def test_names_are_masked_whole_and_numbers_to_the_last_four() -> None:
    assert policy("ids,PERSON").whole("PER")
    assert not policy("ids,PERSON").whole("PHONE")
    assert policy("all").whole("PHONE")
