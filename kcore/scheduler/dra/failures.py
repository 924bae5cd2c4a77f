"""What an evaluation says of devices node by node: where only they are missing, and where it cannot be said."""
from __future__ import annotations

import numpy as np

from kcore.scheduler.columns import Columns, Int64
from kcore.scheduler.dra.needs import PLUGIN, claims_of
from kcore.scheduler.evaluation import Evaluation
from kcore.scheduler.plugins.dynamic_resources import NOT_AVAILABLE, is_failed, problem_at
from kcore.scheduler.rows import PodRow


def devices_problem(asked: PodRow, evaluation: Evaluation, columns: Columns) -> str:
    """Return why a pod's devices cannot be judged on a node that all else lets it go to; asked: the pod before it was looked up."""
    for slot, code in _reached(evaluation, columns):
        if is_failed(code):
            text, number = problem_at(slot, evaluation.ask, columns)
            claims = [claim.key for claim in claims_of(asked.ask.claims or (), columns.devices) if claim.allocation is None]
            name = claims[number] if number < len(claims) else f"{asked.namespace}/<extended-resources>"
            said = text.replace("{claim}", name).replace("{node}", columns.names[slot])
            return f'running "{PLUGIN}" filter plugin: {said}'
    return ""


def slots_without_devices(evaluation: Evaluation, columns: Columns) -> Int64:
    """Return the slots that only claims keep the pod from which have devices."""
    slots: Int64 = np.array([slot for slot, code in _reached(evaluation, columns) if code & NOT_AVAILABLE], np.int64)
    return slots


def _reached(evaluation: Evaluation, columns: Columns) -> list[tuple[int, int]]:
    """Return the slots that all other filters let pass and devices do not, with the codes of these."""
    count = columns.count
    left, own = evaluation.mask[:count].astype(np.bool_), np.zeros(count, np.int64)
    for plugin, codes in evaluation.filters:
        if plugin.name == PLUGIN:
            own = codes[:count]
        else:
            left &= codes[:count] == 0
    return [(slot, int(own[slot])) for slot in np.flatnonzero(left & (own != 0)).tolist()]
