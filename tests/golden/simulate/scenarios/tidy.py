"""A policy for the scenarios: nodes whose devices are whole or taken as a whole come first."""

import numpy as np


class Tidy:
    """Count the devices of which a part is left."""

    def __init__(self, devices):
        self.devices = devices

    def score(self, ask, nodes):
        free = self.devices.free(nodes)
        broken = ((free > 0) & (free < 1_000_000)).sum(axis=0)
        return 100 - 10 * np.minimum(broken, 10)
