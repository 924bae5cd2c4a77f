"""What happens to a request between a front-end and the pipeline, whichever front-end it came through.

    schemas     which flow a request belongs to, by the FlowSchemas
    levels      who of those that wait comes next, by the PriorityLevelConfigurations
    gate        lets requests in: at once where nothing waits, else some in each turn of the event loop
    failures    what a client is told of an error

Guarantees
- Whoever sends more than is carried out waits in lines of his own; others pass by, whatever door either came through.
- Lines are bounded. Who finds his full is told when to come back (429), and the more are told so, the later they are told.

Thread: the event loop's. Cost: 2 us a request where nothing waits. It must never know what a kind is.
"""
