"""What a person should do now, and the command for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pyarrow.compute as pc

from pipeline.errors import Damaged, PipelineError
from pipeline.ledger.audit import Audit
from pipeline.ledger.discarded import DISCARDED
from pipeline.ledger.timeline import Sample
from pipeline.night import callbacks, dead, reprocess
from pipeline.night.brake import OF_THE_DOCUMENT, Braked
from pipeline.night.night import Night
from pipeline.plural import count
from pipeline.report import course
from pipeline.report.facts import Todo
from pipeline.report.page.words import step_name, words
from pipeline.report.sentences import both, short
from pipeline.storage import Store, keys
from pipeline.tables.masking import masked_sentence

FAILURES = ("task_id", "source", "sha256", "status", "error_code", "error")
MODELS = ("status", "ocr_digest", "ner_digest", "fields_digest")

_MOST = 20
"""Error codes that are listed; the rest together."""


def failures(store: Store, table: Any, run_date: str, mask: str) -> Iterator[Todo]:
    """Failed and partial documents by reason, most frequent first; not those that an operator has discarded."""
    discarded = [
        keys.task_id_of(key)
        for prefix in (keys.failures(run_date), keys.partials(run_date))
        for key in store.list(keys.DISCARDED + prefix)
    ]
    unwell = pc.is_in(table["status"], _array(("failed", "partial")))
    ended = table.filter(pc.and_not(unwell, pc.is_in(table["task_id"], _array(discarded))))
    codes: dict[str, list[int]] = {}
    for index, code in enumerate(ended["error_code"].to_pylist()):
        codes.setdefault(code or "unknown", []).append(index)
    codes.pop(DISCARDED, None)
    ordered = sorted(codes.items(), key=lambda item: (-len(item[1]), item[0]))
    for code, rows in ordered[:_MOST]:
        (first,) = ended.slice(rows[0], 1).to_pylist()
        lasts = code in OF_THE_DOCUMENT
        en = "; another attempt gives the same unless the document or a limit changes" if lasts else ""
        zh = "，除非文档或限制改变，重试结果相同" if lasts else ""
        states = Counter(ended["status"].take(rows).to_pylist())
        yield Todo(
            what="failures",
            count=len(rows),
            sentences=both(
                f"{_states(states)} with {code}{en}.",
                f"{len(rows):,} 份因 {code} 失败或部分完成{zh}。",
            ),
            code=code,
            example=short(
                masked_sentence(
                    first["error"] or "", mask, source=first["source"] or "", sha256=first["sha256"]
                )
            ),
            command=f"nightshift failed redrive --run-date {run_date} --code {code}",
        )
    if rest := sum(len(rows) for _, rows in ordered[_MOST:]):
        yield Todo(
            what="failures",
            count=rest,
            sentences=both(
                f"{count(rest, 'document')} failed for other reasons.", f"另有 {rest:,} 份因其他原因失败。"
            ),
            command=f"nightshift failed list --run-date {run_date}",
        )


def not_in_tables(unwell: int, run_date: str) -> Todo:
    """Failed and partial documents of a night whose tables can't say why: not written yet, or not readable."""
    return Todo(
        what="failures",
        count=unwell,
        sentences=both(
            f"{count(unwell, 'document')} failed or partial; the reasons are not in the tables of the night yet.",
            f"{unwell:,} 份失败或部分完成；原因尚未写入当夜的表格。",
        ),
        command=f"nightshift failed list --run-date {run_date}",
    )


def _states(states: Mapping[str, int]) -> str:
    parts = [
        f"{states[name]:,} {name}" for name in ("failed", "partial") if states.get(name)
    ]  # such as `3 failed and 2 partial`
    return " and ".join(parts)


def _array(values: Sequence[str]) -> Any:
    import pyarrow as pa

    return pa.array(values, pa.string())


def of_store(night: Night, run_date: str) -> Iterator[Todo]:
    """What is not in the tables of this night: documents that could not be reprocessed, and callbacks."""
    discarded = {
        key.removeprefix(keys.DISCARDED)
        for key in night.store.list(keys.DISCARDED + keys.failures_again(run_date))
    }
    again = [key for key in night.store.list(keys.failures_again(run_date)) if key not in discarded]
    if again:
        yield Todo(
            what="failures",
            count=len(again),
            sentences=both(
                f"{count(len(again), 'document')} could not be reprocessed; previous results kept.",
                f"{len(again):,} 份无法重新处理；保留之前的结果。",
            ),
            command=f"nightshift failed list --run-date {run_date}",
        )
    lost = sum(1 for _ in night.store.list(keys.undelivered_of(run_date)))
    if lost:
        example = ""
        with suppress(Damaged, StopIteration):
            example = next(callbacks.undelivered(night.store, run_date)).message
        yield Todo(
            what="callbacks",
            count=lost,
            sentences=both(
                f"{count(lost, 'callback')} could not be delivered.", f"{lost:,} 个回调未能送达。"
            ),
            example=short(masked_sentence(example, night.settings.mask)),
            command=f"nightshift callbacks resend --run-date {run_date}",
        )


def stale_models(table: Any, run_date: str, night: Night) -> Iterator[Todo]:
    """Results of this night that a model, or rules, have made that are not the ones configured here."""
    now = reprocess.Now(night.settings)
    for step in reprocess.STEPS:
        try:
            info = now.info(step)
        except (PipelineError, ImportError):  # it is not installed on this machine
            continue
        column = table[f"{step}_digest"]
        other = pc.is_valid(column) if info is None else pc.not_equal(column, info.digest)
        old = int(pc.sum(pc.fill_null(other, False)).as_py() or 0)
        if old:
            where = f"run_date = {run_date} and {step}_digest != current"
            yield Todo(
                what="stale_models",
                count=old,
                sentences=both(
                    f"{count(old, 'document')} read by another {step} model than the one configured now.",
                    f"{old:,} 份由与当前配置不同的“{step_name(step)}”模型处理。",
                ),
                command=f'nightshift reprocess --where "{where}"',
            )


def workers(samples: Sequence[Sample]) -> Iterator[Todo]:
    """Workers that were lost while there was work."""
    if (lost := course.workers_lost(samples)) > 0:
        yield Todo(
            what="workers",
            count=lost,
            sentences=both(
                f"{count(lost, 'worker')} stopped serving before the work was done.",
                f"{lost:,} 个工作进程在工作完成前停止了。",
            ),
            command="nightshift status",
        )


def brakes(notes: Sequence[Braked], mask: str) -> Iterator[Todo]:
    """Steps that are paused."""
    for note in notes:
        if not note.released:
            yield Todo(
                what="brake",
                count=note.count,
                sentences=both(
                    f"Step {note.step} is paused: one document after the other failed with {note.code}.",
                    f"步骤“{step_name(note.step)}”已暂停：文档接连因 {note.code} 失败。",
                ),
                code=note.code,
                example=short(masked_sentence(note.example, mask)),
                command=f"nightshift brake release {note.step}",
            )


def letters(groups: Sequence[dead.Group], mask: str) -> Iterator[Todo]:
    """Dead letters that a person must look at."""
    for group in groups:
        yield Todo(
            what="dead",
            count=group.count,
            sentences=both(
                f"{count(group.count, 'dead letter')} with {group.code}.",
                f"{group.count:,} 封死信（{group.code}）。",
            ),
            code=group.code,
            example=short(masked_sentence(group.example, mask)),
            command=f"nightshift dead list --code {group.code}",
        )


def discrepancies(audit: Audit, mask: str) -> Iterator[Todo]:
    """What the audit found, by kind."""
    for kind, number in Counter(gap.kind for gap in audit.gaps).items():
        first = next(gap for gap in audit.gaps if gap.kind == kind)
        repair = " --repair" if kind == "missing" else ""
        yield Todo(
            what="discrepancies",
            count=number,
            sentences=both(
                f"The audit found {count(number, 'discrepancy', 'discrepancies')}: {words('en').name('gaps', kind)}.",
                f"审计发现 {number:,} 处不符：{words('zh').name('gaps', kind)}。",
            ),
            code=kind,
            example=short(masked_sentence(f"{first.task_id or first.source} {first.detail}", mask)),
            command=f"nightshift audit {audit.run_date}{repair}",
        )


def unreadable(error: Damaged, run_date: str) -> Todo:
    """Tables that can't be read."""
    return Todo(
        what="discrepancies",
        count=1,
        sentences=both(short(error.message), f"{run_date} 的表格无法读取，请重新生成。"),
        code=error.code,
        command=f"nightshift summarise {run_date}",
    )
