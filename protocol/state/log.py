"""SQLite's log beside a state file, looked at first: SQLite drops in silence what follows a damaged frame.

Rules of this file. The log is only read. What the end of a process or of the power leaves at any moment is no
damage: a last transaction without its end, frames of an older generation behind the newest, frames that a
later start or a transaction given up left over, a block that never came to the disk, half a new header over
frames that are in the file already.

Source: "Database File Format", section 4, sqlite.org; the order of writes is that of SQLite's ``wal.c``.
"""

from __future__ import annotations

import sys
from array import array
from pathlib import Path
from typing import NamedTuple

from protocol.errors import StateFileError

__all__ = ["check_log"]

HEADER_SIZE = 32
FRAME_HEADER_SIZE = 24
MAGIC = 0x377F0682
"""Its lowest bit says in which order of bytes the checksums are reckoned: 1 is big-endian."""
VERSION = 3_007_000
PAGE_SIZES = frozenset(1 << power for power in range(9, 17))
WORD = 0xFFFFFFFF

Sums = tuple[int, int]


class Header(NamedTuple):
    """What the frames are read by."""

    is_big: bool
    page_size: int
    resets: int
    salts: Sums
    sums: Sums


class Frame(NamedTuple):
    """One page as it was written, or the place of one."""

    page: int
    size: int
    """Pages of the file after the transaction that ends here; 0 if none ends here."""
    salts: Sums
    sums: Sums
    offset: int


def check_log(path: Path, log: Path) -> bool:
    """Refuse a state file whose log holds more than SQLite would read of it.

    Args:
        path: The state file, in use by nobody.
        log: SQLite's log of it.

    Returns:
        Whether there is anything behind the last transaction that can be read: writing had better go on in
        an empty log, or that would look like damage later.

    Raises:
        StateFileError: The log is damaged.
    """
    try:
        data = log.read_bytes()
    except FileNotFoundError:
        return False
    if len(data) <= HEADER_SIZE:
        return False
    header = header_of(data)
    if header is None:
        if is_foreign(data) or holds_more(data, path):
            raise damaged(path, log, 0, len(data))
        return True
    frames = frames_of(data, header.page_size)
    valid, readable = prefix_of(data, header, frames)
    if is_damage(data, header, frames, valid):
        raise damaged(path, log, readable, len(data))
    return readable < len(data)


def damaged(path: Path, log: Path, readable: int, size: int) -> StateFileError:
    """What a person is told."""
    return StateFileError(
        path,
        f"has a damaged log: of the {size} bytes of {log.name} the first {readable} can be read; restore both"
        f" from a copy, or keep a copy and move {log.name} away to start from what is in the state file",
    )


def header_of(data: bytes) -> Header | None:
    """The header of a log; None if it is none, or damaged."""
    magic, version, page_size, resets, *rest = words(data[:HEADER_SIZE])
    is_big = bool(magic & 1)
    if magic & ~1 != MAGIC or version != VERSION or page_size not in PAGE_SIZES:
        return None
    if checksum(data[:24], (0, 0), is_big=is_big) != (rest[2], rest[3]):
        return None
    return Header(is_big, page_size, resets, (rest[0], rest[1]), (rest[2], rest[3]))


def frames_of(data: bytes, page_size: int) -> list[Frame]:
    """All places of frames that the log has in full."""
    step = FRAME_HEADER_SIZE + page_size
    frames = []
    for offset in range(HEADER_SIZE, len(data) - step + 1, step):
        page, size, salt1, salt2, sum1, sum2 = words(data[offset : offset + FRAME_HEADER_SIZE])
        frames.append(Frame(page, size, (salt1, salt2), (sum1, sum2), offset))
    return frames


def prefix_of(data: bytes, header: Header, frames: list[Frame]) -> tuple[int, int]:
    """How many frames are valid one after the other, and how many bytes SQLite reads: to the last commit."""
    step = FRAME_HEADER_SIZE + header.page_size
    before, valid, readable = header.sums, 0, 0
    for frame in frames:
        if frame.salts != header.salts or not frame.page or not follows(data, header, frame, before):
            break
        before = frame.sums
        valid += 1
        if frame.size:
            readable = frame.offset + step
    return valid, readable


def is_damage(data: bytes, header: Header, frames: list[Frame], valid: int) -> bool:
    """Whether the first frame that is not valid was once, and something was committed behind it.

    A transaction that was never finished has no whole commit frame. If a block never came to the disk, the
    frame that it begins in, or the next one, has no header of this generation.
    """
    if any(is_unwritten(header, frame) for frame in frames[valid : valid + 2]):
        return False
    return any(
        after.size and after.salts == header.salts and follows(data, header, after, before.sums)
        for before, after in zip(frames[valid:], frames[valid + 1 :], strict=False)
    )


def is_unwritten(header: Header, frame: Frame) -> bool:
    """Whether a place is as it was before this generation: empty, or of an older one."""
    return frame.salts == (0, 0) or (
        frame.salts[1] != header.salts[1] and 1 <= (header.salts[0] - frame.salts[0]) & WORD <= header.resets
    )


def is_foreign(data: bytes) -> bool:
    """Whether a log begins with what SQLite never wrote.

    Half a new header begins as the old one did, and a block that never came to the disk is empty.
    """
    return any(data[:HEADER_SIZE]) and words(data[:4])[0] & ~1 != MAGIC


def holds_more(data: bytes, path: Path) -> bool:
    """Whether a log without a valid header holds anything that is not in the file.

    SQLite writes a new header over frames only when all of them are in the file, flushed.
    """
    content = path.read_bytes()
    page_size = int.from_bytes(content[16:18])
    page_size = 65536 if page_size == 1 else page_size
    frames = frames_of(data, page_size)
    if not frames or not frames[0].page:
        return False
    header = Header(is_big_in(data, frames), page_size, 0, frames[0].salts, frames[0].sums)
    pages: dict[int, bytes] = {}
    pending: dict[int, bytes] = {}
    before = frames[0].sums
    for frame in frames:
        if frame.salts != header.salts or (
            frame is not frames[0] and not follows(data, header, frame, before)
        ):
            break
        before = frame.sums
        start = frame.offset + FRAME_HEADER_SIZE
        pending[frame.page] = data[start : start + page_size]
        if frame.size:
            pages = {page: one for page, one in (pages | pending).items() if page <= frame.size}
            pending = {}
    return any(content[(page - 1) * page_size : page * page_size] != one for page, one in pages.items())


def is_big_in(data: bytes, frames: list[Frame]) -> bool:
    """In which order of bytes the checksums of frames were reckoned, to judge by the second."""
    if len(frames) < 2:
        return False
    start = frames[0].offset + FRAME_HEADER_SIZE
    big = Header(True, frames[1].offset - start, 0, frames[0].salts, frames[0].sums)
    return follows(data, big, frames[1], frames[0].sums)


def follows(data: bytes, header: Header, frame: Frame, before: Sums) -> bool:
    """Whether a frame's checksum is right if that of the frame before is ``before``."""
    start = frame.offset + FRAME_HEADER_SIZE
    sums = checksum(data[frame.offset : frame.offset + 8], before, is_big=header.is_big)
    return checksum(data[start : start + header.page_size], sums, is_big=header.is_big) == frame.sums


def checksum(data: bytes, sums: Sums, *, is_big: bool) -> Sums:
    """SQLite's running checksum, gone on with over ``data``."""
    numbers = array("I", data)
    if is_big != (sys.byteorder == "big"):
        numbers.byteswap()
    first, second = sums
    pairs = iter(numbers)
    for left, right in zip(pairs, pairs, strict=True):
        first = (first + left + second) & WORD
        second = (second + right + first) & WORD
    return first, second


def words(data: bytes) -> list[int]:
    """Numbers of four bytes, big-endian."""
    return [int.from_bytes(data[at : at + 4]) for at in range(0, len(data), 4)]
