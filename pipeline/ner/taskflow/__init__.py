"""PaddleNLP models supplied by the user: `Taskflow("ner")`, UIE with a schema, fine-tuned token classifiers."""

from __future__ import annotations

from pipeline.ner.taskflow.engine import TaskflowEngine
from pipeline.ner.taskflow.source import describe

__all__ = ["TaskflowEngine", "describe"]
