"""The XML of an electronic invoice (CII, ZUGFeRD 1, UBL): recognised, decoded, parsed and laid out as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.documents import encodings
from pipeline.errors import Unreadable

if TYPE_CHECKING:
    from lxml import etree

MAX_XML = 5 * 1024 * 1024
"""Maximum size of the XML in bytes, annexes included."""
_HEAD = 4096  # characters in which the root must begin
_MAX_VALUE = 2000  # characters of one value that are shown
_MAX_INDENT = 8  # levels

_ROOT = re.compile(r"<(?:[\w.-]{1,40}:)?(\w{1,60})([^<]{0,4000})")
_CII = ("CrossIndustryInvoice", "CrossIndustryDocument")
_UBL = ("Invoice", "CreditNote")
_UBL_NAMESPACE = "urn:oasis:names:specification:ubl:schema:xsd:"
_DECLARED = re.compile(
    rb"\s*<\?xml[^>]{0,100}?encoding\s*=\s*[\"'](us-ascii|iso-8859-1?\d|windows-125\d|gb18030|gbk|gb2312|big5)[\"']",
    re.I,
)
"""Encodings other than Unicode that are used; what is declared otherwise is decoded as UTF-8."""
_ANNEX = re.compile(r"(<([\w.-]{1,40}:)?(EmbeddedDocument|Attachment)BinaryObject\b[^>]{0,1000}>)[^<]+")
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_DAY = re.compile(r"(\d{4})(\d\d)(\d\d)")


def is_einvoice(head: bytes) -> bool:
    """Whether bytes begin an XML document whose root is an invoice or credit note."""
    text = _decoded(head[: 4 * _HEAD])[:_HEAD].lstrip("\ufeff \t\r\n")
    if not text.startswith("<"):
        return False
    while text.startswith(("<?", "<!")):
        close = "-->" if text.startswith("<!--") else ">"
        _, found, text = text.partition(close)
        if not found:
            return False
        text = text.lstrip()
    root = _ROOT.match(text)
    if not root:
        return False
    return root[1] in _CII or (root[1] in _UBL and _UBL_NAMESPACE + root[1] in root[2])


def xml_text(data: bytes) -> tuple[str, int]:
    """The XML as text, without the files that are packed into it, and the number of these."""
    return _ANNEX.subn(r"\1", _decoded(data).lstrip("\ufeff"))


def parse(text: str) -> etree._Element:
    """The root of the XML; raises `Unreadable` for what is broken or may be hostile. Nothing outside is loaded."""
    from lxml import etree

    if "<!DOCTYPE" in text:  # invoices have none, and entities are defined there
        raise Unreadable("The XML of the invoice has a document type definition, which is not accepted.")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable("The XML of the invoice is broken and can't be read.") from error


def readable(root: etree._Element) -> str:
    """The XML as lines `name: value`, indented by level."""
    return "\n".join(_lines(root))


def _lines(root: etree._Element) -> Iterator[str]:
    from lxml import etree

    depth = -1
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if event == "end":
            continue
        name = _WORDS.sub(" ", etree.QName(element).localname)
        value = " ".join((element.text or "").split())[:_MAX_VALUE]
        if element.get("format") == "102" and (day := _DAY.fullmatch(value)):
            value = "-".join(day.groups())
        unit = element.get("currencyID") or element.get("unitCode") or ""
        if value or len(element):
            yield "  " * min(depth, _MAX_INDENT) + name + (f": {value} {unit}".rstrip() if value else "")


def _decoded(data: bytes) -> str:
    encoding = encodings.marked(data) or encodings.unmarked_wide(data)
    if encoding is None:
        declared = _DECLARED.match(data)
        encoding = declared[1].decode("ascii") if declared else "utf-8"
    try:
        return data.decode(encoding, "replace")
    except LookupError:  # iso-8859-12 was never published
        return data.decode("utf-8", "replace")
