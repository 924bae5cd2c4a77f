"""Generated pods and what becomes of them: creates them in the rhythm that is asked for, lets them come and go, and measures by watching.

Guarantees: every figure is what a client sees: a pod counts as created, bound or running when a watch delivers it. Names are unique to a
run. When a create is due is a pure function of pattern, rate and seed. Nothing is estimated.

Thread: one event loop. It must never know how the server works inside.
"""
