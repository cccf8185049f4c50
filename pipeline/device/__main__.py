"""`python -m pipeline.device`: a device process; see `pipeline.device.launch`."""

import sys

from pipeline.device.launch import main

main(*sys.argv[1:])
