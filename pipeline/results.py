"""For analysts: load last night's tables in one line, and the page of a row.

>>> from pipeline import results
>>> entities = results.load("out", "entities")  # doctest: +SKIP
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from PIL import Image

from pipeline.documents.open import page_image
from pipeline.errors import NotFound
from pipeline.ledger import records
from pipeline.models import DocumentResult, Entity, Field, from_json
from pipeline.settings import Settings
from pipeline.storage import keys, open_store
from pipeline.tables.names import TABLES
from pipeline.tables.places import place_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray


def load(
    store: str | None = None,
    table: Literal["documents", "pages", "entities", "fields", "items"] = "entities",
    run_date: str | None = None,
    *,
    masked: bool = True,
    latest: bool = False,
) -> pd.DataFrame:
    """Load one summary table as a DataFrame, of one run date or of all, with `run_date` as a column.

    Nights of older versions get the columns of today, empty where they did not have them. `latest=True`: each document
    once, by its newest task, where the same bytes were processed in several nights or under several ids.
    `masked=False` restores the true text and value of sensitive entities and fields (and the pages' text, the items'
    description and the documents' source) from the JSON results, which requires permission to read them. Raises
    `NotFound` if there is no such table yet.
    """
    if table not in TABLES:
        raise ValueError(f"there is no table {table!r}: choose from {', '.join(TABLES)}")
    settings = Settings.from_env(store_url=store)
    source = open_store(settings.store_url, settings)
    prefix = f"{keys.SUMMARY}{table}/" + (f"run_date={run_date}/" if run_date else "")
    parts = [key for key in source.list(prefix) if key.endswith(".parquet")]
    if not parts:
        raise NotFound(
            f"{prefix} not found in {source.url}: run `nightshift run` first, or check the run date."
        )
    frames = []
    for key in parts:
        day = key.split("run_date=", 1)[1].split("/", 1)[0]
        frames.append(_upgraded(pd.read_parquet(io.BytesIO(source.get(key)))).assign(run_date=day))
    frame = pd.concat([one for one in frames if len(one)] or frames[-1:], ignore_index=True)
    if latest:
        frame = _newest(frame, store, table, run_date)
    if masked:
        return frame
    return _with_sources(frame, settings) if table == "documents" else _unmask(frame, table, settings)


def _upgraded(frame: pd.DataFrame) -> pd.DataFrame:
    """A table with the coordinates of today: before schema 4 they were in `boxes`. Other new columns stay missing."""
    if "boxes" not in frame.columns:
        return frame
    stored = (() if boxes is None else boxes for boxes in frame["boxes"])
    places = [place_columns([[(float(x), float(y)) for x, y in box] for box in boxes]) for boxes in stored]
    columns = {name: [place[name] for place in places] for name in place_columns(())}
    return frame.drop(columns=["box", "boxes"]).assign(**columns)


def _newest(frame: pd.DataFrame, store: str | None, table: str, run_date: str | None) -> pd.DataFrame:
    """The rows of each document's newest task: same tenant and bytes, or same id where no bytes could be read."""
    documents = frame if table == "documents" else load(store, "documents", run_date)
    bytes_or_id = documents["sha256"].fillna(documents["task_id"])
    ordered = documents.assign(of=bytes_or_id, whose=documents["tenant"].fillna("")).sort_values(
        ["done_at", "run_date"], kind="stable", na_position="first"
    )
    kept = ordered.drop_duplicates(["whose", "of"], keep="last").drop_duplicates("task_id", keep="last")
    newest = pd.MultiIndex.from_frame(kept[["run_date", "task_id"]])
    return frame[pd.MultiIndex.from_frame(frame[["run_date", "task_id"]]).isin(newest)].reset_index(drop=True)


def result(store: str | None, run_date: str, task_id: str) -> DocumentResult:
    """The complete JSON result of one finished task; raises `NotFound`."""
    settings = Settings.from_env(store_url=store)
    return from_json(
        open_store(settings.store_url, settings).get(keys.result(run_date, task_id)), DocumentResult
    )


def image(store: str | None, result: DocumentResult, page: int) -> NDArray[np.uint8]:
    """The upright image, RGB (height, width, 3), that the boxes of `page` (from 1) refer to."""
    settings = Settings.from_env(store_url=store)
    assert result.sha256 is not None
    data = open_store(settings.store_url, settings).get(keys.document(result.sha256))
    read = result.pages[page - 1]
    pixels = page_image(data, page, read.rotation, settings.limits)
    if pixels.shape[:2] != (
        read.height,
        read.width,
    ):  # processed at another resolution than the current setting
        pixels = np.asarray(Image.fromarray(pixels).resize((read.width, read.height)))
    return pixels


def outlines(row: pd.Series[Any]) -> list[list[tuple[float, float]]]:
    """The outline of each text line of a row of `entities` or `fields`, as points in pixels; empty without a place."""
    if pd.isna(row["x0"]):
        return []
    if row["polygons"] is not None:
        return [[(float(x), float(y)) for x, y in polygon] for polygon in row["polygons"]]
    x0, y0, x1, y1 = (float(row[name]) for name in ("x0", "y0", "x1", "y1"))
    return [[(x0, y0), (x1, y0), (x1, y1), (x0, y1)]]


def _with_sources(frame: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """The documents with the true sources of those whose source is masked."""
    source = open_store(settings.store_url, settings)
    frame = frame.copy()
    for index, row in frame.iterrows():
        hidden = "*" in row["source"] or (row["sha256"] and row["source"].startswith(row["sha256"][:12]))
        if hidden and (full := records.ended(source, row["run_date"], row["task_id"])):
            frame.loc[[index], "source"] = full.source
    return frame


def _unmask(frame: pd.DataFrame, table: str, settings: Settings) -> pd.DataFrame:
    source = open_store(settings.store_url, settings)
    frame = frame.copy()
    for (run_date, task_id), rows in frame.groupby(["run_date", "task_id"]):
        full = from_json(source.get(keys.result(str(run_date), str(task_id))), DocumentResult)
        if table == "pages":
            texts = dict(zip(rows["page"], rows["text"], strict=True))
            texts |= {page.number: page.text for page in full.pages}
            frame.loc[rows.index, "text"] = [texts[n] for n in rows["page"]]
        elif table == "fields":
            named = {field.name: field for field in full.extraction.fields} if full.extraction else {}
            _put(frame, rows, [named.get(name) for name in rows["field"]])
        elif table == "items":
            described = {i.row: i.description for i in full.extraction.items} if full.extraction else {}
            masked = zip(rows["row"], rows["description"], strict=True)
            frame.loc[rows.index, "description"] = [described.get(n, text) or None for n, text in masked]
        else:
            spans = {(e.page, e.start, e.end, e.type): e for e in full.entities}
            places = zip(rows["page"], rows["start"], rows["end"], rows["type"], strict=True)
            _put(frame, rows, [spans.get(place) for place in places])
    return frame


def _put(frame: pd.DataFrame, rows: pd.DataFrame, found: list[Entity | Field | None]) -> None:
    """Put true texts and values into `rows` of `frame`; rows without a match stay masked.

    A document reprocessed after its night was summarised may have other entities.
    """
    there = [place for place, one in zip(rows.index, found, strict=True) if one is not None]
    frame.loc[there, "text"] = [one.text or None for one in found if one is not None]
    frame.loc[there, "value"] = [one.value for one in found if one is not None]
