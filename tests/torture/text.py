"""Hostile text everywhere: shown as text in the HTML page, the card, the terminal and the app; exact in the data set."""

import json
import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pyarrow.parquet as pq
from streamlit.testing.v1 import AppTest

from skill_factory.errors import HubError, RecipeError
from skill_factory.hub.client import check_name, safe_name
from skill_factory.recipe.model import Recipe, recipe_from_toml
from tests.command import run
from tests.torture.cases import HOSTILE, as_jsonl
from tests.torture.score import Score
from tests.torture.trying import steers

# What can't be in a trace at all: our own block tags are a reason to drop, and a verdict decides.
TEXTS = tuple(
    text for text in HOSTILE if not re.search(r"</?(think|sample|reflect|verdict)>", text) and text.strip()
)
OURS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "h1",
    "p",
    "div",
    "span",
    "b",
    "a",
    "label",
    "input",
    "details",
    "summary",
    "pre",
    "code",
    "br",
    "svg",
    "path",
    "rect",
    "text",
    "line",
    "circle",
    "g",
}
_OF_TABLES = {"table", "caption", "thead", "tbody", "tr", "td", "th"}
OPTIONS = ("--attempts", "2", "--format", "*C")


class Page(HTMLParser):
    """The elements of a page, its links, its handlers, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.bad: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if (
                name.startswith("on")
                or name == "src"
                or (name == "href" and not (value or "").startswith("#"))
            ):
                self.bad.append(f"{name}={value}")


def texts(folder: Path) -> Score:
    """Each hostile text as question, response, reflection, answer, variant, column, file, recipe field and name."""
    score = Score(
        "Hostile text", "shown as text in page, card, terminal and app; in the data set exactly as it was"
    )
    for number, text in enumerate(TEXTS):
        place = folder / str(number)
        place.mkdir(parents=True)
        (place / "raw.jsonl").write_bytes(as_jsonl(rows(text)))
        for name, wrong in everywhere(text, place):
            score.note(f"{name} {text[:24]!r}", wrong)
    app_cases(score, folder)
    names(score)
    files(score, folder)
    return score


def rows(text: str) -> list[dict[str, object]]:
    """Two questions of four responses, with the text in all of them."""
    return [
        {
            "question": f"{text}Q{q}{text}",
            "answer": f"{text}1",
            "response": f"{text}r{k}\n{text}<answer>{text}1</answer>",
            "correct": k % 2 == 0,
            "extracted_answer": f"{text}1",
            "prompt_variant": f"{text}v{k % 2}",
            "reflections": [f"{text}c{k}{text}<verdict>{'Correct' if k % 2 == 0 else 'Incorrect'}</verdict>"],
            f"column {text}": text,
        }
        for q in range(2)
        for k in range(4)
    ]


def everywhere(text: str, place: Path) -> list[tuple[str, str]]:
    """(where, what is wrong there) for one text in a build and in every way of showing it."""
    done = run("build", "raw.jsonl", "--out", "out", *OPTIONS, cwd=place)
    if done.exit:
        return [("build", done.err[-300:])]
    shown = run("preview", "raw.jsonl", *OPTIONS, cwd=place)
    looked = run("inspect", "raw.jsonl", cwd=place)
    page = run("preview", "raw.jsonl", "--html", "page.html", *OPTIONS, cwd=place)
    html = Page((place / "page.html").read_text(encoding="utf-8")) if not page.exit else Page("")
    return [
        ("data set", exact(text, place)),
        ("HTML page", page.err[-200:] or str(html.bad or sorted(html.tags - OURS)).strip("[]")),
        ("card", card(text, place / "out" / "README.md")),
        (
            "terminal",
            "control characters" if any(map(steers, (shown.out, looked.out, done.out))) else shown.err[-200:],
        ),
        ("recipe", recipe(place / "out" / "recipe.toml")),
    ]


def exact(text: str, place: Path) -> str:
    """What is wrong with the texts of the data set."""
    known = {str(row["response"]) for row in rows(text)} | {str(r["reflections"][0]) for r in rows(text)}  # type: ignore[index]
    for row in (
        row for path in (place / "out" / "sft_train").glob("*") for row in pq.read_table(path).to_pylist()
    ):
        trace = row["conversations"][1]["content"]
        parts = [
            trace[s["start"] : s["end"]]
            for s in row["spans"]
            if s["kind"] in ("sample", "reflect", "reflection")
        ]
        if not parts or not set(parts) <= known:
            return "changed"
        if row["conversations"][0]["content"] not in {str(r["question"]) for r in rows(text)}:
            return "question changed"
    return ""


def card(text: str, path: Path) -> str:
    """What is wrong with a card: its front matter is ours alone, and outside of fences nothing of it is markup."""
    import yaml

    whole = path.read_text(encoding="utf-8")
    _, front, body = whole.split("---\n", 2)
    known = {"configs", "task_categories", "size_categories", "tags"}
    if set(yaml.safe_load(front)) - known:
        return "front matter changed"
    outside = re.sub(r"^(`{3,})[^\n]*\n.*?^\1$", "", body, flags=re.DOTALL | re.MULTILINE)
    outside = re.sub(r"(`+) ?.*?[^`]\1(?!`)", "", outside)
    bad = [
        sign for sign in ("<script", "<img", "javascript:", "tracker.invalid", "<details") if sign in outside
    ]
    ends = whole.count("<!-- skill-factory: end -->")
    if (
        ends != 1 + whole.count(text) * text.count("<!-- skill-factory: end -->")
        and "skill-factory: end" not in text
    ):
        return "its end mark is there twice"
    return str(bad).strip("[]")


def recipe(path: Path) -> str:
    """Whether the saved recipe is still the same recipe."""
    text = path.read_text(encoding="utf-8")
    return "" if recipe_from_toml(text).to_toml() == text and tomllib.loads(text) else "changed by saving"


def app_cases(score: Score, folder: Path) -> None:
    """The app on a file with all texts at once: every page, its HTML and its Markdown."""
    from tests.studio import with_source

    place = folder / "app"
    place.mkdir()
    everything = [
        row | {"question": f"{n} {row['question']}"} for n, text in enumerate(TEXTS) for row in rows(text)
    ]
    for row in everything:
        for name in [name for name in row if name.startswith("column ")]:
            row.pop(name)
    everything[0] |= {f"column {text}": text for text in TEXTS}
    (place / "raw.jsonl").write_bytes(as_jsonl(everything))
    app: AppTest = with_source(str(place / "raw.jsonl"))
    for page in ("2_Data", "3_Choose", "4_Look", "5_Finish"):
        app.switch_page(f"pages/{page}.py").run()
        score.note(f"app, {page}", "; ".join(str(one.value)[:200] for one in app.exception) or seen(app))


def seen(app: AppTest) -> str:
    """What on a page is more than text."""
    bodies = [one.proto.body for one in app.get("html")]
    html = Page("".join(re.sub(r"<style>.*?</style>", "", one, flags=re.DOTALL) for one in bodies))
    bad = [*html.bad, *sorted(html.tags - OURS - {*_OF_TABLES, "ul", "li", "small"})]
    for one in app.get("markdown"):
        if one.proto.allow_html:
            bad.append("Markdown that may hold HTML")
        if re.search(r"(?<!\\)!\[p|(?<!\\)\]\(javascript|(?<!\\)\$\\href", str(one.value)):
            bad.append(f"Markdown: {str(one.value)[:80]}")
    return "; ".join(bad)


def names(score: Score) -> None:
    """Names of repositories and fields of recipes."""
    for text in TEXTS:
        try:
            check_name(f"alice/{text}")
            wrong = "taken"
        except HubError as error:
            wrong = "" if "\n" not in str(error) or "\n" in text else "more than a sentence"
        score.note(f"repository {text[:24]!r}", wrong)
        name = safe_name(text)
        score.note(f"made name {text[:24]!r}", "" if check_name(f"alice/{name}") else "refused")
        for field, value in (
            ("traces.formats", [text]),
            ("tags.think", text),
            ("answers.pattern", text),
            ("balance.exclude", [text]),
            ("phrases.add", {text: ["x"]}),
            ("phrases.add", {"ending": [text]}),
            ("filters.ban", [text]),
            ("verdicts.correct", [text]),
            ("filters.variants", [text]),
        ):
            try:
                made = Recipe().changed(
                    {field: value, **({"answers.rules": ["regex"]} if field == "answers.pattern" else {})}
                )
                wrong = "" if recipe_from_toml(made.to_toml()) == made else "changed by saving"
            except RecipeError:
                wrong = ""
            except Exception as error:
                wrong = f"{type(error).__name__}: {error}"
            score.note(f"recipe {field} {text[:24]!r}", wrong)


def files(score: Score, folder: Path) -> None:
    """Names of files that try the same."""
    place = folder / "files"
    place.mkdir()
    plain = as_jsonl(rows("x"))
    for number, text in enumerate(text for text in TEXTS if "/" not in text and "\0" not in text):
        path = place / f"{text[:60]}.jsonl"
        path.write_bytes(plain)
        done = run("build", path, "--out", place / f"out{number}", "--json", *OPTIONS)
        wrong = done.err[-300:] if done.exit else card(text, place / f"out{number}" / "README.md")
        if not wrong and (
            steers(done.err.replace("\r", "")) or json.loads(done.out)["source"]["name"] != path.name
        ):
            wrong = "the name is not what it was"
        score.note(f"file {text[:24]!r}", wrong)
