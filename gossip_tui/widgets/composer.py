"""The line to type into: gossip or ``/commands``, history, completion, and why something can't be sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Input, Static

from gossip_tui.completion import Completion, Vocabulary, complete
from gossip_tui.text import Safe, safe
from protocol.errors import GossipError

__all__ = ["INVITATIONS", "IN_A_RECORDING", "Composer", "ComposerInput", "History", "pasted_lines"]

HISTORY_LIMIT = 500
"""Lines remembered; a choice."""

WARN_SHARE = 0.8
"""From this share of the limit on the bytes typed are counted on the screen."""

TAB_WIDTH = 4
"""Spaces for a tab character in what is pasted."""

PROMPT_WIDTH = 4
"""Cells of the prompt and of the cursor behind the text."""

CHOICES_SHOWN = 24
"""Possible completions listed at once."""

INVITATIONS = (
    "say something   (/help  Up history  Tab completes)",
    "say something   (/help)",
    "say something",
)
AFTER_LEAVING = (
    "this node has left: /join comes back as a new incarnation",
    "left: /join comes back",
    "left",
)
IN_A_RECORDING = (
    "this is a recording: /commands only   (/help, Space plays and pauses)",
    "a recording: /commands only",
    "a recording",
)
"""What stands in an empty line, longest first; the first that fits is shown."""


class History:
    """The lines typed before, and where Up and Down stand in them; the unfinished line is never lost."""

    def __init__(self, limit: int = HISTORY_LIMIT) -> None:
        self._lines: deque[str] = deque(maxlen=limit)
        self._steps = 0
        self._draft = ""

    def add(self, line: str) -> None:
        """Remember a line that was taken, once if it is the same as before, and stand at the end again."""
        if not self._lines or self._lines[-1] != line:
            self._lines.append(line)
        self._steps = 0
        self._draft = ""

    def older(self, current: str) -> str:
        """The line before the one that is shown; the oldest stays."""
        if self._steps == 0:
            self._draft = current
        self._steps = min(self._steps + 1, len(self._lines))
        return self._line()

    def newer(self, current: str) -> str:
        """The line after the one that is shown; after the newest comes what was being typed."""
        if self._steps == 0:
            return current
        self._steps -= 1
        return self._line()

    def _line(self) -> str:
        return self._lines[-self._steps] if self._steps else self._draft


def pasted_lines(text: str) -> list[str]:
    """The lines of a pasted text that hold anything, tabs widened and control characters made visible.

    What is shown in the composer is what is sent; a terminal would obey a pasted escape sequence.
    """
    lines = (
        safe(line.expandtabs(TAB_WIDTH), limit=max(1, len(text) * TAB_WIDTH)) for line in text.splitlines()
    )
    return [line for line in lines if line.strip()]


class ComposerInput(Input):
    """The input itself; what it does with Enter, Tab, history and pastes is the composer's."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "older", "Line before", show=False),
        Binding("down", "newer", "Line after", show=False),
        Binding("tab", "complete", "Complete", show=False),
    ]

    def __init__(self, composer: Composer) -> None:
        super().__init__(
            placeholder=INVITATIONS[-1], compact=True, select_on_focus=False, id="composer-input"
        )
        self._composer = composer
        self.cursor_blink = False  # calm, and a quarter of a percent of a core

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether a key is text here; the foot of the screen shows the others, which do what they are for."""
        return not self._passes_on(key) and super().check_consume_key(key, character)

    def watch_value(self, before: str, value: str) -> None:
        """Keys that an empty line passes on come and go with what is typed."""
        if self._composer.passed_keys and bool(before) != bool(value):
            self.refresh_bindings()

    def _passes_on(self, key: str) -> bool:
        return not self.value and key in self._composer.passed_keys

    async def _on_key(self, event: events.Key) -> None:
        if self._passes_on(event.key):
            event.prevent_default()  # it bubbles up to those who have it bound
            return
        # A bound key bubbles up to the application first: characters typed behind it would overtake it.
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return

    def action_older(self) -> None:
        """Show the line typed before this one."""
        self._composer.recall(self._composer.history.older(self.value))

    def action_newer(self) -> None:
        """Show the line typed after this one."""
        self._composer.recall(self._composer.history.newer(self.value))

    def action_complete(self) -> None:
        """Complete the word before the cursor."""
        self._composer.complete()

    async def action_submit(self) -> None:
        """Hand the line over at once: keys typed behind it may be waiting already."""
        self._composer.submit()

    def action_paste(self) -> None:
        """Paste what was copied inside the application."""
        self._composer.paste(self.app.clipboard)

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self._composer.paste(event.text)


class Composer(Vertical):
    """Where a person types.

    Args:
        take: Carries a line out, or raises ``GossipError`` to refuse it; a refused line stays to be mended.
        ask: Is given the lines of a paste that has more than one.
        vocabulary: The words that Tab knows now.
        payload_limit: Bytes that fit one message.
        invitations: What stands in an empty line, longest first.
        passed_keys: Keys that an empty line leaves to others, though they are characters.
    """

    DEFAULT_CSS = """
    Composer {
        height: auto;
        & > Horizontal { height: 1; }
        & #composer-prompt { width: 3; padding: 0 1; color: $accent; text-style: bold; }
        & #composer-input { width: 1fr; background: transparent; padding: 0; }
        & #composer-input > .input--placeholder { color: $foreground 68%; }
        & #composer-hint { display: none; height: auto; max-height: 3; padding: 0 1; color: $text-muted; }
        & #composer-hint.-shown { display: block; }
        & #composer-hint.-problem { color: $text-error; text-style: bold; }
    }
    """

    left: reactive[bool] = reactive(False)
    """Whether the node has left, so that only commands make sense."""

    def __init__(
        self,
        take: Callable[[str], None],
        ask: Callable[[list[str]], None],
        vocabulary: Callable[[], Vocabulary],
        payload_limit: Callable[[], int],
        *,
        invitations: tuple[str, ...] = INVITATIONS,
        passed_keys: frozenset[str] = frozenset(),
        id: str | None = None,  # noqa: A002 - Textual's word
    ) -> None:
        super().__init__(id=id)
        self._invitations = invitations
        self.passed_keys = passed_keys
        self.history = History()
        self.input = ComposerInput(self)
        self.hint = Safe("")
        """The line above the input, empty if there is none."""
        self._refused: str | None = None
        """The line that a refusal is shown for: news of how it was typed may come behind it."""
        self._take = take
        self._ask = ask
        self._vocabulary = vocabulary
        self._payload_limit = payload_limit

    def compose(self) -> ComposeResult:
        """A line for hints and refusals, above prompt and input."""
        yield Static(id="composer-hint", markup=False)
        with Horizontal():
            yield Static(">", id="composer-prompt", markup=False)
            yield self.input

    def watch_left(self, left: bool) -> None:
        """Say in the empty line what can be typed."""
        self._invite(left=left)

    def on_resize(self) -> None:
        """Say as much of it as fits."""
        self._invite(left=self.left)

    def _invite(self, *, left: bool) -> None:
        texts = AFTER_LEAVING if left else self._invitations
        room = self.size.width - PROMPT_WIDTH
        self.input.placeholder = next((text for text in texts if len(text) <= room), texts[-1])

    def on_input_changed(self, event: Input.Changed) -> None:
        """Count the bytes when they come near the limit; otherwise typing on settles whatever was said."""
        event.stop()
        if self.input.value == self._refused:
            return
        size, limit = len(event.value.encode("utf-8", "replace")), self._payload_limit()
        if event.value.startswith("/") or size < limit * WARN_SHARE:
            self.hush()
        elif size <= limit:
            self.say(f"{size:,} of {limit:,} bytes")
        else:
            self.say(too_large(size, limit), problem=True)

    def submit(self) -> None:
        """Have the line carried out, or say why not and keep it."""
        line = self.input.value
        if not line.strip():
            return
        try:
            self._take(line)
        except GossipError as error:
            self.say(str(error), problem=True)
            self._refused = line
            return
        self.history.add(line)
        self.hush()
        with self.prevent(Input.Changed):
            self.input.clear()

    def give_back(self, line: str, why: str) -> None:
        """Say why a line can't be carried out after all; it comes back unless another was begun."""
        if line and not self.input.value:
            with self.prevent(Input.Changed):
                self.recall(line)
        self.say(why, problem=True)
        self._refused = line if self.input.value == line else None

    def complete(self) -> None:
        """Complete the word before the cursor, or list what it may become."""
        done: Completion = complete(self.input.value, self.input.cursor_position, self._vocabulary())
        with self.prevent(Input.Changed):
            self.input.value = done.line
        self.input.cursor_position = done.cursor
        if done.choices:
            self.say(
                "  ".join(done.choices[:CHOICES_SHOWN]) + (" …" if len(done.choices) > CHOICES_SHOWN else "")
            )
        else:
            self.hush()

    def paste(self, text: str) -> None:
        """Put one line at the cursor; ask about several."""
        lines = pasted_lines(text)
        if len(lines) > 1:
            self._ask(lines)
        elif lines:
            self.input.insert_text_at_cursor(lines[0])

    def recall(self, line: str) -> None:
        """Show a line from the history, with the cursor behind it."""
        self.input.value = line
        self.input.cursor_position = len(line)

    def prefill(self, line: str) -> None:
        """Put a line there to be finished, and go there at once: the rest may be typed already."""
        self.recall(line)
        self.screen.set_focus(self.input)

    def say(self, text: str, *, problem: bool = False) -> None:
        """Show a line above the input until something is typed."""
        self.hint = safe(text)
        self._refused = None
        line = self.query_one("#composer-hint", Static)
        line.update(Content(self.hint))
        line.set_class(problem, "-problem")
        line.add_class("-shown")

    def hush(self) -> None:
        """Take away the line above the input."""
        self._refused = None
        if self.hint:
            self.hint = Safe("")
            self.query_one("#composer-hint", Static).remove_class("-shown", "-problem")


def too_large(size: int, limit: int) -> str:
    """Why a text can't be one message."""
    return f"{size:,} bytes are too large: at most {limit:,} bytes fit one message"
