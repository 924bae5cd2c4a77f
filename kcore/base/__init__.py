"""What every other package stands on, and what stands on nothing but the standard library.

- Time and chance are interfaces (``clock``, ``entropy``), so that a whole control plane can run on virtual time
  (``virtual_loop``) from one seed.
- Every bound has a name and a reason (``limits``).
- A process of kcore is a *part*: ``service`` is its side of the bargain with the ``supervisor``, ``restarts`` the supervisor's
  judgement, ``lock`` who holds what in a data directory, ``config`` where things lie in it.
- What happens is told by ``log`` (lines for people) and ``metrics`` (numbers for Prometheus); ``metric`` holds the instruments.
- ``verify`` switches on invariants that are too dear for production.

Must never know: any other package of kcore, any library. ``supervisor`` and all that it imports stay free of asyncio too, since
that process lives as long as the control plane and should cost next to nothing.
"""
