"""Every screen looks as it did when somebody last looked at it, in every size, to the last cell."""

from __future__ import annotations

import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from rich.color import Color

from gossip_tui.theme import THEMES
from tests.gossip_tui.test_theme import READABLE, contrast

from .picture import words_in
from .shots import FOLDER, SHOTS, SIZES, Shot, file_of, take

PROJECT = FOLDER.parents[2] / "pyproject.toml"

RENEW = "look at it, and if it is right: python -m tests.gossip_tui.pictures"


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
async def test_it_looks_as_it_did(shot: Shot) -> None:
    for path, picture in (await take(shot)).items():
        assert picture == path.read_text(encoding="utf-8"), f"{path.name} is another one now; {RENEW}"


def test_what_is_written_can_be_read() -> None:
    pale = set()
    for shot in SHOTS:
        for size in shot.sizes if not shot.colorless else ():
            for text, look in words_in(file_of(shot, size).read_text(encoding="utf-8")):
                color, _, background, *flags = look.split()
                if "reverse" in flags:
                    color, background = background, color
                if shot.is_dialog and background != THEMES[0].surface:
                    continue  # what lies behind it is dimmed on purpose
                if contrast(Color.parse(color), background) < READABLE:
                    pale.add((shot.name, text.strip(), look))
    assert not pale


def test_there_is_no_picture_of_a_screen_that_is_no_more() -> None:
    assert set(FOLDER.glob("*.txt")) == {file_of(shot, size) for shot in SHOTS for size in shot.sizes}


def test_tests_get_the_textual_that_the_pictures_were_taken_with() -> None:
    wanted = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]["test"]
    assert f"textual=={version('textual')}" in wanted, f"pin this one, take the pictures anew, and {RENEW}"


def test_every_picture_is_as_large_as_its_name_says() -> None:
    for shot in SHOTS:
        for size in shot.sizes:
            assert size_of(file_of(shot, size)) == size
    assert {(80, 24), (120, 40), (200, 60)} < set(SIZES)


def size_of(path: Path) -> tuple[int, int]:
    """The cells of a picture; most signs are one wide, and the looks say how wide each row is."""
    drawing, looks, _ = path.read_text(encoding="utf-8").split("\n\n", 2)
    first = looks.splitlines()[0].split()[1:]
    return sum(int(run.lstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) for run in first), len(
        drawing.splitlines()
    )
