"""Tests that try each call of a store in turn take every seventh one; `make soak` takes all."""

import os

EVERY = 1 if os.environ.get("SOAK") else 7
