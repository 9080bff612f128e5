"""What holds for all tests."""

import os

from hypothesis import settings

# The same examples in every run, so that a change is judged by itself and not by luck. `OSTRO_FUZZ=20` tries new ones,
# and twenty times as many of them.
EFFORT = float(os.environ.get("OSTRO_FUZZ", "1"))
settings.register_profile("ostro", deadline=None, max_examples=int(100 * EFFORT), derandomize=EFFORT <= 1)
settings.load_profile("ostro")
