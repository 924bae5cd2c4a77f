"""Preemption: where no node has room for a pod, which pods of lower priority have to go, and from which node.

    budgets     PodDisruptionBudgets, and which pods would violate one
    dry_run     which pods of one node have to go
    lineups     the pods of nodes as arrays, and dry runs of many nodes at once over these
    claims      what nominated pods claim of each node, as arrays
    choice      which node; the whole as one question

Pure: what was chosen is carried out by the scheduler. What a dry run found is kept per ask until the node changes, so that of many equal
pods that preempt each costs the nodes that the one before it changed.

Source: kube-scheduler 1.37, DefaultPreemption and framework/preemption.
"""
