"""What an evaluation says of devices node by node: where only they are missing, and where it cannot be said."""
from __future__ import annotations

from typing import Final

import numpy as np

from kcore.scheduler.columns import Columns, Int64
from kcore.scheduler.dra.needs import PLUGIN, claims_of
from kcore.scheduler.dra.verdict import FAILED
from kcore.scheduler.evaluation import Evaluation
from kcore.scheduler.plugins.dynamic_resources import NOT_AVAILABLE, problem_at
from kcore.scheduler.rows import PodRow

NO_SLOTS: Final = np.zeros(0, np.int64)


def devices_problem(asked: PodRow, evaluation: Evaluation, columns: Columns) -> str:
    """Return why a pod's devices cannot be judged on a node that all else lets it go to; asked: the pod before it was looked up."""
    failed = _reached(evaluation, columns, FAILED)
    if not len(failed):
        return ""
    text, number = problem_at(int(failed[0]), evaluation.ask, columns)
    claims = [claim.key for claim in claims_of(asked.ask.claims or (), columns.devices) if claim.allocation is None]
    name = claims[number] if number < len(claims) else f"{asked.namespace}/<extended-resources>"
    said = text.replace("{claim}", name).replace("{node}", columns.names[failed[0]])
    return f'running "{PLUGIN}" filter plugin: {said}'


def slots_without_devices(evaluation: Evaluation, columns: Columns) -> Int64:
    """Return the slots that only claims keep the pod from which have devices."""
    return _reached(evaluation, columns, NOT_AVAILABLE)


def _reached(evaluation: Evaluation, columns: Columns, bit: int) -> Int64:
    """Return the slots that all other filters let pass and devices do not, for the reason of a bit."""
    own = next((codes for plugin, codes in evaluation.filters if plugin.name == PLUGIN), NO_SLOTS)[: columns.count]
    slots: Int64 = np.flatnonzero(own & bit)
    for plugin, codes in evaluation.filters if len(slots) else ():
        if plugin.name != PLUGIN:
            slots = slots[codes[slots] == 0]
    reached: Int64 = slots[evaluation.mask[slots] != 0]
    return reached
