"""By which address others join a node, in words; pure functions."""

from __future__ import annotations

from protocol.core.identity import Address, is_wildcard_host

__all__ = ["THIS_MACHINE", "invitation"]

THIS_MACHINE = "THIS-MACHINE"
"""Stands for the address of this machine, where a node listens on every interface and was told none."""


def invitation(command: str, address: Address) -> str:
    """What others say to join the node at ``address``: ``command`` and an address that they can use.

    A node on every interface, if not told what to advertise, does not know how others reach it.
    """
    if not is_wildcard_host(address.host):
        return f"{command} {address}"
    return f"{command} {THIS_MACHINE}:{address.port}, with the address of this machine (--advertise names it)"
