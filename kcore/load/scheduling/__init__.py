"""The scheduler's figures: cases of kube-scheduler's own benchmark against a real control plane, and the scheduler alone in memory.

    alone   decisions without an API server, and what the scheduler remembers of nodes and pods, over growing clusters

Guarantees: a pod counts as scheduled when a watch shows it on a node. A figure is measured or absent. The scheduler alone is its core as
the part runs it, fed with the bytes that a watch brings; processor time, not the clock, tells how long a decision takes.
"""
