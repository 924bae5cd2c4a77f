"""What holds for every test: costly invariants are on, and Hypothesis prints what reproduces a failure."""

import os

os.environ.setdefault("KCORE_VERIFY", "1")  # read when kcore.base.verify is imported

from hypothesis import HealthCheck, settings

settings.register_profile("kcore", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kcore")
