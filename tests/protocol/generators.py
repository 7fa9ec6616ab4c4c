"""Hypothesis strategies for everything that travels, up to the limits of the wire format."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from hypothesis import strategies as st

from protocol.core.identity import NAME_LIMIT, Address, Key, NodeId, is_visible
from protocol.core.large.limits import CHUNK_SIZE, CHUNKS_LIMIT, HASH_SIZE, PAYLOAD_MAXIMUM
from protocol.core.large.tree import Reference
from protocol.core.messages import (
    Absent,
    Acknowledge,
    Anchor,
    Announcement,
    BareRumor,
    BaselinePage,
    Chunk,
    ChunkRequest,
    Digest,
    Distance,
    ExchangeAnswer,
    ExchangeRequest,
    Floors,
    FloorsDone,
    FloorSums,
    Goodbye,
    Graft,
    Header,
    HistoryDone,
    HistoryRequest,
    Holding,
    Horizon,
    IHave,
    Item,
    KeyDot,
    Linkage,
    Padding,
    Parents,
    Prune,
    Range,
    Rumor,
    Stance,
    SumsDiffer,
    Want,
)
from protocol.core.view import Descriptor
from protocol.wire import (
    AGE_LIMIT,
    DEPTH_LIMIT,
    HOPS_LIMIT,
    PADDING_MINIMUM,
    PAGE_LIMIT,
    SEQUENCE_LIMIT,
    TIME_LIMIT,
)


def up_to(limit: int, low: int = 0) -> st.SearchStrategy[int]:
    """Whole numbers with the places where an encoding gets longer among them."""
    edges = {low, limit, *(edge + step for bits in range(7, 64) for edge in [1 << bits] for step in (-1, 0))}
    return st.one_of(st.sampled_from(sorted(e for e in edges if low <= e <= limit)), st.integers(low, limit))


words = up_to((1 << 64) - 1)
sequences = up_to(SEQUENCE_LIMIT, low=1)
depths = up_to(DEPTH_LIMIT, low=1)
times = st.floats(0, TIME_LIMIT)
hops = st.integers(0, HOPS_LIMIT)
ages = up_to(AGE_LIMIT)
keys: st.SearchStrategy[Key] = st.binary(min_size=8, max_size=8)
names = st.one_of(
    st.sampled_from(["p1", "p2", "node-17", "x" * NAME_LIMIT, "Zoë", "名前", "🜁" * NAME_LIMIT]),
    st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=NAME_LIMIT).filter(is_visible),
)
node_ids = st.builds(NodeId, names, words)
ports = st.integers(1, 65_535)


def is_one_host(host: IPv4Address | IPv6Address) -> bool:
    """Whether datagrams can go to exactly one host of this address; IPv4 in IPv6 dress is tested apart."""
    if isinstance(host, IPv6Address):
        return not (host.is_multicast or host.is_unspecified or host.ipv4_mapped)
    return not (host.is_multicast or host.packed[0] == 0 or host == IPv4Address("255.255.255.255"))


addresses = st.builds(Address, st.ip_addresses().filter(is_one_host).map(str), ports)
descriptors = st.builds(Descriptor, node_ids, addresses, ages)
headers = st.builds(
    Header, st.integers(0, (1 << 32) - 1), keys, st.none() | addresses, st.just(0) | words, st.just(0) | words
)


def dots_from(low: int, max_size: int = 30) -> st.SearchStrategy[tuple[KeyDot, ...]]:
    """Dots of different origins."""
    pairs = st.tuples(keys, up_to(SEQUENCE_LIMIT, low=low))
    return st.lists(pairs, max_size=max_size, unique_by=lambda dot: dot[0]).map(tuple)


@st.composite
def make_ranges(draw: st.DrawFn) -> Range:
    """One range whose ends are in order."""
    low = draw(sequences)
    return Range(draw(keys), low, draw(up_to(SEQUENCE_LIMIT, low=low)))


dots = dots_from(1)
ranges = st.lists(make_ranges(), max_size=30).map(tuple)
rumors = st.builds(
    Rumor, node_ids, sequences, depths, times, dots, st.binary(max_size=300) | st.binary(max_size=3), hops
).filter(lambda rumor: rumor.origin.key not in dict(rumor.parents))
digests = st.builds(Digest, st.none() | dots, up_to(DEPTH_LIMIT), words, words)
buffers = st.lists(descriptors, max_size=18).map(tuple)
pages = up_to(PAGE_LIMIT, low=1).flatmap(lambda count: st.tuples(up_to(count - 1), st.just(count)))
deep_dots = st.lists(
    st.tuples(keys, sequences, up_to(DEPTH_LIMIT)), max_size=40, unique_by=lambda dot: dot[0]
).map(tuple)
horizons = st.builds(Horizon, up_to(DEPTH_LIMIT), words)
entries = st.lists(
    st.tuples(node_ids, sequences, up_to(DEPTH_LIMIT)), max_size=18, unique_by=lambda entry: entry[0]
).map(tuple)


@st.composite
def make_anchors(draw: st.DrawFn) -> Anchor:
    """One page of a clock."""
    page, count = draw(pages)
    return Anchor((draw(keys), draw(sequences)), page, count, draw(deep_dots))


@st.composite
def make_parents(draw: st.DrawFn) -> Parents:
    """One page of the parents of a bare rumor."""
    page, count = draw(pages)
    return Parents((draw(keys), draw(sequences)), page, count, draw(dots))


@st.composite
def make_bare_rumors(draw: st.DrawFn) -> BareRumor:
    """A rumor that was sent without its parents."""
    return BareRumor(draw(rumors)._replace(parents=()), draw(up_to(PAGE_LIMIT, low=1)))


references = st.builds(
    Reference.to, up_to(PAYLOAD_MAXIMUM, low=1), st.binary(min_size=HASH_SIZE, max_size=HASH_SIZE)
)
chunk_places = up_to(CHUNKS_LIMIT - 1)
chunk_requests = st.builds(
    ChunkRequest,
    st.tuples(keys, sequences),
    references,
    st.sets(chunk_places, min_size=1, max_size=64).map(lambda places: tuple(sorted(places))),
)
chunks = st.builds(
    Chunk,
    references,
    chunk_places,
    st.integers(0, 10).flatmap(lambda count: st.binary(min_size=16 * count, max_size=16 * count)),
    st.binary(min_size=1, max_size=CHUNK_SIZE),
)
holdings = st.builds(Holding, references, st.binary(max_size=128).map(lambda bits: bits.rstrip(b"\0")))


@st.composite
def make_announcements(draw: st.DrawFn) -> Announcement:
    """A large message, with its parents beside it or on pages."""
    rumor = draw(rumors)._replace(payload=draw(references))
    count = draw(up_to(PAGE_LIMIT))
    return Announcement(rumor._replace(parents=()) if count else rumor, count)


@st.composite
def make_baseline_pages(draw: st.DrawFn) -> BaselinePage:
    """One page of a baseline."""
    page, count = draw(pages)
    return BaselinePage(
        draw(words),
        draw(words),
        page,
        count,
        draw(up_to(DEPTH_LIMIT)),
        draw(horizons),
        draw(words),
        draw(entries),
        draw(dots),
    )


@st.composite
def make_floors(draw: st.DrawFn) -> Floors:
    """Floors whose keys lie between the ends."""
    floors = draw(dots_from(0))
    ends = sorted([draw(keys), draw(keys), *(key for key, _ in floors)])
    everything = draw(st.sampled_from([b"", b"\xff" * 32]))
    return Floors(draw(words), ends[0], ends[-1], floors, everything, draw(horizons))


exchange_requests = st.builds(
    ExchangeRequest, words, node_ids, st.booleans(), st.booleans(), buffers, digests
)
exchange_answers = st.builds(ExchangeAnswer, words, node_ids, buffers, digests)
goodbyes = st.builds(Goodbye, node_ids)
spoken_items: st.SearchStrategy[ExchangeRequest | ExchangeAnswer | Goodbye] = st.one_of(
    exchange_requests, exchange_answers, goodbyes
)
"""Items that name their sender, which must be the one whose key the header carries."""

other_items: st.SearchStrategy[Item] = st.one_of(
    rumors,
    st.builds(Padding, st.integers(PADDING_MINIMUM, 1_300)),
    st.builds(Want, ranges, st.booleans()),
    st.builds(Absent, ranges),
    make_bare_rumors(),
    make_parents(),
    make_anchors(),
    st.builds(Acknowledge, st.tuples(keys, up_to(SEQUENCE_LIMIT))),
    make_floors(),
    st.builds(FloorsDone, words, st.booleans(), st.booleans()),
    st.builds(FloorSums, words, st.binary(min_size=1_024, max_size=1_024)),
    st.builds(SumsDiffer, words, st.binary(min_size=32, max_size=32)),
    st.builds(HistoryRequest, words, words),
    make_baseline_pages(),
    st.builds(HistoryDone, words, words, st.booleans()),
    make_announcements(),
    chunk_requests,
    chunks,
    holdings,
    st.builds(Linkage, st.sampled_from(Stance).map(int)),
    st.builds(IHave, ranges),
    st.builds(Distance, st.tuples(keys, sequences), hops),
    st.just(Prune()),
    st.builds(Graft, ranges),
)
"""Items that any sender may send, one strategy for each kind."""

items: st.SearchStrategy[Item] = st.one_of(other_items, spoken_items)
"""All kinds of items."""


@st.composite
def make_conversations(draw: st.DrawFn) -> tuple[Header, list[Item]]:
    """A header with items that its sender may send; together they may be larger than a datagram."""
    header = draw(headers)
    spoken = draw(st.none() | spoken_items)
    others = draw(st.lists(other_items, max_size=6))
    if spoken is None:
        return header, others
    return header._replace(sender=spoken.sender.key), [spoken, *others]


conversations = make_conversations()
