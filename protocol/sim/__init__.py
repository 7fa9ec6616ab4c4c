"""The deterministic simulator: many machines, one clock, injected faults; and experiments with it.

The machine in here is the machine that runs on UDP; only the network around it is made up.
"""

from __future__ import annotations

from ..core.faults import Faults
from .choices import Selection, Start, Timing
from .experiment import Crash, Experiment, ExperimentRun
from .figures import CycleFigures, InDegrees
from .node import SimulatedNode
from .overlay import Broadcast, Overlay, autocorrelation, turnover
from .simulation import LimitError, Simulation

__all__ = [
    "Broadcast",
    "Crash",
    "CycleFigures",
    "Experiment",
    "ExperimentRun",
    "Faults",
    "InDegrees",
    "LimitError",
    "Overlay",
    "Selection",
    "SimulatedNode",
    "Simulation",
    "Start",
    "Timing",
    "autocorrelation",
    "turnover",
]
