"""The deterministic simulator: many machines, one clock, injected faults.

The machine in here is the machine that runs on UDP; only the network around it is made up.
"""

from __future__ import annotations

from .faults import Faults
from .node import SimulatedNode
from .simulation import LimitError, Simulation, Start

__all__ = ["Faults", "LimitError", "SimulatedNode", "Simulation", "Start"]
