"""One frozen picture of a node, made of what its parts know."""

from __future__ import annotations

from itertools import islice

from .causal import CausalOrder
from .hold_back import Held
from .identity import Address, Dot
from .intake import Intake
from .snapshot import Counters, HeldMessage, NeighbourRow, NodeSnapshot

__all__ = ["describe"]

HELD_TEXT_SIZE = 2_048
"""Bytes of a held message's payload that a snapshot shows: more than a line, less than a megabyte each."""

HELD_SHOWN = 256
"""Held messages that a snapshot describes; the rest is a number."""

UNANSWERED_CYCLES = 120
"""Cycles for which a peer that stopped answering is news: after them it is taken to be gone; a choice."""


def describe(
    intake: Intake, counters: Counters, now: float, *, has_left: bool, with_told: bool
) -> NodeSnapshot:
    """Everything countable about a node at one moment.

    Args:
        intake: The node's parts.
        counters: Its running totals.
        now: The moment.
        has_left: Whether it said goodbye.
        with_told: Whether what peers told of their views belongs to it.
    """
    context, sampling = intake.context, intake.sampling
    causal, config = context.causal, context.config
    recently = now - UNANSWERED_CYCLES * config.cycle_period
    heard = islice(reversed(causal.origins.values()), config.acquaintance_limit)
    authors = [origin.id for origin in heard if origin.id is not None and origin.id != context.id]
    return NodeSnapshot(
        id=context.id,
        address=context.address or Address("", 0),
        cluster=config.cluster,
        strategy=config.sampling,
        view_size=config.view_size,
        fanout=config.fanout,
        cycle=sampling.cycle,
        view=sampling.view.descriptors(),
        peers=sampling.acquaintances.rows(sampling.view, context.links, authors),
        held=held_messages(causal),
        held_count=len(causal.holding),
        retained_count=len(causal.log),
        retained_size=causal.log.size,
        evicted_count=causal.log.evicted_count,
        frontier=causal.public_dots(causal.frontier.dots.items()),
        depth=causal.depth,
        unacknowledged=intake.spreading.unacknowledged,
        catching_up=intake.catchup.is_running,
        behind=intake.reconcile.behind,
        caught_up=intake.catchup.received if intake.catchup.is_running else intake.reconcile.progress,
        unanswered=sum(dial.lost_at >= recently for dial in sampling.dials.lost.values()),
        left=has_left,
        counters=counters,
        rejected=dict(intake.rejected),
        unacknowledged_size=intake.spreading.unacknowledged_size,
        held_size=causal.queue.size,
        pulling_count=intake.fetching.pool.announced_count,
        pulling_size=intake.fetching.pool.size,
        now=now,
        dissemination=config.dissemination,
        neighbours=tuple(NeighbourRow(one.address, one.is_eager) for one in intake.neighbours.at.values()),
        told=tuple(sampling.told.values()) if with_told else (),
    )


def held_messages(causal: CausalOrder) -> tuple[HeldMessage, ...]:
    """The start of the hold-back queue in display order."""
    held = sorted(
        causal.holding.values(), key=lambda one: (one.rumor.depth, one.rumor.origin, one.rumor.sequence)
    )
    return tuple(describe_held(one, causal) for one in held[:HELD_SHOWN])


def describe_held(held: Held, causal: CausalOrder) -> HeldMessage:
    """One held message, for people."""
    rumor = held.rumor
    return HeldMessage(
        id=Dot(rumor.origin, rumor.sequence),
        text=rumor.payload[:HELD_TEXT_SIZE].decode("utf-8", "replace"),
        depth=rumor.depth,
        created_at=rumor.created_at,
        received_at=held.received_at + causal.wall_offset,
        waits_for=causal.public_dots(causal.missing_of(held)),
    )
