"""Runs seeds, and says what breaks.

    python -m tests.simulation 17                           one seed, with its script
    python -m tests.simulation 0-99                         many, a line of JSON each
    python -m tests.simulation 0-199 "expectations removed"  a mutant, until it is found
"""

from __future__ import annotations

import faulthandler
import json
import logging
import sys
import time
from dataclasses import asdict
from typing import Final

from tests.simulation.mutants import MUTANTS
from tests.simulation.run import run
from tests.simulation.script import drawn

SEED_S_MAX: Final = 120.0
"""A seed that takes so long goes round in circles: its stack is printed, and the process ends."""


def main(arguments: list[str]) -> None:
    """Run the seeds that the arguments name."""
    logging.getLogger("kcore").addHandler(logging.NullHandler())
    logging.getLogger("kcore").propagate = False
    first, _, last = arguments[0].partition("-")
    mutant = MUTANTS[arguments[1]] if len(arguments) > 1 else None
    if not last:
        print(*drawn(int(first)), sep="\n")
    for seed in range(int(first), int(last or first) + 1):
        faulthandler.dump_traceback_later(SEED_S_MAX, exit=True)
        began = time.process_time()
        outcome = run(seed, mutant.put_in) if mutant else run(seed)
        print(json.dumps({**asdict(outcome), "cpu_s": round(time.process_time() - began, 2)}), flush=True)
        if mutant and any(mutant.found_by in wrong for wrong in outcome.wrongs):
            return


main(sys.argv[1:])
