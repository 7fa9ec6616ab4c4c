"""What can be changed of a node while it runs: its settings, and faults on purpose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from protocol.core.config import Config, Dissemination
from protocol.core.faults import Direction, FaultReport, Faults
from protocol.core.identity import Address
from protocol.core.strategy import Strategy
from protocol.net.addresses import numeric_peer
from protocol.net.life import NodeLife

__all__ = ["NodeControls"]


class NodeControls(NodeLife):
    """Settings and faults, before the node starts and while it runs."""

    def set_strategy(self, strategy: Strategy | str) -> None:
        """Sample differently from now on, starting from the present view.

        Raises:
            ConfigError: There is no such strategy, or it does not fit the view size.
            StateError: The node has left or is closed.
        """
        if self._driver is None and not self._closed:
            self._config = replace(self._config, strategy=strategy)
        else:
            driver = self._awake
            driver.machine.set_strategy(strategy)
            driver.schedule()
            self._warn_of_strategy()

    def set_view_size(self, view_size: int) -> None:
        """Hold views of another size from now on: a larger one grows by itself, a smaller one is cut at once.

        A strategy that is a preset for the former size becomes the same preset for the new one.

        Raises:
            ConfigError: The size is not possible, or too small for the strategy; nothing was changed.
            StateError: The node is frozen, has left or is closed.
        """
        if self._driver is None and not self._closed:
            before = self._config
            Config(view_size=view_size)  # refuses what is no size before the strategy is looked at
            strategy = before.sampling.resized(before.view_size, view_size)
            self._config = replace(before, view_size=view_size, strategy=strategy)
        else:
            driver = self._awake
            driver.machine.set_view_size(view_size, driver.loop.time())
            driver.schedule()
            self._warn_of_strategy()

    def set_fanout(self, fanout: int) -> None:
        """Push new messages to so many peers from now on; in a tree: seek so many neighbours.

        Raises:
            ConfigError: There is no such number; nothing was changed.
            StateError: The node is frozen, has left or is closed.
        """
        if self._driver is None and not self._closed:
            self._config = replace(self._config, fanout=fanout)
        else:
            self._awake.machine.set_fanout(fanout)

    def set_dissemination(self, dissemination: Dissemination | str) -> None:
        """Spread messages in the other way from now on; nodes of both sorts may be in one network.

        Raises:
            ConfigError: There is no such way; nothing was changed.
            StateError: The node has left or is closed.
        """
        if self._driver is None and not self._closed:
            self._config = replace(self._config, dissemination=dissemination)
        else:
            driver = self._awake
            driver.machine.set_dissemination(dissemination, driver.loop.time())
            driver.schedule()

    @property
    def faults(self) -> Faults:
        """What is done on purpose to this node's datagrams, in both directions; assignable at any time."""
        return self._injector.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self.set_faults(faults)

    def set_faults(self, faults: Faults | None, peer: str | Address | None = None) -> None:
        """Lose, delay, double or reorder datagrams from now on, to see how the network bears it.

        Each direction has its share of loss and its delay. What waits already arrives when it is due;
        ``snapshot().faults`` counts what was done.

        Args:
            faults: What to do; ``None`` (or ``Faults()``) is nothing, and for a peer the same as for all.
            peer: The numeric address of the only peer it is done to; None for everybody who has no faults of
                its own.

        Raises:
            AddressError: The address is malformed or not numeric.
        """
        self._injector.set_faults(faults, numeric_peer(peer) if peer is not None else None)

    def block(self, peers: Iterable[str | Address], direction: Direction | str = Direction.BOTH) -> None:
        """Cut this node off from peers, by their numeric addresses, until ``unblock``.

        Args:
            peers: From whom nothing is let in, and to whom nothing is let out.
            direction: ``"in"`` or ``"out"`` stops only what comes from them or goes to them.

        Raises:
            AddressError: An address is malformed or not numeric; nothing was done.
            ConfigError: There is no such direction.
        """
        self._injector.block([numeric_peer(peer) for peer in peers], direction)

    def unblock(self, peers: Iterable[str | Address] | None = None) -> None:
        """Let the datagrams of these peers pass again; by default everybody's."""
        self._injector.unblock(None if peers is None else [numeric_peer(peer) for peer in peers])

    @property
    def fault_report(self) -> FaultReport:
        """The faults in force and what they did, as in ``snapshot()``, for who needs nothing else."""
        gate = self._driver.gate if self._driver is not None else None
        return gate.report() if gate is not None else self._injector.report()
