from pipeline.models import Box
from pipeline.tables.places import date_of, decimal_of, place_columns

BOX: Box = ((1.0, 2.0), (9.0, 2.0), (9.0, 4.0), (1.0, 4.0))
LOW: Box = ((3.0, 8.0), (20.0, 8.0), (20.0, 9.0), (3.0, 9.0))
LEANING: Box = ((0.0, 10.0), (100.0, 0.0), (103.0, 30.0), (3.0, 40.0))


def test_several_lines_have_one_rectangle_and_their_polygons() -> None:
    assert place_columns((BOX, LOW)) == {
        "x0": 1.0,
        "y0": 2.0,
        "x1": 20.0,
        "y1": 9.0,
        "polygons": [list(BOX), list(LOW)],
    }


def test_a_polygon_only_where_it_is_no_rectangle() -> None:
    assert place_columns((BOX,))["polygons"] is None
    assert place_columns((LEANING,))["polygons"] == [list(LEANING)]
    upside_down: Box = ((9.0, 4.0), (1.0, 4.0), (1.0, 2.0), (9.0, 2.0))
    assert place_columns((upside_down,))["polygons"] is not None, "the corners say where the text begins"
    assert set(place_columns(()).values()) == {None}


def test_decimals_and_dates() -> None:
    assert [decimal_of(text) for text in ("12", "-0.5", "1.005", "NaN", "Infinity", "x", "", None)] == [
        "12.00",
        "-0.50",
        "1.00",
        *[None] * 5,
    ]
    assert decimal_of("9" * 16) == "9" * 16 + ".00"
    assert decimal_of("9" * 17) is None
    assert [date_of(text) for text in ("2026-11-22", "2026-11", "2026-02-30", "20261122", None)] == [
        "2026-11-22",
        *[None] * 4,
    ]
