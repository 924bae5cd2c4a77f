"""The scheduler's figures: cases of kube-scheduler's own benchmark against a real control plane, and the scheduler alone in memory.

    workload            the files of the cases, and what each size of them does
    run, following      the steps of a case, and what becomes of its pods
    windows, exposition pods a second; what the scheduler itself counts
    alone, objects      decisions without an API server, and what is remembered, over growing clusters
    plots               pictures of both

Guarantees: a pod counts as scheduled when a watch shows it on a node. A figure is measured or absent. The scheduler alone is its core as
the part runs it, fed with the bytes that a watch brings; processor time, not the clock, tells how long a decision takes.
"""
