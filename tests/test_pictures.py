"""The pictures of a dataset: what they show is what the tally counts, and the same numbers give the same bytes."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_factory.build.pipeline import preview
from skill_factory.formats.record import TEACHES
from skill_factory.insight.html import html_page
from skill_factory.insight.pictures import DARK, INLINE, LIGHT, Composition, of_tally, of_traces, pictures
from skill_factory.publish import pictures as published
from skill_factory.publish.files import read_build
from skill_factory.publish.pictures import FOLDER, png, show_pictures, with_pictures
from tests import command

NUMBERS = Composition({"one_attempt": 452, "wrong_to_right": 1297}, [(700, 1000), (1400, 740), (9000, 9)])


def test_each_picture_says_in_words_what_it_shows() -> None:
    """The alternative text holds the numbers of the drawing."""
    shows, lengths = pictures(NUMBERS)
    assert shows.words == (
        "74 % of 1,749 traces show a mistake corrected. one right attempt: 452; a mistake corrected: 1,297."
    )
    assert lengths.words == (
        "Half of the traces have up to 200 tokens, 99 % up to 400; the longest has 2,571."
    )
    assert shows.words.replace('"', "") in shows.svg(LIGHT)


def test_a_dataset_without_traces_has_no_pictures() -> None:
    """Nothing is drawn of nothing."""
    assert pictures(Composition({}, [])) == []


SIZES = st.dictionaries(st.integers(1, 10**7), st.integers(1, 10**6), min_size=1, max_size=30)


@given(st.dictionaries(st.sampled_from(TEACHES), st.integers(1, 10**9), min_size=1), SIZES)
@settings(max_examples=60, deadline=None)
def test_any_numbers_can_be_drawn(shows: dict[str, int], sizes: dict[int, int]) -> None:
    """Whatever the sizes, the drawing is well-formed, in every colour, and every bar stays within it."""
    for picture in pictures(Composition(shows, sorted(sizes.items()))):
        for ink in (LIGHT, DARK, INLINE):
            tree = ET.fromstring(picture.svg(ink))
            assert "{" not in re.sub(r"var\(.*?\)", "", picture.svg(ink))
            for bar in list(tree)[1:]:
                if bar.tag.endswith("rect"):
                    assert 0 <= float(bar.get("x", "0")) + float(bar.get("width", "0")) <= 640
                    assert float(bar.get("y", "0")) >= 0


def test_the_same_numbers_give_the_same_bytes() -> None:
    """A PNG is drawn again byte for byte, small, and differs between light and dark."""
    drawing = pictures(NUMBERS)[0]
    light = png(drawing.svg(LIGHT))
    assert light == png(drawing.svg(LIGHT))
    assert light.startswith(b"\x89PNG") and len(light) < 60_000
    assert light != png(drawing.svg(DARK))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of the demo."""
    out = tmp_path_factory.mktemp("built") / "traces"
    command.build("demo:30", out)
    return out


def test_a_published_build_brings_its_pictures(built: Path) -> None:
    """Four files, shown in light and dark under two headings of the card; planned again, they aren't added twice."""
    build = with_pictures(read_build(built))
    assert sorted(file.path for file in build.files if file.path.startswith(FOLDER)) == [
        "pictures/composition-dark.png",
        "pictures/composition-light.png",
        "pictures/lengths-dark.png",
        "pictures/lengths-light.png",
    ]
    assert with_pictures(build).files == build.files
    card = show_pictures(
        (built / "README.md").read_text(encoding="utf-8"), build, "alice/traces", "https://hub.example"
    )
    assert card.count("<picture>") == 2
    assert "https://hub.example/datasets/alice/traces/resolve/main/pictures/lengths-dark.png" in card
    assert 'alt="Half of the traces have up to' in card
    assert card.index("## What a trace shows") < card.index("composition-light") < card.index("## Length")


def test_the_build_itself_has_none(built: Path) -> None:
    """A build's bytes depend on no drawing library: its pictures are made when it is published."""
    assert not (built / FOLDER).exists()
    assert "<picture>" not in (built / "README.md").read_text(encoding="utf-8")


def test_without_the_library_the_card_goes_without(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be drawn, the build is published as it is: its tables say the same."""
    monkeypatch.setattr(published, "png", lambda svg: b"")
    build = with_pictures(read_build(built))
    assert build.files == read_build(built).files
    text = (built / "README.md").read_text(encoding="utf-8")
    assert show_pictures(text, build, "alice/traces", None) == text


def test_a_page_shows_the_pictures_of_its_traces() -> None:
    """The page to mail has both drawings inline, in the colours of its theme; they count what its traces show."""
    shown = preview("demo:30", questions=30)
    assert of_traces(shown.traces).shows == of_tally(shown.tally, shown.recipe).shows
    assert sum(n for _, n in of_traces(shown.traces).chars) == of_tally(shown.tally, shown.recipe).traces
    page = html_page(shown.traces, "Traces")
    assert page.count("<svg ") == 2
    assert "var(--sf-pic-wrong-to-right)" in page and "--sf-pic-wrong-to-right:" in page
