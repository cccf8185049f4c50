"""Electronic invoices attached to a PDF (Factur-X, ZUGFeRD, XRechnung): the data of the document itself."""

from __future__ import annotations

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from pipeline.documents.einvoice import MAX_XML, is_einvoice, xml_text
from pipeline.documents.pdf_bounds import plain_copy
from pipeline.documents.portfolio import check_sizes, name_of, names_of
from pipeline.errors import OverLimit
from pipeline.models import Code

KNOWN = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml")
"""Names of the attachment by the standards, in lower case; others are recognised by their content."""
MAX_TRIED = 10
MAX_INVOICES = 3
MAX_PINNED = 20


def attached_invoices(pdf: pdfium.PdfDocument, max_bytes: int) -> tuple[tuple[Code, ...], tuple[str, ...]]:
    """The XML invoices attached to a PDF, and a sentence for each that can't be read.

    Costs nothing for a PDF without attachments.
    """
    count = pdfium_c.FPDFDoc_GetAttachmentCount(pdf)
    if not count:
        return (), ()
    names = [(n, name) for n, name in enumerate(names_of(pdf)) if name.casefold().endswith(".xml")]
    if not names:
        return (), ()
    try:
        check_sizes(plain_copy(pdf), "The PDF", count, max_bytes)
    except OverLimit:
        return (), ("The files attached to the PDF are too large: they were not read.",)
    names.sort(key=lambda pair: pair[1].casefold() not in KNOWN)
    codes, warnings = list[Code](), list[str]()
    for index, name in names[:MAX_TRIED]:
        code, warning = _read(pdf, index, name)
        if code and len(codes) < MAX_INVOICES:
            codes.append(code)
        if warning:
            warnings.append(warning)
    return tuple(codes), tuple(warnings)


def _read(pdf: pdfium.PdfDocument, index: int, name: str) -> tuple[Code | None, str]:
    """The invoice, `None` for anything else, and what is wrong with it."""
    known = name.casefold() in KNOWN
    try:
        data = bytes(pdf.get_attachment(index).get_data())
    except (pdfium.PdfiumError, IndexError):
        return None, f"The attached {name} can't be extracted from the PDF: it was not read." if known else ""
    if not is_einvoice(data):
        return None, f"The attached {name} is not an electronic invoice: it was not read." if known else ""
    if len(data) > MAX_XML:
        return None, f"The attached {name} is larger than {MAX_XML // 1024**2} MiB: it was not read."
    text, annexes = xml_text(data)
    files = "1 file" if annexes == 1 else f"{annexes} files"
    return Code(
        kind="xml", text=text
    ), f"{files} inside the attached {name} were left out." if annexes else ""


def files_on(page: pdfium.PdfPage) -> list[str]:
    """Names of the files that are attached to a place on the page, as a paper clip; `MAX_PINNED` at most."""
    names: list[str] = []
    for index in range(pdfium_c.FPDFPage_GetAnnotCount(page)):
        note = pdfium_c.FPDFPage_GetAnnot(page, index)
        if (
            pdfium_c.FPDFAnnot_GetSubtype(note) == pdfium_c.FPDF_ANNOT_FILEATTACHMENT
            and len(names) < MAX_PINNED
        ):
            file = pdfium_c.FPDFAnnot_GetFileAttachment(note)
            names += [name_of(file) or "without a name"] if file else []
        pdfium_c.FPDFPage_CloseAnnot(note)
    return names
