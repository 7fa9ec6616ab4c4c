"""Use an installed wheel as a stranger would: from outside the repository, in its own environment."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEADLESS = """
import asyncio, sys
from protocol import Node, printable

async def main():
    async with Node("127.0.0.1:0", name="a") as a, Node("127.0.0.1:0", name="b") as b:
        b.join(a.address)
        a.send_gossip("without a terminal")
        async with asyncio.timeout(20):
            async for message in b.messages():
                print(printable(message.text), message.clock.by_name())
                break
    assert not {"textual", "click", "rich"} & set(sys.modules)

asyncio.run(main())
"""


def main() -> None:
    """Run every step in a folder of its own; any failure ends it."""
    environment = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["GOSSIP_TUI_PORTS"] = free_ports(8)
        program = str(environment / "bin" / "gossip-tui")
        print(run(program, "--version").strip())
        talk(program)
        python = str(environment / "bin" / "python")
        run(python, "-m", "pip", "uninstall", "--quiet", "--yes", "textual", "click")
        print(run(python, "-c", HEADLESS).strip())
    print("the wheel works")


def talk(program: str) -> None:
    """Two headless nodes exchange a message, and a third sends one."""
    with tail(program) as first, tail(program) as second:
        assert second.stdin is not None
        await_line(first, type="ready")
        await_line(second, type="ready")
        print("café", file=second.stdin, flush=True)
        print("delivered:", await_line(first, type="message", text="café")["clock"])
        print("sent:", run(program, "send", "from outside").strip() or "acknowledged")
        print("delivered:", await_line(second, type="message", text="from outside")["id"])


@contextlib.contextmanager
def tail(program: str) -> Iterator[subprocess.Popen[str]]:
    """A ``gossip-tui tail --json`` that has to end by itself when it is asked to."""
    command = [program, "tail", "--json"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, process.returncode
    finally:
        process.kill()
        process.communicate()


def await_line(process: subprocess.Popen[str], **wanted: str) -> dict[str, Any]:
    """The next JSON line with these values."""
    assert process.stdout is not None
    for line in process.stdout:
        record: dict[str, Any] = json.loads(line)
        if wanted.items() <= record.items():
            return record
    raise AssertionError(f"the output ended before {wanted}")


def run(*command: str) -> str:
    """What a command prints; its failure is ours."""
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def free_ports(count: int) -> str:
    """A range of UDP ports that nobody uses now."""
    for low in range(20_000, 60_000, 97):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(low, low + count):
                    bound = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                    bound.bind(("127.0.0.1", port))
            except OSError:
                continue
            return f"{low}-{low + count - 1}"
    raise AssertionError("no free ports")


if __name__ == "__main__":
    signal.alarm(300)
    main()
