#!/usr/bin/env bash
# Run every benchmark, one after the other: all.sh PYTHON DATA
set -euo pipefail
python=$1 data=$2
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1
"$python" benchmarks/ocr_accuracy.py "$data"
"$python" benchmarks/ocr_speed.py "$data"
"$python" benchmarks/run_overhead.py "$data"
store=$(mktemp -d)
"$(dirname "$python")/nightshift" run "$data/sroie/img" "$data"/zh_docs/{invoice-1.pdf,invoice-3.jpg,vat_special_specimen.jpg} --out "$store" --show 0
"$python" benchmarks/fields_recall.py "$data" --store "$store"
"$python" benchmarks/fields.py "$data" --store "$store"
"$python" benchmarks/ner_msra.py "$data"
"$python" benchmarks/ner_train.py "$data"
"$python" benchmarks/memory.py "$data"
"$python" benchmarks/memory.py "$data" --ner lac patterns taskflow
for what in overhead speed submit; do "$python" benchmarks/night.py "$what" "$data"; done
"$python" benchmarks/summarise.py
"$python" benchmarks/bad_inputs.py "$data"
