"""Fit `pipeline/fields/calibration.json`, and say how honest the confidences are.

    python benchmarks/calibrate.py SAMPLES.jsonl [...]           # reliability: each half by numbers fitted on the other
    python benchmarks/calibrate.py SAMPLES.jsonl [...] --write   # fit on all samples and write the file

SAMPLES are lines such as {"kind": "receipt", "name": "total", "score": 0.8, "right": true, "half": 0}, written by
the benchmarks of the sets with `--samples FILE`. Expected calibration error: over ten bins of confidence, the
mean distance between confidence and share of right values, weighted by the number of values (Guo et al. 2017).
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from samples import Sample, read

_CURVES = Path(__file__).parent.parent / "pipeline/fields/calibration.json"
_LIMIT = 0.001
_LEAST = 25
"""Minimum number of samples for numbers of a field's own."""
_PRIOR = 6.0
"""Weight of the pooled curve, in samples, and of ..."""
_DOUBT = 0.5
"""... one wrong value: papers of other people are read less well than those that were looked at."""


Curve = tuple[float, float]
Curves = dict[str, dict[str, Curve]]


def logit(score: float) -> float:
    inside = min(max(score, _LIMIT), 1 - _LIMIT)
    return float(np.log(inside / (1 - inside)))


def chance(curve: Curve, score: float) -> float:
    return float(1 / (1 + np.exp(-(curve[0] * logit(score) + curve[1]))))


def fit(samples: Sequence[Sample], start: Curve = (1.0, 0.0)) -> Curve:
    """Slope and offset of greatest likelihood, drawn towards `start`; the slope stays positive."""
    x = np.array([logit(s.score) for s in samples])
    y = np.array([float(s.right) for s in samples])
    weights = np.array([s.weight for s in samples])
    doubt = np.median(x)
    x, y, weights = np.append(x, doubt), np.append(y, 0.0), np.append(weights, _DOUBT)
    a, b = start
    for _ in range(50):
        p = 1 / (1 + np.exp(-(a * x + b)))
        slope = np.array([np.sum(weights * (y - p) * x), np.sum(weights * (y - p))])
        slope -= _PRIOR * 0.25 * np.array([a - start[0], b - start[1]])
        curved = weights * p * (1 - p)
        hessian = np.array(
            [[np.sum(curved * x * x), np.sum(curved * x)], [np.sum(curved * x), np.sum(curved)]]
        )
        step = np.linalg.solve(hessian + np.eye(2) * _PRIOR * 0.25, slope)
        a, b = max(a + float(step[0]), 0.05), b + float(step[1])
    return round(a, 3), round(b, 3)


def fit_all(everything: Sequence[Sample]) -> Curves:
    """Numbers for all fields, for each type, and for each field with enough samples."""
    samples = [sample for sample in everything if not sample.failed]
    curves: Curves = {"*": {"*": fit(samples)}}
    groups: dict[str, dict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        groups[sample.kind][sample.name].append(sample)
    for kind, by_name in sorted(groups.items()):
        of_kind = [sample for group in by_name.values() for sample in group]
        if len(of_kind) < _LEAST:
            continue
        pooled = fit(of_kind, curves["*"]["*"])
        curves[kind] = {"*": pooled}
        for name, group in sorted(by_name.items()):
            if len(group) >= _LEAST:
                curves[kind][name] = fit(group, pooled)
    return curves


def curve_of(curves: Curves, sample: Sample) -> Curve:
    of_kind = curves.get(sample.kind, {})
    return of_kind.get(sample.name) or of_kind.get("*") or curves["*"]["*"]


def crossed(samples: Sequence[Sample]) -> list[tuple[float, bool]]:
    """The confidence and truth of each sample, by the numbers of the other half."""
    found: list[tuple[float, bool]] = []
    for half in (0, 1):
        curves = fit_all([s for s in samples if s.half != half])
        for sample in samples:
            if sample.half == half:
                confidence = chance(curve_of(curves, sample), sample.score)
                found.append((min(confidence, sample.score) if sample.failed else confidence, sample.right))
    return found


def report(title: str, pairs: Iterable[tuple[float, bool]]) -> float:
    """Print a reliability table; returns the expected calibration error."""
    pairs = list(pairs)
    error = 0.0
    print(f"{title}: {len(pairs)} values, {sum(right for _, right in pairs)} right")
    print("  confidence   values   mean  right")
    for low in range(10):
        inside = [(c, right) for c, right in pairs if low == min(int(c * 10), 9)]
        if not inside:
            continue
        mean, share = (float(np.mean([pair[at] for pair in inside])) for at in (0, 1))
        error += len(inside) / len(pairs) * abs(mean - share)
        print(
            f"  .{low} to {'1.' if low == 9 else f'.{low + 1}'}    {len(inside):6d}   {mean:.3f}  {share:.3f}"
        )
    wrong = [c for c, right in pairs if not right]
    print(
        f"  expected calibration error {error:.3f}; of {len(wrong)} wrong values {sum(c < 0.5 for c in wrong)} below .5"
    )
    return error


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("samples", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true", help="write pipeline/fields/calibration.json")
    args = parser.parse_args()
    samples = [sample for path in args.samples for sample in read(path)]
    report("scores", ((s.score, s.right) for s in samples))
    report("confidences, each half by the other", crossed(samples))
    if args.write:
        _CURVES.write_text(json.dumps(fit_all(samples), indent=1) + "\n")
        print(f"wrote {_CURVES}")


if __name__ == "__main__":
    main()
