"""Take away from this process what it needs not to parse hostile files: network, other files, other processes.

Linux only. The layers are independent of each other: where the kernel lacks one, the others still hold.
"""

from pipeline.sandbox.confine import LAYERS, confine
from pipeline.sandbox.program import environment, readable

__all__ = ["LAYERS", "confine", "environment", "readable"]
