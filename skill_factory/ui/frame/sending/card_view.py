"""The dataset card as it will look, and a place for the visitor's own words at its top."""

import re
from collections.abc import Iterator

import streamlit as st

from skill_factory.build.card import BEGIN
from skill_factory.publish.card import join_card, name_card, split_card
from skill_factory.work.builds import Job

FENCE = re.compile(r"^(`{3,})(\w*)\s*$")


def edited_card(job: Job, repo: str) -> str:
    """The card of a build with the visitor's words above ours, shown as the Hub will show it."""
    built = (job.out / "README.md").read_text(encoding="utf-8")
    with st.expander("Dataset card: the page on the Hub, as it will look", icon=":material/article:"):
        own = st.text_area(
            "Your own words at the top",
            key=f"publish.card.{job.id}",
            placeholder="What this data is for, and who made it.",
            persist_state="session",
        )
        card = with_words(built, own)
        for code, text in card_parts(split_card(name_card(card, repo))[1]):
            if code is None:
                st.markdown(text)
            else:
                st.code(
                    text,
                    language=code or None,
                    wrap_lines=True,
                    height=240 if len(text) > 1200 else "content",
                )
    return card


def with_words(card: str, own: str) -> str:
    """The card with the visitor's words between its front matter and our part."""
    # Words that look like our marks would end our part of the card early.
    own = own.replace("<!-- skill-factory", "<!-- skill_factory").strip()
    if not own:
        return card
    head, body = split_card(card)
    return join_card(head, f"\n{own}\n\n{body[body.find(BEGIN) :] if BEGIN in body else body}")


def card_parts(body: str) -> Iterator[tuple[str | None, str]]:
    """
    (language, text) of code blocks, and (None, Markdown) of the prose between them.

    Code is shown as text and pictures stay off: a card quotes model text, and no address in it may be fetched.
    """
    prose: list[str] = []
    code: list[str] = []
    fence = language = ""
    for line in body.splitlines():
        opened = FENCE.match(line)
        if fence and line.strip() == fence:
            yield language, "\n".join(code)
            code, fence = [], ""
        elif fence:
            code.append(line)
        elif opened:
            yield from _prose(prose)
            prose, fence, language = [], opened[1], opened[2]
        else:
            prose.append(line)
    yield from _prose(prose if not fence else [*prose, *code])


def _prose(lines: list[str]) -> Iterator[tuple[None, str]]:
    text = re.sub(r"<!--.*?-->", "", "\n".join(lines), flags=re.DOTALL).strip()
    if text:
        yield None, text.replace("![", "!\\[").replace("$", "\\$")
