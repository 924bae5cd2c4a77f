"""What holds for every test: costly invariants are on, Ctrl-C reaches processes, and Hypothesis prints what reproduces a failure."""

import os
import signal

os.environ.setdefault("KCORE_VERIFY", "1")  # read when kcore.base.verify is imported

from hypothesis import HealthCheck, settings

# A shell ignores SIGINT for what it runs in the background, and so would every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A person's runs explore; those of CI repeat the same examples, so that a change is judged by what it changes.
settings.register_profile("kcore", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("kcore"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "kcore")
