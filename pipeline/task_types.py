"""Task types of your own: what a package that registers one imports. See `pipeline.steps.task_types`."""

from pipeline.steps.task_types import ENTRY_POINTS, Step, StepInput, TaskType, registered, task_type

Read = StepInput
"""Its name before version 0.2."""

__all__ = ["ENTRY_POINTS", "Read", "Step", "StepInput", "TaskType", "registered", "task_type"]
