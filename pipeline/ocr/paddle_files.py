"""Model folders as PaddleOCR expects them: the wheel's weights copied to one, and what an inference.yml says."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from pipeline.errors import ModelMissing
from pipeline.model_cache import cached
from pipeline.ocr import identity, weights
from pipeline.ocr.asking_engine import Recipe
from pipeline.ocr.lines import LINE_HEIGHT
from pipeline.ocr.regions import Contours

_SHAPE = [3, 48, 320]
_STEPS: dict[str, list[dict[str, Any]]] = {
    "det": [
        {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
        {"DetResizeForTest": None},
        {
            "NormalizeImage": {
                "mean": [0.5, 0.5, 0.5],
                "order": "hwc",
                "scale": "1./255.",
                "std": [0.5, 0.5, 0.5],
            }
        },
        {"ToCHWImage": None},
    ],
    "rec": [
        {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
        {"RecResizeImg": {"image_shape": _SHAPE}},
    ],
}
_BOXES = {
    "name": "DBPostProcess",
    "thresh": 0.3,
    "box_thresh": 0.6,
    "max_candidates": 1000,
    "unclip_ratio": 1.5,
}


def prepare_onnx_dirs(target: Path) -> tuple[Path, Path]:
    """Copy the wheel's ONNX weights to the layout that PaddleOCR expects: `target/det` and `target/rec`.

    Each contains `inference.onnx` and `inference.yml`; existing files are replaced. Raises `ModelMissing`.
    """
    import yaml

    files = weights.onnx_files(None)
    alphabet = weights.characters(files.recognition)
    decoders: dict[str, dict[str, Any]] = {
        "det": _BOXES,
        "rec": {"name": "CTCLabelDecode", "character_dict": alphabet},
    }
    for part, source in (("det", files.detection), ("rec", files.recognition)):
        folder = target / part
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / "inference.onnx")
        config = {
            "Global": {"model_name": f"{files.name}_{part}"},
            "PreProcess": {"transform_ops": _STEPS[part]},
            "PostProcess": decoders[part],
        }
        (folder / "inference.yml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    return target / "det", target / "rec"


def cached_onnx_dirs() -> tuple[Path, Path]:
    """`prepare_onnx_dirs`, once per user, in the model cache; raises also `RunError` (`cache_unwritable`)."""
    files = weights.onnx_files(None)
    digest = "-".join(
        [*(identity.file_digest(path)[:16] for path in files.weights), f"v{identity.READING_VERSION}"]
    )
    final = cached(digest, prepare_onnx_dirs)
    return final / "det", final / "rec"


def model_name(folder: Path) -> str:
    """The name of the model in a folder; raises `ModelMissing`."""
    try:
        return str(_config(folder)["Global"]["model_name"])
    except (KeyError, TypeError) as error:
        raise ModelMissing(f"{folder / 'inference.yml'} names no model (Global.model_name).") from error


def recipe_of(detection: Path, recognition: Path) -> Recipe:
    """What the answers of two models mean, by the `inference.yml` of their folders; raises `ModelMissing`."""
    found, read = _config(detection), _config(recognition)
    boxes = found.get("PostProcess", {})
    try:
        characters = read["PostProcess"]["character_dict"]
    except (KeyError, TypeError) as error:
        raise ModelMissing(
            f"{recognition / 'inference.yml'} has no list of characters (PostProcess.character_dict)."
        ) from error
    shapes = [
        op["RecResizeImg"]["image_shape"]
        for op in read["PreProcess"]["transform_ops"]
        if "RecResizeImg" in op
    ]
    if any(height != LINE_HEIGHT for _, height, *_ in shapes):
        raise ModelMissing(
            f"The model in {recognition} takes lines {shapes[0][1]} pixels high, not {LINE_HEIGHT}: "
            "use one of PP-OCRv3 or later."
        )
    # without values in the file, those that PaddleOCR takes
    contours = Contours(
        threshold=boxes.get("thresh", 0.3),
        least=boxes.get("box_thresh", 0.6),
        grown=boxes.get("unclip_ratio", 2.0),
        joined=boxes.get("use_dilation", False),
    )
    return Recipe(tuple(str(character) for character in characters), contours)


def _config(folder: Path) -> dict[str, Any]:
    import yaml

    # libyaml reads a list of 18,000 characters in a tenth of the time
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = weights.present(folder / "inference.yml").read_text(encoding="utf-8")
    config: dict[str, Any] = yaml.load(text, loader)  # noqa: S506 - a safe loader
    return config
