"""Generated pods and what becomes of them: creates them as fast as asked, and measures by watching.

Guarantees: every figure is what a client sees: a pod counts as created, bound or running when a watch delivers it. Names are unique to a
run. Nothing is estimated.

Thread: one event loop. It must never know how the server works inside.
"""
