"""Word documents and spreadsheets as native text. What they show is read, not how it is laid out."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime, time
from pathlib import PurePosixPath

from lxml import etree

from pipeline.documents import ole, word_unseen
from pipeline.documents.sheet_span import check_span
from pipeline.documents.text_file import LINES, Content, left_out
from pipeline.errors import Encrypted, OverLimit, Unreadable
from pipeline.limits import Limits

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT = b"http://purl.oclc.org/ooxml/wordprocessingml/main"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_NOT_SHOWN = (f"{_W}txbxContent", f"{_W}pPr", f"{_W}moveFrom", _FALLBACK)
_STYLES = "word/styles.xml"
_WORD_PARTS = (
    r"word/header\d*\.xml",
    r"word/document\d*\.xml",
    r"word/(?:foot|end)notes\.xml",
    r"word/footer\d*\.xml",
)
_NO_VALUE = re.compile(rb"</f>(?:<v\s*/>|<v></v>)?</c>|<f[^>]*/>(?:<v\s*/>|<v></v>)?</c>")
_MIN_PICTURE = 2000  # bytes: smaller ones are bullets and lines


def word(data: bytes, limits: Limits) -> Content:
    """Text of a .docx: headers, body, text boxes, notes, footers; raises `Unreadable` or `OverLimit`."""
    with _opened(data, limits, "Word document") as package:
        names = package.namelist()
        found = [n for pattern in _WORD_PARTS for n in sorted(names) if re.fullmatch(pattern, n)]
        parts = [package.read(name) for name in found]
        styles = package.read(_STYLES) if _STYLES in names else b""
        pictures = _pictures(package, "word/media/")
    roots = [_xml(part) for part in parts]
    coloured = None if word_unseen.has_ground(parts) else _coloured(styles)
    unseen = sum(word_unseen.blank(root, coloured) for root in roots)
    texts = ["\n".join(_blocks(root)) for root in roots]
    shown = "\n".join(dict.fromkeys(text for text in texts if text.strip()))
    return Content(shown, pictures, left_out(unseen))


def sheets(data: bytes, limits: Limits, name: str) -> Content:
    """Values of the visible sheets of an .xlsx, .xls or .ods, a row a line; `name` for messages.

    Raises `Encrypted`, `Unreadable` or `OverLimit`.
    """
    from python_calamine import (
        CalamineError,
        CalamineWorkbook,
        PasswordError,
        SheetTypeEnum,
        SheetVisibleEnum,
    )

    warnings: list[str] = []
    pictures: list[bytes] = []
    if data.startswith(b"PK"):
        with _opened(data, limits, name) as package:
            check_span(package, name)
            pictures = _pictures(package, "xl/media/", "Pictures/")
            parts = [n for n in package.namelist() if n.startswith("xl/worksheets/") and n.endswith(".xml")]
            if empty := sum(len(_NO_VALUE.findall(package.read(part))) for part in parts):
                warnings.append(
                    f"{empty} formulas have no stored value: open and save it in a spreadsheet program."
                )
    elif ole.is_endless(data):
        raise Unreadable(f"The {name} is damaged: save it again, or export it as a PDF.")
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        tables = [s for s in workbook.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
        shown = [s for s in tables if s.visible == SheetVisibleEnum.Visible]
        if len(shown) < len(tables):
            warnings.append(f"{len(tables) - len(shown)} hidden sheets were left out.")
        rows: list[str] = []
        for sheet in shown:
            if rows:
                rows.append("\f")
            for row in workbook.get_sheet_by_name(sheet.name).to_python():
                rows.append("  ".join(text for value in row if (text := _cell(value))))
                if len(rows) > limits.max_pages * LINES:
                    raise OverLimit(
                        f"The {name} has more rows than {limits.max_pages} pages hold: split it, or raise --max-pages."
                    )
    except PasswordError as error:
        raise Encrypted(f"The {name} requires a password: remove the password and send it again.") from error
    except CalamineError as error:
        raise Unreadable(f"The {name} is damaged: save it again, or export it as a PDF.") from error
    return Content("\n".join(rows).replace("\n\f\n", "\f"), pictures, warnings)


def _opened(data: bytes, limits: Limits, name: str) -> zipfile.ZipFile:
    try:
        package = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Unreadable(f"The {name} is damaged: save it again, or export it as a PDF.") from error
    unpacked = sum(info.file_size for info in package.infolist())
    if unpacked > limits.max_bytes:
        raise OverLimit(
            f"The {name} unpacks to {unpacked / 1024**2:,.0f} MiB, more than the limit of "
            f"{limits.max_bytes / 1024**2:,.0f} MiB: split it, or raise NIGHTSHIFT_MAX_BYTES."
        )
    return package


def _pictures(package: zipfile.ZipFile, *folders: str) -> list[bytes]:
    infos = [i for i in package.infolist() if i.filename.startswith(folders) and i.file_size >= _MIN_PICTURE]
    return [package.read(info) for info in sorted(infos, key=lambda i: _natural(i.filename))]


def _natural(name: str) -> tuple[int, str]:
    number = re.search(r"(\d+)\.\w+$", PurePosixPath(name).name)
    return (int(number[1]) if number else 0, name)


def _xml(part: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    return etree.fromstring(part.replace(_STRICT, _W[1:-1].encode()), parser)


def _coloured(styles: bytes) -> set[str] | None:
    """Ids of the styles with a ground, `None` where that can't be known."""
    try:
        return word_unseen.coloured_styles(_xml(styles)) if styles else set()
    except etree.XMLSyntaxError:
        return None


def _blocks(element: etree._Element) -> Iterator[str]:
    """Paragraphs and table rows in order, a line each; a row's cells are joined by two spaces."""
    for child in element:
        if child.tag == f"{_W}p":
            yield "".join(_runs(child))
            for box in child.iter(f"{_W}txbxContent"):
                if next(box.iterancestors(f"{_W}p")) is not child:
                    continue  # a box in a box: it comes with that
                if not any(a.tag == _FALLBACK for a in box.iterancestors()):  # the same for older programs
                    yield from _blocks(box)
        elif child.tag == f"{_W}tr":
            own = [c for c in child.iter(f"{_W}tc") if next(c.iterancestors(f"{_W}tr")) is child]
            cells = (" ".join(text for text in _blocks(cell) if text) for cell in own)
            yield "  ".join(text for text in cells if text)
        elif child.get(f"{_W}type") not in ("separator", "continuationSeparator"):
            yield from _blocks(child)


def _runs(element: etree._Element) -> Iterator[str]:
    """The visible text of a paragraph, without its text boxes, and without what was moved elsewhere."""
    for child in element:
        if child.tag == f"{_W}t":
            yield child.text or ""
        elif child.tag == f"{_W}tab":
            yield "\t"
        elif child.tag in (f"{_W}br", f"{_W}cr"):
            yield "\f" if child.get(f"{_W}type") == "page" else "\n"
        elif child.tag == f"{_W}noBreakHyphen":
            yield "-"
        elif child.tag not in _NOT_SHOWN and not _is_hidden(child):
            yield from _runs(child)


def _is_hidden(run: etree._Element) -> bool:
    vanish = run.find(f"{_W}rPr/{_W}vanish") if run.tag == f"{_W}r" else None
    return vanish is not None and vanish.get(f"{_W}val") not in ("0", "false")


def _cell(value: object) -> str:
    text = str(value)
    match value:
        case bool():
            text = text.upper()
        case float():
            text = f"{value:.15g}"
        case datetime():  # calamine gives dates as moments
            text = value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
        case time():
            text = value.isoformat("minutes")
    return " ".join(text.split())
