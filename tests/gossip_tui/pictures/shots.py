"""Every screen there is, as a person gets to it, in every size."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, NamedTuple

from textual import events
from textual.geometry import Size

from gossip_tui.feed import NodeFeed
from gossip_tui.recording.feed import ReplayFeed
from gossip_tui.screens.message import MessageScreen
from gossip_tui.screens.peers import PeersScreen
from gossip_tui.screens.question import PasteQuestion, QuitQuestion
from tests.gossip_tui.driving import NEVER, CountingApp, Hands
from tests.gossip_tui.recording.tapes import story

from .picture import picture_of
from .world import World

__all__ = ["FOLDER", "SHOTS", "SIZES", "Shot", "file_of", "take"]

FOLDER = Path(__file__).parent
"""Where the pictures are."""

SIZES = ((200, 60), (120, 40), (80, 24), (50, 15))
"""Large, as most terminals are, as small as most get, and where there is room for one pane."""

MIDDLE = SIZES[1:2]

PATIENCE = 50
"""Looks at a screen before it is given up: the slowest layout settles within some."""

STEPS = 2
"""Seconds that a screen is watched before its picture is taken."""


class Shot(NamedTuple):
    """One screen."""

    name: str
    opened: Callable[[Hands, World], Awaitable[None]]
    """Does what a person does to get there."""
    sizes: tuple[tuple[int, int], ...] = SIZES
    options: Mapping[str, Any] = MappingProxyType({})
    """What the application is started with."""
    recorded: bool = False
    """Whether a recording is shown, not the world."""
    colorless: bool = False
    """Whether ``NO_COLOR`` is set."""
    is_dialog: bool = False
    """Whether it lies over the panes, which are dimmed then on purpose."""


def keys(*pressed: str) -> Callable[[Hands, World], Awaitable[None]]:
    """Press these."""

    async def opened(hands: Hands, world: World) -> None:
        del world
        await hands.press(*pressed)

    return opened


def lines(*entered: str) -> Callable[[Hands, World], Awaitable[None]]:
    """Write these lines into the composer, each with Enter."""

    async def opened(hands: Hands, world: World) -> None:
        del world
        for line in entered:
            await hands.enter(line)

    return opened


async def watch_wave(hands: Hands, world: World) -> None:
    """Look at the overlay while a message is on its way."""
    await hands.press("f5")
    world.now += 0.8
    hands.app.main.overlay.advance()
    await hands.calm()


async def paste(hands: Hands, world: World) -> None:
    """Paste three lines."""
    del world
    assert hands.app.composer.input.has_focus
    hands.app.composer.input.post_message(events.Paste("first line\nand the second\nand the last"))
    await hands.look()
    assert isinstance(hands.app.screen, PasteQuestion)


async def quit_unheard(hands: Hands, world: World) -> None:
    """Try to go while a message waits to be heard."""
    world.seat.now(unacknowledged=1)
    await hands.press("ctrl+q")
    assert isinstance(hands.app.screen, QuitQuestion)


async def open_message(hands: Hands, world: World) -> None:
    """Open a message that is concurrent with another one."""
    del world
    await hands.press("f3", "home", *["down"] * 7, "enter")
    for _ in range(PATIENCE):
        if isinstance(hands.app.screen, MessageScreen):
            return
        await hands.press("down", "enter")
    raise AssertionError(f"no message opens within {PATIENCE} lines of the log")


async def open_peers(hands: Hands, world: World) -> None:
    """List everyone heard of."""
    del world
    await hands.enter("/peers")
    assert isinstance(hands.app.screen, PeersScreen)


async def make_trouble(hands: Hands, world: World) -> None:
    """Break a lot of things on purpose, then look at the dials."""
    del world
    for line in ("/fault loss=10 delay=20..80", "/partition", "/crash n04"):
        await hands.enter(line)
    await hands.press("f6", "down")


async def play(hands: Hands, world: World) -> None:
    """Go to the middle of a recording."""
    del world
    await hands.press("right_square_bracket", "right_square_bracket", "right_square_bracket")


SHOTS = (
    Shot("log", keys()),
    Shot("log-cursor", keys("f3", *["up"] * 3)),
    Shot("view", keys("f2", "down")),
    Shot("space-time", keys("f4")),
    Shot("space-time-cursor", keys("f4", *["up"] * 20)),
    Shot("overlay", watch_wave),
    Shot("faults", keys("f6")),
    Shot("faults-on", make_trouble),
    Shot("filter", lines("/filter from:n01")),
    Shot("refusal", lines("/theme purple")),
    Shot("zoom", keys("f2", "f10"), sizes=MIDDLE),
    Shot("frozen", keys("f8"), sizes=MIDDLE),
    Shot("peers", open_peers, is_dialog=True),
    Shot("message", open_message, is_dialog=True),
    Shot("help", keys("f1"), is_dialog=True),
    Shot("help-pane", keys("f4", "f1"), sizes=MIDDLE, is_dialog=True),
    Shot("palette", keys("ctrl+p"), sizes=MIDDLE, is_dialog=True),
    Shot("paste", paste, is_dialog=True),
    Shot("quit", quit_unheard, is_dialog=True),
    Shot("tour", keys(), options={"tour": True}),
    Shot("replay", play, recorded=True),
    Shot("light", keys("f2"), sizes=MIDDLE, options={"theme": "light", "tour": True}),
    Shot("contrast", keys("f2"), sizes=MIDDLE, options={"theme": "contrast"}),
    Shot("ascii", keys("f2"), sizes=MIDDLE, options={"ascii": True}),
    Shot("ascii-space-time", keys("f4", *["up"] * 20), sizes=MIDDLE, options={"ascii": True}),
    Shot("ascii-overlay", watch_wave, sizes=MIDDLE, options={"ascii": True}),
    Shot("no-color", keys("f2"), sizes=MIDDLE, colorless=True),
)
"""Every screen, and each way it can look."""


def file_of(shot: Shot, size: tuple[int, int]) -> Path:
    """Where the picture of a screen in a size is."""
    return FOLDER / f"{shot.name}-{size[0]}x{size[1]}.txt"


async def take(shot: Shot) -> dict[Path, str]:
    """The pictures of a screen in its sizes, as they are now, by the files they belong to."""
    with surroundings(colorless=shot.colorless) as folder:
        async with opened(shot, folder) as (hands, world):
            await shot.opened(hands, world)
            await hands.look()
            pictures = {}
            for size in shot.sizes:
                await resize(hands, size)
                pictures[file_of(shot, size)] = await settled_picture(hands)
            return pictures


@asynccontextmanager
async def opened(shot: Shot, folder: Path) -> AsyncIterator[tuple[Hands, World]]:
    """The application in its largest size, after some seconds."""
    world = World()
    feed: Any = NodeFeed(*world.nodes, clock=world.wall_clock)
    if shot.recorded:
        feed = ReplayFeed(await story(folder / "tape"), world.clock)
    app = CountingApp(feed, tick_period=NEVER, clock=world.clock, wall_clock=world.wall_clock, **shot.options)
    async with app.run_test(size=shot.sizes[0]) as pilot:
        hands = Hands(app, pilot)
        await hands.look()
        for _ in range(STEPS):
            world.go_on()
            await hands.look()
        yield hands, world


async def resize(hands: Hands, size: tuple[int, int]) -> None:
    """Give the terminal another size, and wait until whatever lies over the panes has heard of it as well."""
    app, wanted = hands.app, Size(*size)
    if app.size != wanted:
        app._driver._size = size  # type: ignore[union-attr]
        app.post_message(events.Resize(wanted, wanted))
        await hands.calm()
        app._check_resize()
    for _ in range(PATIENCE):
        if all(screen._compositor.size == wanted for screen in app.screen_stack):
            return
        await hands.calm()
    raise AssertionError(f"not every screen has the size {size} after {PATIENCE} looks")


async def settled_picture(hands: Hands) -> str:
    """The picture once it stays as it is: one layout may ask for the next."""
    await hands.look()
    before = picture_of(hands.app)
    for _ in range(PATIENCE):
        await hands.calm()
        picture = picture_of(hands.app)
        if picture == before:
            return picture
        before = picture
    raise AssertionError(f"the screen is another one at each of {PATIENCE} looks")


@contextmanager
def surroundings(*, colorless: bool) -> Iterator[Path]:
    """UTC, a home of its own, and colours unless they are refused; afterwards as before."""
    wanted = {"TZ": "UTC", "NO_COLOR": "1" if colorless else None, "COLORTERM": "truecolor"}
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        before = {key: os.environ.get(key) for key in (*wanted, "XDG_STATE_HOME")}
        try:
            set_environment({**wanted, "XDG_STATE_HOME": folder})
            yield Path(folder)
        finally:
            set_environment(before)


def set_environment(values: dict[str, str | None]) -> None:
    """Set or take away these variables; the time zone takes effect at once."""
    for key, value in values.items():
        if value is None:
            os.environ.pop(key, None)
        else:
            os.environ[key] = value
    if hasattr(time, "tzset"):
        time.tzset()
