"""The terminal application on a pseudo-terminal: what it costs, how soon it draws, how soon a key shows.

Needs Linux: the processor time of another process is read from its clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import random
import struct
import sys
import termios
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from tests.gossip_tui.free_ports import free_range
from tests.terminal.harness import environment

from .figures import ScreenRun, Spread, TripRun
from .swarm import PeerProcess, together

__all__ = [
    "F4",
    "F5",
    "F6",
    "IDLE",
    "TRIPS",
    "ScreenLoad",
    "TerminalProcess",
    "first_frames",
    "measure",
    "processor_time",
    "python_starts",
    "time_exchanges",
]

COLUMNS, ROWS = 140, 40

INPUT_BOX = b"ay something"
"""What an empty input box says, but for the letter under the cursor, which is drawn by itself."""

RARE_LETTERS = [chr(code) for code in range(0x2D30, 0x2D66)]
"""Letters that nothing else on the screen has, one cell wide: whoever sees one sees the echo of its key."""

ERASE_LINE = b"\x15"
"""Ctrl-U."""

SETTLE_PERIOD = 3.0
"""Seconds a screen is left alone before it is measured."""

KEY_PERIODS = (0.03, 0.13)
"""Seconds between key presses, drawn at random so that they do not keep time with the screen's ticks."""

HANG_GUARD = 30.0


@dataclass(frozen=True, slots=True)
class ScreenLoad:
    """What reaches the screen while it is measured."""

    name: str
    rate: float = 0.0
    """Messages per second."""
    peers: int = 2
    """Nodes beside the one with the screen; the first sends."""
    keys: int = 0
    """Keys pressed, after the processor time was taken."""
    opens: bytes = b""
    """The key that opens a pane before anything is measured."""
    limit: float | None = None
    """Share of a core that the pane may cost, with everything beside it."""


F4, F5, F6 = b"\x1bOS", b"\x1b[15~", b"\x1b[17~"
"""What terminals send for these keys."""

IDLE = ScreenLoad("alone", peers=0)


def processor_time(pid: int) -> float:
    """Processor seconds that a process has used: its clock's number is made of its own, as Linux has it."""
    return time.clock_gettime((~pid << 3) | 2)


class TerminalProcess:
    """A program on a pseudo-terminal, read as soon as it writes."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.process: asyncio.subprocess.Process
        self.written = 0
        """Bytes it wrote."""
        self.started_at = 0.0
        self.shown_at = 0.0
        """When the first bytes came that were waited for; as ``started_at`` on the monotonic clock."""
        self._recent = b""
        self._needle = b""
        self._found: asyncio.Future[float] | None = None

    @classmethod
    async def start(cls, *words: str, first: bytes, **settings: str) -> TerminalProcess:
        """Run Python with these words on a terminal of 140 by 40, and wait for these first bytes of it."""
        fd, terminal_side = os.openpty()
        fcntl.ioctl(terminal_side, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        terminal = cls(fd)
        asyncio.get_running_loop().add_reader(fd, terminal._read)
        terminal._expect(first)
        terminal.started_at = time.monotonic()
        terminal.process = await asyncio.create_subprocess_exec(
            sys.executable,
            *words,
            stdin=terminal_side,
            stdout=terminal_side,
            stderr=terminal_side,
            env=environment(free_range(2), **settings),
            start_new_session=True,
        )
        os.close(terminal_side)
        try:
            terminal.shown_at = await terminal._wait()
        except BaseException:
            await terminal.stop()
            raise
        return terminal

    async def wait_for(self, needle: bytes) -> float:
        """When these bytes came, which were not there before; monotonic seconds."""
        self._expect(needle)
        return await self._wait()

    async def press(self, letter: str) -> float:
        """Seconds from pressing a key to the read that brought its echo."""
        pressed_at = time.monotonic()
        os.write(self.fd, letter.encode())
        return await self.wait_for(letter.encode()) - pressed_at

    def type(self, keys: bytes) -> None:
        """Press keys whose effect nobody waits for."""
        os.write(self.fd, keys)

    async def stop(self) -> None:
        """End the program in order and give the terminal back."""
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        await self.process.wait()
        asyncio.get_running_loop().remove_reader(self.fd)
        os.close(self.fd)

    def _expect(self, needle: bytes) -> None:
        self._recent, self._needle = b"", needle
        self._found = asyncio.get_running_loop().create_future()

    async def _wait(self) -> float:
        assert self._found is not None
        async with asyncio.timeout(HANG_GUARD):
            return await self._found

    def _read(self) -> None:
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:  # the program has closed its side
            asyncio.get_running_loop().remove_reader(self.fd)
            return
        self.written += len(data)
        if self._found is not None and not self._found.done():
            self._recent = self._recent[-len(self._needle) :] + data
            if self._needle in self._recent:
                self._found.set_result(time.monotonic())


@contextlib.asynccontextmanager
async def screen(*words: str) -> AsyncIterator[tuple[TerminalProcess, float]]:
    """``gossip-tui run`` on a terminal, and the seconds until its first frame was there."""
    terminal = await TerminalProcess.start("-m", "gossip_tui", "run", *words, first=INPUT_BOX)
    try:
        yield terminal, terminal.shown_at - terminal.started_at
    finally:
        await terminal.stop()


async def first_frames(times: int) -> Spread:
    """Seconds from starting the process to the first frame, several times."""
    taken = []
    for _ in range(times):
        async with screen() as (_, seconds):
            taken.append(seconds)
    return Spread.of(taken)


async def python_starts(times: int) -> Spread:
    """The yardstick of the first frame: seconds until Python alone has written something to a terminal."""
    taken = []
    for _ in range(times):
        terminal = await TerminalProcess.start("-c", "print('here')", first=b"here")
        taken.append(terminal.shown_at - terminal.started_at)
        await terminal.stop()
    return Spread.of(taken)


async def measure(load: ScreenLoad, seconds: float) -> ScreenRun:
    """Put a load on a fresh screen: first its processor time is taken, then keys are pressed."""
    async with contextlib.AsyncExitStack() as stack:
        peers = [await PeerProcess.start(f"feeder{n}", n) for n in range(load.peers)]
        for peer in peers:
            stack.push_async_callback(peer.stop)
            await peer.do("join", contacts=[other.address for other in peers if other is not peer])
        joining = [word for peer in peers for word in ("--join", peer.address)]
        terminal, _ = await stack.enter_async_context(
            screen("--bind", "127.0.0.1:0", *joining) if peers else screen()
        )
        await together(peers, "meet", peers=load.peers)
        terminal.type(load.opens)
        sending = asyncio.create_task(feed(peers, load, seconds))
        await asyncio.sleep(SETTLE_PERIOD)
        run = await watch(terminal, peers, load, seconds)
        await sending
        return run


TRIPS = (
    ScreenLoad("view and log", 10.0),
    ScreenLoad("space-time", 10.0, opens=F4),
    ScreenLoad("overlay", 10.0, opens=F5),
    ScreenLoad("faults", 10.0, opens=F6),
)
"""Panes that a node has to answer beside."""

QUICK_CYCLE = 0.05
"""Seconds between the exchanges of a node that times them."""


async def time_exchanges(load: ScreenLoad, seconds: float) -> TripRun:
    """Exchange views with a node that has a screen, and with one that has none, while messages come in."""
    async with contextlib.AsyncExitStack() as stack:
        feeder = await PeerProcess.start("feeder", 1)
        stack.push_async_callback(feeder.stop)
        timer = await PeerProcess.start("timer", 2, cycle_period=QUICK_CYCLE)
        stack.push_async_callback(timer.stop)
        joining = [word for peer in (feeder, timer) for word in ("--join", peer.address)]
        terminal, _ = await stack.enter_async_context(screen("--bind", "127.0.0.1:0", *joining))
        await together([feeder, timer], "meet", peers=2)
        terminal.type(load.opens)
        sending = asyncio.create_task(feed([feeder], load, seconds))
        await asyncio.sleep(SETTLE_PERIOD)
        taken = await timer.do("time_exchanges", seconds=seconds)
        await sending
    return TripRun(
        load.name,
        Spread.of([trip for address, trip in taken if address != feeder.address]),
        Spread.of([trip for address, trip in taken if address == feeder.address]),
    )


async def feed(peers: list[PeerProcess], load: ScreenLoad, seconds: float) -> None:
    """Send for as long as the screen is watched."""
    if load.rate:
        lasting = SETTLE_PERIOD + seconds + load.keys * sum(KEY_PERIODS) / 2
        await peers[0].do("send", size=64, seconds=lasting, rate=load.rate)


async def watch(
    terminal: TerminalProcess, peers: list[PeerProcess], load: ScreenLoad, seconds: float
) -> ScreenRun:
    """Take the processor time of the screen, and of the last node beside it, then press keys."""
    pids = [terminal.process.pid, *(peer.pid for peer in peers[-1:])]
    before, written, started_at = [processor_time(pid) for pid in pids], terminal.written, time.monotonic()
    await asyncio.sleep(seconds)
    taken = time.monotonic() - started_at
    shares = [(processor_time(pid) - used) / taken for pid, used in zip(pids, before, strict=True)]
    return ScreenRun(
        load=load.name,
        rate=load.rate,
        cpu_share=shares[0],
        node_share=shares[1] if peers else None,
        output_rate=(terminal.written - written) / taken,
        limit=load.limit,
        key=await press_keys(terminal, load.keys) if load.keys else None,
    )


async def press_keys(terminal: TerminalProcess, count: int) -> Spread:
    """Press keys at odd moments and see when each shows."""
    dice = random.Random(count)
    delays = []
    for number in range(count):
        if number % len(RARE_LETTERS) == 0:
            terminal.type(ERASE_LINE)
        await asyncio.sleep(dice.uniform(*KEY_PERIODS))
        delays.append(await terminal.press(RARE_LETTERS[number % len(RARE_LETTERS)]))
    return Spread.of(delays)
