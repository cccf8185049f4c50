"""What this installation says about itself: metrics, traces."""

from pipeline.telemetry.registry import count, gauge, observe

__all__ = ["count", "gauge", "observe"]
