"""Pages are decoded one at a time, whichever thread asks: neither PDFium nor a reader process does more at once."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from pipeline.documents.base import Document, PageInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_decoder = threading.Lock()


def decoded(document: Document, number: int) -> PageInput:
    """The page, its processor time counted: of this thread, so that other work on the machine does not matter."""
    with _decoder:
        begun = time.thread_time()
        try:
            return document.page(number)
        finally:
            document.decoding += time.thread_time() - begun


def rendered(document: Document, number: int) -> NDArray[np.uint8]:
    """The page as RGB, (height, width, 3); raises what `Document.render` raises."""
    with _decoder:
        return document.render(number)
