"""What if: a cluster as it was read, changes to it, and what the scheduler would decide; nothing is ever written to the cluster.

    cluster       what is read of a cluster, from objects, from a snapshot, or through a list of each kind
    templates     pods that are not there yet
    changes       what is to be different: pods that come, nodes that go, nodes like others
    what_if       the changes carried out on a scheduler in memory
    utilisation   how full nodes are
    backtest      how the pods of a cluster stand, as the scheduler judges it
    report, text, plots   what is told: as values, as tables, as a picture
    trace         pods of a table come and go on virtual time, under several policies side by side

Guarantees
- Decisions are those of `scheduler.core`, with queue, priorities and preemption; there is no second scheduler here.
- The same cluster, changes and seed give the same report.
- No Secret is read.

Thread: one. Pure but for `cluster.read`, which lists, `plots`, which writes a file, and `trace.runs`, which starts processes.
Never: a write to an API server.
"""
