"""The language of the scaling formula is understood as KEDA understands it, and nothing beyond it."""

import pytest

from tests.support.cluster.formula import evaluate, names


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("a > 1 ? a : 0.0", 5),
        ("a > 1 && b > 1 ? 1 : 2", 2),
        ("a > 9 || b >= 0 && a == 5 ? 1 : 2", 1),
        ("!(a > 9) ? b > 1 ? 1 : 2 : 3", 2),
        ("a - 1 - 1", 3),
    ],
)
def test_precedence(formula: str, value: float) -> None:
    assert evaluate(formula, {"a": 5, "b": 0}) == value


@pytest.mark.parametrize(
    "formula",
    ["a ** 2", "a > 1 ? 1", "max(a, 1)", "c", "a ?? 1", "a && 1", "(a", "a b", "a > 1 + ", "a ? 1 : 2"],
)
def test_what_is_not_understood_is_an_error(formula: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        evaluate(formula, {"a": 5, "b": 0})


def test_names() -> None:
    assert names("window > 0 && (ocr > 100) ? ocr : 0.0") == {"window", "ocr"}
