"""The commands that disturb a network on purpose or change how it works, as a person types them.

Every one of them is told in the log and marked in the rates, so that what comes of it can be seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocol.core.faults import NO_FAULTS, FaultReport, Faults
from protocol.core.identity import Address
from protocol.text import printable

from .command import SWARM, CommandError
from .observed import cuts_in_words

if TYPE_CHECKING:
    from .app import GossipApp
    from .experiments import Experiments

__all__ = [
    "change_fault",
    "change_partition",
    "change_size",
    "change_strategy",
    "change_way",
    "crash",
    "go_on",
    "heal",
    "restart",
    "stop",
]

NAMED_PEERS = 3
"""Peers named in one line; more than these are counted."""


def change_fault(app: GossipApp, argument: str) -> None:
    """Do this to datagrams, and nothing else; without settings, say what is done."""
    lab = experiments_of(app)
    words, swarm = scoped(app, argument.split())
    peer = None
    name = ""
    if words and "=" not in words[0] and words[0].lower() != "off":
        name = words.pop(0)
        peer = lab.address_of(name)
    whom = told(swarm=swarm, name=name)
    if not words:
        app.tell(f"faults {whom}: {in_words(lab.node.fault_report, peer)}")
        return
    faults = Faults.parse(" ".join(words))
    lab.set_faults(faults, peer, swarm=swarm)
    text = f"no faults {whom} any more" if faults == NO_FAULTS else f"faults {whom}: {faults}"
    app.tell_change(text, lab.names(swarm=swarm))


def change_partition(app: GossipApp, argument: str) -> None:
    """Cut the swarm in two, or this node off from peers."""
    lab, names = experiments_of(app), argument.split()
    app.tell_change(lab.partition(names), lab.names_cut(names))


def heal(app: GossipApp, argument: str) -> None:
    """Undo every cut, or that from some peers."""
    lab, names = experiments_of(app), argument.split()
    whose = lab.names_cut(names)
    if not lab.heal(names):
        raise CommandError("nothing is cut there: /partition cuts")
    whom = ", ".join(printable(name)[:40] for name in names) or "everybody"
    app.tell_change(f"healed: {whom} can be reached again", whose)


async def crash(app: GossipApp, name: str) -> None:
    """End a node of the demo without a word."""
    at = await experiments_of(app).crash(name)
    app.tell_change(f"{name} crashed: others will notice its silence", [name], mark=True, at=at)


def stop(app: GossipApp, name: str) -> None:
    """Let a node of the demo stand still."""
    experiments_of(app).stop(name)
    app.tell_change(f"{name} stands still: it hears, sends and notices nothing", [name], mark=True)


def go_on(app: GossipApp, name: str) -> None:
    """Let a node of the demo go on."""
    experiments_of(app).go_on(name)
    app.tell_change(f"{name} goes on where it stood still", [name], mark=True)


async def restart(app: GossipApp, name: str) -> None:
    """Bring a node of the demo back."""
    at = await experiments_of(app).restart(name)
    app.tell_change(f"{name} is back as a new incarnation that knows nothing", [name], mark=True, at=at)


def change_size(app: GossipApp, name: str, argument: str) -> None:
    """Set view size or fan-out, or say what it is."""
    lab = experiments_of(app)
    words, swarm = scoped(app, argument.split())
    if not words:
        now = app.snapshot.view_size if name == "view size" else app.snapshot.fanout
        app.tell(f"{name} {now}")
        return
    if len(words) > 1 or not words[0].isascii() or not words[0].isdecimal() or len(words[0]) > 9:
        raise CommandError(f"{name} must be a whole number, not {printable(' '.join(words))[:32]}")
    (lab.set_view_size if name == "view size" else lab.set_fanout)(int(words[0]), swarm=swarm)
    app.tell_change(f"{name} is now {int(words[0])}{everywhere(swarm)}", lab.names_asked(swarm=swarm))
    if name == "view size":
        app.warn_of_strategy(lab.node.snapshot().strategy)


def change_strategy(app: GossipApp, argument: str) -> None:
    """Sample by another strategy, with its dangers in words."""
    words, swarm = scoped(app, argument.split(), last=True)
    lab = experiments_of(app)
    strategy = lab.set_strategy(" ".join(words), swarm=swarm)
    app.tell_change(f"strategy is now {strategy}{everywhere(swarm)}", lab.names_asked(swarm=swarm))
    app.warn_of_strategy(strategy)


def change_way(app: GossipApp, argument: str) -> None:
    """Spread messages in the other way."""
    words, swarm = scoped(app, argument.split(), last=True)
    lab = experiments_of(app)
    way = lab.set_dissemination(" ".join(words), swarm=swarm)
    app.tell_change(f"dissemination is now {way}{everywhere(swarm)}", lab.names_asked(swarm=swarm))


def experiments_of(app: GossipApp) -> Experiments:
    """What may be done to the nodes.

    Raises:
        CommandError: Nothing is live.
    """
    if app.feed.experiments is None:
        raise CommandError("this is a recording: nothing can be sent or changed in it")
    return app.feed.experiments


def scoped(app: GossipApp, words: list[str], *, last: bool = False) -> tuple[list[str], bool]:
    """The words without the one for all nodes of a demo, and whether it was there, first or last."""
    if app.is_demo and words:
        if words[-1].lower() == SWARM:
            return words[:-1], True
        if words[0].lower() == SWARM and not last:
            return words[1:], True
    return words, False


def told(*, swarm: bool, name: str) -> str:
    """Whose datagrams, in words."""
    here = "in the whole swarm" if swarm else "at this node"
    return f"{here} towards {printable(name)[:40]}" if name else here


def everywhere(swarm: bool) -> str:
    """Words for a change of all nodes."""
    return " in the whole swarm" if swarm else ""


def in_words(report: FaultReport, peer: Address | None = None) -> str:
    """What is in force, and what it did so far."""
    if peer is not None:
        return str(report.by_peer.get(peer, report.faults))
    some = ", ".join(f"{one} {faults}" for one, faults in list(report.by_peer.items())[:NAMED_PEERS])
    parts = [
        str(report.faults),
        f"but {some}" if some else "",
        f"and {len(report.by_peer) - NAMED_PEERS} more" if len(report.by_peer) > NAMED_PEERS else "",
        cuts_in_words(report.blocked),
        f"so far {report.dropped:,} dropped, {report.delayed:,} delayed, {report.duplicated:,} doubled",
    ]
    return ", ".join(part for part in parts if part)
