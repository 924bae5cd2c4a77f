"""The rows of `kcore bench`: what is measured in which size, against which target, and how each kind of row is run.

Guarantees: every row starts from nothing (a fresh data directory, processes, the commands that a user would type) and shares nothing with
the others. A figure is measured or absent: a row whose tool is missing says so and counts as not measured, one that fails is missed. The
small size runs in the tests, so that the large one works when it is wanted.

It must never know how a part works inside: it sees processes, commands and ports.
"""
