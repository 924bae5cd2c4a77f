"""What is known about asks on all nodes: kept, and brought up to date as pods are placed and nodes change.

    evaluation    the results of one ask; `fused`: what amounts decide, in one compiled pass
    kept          the results of recent asks; `nodes`: what only nodes themselves decide
    sample        which of the feasible nodes are scored, where that is not all

Guarantees
- Results that are kept equal those of a fresh evaluation.
- A run of equal pods that is placed in one call stands where it would stand had each been decided by itself, with the same chance.

Thread: one. Never: what a plugin's rule is, or who waits.
"""
from kcore.scheduler.evaluation.evaluation import Evaluation
from kcore.scheduler.evaluation.kept import Evaluations

__all__ = ["Evaluation", "Evaluations"]
