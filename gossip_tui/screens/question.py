"""Questions: what to do with a paste of several lines, and whether to go while messages wait to be heard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import ClassVar, Generic, NamedTuple, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from gossip_tui.text import Safe, safe

__all__ = ["Choice", "PasteAnswer", "PasteQuestion", "Question", "QuitQuestion"]

Answer = TypeVar("Answer", bound=StrEnum)


class Choice(NamedTuple):
    """One thing that can be answered."""

    answer: StrEnum
    text: str
    possible: bool = True


class Question(ModalScreen[Answer | None], Generic[Answer]):
    """A sentence and a list of answers; Esc answers nothing.

    Args:
        title: Stands in the border.
        text: The question.
        choices: What can be answered, the likeliest first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel", show=False)]

    DEFAULT_CSS = """
    Question {
        align: center middle;
        background: $background 60%;
        & > .question-box {
            width: 90%; max-width: 72; height: auto; max-height: 96%;
            border: round $accent; background: $surface; padding: 0 1;
            border-title-style: bold; border-subtitle-color: $text-muted;
        }
        & .question-text { height: auto; margin-bottom: 1; }
        & OptionList {
            height: auto; max-height: 8; border: none; padding: 0; background: $surface;
            &:focus { border: none; background-tint: transparent 0%; }
        }
    }
    """

    def __init__(self, title: Safe, text: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._choices = choices

    def compose(self) -> ComposeResult:
        """The box with the question over its answers."""
        with Vertical(classes="question-box") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content("Enter chooses, Esc cancels")
            yield Static(Content(safe(self._text)), classes="question-text", markup=False)
            yield OptionList(
                *(
                    Option(Content(choice.text), id=choice.answer, disabled=not choice.possible)
                    for choice in self._choices
                ),
                markup=False,
            )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer with what was chosen."""
        event.stop()
        self.dismiss(self._choices[event.option_index].answer)  # type: ignore[arg-type]


class PasteAnswer(StrEnum):
    """What to do with pasted lines."""

    MANY = "many"
    ONE = "one"
    CANCEL = "cancel"


class PasteQuestion(Question[PasteAnswer]):
    """Asks whether pasted lines are many messages or one.

    Args:
        lines: What was pasted, at least two lines.
        payload_limit: Bytes that fit one message.
    """

    def __init__(self, lines: Sequence[str], payload_limit: int) -> None:
        longest = max(len(line.encode()) for line in lines)
        whole = len("\n".join(lines).encode())
        super().__init__(
            Safe("Pasted text"),
            f"{len(lines):,} lines were pasted. The first: {safe(lines[0], 60)}",
            [
                Choice(
                    PasteAnswer.MANY,
                    fitting(
                        f"Send {len(lines):,} messages, one a line",
                        longest,
                        payload_limit,
                        "the longest line has",
                    ),
                    longest <= payload_limit,
                ),
                Choice(
                    PasteAnswer.ONE,
                    fitting("Send one message of all lines", whole, payload_limit, "it has"),
                    whole <= payload_limit,
                ),
                Choice(PasteAnswer.CANCEL, "Cancel"),
            ],
        )


def fitting(text: str, size: int, limit: int, what: str) -> str:
    """The text of a choice, with the reason where it is not possible."""
    return text if size <= limit else f"{text} - too large: {what} {size:,} bytes, at most {limit:,} fit"


class QuitAnswer(StrEnum):
    """What to do when messages wait to be heard."""

    QUIT = "quit"
    STAY = "stay"


class QuitQuestion(Question[QuitAnswer]):
    """Asks before own messages are lost for good; goes by itself as soon as another node has them.

    Args:
        unacknowledged: How many own messages no other node is known to have, now.
    """

    def __init__(self, unacknowledged: Callable[[], int]) -> None:
        waiting = unacknowledged()
        what = "message" if waiting == 1 else f"{waiting:,} messages"
        super().__init__(
            Safe("Quit"),
            f"Nobody is known to have your last {what} yet. The program ends by itself once somebody has.",
            [Choice(QuitAnswer.QUIT, "Quit now and risk losing that"), Choice(QuitAnswer.STAY, "Stay")],
        )
        self._unacknowledged = unacknowledged

    def on_mount(self) -> None:
        """Look a few times a second whether there is still something to wait for."""
        self._watch = self.set_interval(0.25, self.look)

    def look(self) -> None:
        """Go if every message has been heard."""
        if self._unacknowledged() == 0:
            self._watch.stop()  # a question is answered once
            self.dismiss(QuitAnswer.QUIT)
