"""One node of the product as a process: ``gossip-tui tail --json`` with a state file, behind a front."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from gossip_tui.ports import PortRange
from tests.terminal.harness import environment

from .verdict import Life

__all__ = ["TailProcess"]

LINE_LIMIT = 1 << 24
"""Bytes of one line of JSON at the most."""

START_GUARD = 60.0
"""Seconds after which a process that has not said that it is ready never will."""


class TailProcess:
    """A node that can be killed, stopped and started again, and everything it told in each of its lives."""

    def __init__(self, name: str, port: int, front: str, state: Path, settings: tuple[str, ...]) -> None:
        """Describe a node; ``start`` starts it.

        Args:
            name: Its name.
            port: Where it listens, behind its front.
            front: What it advertises.
            state: Its state file.
            settings: More words for its command line.
        """
        self.name = name
        self.state = state
        self.lives: list[Life] = []
        self.problems: list[str] = []
        """What it wrote to standard error, and ends that nobody asked for."""
        self.is_up = False
        self._words = (
            *("-m", "gossip_tui", "tail", "--json", "--name", name),
            *("--bind", f"127.0.0.1:{port}", "--advertise", front, "--state", str(state), *settings),
        )
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._is_going = False

    @property
    def life(self) -> Life:
        """What the process that runs now, or ran last, told."""
        return self.lives[-1]

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    async def start(self, *contacts: str) -> None:
        """Start it and wait until it is ready."""
        joining = [word for contact in contacts for word in ("--join", contact)]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._words,
            *joining,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment(PortRange(1, 1)),
            limit=LINE_LIMIT,
        )
        self._is_going = False
        self.lives.append(Life(self.name))
        ready = asyncio.Event()
        self._reading = asyncio.create_task(self._read(self._process, self.life, ready))
        async with asyncio.timeout(START_GUARD):
            await ready.wait()

    def say(self, text: str) -> None:
        """Gossip a line, if the process runs."""
        if self.is_up and self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(text.encode() + b"\n")

    async def kill(self) -> None:
        """End it without a chance to say anything."""
        await self._end(signal.SIGKILL)

    async def close(self) -> None:
        """End it in order."""
        await self._end(signal.SIGTERM)

    def stop(self) -> None:
        """Stop it where it is."""
        if self.is_up:
            os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        if self.is_up:
            os.kill(self.pid, signal.SIGCONT)

    async def _end(self, number: signal.Signals) -> None:
        if self._process is None or self._reading is None:
            return
        self._is_going, self.is_up = True, False
        if self._process.returncode is None:
            self._process.send_signal(number)
        await self._process.wait()
        await self._reading

    async def _read(self, process: asyncio.subprocess.Process, life: Life, ready: asyncio.Event) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            if line.startswith(b"warning: "):
                continue  # a datagram that came seconds late, for one
            if not line.startswith(b"{"):
                self.problems.append(f"{self.name} wrote: {line.decode(errors='replace').rstrip()}")
                continue
            if not line.endswith(b"\n"):
                break  # killed while it wrote
            record = json.loads(line)
            life.take(record)
            if record["type"] == "ready":
                self.is_up = True
                ready.set()
        ready.set()
        if not self._is_going:
            self.is_up = False
            self.problems.append(f"{self.name} ended by itself with {await process.wait()}")
