"""Task types of your own: what a package that registers one imports. See `pipeline.steps.task_types`."""

from pipeline.steps.task_types import ENTRY_POINTS, Read, Step, TaskType, registered, task_type

__all__ = ["ENTRY_POINTS", "Read", "Step", "TaskType", "registered", "task_type"]
