#!/usr/bin/env bash
# Run every benchmark, one after the other: all.sh PYTHON DATA
# DATA/ie, where there is one: invoices/, wildreceipt/, recognizers/, resume/, zh_papers/
set -euo pipefail
python=$1 data=$2
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1
"$python" benchmarks/ocr_accuracy.py "$data"
"$python" -m benchmarks.comparison --data "$data" --pages 30
"$python" benchmarks/run_overhead.py "$data"
store=$(mktemp -d)
"$(dirname "$python")/nightshift" run "$data/sroie/img" "$data"/zh_docs/{invoice-1.pdf,invoice-3.jpg,vat_special_specimen.jpg} --out "$store" --show 0
"$python" benchmarks/fields_recall.py "$data" --store "$store"
"$python" benchmarks/fields.py "$data" --store "$store" --samples "$store/sroie.jsonl"
"$python" benchmarks/record_speed.py "$store"
"$python" benchmarks/items.py --store "$store" --keys "$data/sroie/key"
if [ -d "$data/ie" ]; then
  invoices=$(mktemp -d)
  NIGHTSHIFT_MASK=false "$(dirname "$python")/nightshift" run "$data/ie/invoices/pdf" --out "$invoices" --show 0
  "$python" benchmarks/invoices.py "$data/ie/invoices" --store "$invoices" --samples "$store/invoices.jsonl"
  "$python" benchmarks/items.py --store "$invoices" --truth "$data/ie/invoices/truth.json"
  "$python" benchmarks/wildreceipt.py "$data/ie/wildreceipt" --samples "$store/wildreceipt.jsonl"
  "$python" benchmarks/zh_papers.py "$data/ie/zh_papers/pages.json" --samples "$store/zh_papers.jsonl"
  "$python" benchmarks/calibrate.py "$store"/*.jsonl
  "$python" benchmarks/kinds.py receipt,vat_invoice="$store" invoice,credit_note="$invoices"
  "$python" benchmarks/recognizers.py "$data/ie/recognizers"
  "$python" benchmarks/ner_resume.py "$data/ie/resume"
fi
"$python" benchmarks/ner_msra.py "$data"
"$python" benchmarks/ner_train.py "$data"
"$python" benchmarks/memory.py "$data"
"$python" benchmarks/memory.py "$data" --ner lac patterns taskflow
for what in overhead speed submit; do "$python" benchmarks/night.py "$what" "$data"; done
for what in device device_cost device_run; do "$python" "benchmarks/$what.py"; done
"$python" benchmarks/summarise.py
"$python" benchmarks/bad_inputs.py "$data"
