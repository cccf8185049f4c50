"""`paddlex --serve`: PaddleX's own OCR server, with the weights of the rapidocr wheel on onnxruntime."""

import importlib.util
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from pipeline.ocr.paddle_files import prepare_onnx_dirs
from tests.support.servers import free_port, listens, start, unavailable, wait_for

MODEL = "PP-OCRv6_small"
PADDLEX = Path(sys.executable).parent / "paddlex"


@dataclass
class PaddleX:
    """One server; `folder` has its models, its configuration and its log."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def start_paddlex(folder: Path, port: int = 0) -> PaddleX:
    """Start a server and wait until it listens: ten seconds of processor time."""
    if not PADDLEX.exists() or importlib.util.find_spec("filetype") is None:
        unavailable("PaddleX with what its server needs")
    port = port or free_port()
    (folder / "OCR.yaml").write_text(yaml.safe_dump(configuration(folder / "models")))
    options = ["--engine", "onnxruntime", "--device", "cpu", "--host", "127.0.0.1", "--port", port]
    env = {
        "PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK": "True",
        "PADDLE_PDX_CACHE_HOME": str(folder),
        "OMP_NUM_THREADS": "1",
    }
    command = [PADDLEX, "--serve", "--pipeline", folder / "OCR.yaml", *options]
    process = start(command, folder / "paddlex.log", env, cwd=folder)
    wait_for(lambda: listens(port) or process.poll() is not None, "paddlex --serve", 180)
    assert process.poll() is None, (folder / "paddlex.log").read_text()
    return PaddleX(folder, port, process)


def configuration(models: Path) -> dict[str, object]:
    """What `paddlex --get_pipeline_config OCR` writes, with local models, and none for whole pages."""
    detection, recognition = prepare_onnx_dirs(models)
    return {
        "pipeline_name": "OCR",
        "text_type": "general",
        "use_doc_preprocessor": False,
        "use_textline_orientation": False,
        "SubModules": {
            "TextDetection": {
                "module_name": "text_detection",
                "model_name": f"{MODEL}_det",
                "model_dir": str(detection),
                "limit_side_len": 960,
                "limit_type": "max",
                "max_side_limit": 4000,
                "thresh": 0.3,
                "box_thresh": 0.6,
                "unclip_ratio": 1.5,
            },
            "TextRecognition": {
                "module_name": "text_recognition",
                "model_name": f"{MODEL}_rec",
                "model_dir": str(recognition),
                "batch_size": 6,
                "score_thresh": 0.0,
            },
        },
        "Serving": {"visualize": False},
    }
