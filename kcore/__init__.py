"""A Kubernetes-compatible control plane: API server, store, scheduler, controllers, pod network and hollow nodes.

The packages below are layers; each knows only those under it (``[tool.importlinter]`` in pyproject.toml draws them, ARCHITECTURE.md
tells the way of one pod through them). Programs that test operators start at ``kcore.testing``, clients at ``kcore.client``,
people at the command ``kcore``.
"""

__version__ = "0.1.0"
