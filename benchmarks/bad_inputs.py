"""How document opening handles broken, unusual and hostile documents, and ordinary ones.

    python benchmarks/bad_inputs.py [DATA] [--sheet FILE.png]

Opens every file of DATA/bad_inputs, DATA/pdfs and DATA/zh_docs and decodes all its pages, each file in
a separate process with an address space limit, and prints one line per file: media type, pages (t = text
layer, i = image), outcome, seconds, peak memory, and the error message. DATA defaults to $NIGHTSHIFT_DATA
or data. `--sheet` writes the decoded first pages as one picture.

Exit code 1 if a process crashed, printed a traceback, or took over 60 s per page or over 1.5 GiB.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

SECONDS_A_PAGE = 60
PEAK_MIB = 1536
ADDRESS_SPACE = 6 * 1024**3
THUMB = 160


def probe(path: Path, thumb: Path | None) -> dict[str, object]:
    """Open one document, decode its pages, and return the outcome (runs in its own process)."""
    from pipeline.documents.open import open_document
    from pipeline.errors import PipelineError
    from pipeline.limits import Limits

    row: dict[str, object] = {
        "media_type": "-",
        "pages": "",
        "outcome": "done",
        "sentence": "",
        "slowest": 0.0,
    }
    limits = Limits()
    try:
        with open_document(path.read_bytes(), limits) as document:
            row["media_type"] = document.media_type
            slowest, kinds = 0.0, ""
            for number in range(1, document.page_count + 1):
                start = time.perf_counter()
                page = document.page(number)
                slowest = max(slowest, time.perf_counter() - start)
                kinds += "i" if page.lines is None else "t"
                if number == 1:
                    row["size"] = f"{page.width}x{page.height}"
                    if thumb:
                        write_thumb(document.render(1), thumb)
            row |= {"pages": f"{document.page_count} {kinds[:8]}", "slowest": slowest}
    except PipelineError as error:
        row |= {"outcome": error.code, "sentence": error.message}
    row["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return row


def write_thumb(pixels: object, path: Path) -> None:
    """Save a small copy of a page for the contact sheet."""
    from PIL import Image

    image = Image.fromarray(pixels)  # type: ignore[arg-type]
    image.thumbnail((THUMB, THUMB))
    image.save(path)


def run(path: Path, thumb: Path | None) -> dict[str, object]:
    """Probe one document in a fresh process."""
    start = time.perf_counter()
    command = [sys.executable, __file__, "--probe", str(path), *(["--sheet", str(thumb)] if thumb else [])]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE)),
    )
    seconds = time.perf_counter() - start
    if done.returncode or "Traceback" in done.stderr:
        tail = (done.stderr.strip().splitlines() or [""])[-1]
        return {
            "outcome": f"DIED {done.returncode}",
            "sentence": tail,
            "seconds": seconds,
            "peak": 0,
            "slowest": 0,
        }
    return {**json.loads(done.stdout.splitlines()[-1]), "seconds": seconds}


def write_sheet(thumbs: Path, sheet: Path) -> None:
    """Arrange the small copies side by side, names below."""
    from PIL import Image, ImageDraw

    paths = sorted(thumbs.glob("*.png"))
    columns = 10
    rows = -(-len(paths) // columns)
    paper = Image.new("RGB", (columns * (THUMB + 10), rows * (THUMB + 24)), "lightblue")
    draw = ImageDraw.Draw(paper)
    for index, path in enumerate(paths):
        x, y = index % columns * (THUMB + 10), index // columns * (THUMB + 24)
        paper.paste(Image.open(path), (x, y))
        draw.text((x, y + THUMB + 4), path.stem[:26], fill="black")
    paper.save(sheet)


def main() -> int:
    """Print the table; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = os.environ.get("NIGHTSHIFT_DATA", "data")
    parser.add_argument("data", nargs="?", type=Path, default=Path(default))
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--probe", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.probe:
        print(json.dumps(probe(args.probe, args.sheet)))
        return 0
    thumbs = args.sheet.with_suffix(".thumbs") if args.sheet else None
    if thumbs:
        thumbs.mkdir(exist_ok=True)
    failed = 0
    outcomes: Counter[str] = Counter()
    print(f"{'name':44} {'type':16} {'pages':12} {'size':>10} {'outcome':17} {'s':>5} {'MiB':>5}  sentence")
    for folder in ("bad_inputs", "pdfs", "zh_docs"):
        for path in sorted((args.data / folder).iterdir()):
            row = run(path, thumbs / f"{path.stem[:40]}.png" if thumbs else None)
            outcome = str(row["outcome"])
            outcomes[outcome] += 1
            slow, large = float(row["slowest"]) > SECONDS_A_PAGE, float(row["peak"]) > PEAK_MIB  # type: ignore[arg-type]
            failed += outcome.startswith("DIED") or slow or large
            print(
                f"{path.name[:44]:44} {row.get('media_type', '-'):16} {row.get('pages', ''):12}"
                f" {row.get('size', ''):>10} {outcome:17} {row['seconds']:5.1f} {row['peak']:5.0f}"
                f"  {row['sentence']}"
            )
    print(
        ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())),
        f"; {failed} out of bounds",
    )
    if thumbs and args.sheet:
        write_sheet(thumbs, args.sheet)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
