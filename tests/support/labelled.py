"""Labelled sentences, made up: what the tests of training learn from."""

import random
from collections.abc import Sequence
from pathlib import Path

from pipeline.ner.bioes import Span
from pipeline.ner.training.sentences import Sentence

ILLNESSES = ("流感", "肺炎", "胃炎", "高血压")
DRUGS = ("青霉素", "阿司匹林", "布洛芬")


def medical(count: int, seed: int = 0) -> list[Sentence]:
    """Chinese sentences with one ILLNESS and one DRUG each."""
    draw = random.Random(seed)
    return [
        joined(
            [
                (draw.choice(["患者有", "他得了", "医生说是"]), ""),
                (draw.choice(ILLNESSES), "ILLNESS"),
                (draw.choice(["，给予", "，服用", "。用过"]), ""),
                (draw.choice(DRUGS), "DRUG"),
                (draw.choice(["。", "治疗。"]), ""),
            ]
        )
        for _ in range(count)
    ]


def orders(count: int, seed: int = 0) -> list[Sentence]:
    """English sentences with the number of an ORDER each."""
    draw = random.Random(seed)
    return [
        joined(
            [
                (draw.choice(["our card was charged for order ", "please cancel order ", "Order "]), ""),
                (str(draw.randrange(10_000, 99_999)), "ORDER"),
                (draw.choice([" today", ": USD 12.00", ", thank you.", " at 10:02"]), ""),
            ]
        )
        for _ in range(count)
    ]


def plain(count: int, seed: int = 0) -> list[Sentence]:
    """Chinese sentences without any entity that is labelled here."""
    draw = random.Random(seed)
    who, when = ["我们", "张伟", "客户谭美", "李老师", "财务部"], ["今天", "上周五", "2月27日", "昨天上午"]
    what = [
        "收到了邮件",
        "申请退款",
        "在北京开会",
        "核对账单并退回多收的款项",
        "支付9,352.80元",
        "写信给公司",
    ]
    return [
        joined([(draw.choice(who) + draw.choice(when) + draw.choice(what) + draw.choice("。，！"), "")])
        for _ in range(count)
    ]


def joined(parts: Sequence[tuple[str, str]]) -> Sentence:
    """A sentence of (wording, type) parts; those without a type are no entity."""
    text, spans = "", []
    for wording, kind in parts:
        if kind:
            spans.append(Span(kind, len(text), len(text) + len(wording)))
        text += wording
    return Sentence(text, tuple(spans))


def write_bio(path: Path, sentences: Sequence[Sentence]) -> Path:
    """A label file, one character and its BIO tag a line."""
    blocks = []
    for text, spans in sentences:
        tags = ["O"] * len(text)
        for kind, start, end in spans:
            tags[start:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - start - 1)]
        blocks.append("\n".join(f"{c} {tag}" for c, tag in zip(text, tags, strict=True)))
    path.write_text("\n\n".join(blocks) + "\n", "utf-8")
    return path
