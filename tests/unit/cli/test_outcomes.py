"""What a run prints below the name of a document."""

from io import StringIO

from rich.console import Console

from pipeline.cli import outcomes
from pipeline.models import DocumentResult, Extraction, Page


def printed(warnings: tuple[str, ...]) -> str:
    page = Page(number=2, width=10, height=10, warnings=warnings)
    result = DocumentResult(
        task_id="a",
        sha256="b",
        source="file:///in/bill.pdf",
        status="done",
        run_date="2031-05-06",
        pages=(page,),
        extraction=Extraction(document_type="other", confidence=0.5),
    )
    console = Console(file=StringIO(), width=100)
    outcomes.fields(console, [result])
    file = console.file
    assert isinstance(file, StringIO)
    return file.getvalue()


def test_what_was_left_out_of_a_page_is_printed() -> None:
    assert "? Page 2: The attached factur-x.xml was not read." in printed(
        ("The attached factur-x.xml was not read.",)
    )


def test_many_sentences_are_counted() -> None:
    shown = printed(tuple(f"Stamp {n} was not read." for n in range(9)))
    assert shown.count("was not read") == 5
    assert "4 more warnings about pages are in the results." in shown
