"""RapidOCR's configuration for one of its parts, on OpenVINO."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from pipeline.ocr import telemetry


def part_config(part: str, model: Path, threads: int) -> Any:
    """RapidOCR's configuration of one part (`Det`, `Cls`, `Rec`): this file, OpenVINO, `threads`."""
    telemetry.decline()
    from rapidocr import EngineType, RapidOCR

    logging.getLogger("RapidOCR").setLevel(logging.WARNING)
    config = RapidOCR(
        params={
            "Global.log_level": "warning",
            "EngineConfig.openvino.inference_num_threads": threads,
            # OpenVINO would pin the single thread of each process to the same first core.
            "EngineConfig.openvino.enable_cpu_pinning": False,
            f"{part}.engine_type": EngineType.OPENVINO,
            f"{part}.model_path": str(model),
        }
    ).cfg
    config[part].engine_cfg = config.EngineConfig.openvino
    config[part].limit_type = "max"
    return config[part]
