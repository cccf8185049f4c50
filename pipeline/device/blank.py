"""One blank image for each model, computed before a process says that it is ready: does its device compute at all?

So a device that fails with every image is known as such, and no page is blamed for it.
"""

from __future__ import annotations

import numpy as np

from pipeline.device.wire import Size
from pipeline.ocr.batched import BatchModels, Kind

SIZES: dict[Kind, Size] = {"detect": (64, 64), "recognize": (48, 160), "direction": (48, 192)}


def compute(models: BatchModels) -> None:
    """Compute them, alone; raises what `models.run` raises, and `ValueError` where there is no answer."""
    for kind, (height, width) in SIZES.items():
        if len(models.run(kind, [np.full((height, width, 3), 255, np.uint8)])) != 1:
            raise ValueError(f"no answer for a blank image ({kind})")
