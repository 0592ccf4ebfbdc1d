"""The sections of the card that are made of the tally's numbers, each as Markdown."""

from skill_factory.build.markdown import inline, table
from skill_factory.formats import format_of
from skill_factory.formats.record import TEACHES_WORDS
from skill_factory.reasons import Level, QuestionReason, TraceReason, sentence
from skill_factory.recipe.mixture import AnyRecipe, Mixture
from skill_factory.recipe.variants import variant_words
from skill_factory.tally import Label, Tally, Teaches, TraceChars, keyed
from skill_factory.wording import inflect, many, percent


def left_out(tally: Tally) -> str:
    """How much thinking was left out of attempts, and how many reflections give the answer away; empty if neither occurs."""
    thinking, given = tally.counts["thinking"], tally.counts["given_away"]
    sentences = []
    if thinking:
        sentences.append(
            f"The thinking of {many(thinking['responses'], 'response')}, {thinking['characters']:,} characters in total, was "
            "left out of the attempts (`columns.think`)."
        )
    if given:
        sentences.append(
            f"{many(given['read'], 'reflection')} on wrong responses {inflect(given['read'], 'states', 'state')} the gold "
            "answer (`gives_away_answer`); "
            f"{given['kept']:,} of them are kept (`filters.given_away`)."
        )
    return "".join(f"\n\n{sentence}" for sentence in sentences)


def kept_apart(recipe: AnyRecipe, tally: Tally) -> str:
    """What the questions were compared with, and which of them are held out; empty if the recipe asks for neither."""
    dropped, clean = tally.ledger[Level.QUESTIONS].dropped, recipe.clean
    sources = recipe.recipes if isinstance(recipe, Mixture) else ()
    against = list(
        dict.fromkeys([*clean.against, *(one for source in sources for one in source.clean.against)])
    )
    sentences = []
    if against:
        names = ", ".join(f"{inline(one.name)} (`{(one.digest or one.revision)[:12]}`)" for one in against)
        number = dropped[QuestionReason.CONTAMINATED]
        sentences.append(
            f"Compared with {names}: {many(number, 'question')} of {inflect(len(against), 'it', 'them')} "
            f"{inflect(number, 'was', 'were')} found here and left out. What all questions share proves nothing, and numbers "
            "are compared as numbers."
        )
    if clean.near_duplicates:
        number = dropped[QuestionReason.NEAR_DUPLICATE]
        sentences.append(
            f"{many(number, 'question')} that {inflect(number, 'says', 'say')} nearly the same as another "
            f"{inflect(number, 'is', 'are')} left out."
        )
    if clean.holdout:
        sentences.append(
            f"{many(dropped[QuestionReason.HELD_OUT], 'question')} "
            f"{inflect(dropped[QuestionReason.HELD_OUT], 'is', 'are')} held out for evaluation, with everything that says "
            'nearly the same. Those with a gold answer are the config `heldout`: `load_dataset("USER/NAME", "heldout", '
            'split="test")`.'
        )
    return "".join(f"\n\n{sentence}" for sentence in sentences)


def labels(tally: Tally) -> str:
    """How many traces of each label, and what each format shows."""
    rows = [(f"`{label}`", f"{n:,}") for label, n in sorted(tally.counts["traces_by_label"].items())]
    formats = [
        f"- `{code}`: {format_of(code).shows or 'A format from outside the package.'} {n:,} traces."
        for code, n in sorted(tally.counts["traces_by_format"].items())
    ]
    return table(("label (`sft_template_type_idx`)", "traces"), rows) + "\n\n" + "\n".join(formats)


def sources_table(mixture: Mixture, tally: Tally) -> str:
    """What each source of a mixture gives, and which of its questions belong to an earlier one."""
    every = tally.ledger[Level.TRACES].kept or 1
    rows = []
    for one in mixture.sources:
        own = tally.sources[one.name].ledger
        traces, questions = own[Level.TRACES], own[Level.QUESTIONS]
        asked = f"weight {one.weight:g}" if one.weight is not None else f"count {one.count:,}"
        rows.append(
            (
                inline(one.name),
                asked,
                f"{traces.kept:,}",
                percent(traces.kept, every),
                f"{traces.dropped[TraceReason.OVER_SHARE]:,}",
                f"{questions.kept:,}",
                f"{questions.dropped[QuestionReason.IN_OTHER_SOURCE]:,}",
            )
        )
    names = ("source", "asked for", "traces", "share", "over its share", "questions", "in an earlier source")
    return "\n\n" + table(names, rows) + _unequal_golds(tally)


def _unequal_golds(tally: Tally) -> str:
    unequal = tally.counts["unequal_golds"]["questions"]
    if not unequal:
        return ""
    return (
        f"\n\n**In doubt:** {many(unequal, 'question')} {inflect(unequal, 'stands', 'stand')} in two sources with different "
        "gold answers; the first source's counts."
    )


def shown(tally: Tally) -> str:
    """How many traces show a mistake corrected, and what the others show."""
    counted: dict[str, int] = {}
    for key, n in keyed(Teaches, tally.counts["teaches"]):
        counted[key.shows] = counted.get(key.shows, 0) + n
    # 1, so that a build without traces shows shares of 0 and doesn't divide by it.
    every = sum(counted.values()) or 1
    rows = [
        (words, f"{counted.get(shows, 0):,}", percent(counted.get(shows, 0), every))
        for shows, words in TEACHES_WORDS.items()
    ]
    return table(("the trace shows", "traces", "share"), rows)


def overlaps(tally: Tally) -> str:
    """How many traces differ from another one only in their phrases; empty if none does."""
    # Those that were dropped as duplicates overlap no longer.
    kept = tally.counts["overlaps"].total() - tally.ledger[Level.TRACES].dropped[TraceReason.DUPLICATE]
    if kept <= 0:
        return ""
    return (
        f"\n\n{kept:,} of them show the attempts and reflections of another trace of their question in other phrases: "
        "formats with the same rule, or repeats, drew the same ones."
    )


def ledger_table(tally: Tally) -> str:
    """The ledger as a Markdown table: level, read, kept, and why the rest was dropped."""
    rows = []
    for level, counted in tally.ledger.items():
        why = "; ".join(
            f"{n:,} because {sentence(level, reason)} (`{reason}`)"
            for reason, n in counted.dropped.most_common()
        )
        rows.append((level.value, f"{counted.read:,}", f"{counted.kept:,}", why or "none"))
    return table(("level", "read", "kept", "dropped"), rows)


def variants(tally: Tally) -> str:
    """How many right and wrong responses were kept, by prompt variant."""
    kept = tally.counts["kept_responses"]
    # Also those of which nothing was kept: a variant that vanished should be seen.
    names = sorted({key.variant for key, _ in keyed(Label, tally.counts["labels"])})
    rows = []
    for name in names:
        right, wrong = (kept.get(str(Label(name, truth)), 0) for truth in ("right", "wrong"))
        rows.append(
            (
                _variant(name),
                f"{right:,}",
                f"{wrong:,}",
                percent(right, right + wrong) if right + wrong else "–",
            )
        )
    return table(("prompt variant", "right responses kept", "wrong responses kept", "share right"), rows)


def corrections(tally: Tally) -> str:
    """How many stored labels a person changed, if any."""
    to = tally.counts["corrections"]
    if not to:
        return ""
    return (
        f"\n\n{many(sum(to.values()), 'stored label')} of the source were corrected by a person, {to['right']:,} to right "
        f"and {to['wrong']:,} to wrong; `labels.corrections` in the recipe names them."
    )


def review(tally: Tally) -> str:
    """How many traces of this build a person read and decided about, if any."""
    decisions = tally.counts["review"]
    if not decisions:
        return ""
    rejected = decisions["rejected"]
    return (
        f"\n\n{many(sum(decisions.values()), 'trace')} reviewed, {rejected:,} rejected: a person read them one by one. Those "
        f"rejected {inflect(rejected, 'is', 'are')} left out; `review` in the recipe names them all."
    )


def _variant(name: str) -> str:
    """What a prompt variant is called, and its name in the data."""
    words = variant_words(name)
    return inline(name) if words == name else f"{words} ({inline(name)})"


def lengths(tally: Tally, recipe: AnyRecipe) -> str:
    """How long traces are, in characters and estimated tokens."""
    # Counted by length and not row by row, so exact percentiles cost no second look at the data.
    sizes = sorted((key.chars, n) for key, n in keyed(TraceChars, tally.counts["trace_chars"]))
    every = sum(n for _, n in sizes)
    if not every:
        return "No traces."
    rows = []
    for share in (0.5, 0.9, 0.99, 1.0):
        seen = 0
        for size, n in sizes:
            seen += n
            if seen >= share * every:
                rows.append((percent(share), f"{size:,}", f"{recipe.cutoff.estimated_tokens(size):,.0f}"))
                break
    note = f"Tokens are estimated at {recipe.cutoff.chars_per_token:g} characters each. A trainer whose cut-off is shorter than a trace truncates its end, and with it the answer."
    return table(("share of traces up to this long", "characters", "tokens (estimate)"), rows) + "\n\n" + note
