"""The partial view."""
from __future__ import annotations
from typing import NamedTuple
from .identity import Address, NodeId

class Descriptor(NamedTuple):
    """What a view knows of a node: who, where, and how many exchanges ago it was fresh."""

    id: NodeId
    address: Address
    age: int
