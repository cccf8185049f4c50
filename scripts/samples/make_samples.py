"""Draw the sample documents and write the facts to be found in them (`expected.json`).

All contents are invented. The same library versions give the same bytes on each run.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import _contract
import _delivery
import _digital
import _fax
import _idform
import _invoice
import _medical
import _receipt
from _paper import FontMissingError

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = (
    _invoice.sample,
    _receipt.sample,
    _medical.sample,
    _idform.sample,
    _digital.email,
    _contract.sample,
    _delivery.sample,
    _invoice.broken,
    _fax.sample,
    _digital.claim,
    _receipt.parking,
)


def main() -> int:
    """Write all samples; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "samples", help="folder for the documents")
    parser.add_argument(
        "--expected",
        type=Path,
        default=ROOT / "tests" / "acceptance" / "expected.json",
        help="file for the facts",
    )
    arguments = parser.parse_args()
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    expected = {}
    try:
        for make in SAMPLES:
            sample = make()
            (out / sample.name).write_bytes(sample.data)
            expected[sample.name] = sample.expected()
            print(f"{out / sample.name}: {sample.kind}, {len(sample.data) / 1024:.0f} KiB")
    except FontMissingError as error:
        print(error, file=sys.stderr)
        return 1
    text = json.dumps(expected, ensure_ascii=False, indent=2)
    arguments.expected.write_text(text + "\n", encoding="utf-8")
    print(arguments.expected)
    return 0


if __name__ == "__main__":
    sys.exit(main())
