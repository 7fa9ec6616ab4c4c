"""Lines through pipes: nothing lost, nothing reordered, and nobody waits for a reader that sleeps."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossip_tui.lines import BUFFER_LIMIT, LINE_LIMIT, Line, LineReader, LineSplitter, LineWriter


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_lines_do_not_depend_on_how_the_bytes_arrive(blocks: list[bytes]) -> None:
    splitter = LineSplitter()
    lines = [line for block in blocks for line in splitter.feed(block)] + splitter.finish()
    assert [line.content for line in lines] == b"".join(blocks).removesuffix(b"\n").split(b"\n") * bool(
        b"".join(blocks)
    )


def test_of_a_very_long_line_the_size_is_known_and_the_memory_bounded() -> None:
    splitter = LineSplitter()
    for _ in range(10):
        assert splitter.feed(b"x" * LINE_LIMIT) == []
    (line,) = splitter.feed(b"\n")
    assert (len(line.content), line.size) == (LINE_LIMIT, 10 * LINE_LIMIT)


def test_the_line_after_a_very_long_one_is_whole() -> None:
    splitter = LineSplitter()
    splitter.feed(b"x" * LINE_LIMIT * 2)
    assert splitter.feed(b"\nnext\n")[1] == Line(b"next", 4)


async def test_lines_come_out_in_order(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    writer = LineWriter(writing, lambda: None)
    for number in range(1_000):
        await writer.write(str(number))
    await writer.flush()
    writer.close()
    assert os.read(reading, 1 << 16) == "".join(f"{number}\n" for number in range(1_000)).encode()


async def test_a_reader_that_sleeps_holds_up_who_writes_much_and_nobody_else(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    writer = LineWriter(writing, lambda: None)
    line = "x" * (BUFFER_LIMIT // 2)

    async def write_much() -> None:
        for _ in range(8):
            await writer.write(line)

    much = asyncio.create_task(write_much())
    for _ in range(100):
        await asyncio.sleep(0)
    assert not much.done()
    wanted = 8 * (len(line) + 1)
    while wanted:
        wanted -= len(await asyncio.to_thread(os.read, reading, wanted))
    await much
    writer.close()


async def test_a_reader_that_goes_while_nothing_is_written_is_noticed(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    gone = asyncio.Event()
    LineWriter(writing, gone.set)
    os.close(reading)
    await gone.wait()


async def test_writing_to_nobody_is_no_error_and_does_not_wait(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    gone = asyncio.Event()
    writer = LineWriter(writing, gone.set)
    os.close(reading)
    for _ in range(5):
        await writer.write("x" * BUFFER_LIMIT)
    await writer.flush()
    await gone.wait()
    assert writer.error is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
async def test_a_full_disk_is_an_error_to_tell() -> None:
    gone = asyncio.Event()
    full = os.open("/dev/full", os.O_WRONLY)
    writer = LineWriter(full, gone.set)
    await writer.write("x")
    await gone.wait()
    os.close(full)
    assert isinstance(writer.error, OSError)


async def test_input_comes_line_by_line_up_to_one_without_an_end(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    found: asyncio.Queue[Line] = asyncio.Queue()

    async def take(lines: list[Line]) -> None:
        for line in lines:
            await found.put(line)

    LineReader(reading, take)
    os.write(writing, b"one\n\n\xff\x00\nrest")
    os.close(writing)
    assert [await found.get() for _ in range(4)] == [
        Line(b"one", 3),
        Line(b"", 0),
        Line(b"\xff\x00", 2),
        Line(b"rest", 4),
    ]


async def test_a_fast_source_waits_until_its_last_block_was_taken(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    first, may_go_on = asyncio.Event(), asyncio.Event()
    found: list[Line] = []

    async def take(lines: list[Line]) -> None:
        found.extend(lines)
        first.set()
        await may_go_on.wait()

    LineReader(reading, take)
    os.write(writing, b"one\n")
    await first.wait()
    os.write(writing, b"two\n")
    os.close(writing)
    first.clear()
    assert found == [Line(b"one", 3)]
    may_go_on.set()
    await first.wait()
    assert found[1] == Line(b"two", 3)
