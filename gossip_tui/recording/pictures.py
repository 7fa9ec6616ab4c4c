"""Pictures of nodes as plain values, and what changed between two of them.

A flat picture is a map of plain values: what msgpack packs. Numbers, flags and texts of a ``NodeSnapshot``
stand in it under their own names, whatever they are, so that a counter that is added later is recorded
without a word here; only what has parts of its own is spelt out. Node ids are numbers, which ``Numbers``
gives out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import lru_cache
from typing import Any

from protocol.core.config import Dissemination
from protocol.core.faults import FAULT_COUNTS, NOTHING_DONE, Direction, FaultReport, Faults
from protocol.core.identity import Dot, NodeId
from protocol.core.snapshot import (
    Counters,
    HeldMessage,
    NeighbourRow,
    NodeSnapshot,
    PeerRow,
    PeerState,
    ToldView,
)
from protocol.core.strategy import Strategy
from protocol.core.view import AGE_LIMIT, Descriptor

from .limits import HELD_LIMIT, NUMBER_LIMIT, PEERS_LIMIT, TEXT_LIMIT, TOLD_LIMIT, TOLD_VIEW_LIMIT
from .values import Malformed, address, boolean, dots, listing, number, optional, real, table, text

__all__ = ["Flat", "apply_change", "change_between", "flatten", "picture_of"]

Flat = dict[str, Any]

NumberOf = Callable[[NodeId], int]
"""Gives the number that stands for a node in this file."""

SIMPLE: dict[str, Callable[[Any], Any]] = {"int": number, "bool": boolean, "float": real, "str": text}
"""The reader of each type that is recorded as it is."""

SIMPLE_FIELDS = {
    field.name: SIMPLE[str(field.type)] for field in fields(NodeSnapshot) if str(field.type) in SIMPLE
}
COUNTERS = frozenset(field.name for field in fields(Counters))
DIRECTIONS = frozenset({"out", "in", ""})
STATES = tuple(PeerState)
TABLES = ("counters", "peers", "rejected", "told")
"""The parts whose entries change one by one."""

NEVER_CHANGES_ALONE = "now"
"""The moment of a picture: alone it is no news."""


def flatten(snapshot: NodeSnapshot, number_of: NumberOf) -> Flat:
    """A picture as plain values."""
    ages = {entry.id: entry.age for entry in snapshot.view}
    flat: Flat = {name: recordable(getattr(snapshot, name)) for name in SIMPLE_FIELDS}
    counters = snapshot.counters
    flat["id"] = number_of(snapshot.id)
    flat["address"] = str(snapshot.address)
    flat["strategy"] = str(snapshot.strategy)
    flat["view"] = [[number_of(entry.id), str(entry.address)] for entry in snapshot.view]
    flat["ages"] = list(ages.values())
    flat["peers"] = {number_of(row.id): flat_row(row, ages) for row in snapshot.peers[:PEERS_LIMIT]}
    flat["held"] = [flat_held(held, number_of) for held in snapshot.held[:HELD_LIMIT]]
    flat["frontier"] = flat_dots(snapshot.frontier, number_of)
    flat["counters"] = {name: recordable(getattr(counters, name)) for name in COUNTERS}
    flat["rejected"] = dict(snapshot.rejected)
    flat["faults"] = flat_faults(snapshot.faults)
    flat["dissemination"] = str(snapshot.dissemination)
    flat["neighbours"] = [[str(row.address), row.is_eager] for row in snapshot.neighbours[:PEERS_LIMIT]]
    flat["told"] = {number_of(told.id): flat_told(told, number_of) for told in snapshot.told[-TOLD_LIMIT:]}
    return flat


def recordable(value: Any) -> Any:
    """A simple value within the limits of the format."""
    if type(value) is int:
        return min(value, NUMBER_LIMIT)
    return value[:TEXT_LIMIT] if type(value) is str else value


def flat_row(row: PeerRow, ages: dict[NodeId, int]) -> list[Any]:
    """A peer; the age that its descriptor in the view has is not said twice."""
    return [
        None if row.address is None else str(row.address),
        STATES.index(row.state),
        None if row.age == ages.get(row.id) else row.age,
        row.round_trip,
        row.last_direction,
        row.last_exchange_at,
    ]


def flat_told(told: ToldView, number_of: NumberOf) -> list[Any]:
    """What a peer told of its view."""
    entries = told.descriptors[:TOLD_VIEW_LIMIT]
    return [told.at, [[number_of(entry.id), str(entry.address), entry.age] for entry in entries]]


def flat_held(held: HeldMessage, number_of: NumberOf) -> list[Any]:
    """A held-back message."""
    origin, sequence = held.id
    return [
        [[number_of(origin), sequence]],
        held.text[:TEXT_LIMIT],
        held.depth,
        held.created_at,
        held.received_at,
        flat_dots(held.waits_for, number_of),
    ]


def flat_faults(report: FaultReport) -> list[Any]:
    """The faults in force, as the text that people write, and what they did."""
    return [
        str(report.faults),
        {str(peer): str(faults) for peer, faults in report.by_peer.items()},
        {str(peer): str(direction) for peer, direction in report.blocked.items()},
        *(getattr(report, name) for name in FAULT_COUNTS),
    ]


def flat_dots(found: tuple[Dot, ...], number_of: NumberOf) -> list[list[int]]:
    """Dots as pairs."""
    return [[number_of(origin), sequence] for origin, sequence in found]


def change_between(before: Flat, after: Flat) -> Flat:
    """What is different in ``after``; ``apply_change`` makes it of ``before``. Empty if only time passed."""
    change: Flat = {}
    for name, value in after.items():
        former = before.get(name)
        if value == former:
            continue
        change[name] = entries_between(former, value) if name in TABLES and former is not None else value
    return change if change.keys() - {NEVER_CHANGES_ALONE} else {}


def entries_between(before: dict[Any, Any], after: dict[Any, Any]) -> dict[Any, Any]:
    """The entries that are new or different, and nil for those that are gone."""
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    changed.update(dict.fromkeys(before.keys() - after.keys()))
    return changed


def apply_change(before: Flat, change: Flat) -> Flat:
    """The picture after a change; ``before`` stays as it is.

    Raises:
        ValueError: A part has no entries though it should.
    """
    after = {**before, **change}
    for name in TABLES:
        if name in change and name in before:
            entries = {**table(before[name], PEERS_LIMIT), **table(change[name], PEERS_LIMIT)}
            after[name] = {key: value for key, value in entries.items() if value is not None}
            if len(after[name]) > PEERS_LIMIT:
                raise Malformed("a picture grows without end")
    return after


def picture_of(flat: Flat, nodes: list[NodeId]) -> NodeSnapshot:
    """The picture that plain values stand for.

    Args:
        flat: Values from a file: anything.
        nodes: The nodes by their numbers.

    Raises:
        ValueError: No writer makes such a picture.
        TypeError: The same.
    """
    values: dict[str, Any] = {
        name: read(flat[name]) for name, read in SIMPLE_FIELDS.items() if name in flat or is_required(name)
    }
    view = view_of(flat, nodes)
    ages = {entry.id: entry.age for entry in view}
    counters = table(flat["counters"], PEERS_LIMIT)
    rejected = table(flat["rejected"], PEERS_LIMIT)
    peers = table(flat["peers"], PEERS_LIMIT)
    return NodeSnapshot(
        id=node_of(flat["id"], nodes),
        address=address(flat["address"]),
        strategy=strategy_of(text(flat["strategy"]), values["view_size"]),
        view=view,
        peers=tuple(sorted((row_of(key, row, nodes, ages) for key, row in peers.items()), key=by_id)),
        held=tuple(held_of(held, nodes) for held in listing(flat["held"], HELD_LIMIT)),
        frontier=dots(flat["frontier"], nodes),
        counters=Counters(**{name: number(count) for name, count in counters.items() if name in COUNTERS}),
        rejected={text(reason): number(count) for reason, count in rejected.items()},
        faults=faults_of(flat["faults"]) if "faults" in flat else NOTHING_DONE,
        dissemination=dissemination_of(flat.get("dissemination", Dissemination.EAGER)),
        neighbours=tuple(neighbour_of(row) for row in listing(flat.get("neighbours", []), PEERS_LIMIT)),
        told=told_of(flat.get("told", {}), nodes),
        **values,
    )


def told_of(value: Any, nodes: list[NodeId]) -> tuple[ToldView, ...]:
    """What peers told of their views, the newest last; recordings of older versions have none."""
    found = []
    for key, told in table(value, TOLD_LIMIT).items():
        at, entries = listing(told, 2)
        view = tuple(descriptor_of(entry, nodes) for entry in listing(entries, TOLD_VIEW_LIMIT))
        found.append(ToldView(node_of(key, nodes), view, real(at)))
    return tuple(sorted(found, key=lambda told: told.at))


def descriptor_of(entry: Any, nodes: list[NodeId]) -> Descriptor:
    """Somebody whom a peer knew."""
    node, place, age = listing(entry, 3)
    return Descriptor(node_of(node, nodes), address(place), number(age, AGE_LIMIT))


def by_id(row: PeerRow) -> NodeId:
    """Rows stand in the order of their names."""
    return row.id


def is_required(name: str) -> bool:
    """Whether a field of pictures has no default; one that has may be missing."""
    return next(
        field.default is MISSING and field.default_factory is MISSING
        for field in fields(NodeSnapshot)
        if field.name == name
    )


def view_of(flat: Flat, nodes: list[NodeId]) -> tuple[Descriptor, ...]:
    """The partial view."""
    entries, ages = listing(flat["view"], PEERS_LIMIT), listing(flat["ages"], PEERS_LIMIT)
    found = []
    for entry, age in zip(entries, ages, strict=True):
        node, place = listing(entry, 2)
        found.append(Descriptor(node_of(node, nodes), address(place), number(age, AGE_LIMIT)))
    return tuple(found)


def row_of(key: Any, row: Any, nodes: list[NodeId], ages: dict[NodeId, int]) -> PeerRow:
    """A peer."""
    node = node_of(key, nodes)
    place, state, age, round_trip, direction, last_at = listing(row, 6)
    if direction not in DIRECTIONS:
        raise Malformed("an exchange went neither in nor out")
    return PeerRow(
        node,
        optional(address, place),
        STATES[number(state, len(STATES) - 1)],
        ages.get(node) if age is None else number(age, AGE_LIMIT),
        optional(real, round_trip),
        direction,
        optional(real, last_at),
    )


def held_of(held: Any, nodes: list[NodeId]) -> HeldMessage:
    """A held-back message."""
    own, words, depth, created_at, received_at, waits_for = listing(held, 6)
    (dot,) = dots(own, nodes)
    return HeldMessage(
        dot, text(words), number(depth), real(created_at), real(received_at), dots(waits_for, nodes)
    )


def neighbour_of(row: Any) -> NeighbourRow:
    """A lasting link."""
    place, is_eager = listing(row, 2)
    return NeighbourRow(address(place), boolean(is_eager))


def dissemination_of(word: Any) -> Dissemination | str:
    """How messages spread; a later version may know other ways."""
    found = text(word)
    return Dissemination(found) if found in tuple(Dissemination) else found


def faults_of(report: Any) -> FaultReport:
    """The faults in force."""
    common, by_peer, blocked, *counts = listing(report, 3 + len(FAULT_COUNTS))
    return FaultReport(
        faults_in(common),
        {address(peer): faults_in(words) for peer, words in table(by_peer, PEERS_LIMIT).items()},
        {address(peer): Direction(way) for peer, way in table(blocked, PEERS_LIMIT).items()},
        **dict(zip(FAULT_COUNTS, map(number, counts), strict=True)),
    )


def faults_in(words: Any) -> Faults:
    """The faults that a text stands for."""
    return Faults.parse(text(words))


def node_of(value: Any, nodes: list[NodeId]) -> NodeId:
    """A node by its number."""
    return nodes[number(value, len(nodes) - 1)]


@lru_cache(maxsize=256)
def strategy_of(words: str, view_size: int) -> Strategy:
    """The strategy that a text stands for, remembered: it hardly ever changes."""
    return Strategy.parse(words, view_size)
