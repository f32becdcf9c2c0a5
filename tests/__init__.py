"""Tests of al_lightning; they mirror the package."""

import os

# Before torch is imported. Its threads survive no fork, and one thread a worker is fastest.
os.environ.setdefault("OMP_NUM_THREADS", "1")
