"""From a recipe's wishes to lists of questions that stay out, found from the questions alone before anything is built."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from skill_factory.draws import order_keys, text_id
from skill_factory.errors import RecipeError, SourceError
from skill_factory.overlap.agreement import Agreement
from skill_factory.overlap.benchmarks import MOST_QUESTIONS, OpenBenchmark, opened
from skill_factory.overlap.evidence import SAMPLE, Content, common_grams, joined
from skill_factory.overlap.groups import Groups, grouped
from skill_factory.overlap.leaks import Responses, leaked, responses_of
from skill_factory.overlap.matching import Index, matches
from skill_factory.overlap.pairs import Pair
from skill_factory.overlap.questions import Blocks, QuestionsOf, in_blocks
from skill_factory.overlap.words import Grams, Worded, Wording
from skill_factory.recipe.clean_parts import Clean, Ruled
from skill_factory.recipe.mixture import Mixture
from skill_factory.recipe.model import Recipe
from skill_factory.sources import RawSource

MOST_PAIRS = 1_000
"""Pairs that are listed; all are counted, and all questions in them are dropped."""
_HOLDOUT = text_id("held out for evaluation")
"""The seed of the draw: not the recipe's own, so that another seed for the traces doesn't train on what was held out."""


@dataclass(frozen=True)
class Overlap:
    """What was found among the questions of a source."""

    questions: int = 0
    """Different questions that were compared."""
    pairs: list[Pair] = field(default_factory=list)
    """For each contaminated question, and each benchmark that asks it, the question there that it agrees with most."""
    groups: Groups = field(default_factory=Groups)
    """Questions that say nearly the same."""

    @property
    def contaminated(self) -> list[int]:
        """The ids of the contaminated questions, in order."""
        return sorted({pair.question_id for pair in self.pairs})

    def to_json(self, texts: bool = True) -> dict[str, Any]:
        """The result as JSON values; without texts where it gets published, so that no benchmark is."""
        others = self.groups.others()
        return {
            "contaminated": {
                "questions": len(self.contaminated),
                "of": self.questions,
                "by_benchmark": self.by_benchmark(),
                "pairs": [pair.to_json(texts) for pair in self.pairs[:MOST_PAIRS]],
            },
            "near_duplicates": {"questions": len(others), "groups": len(set(self.groups.named()))},
        }

    def by_benchmark(self) -> dict[str, int]:
        """How many questions each benchmark asks too."""
        return dict(Counter(pair.benchmark for pair in self.pairs))


def overlap_of(reading: Blocks, benchmarks: Sequence[OpenBenchmark], near: bool) -> Overlap:
    """Compare different questions with those of benchmarks, and, if `near`, with one another. Errors: SourceError."""
    wording = Wording()
    common, count = _common(reading, wording)
    known = _Known.of(benchmarks, wording, common)
    pairs = known.pairs(reading, wording) if len(known.texts) else {}
    groups = grouped(reading, wording, known.common) if near else Groups()
    ordered = [pairs[key] for key in sorted(pairs)]
    return Overlap(count, ordered, groups)


def ruled(recipe: Recipe, overlap: Overlap, shared: Clean | None = None) -> Recipe:
    """
    The recipe with the questions that are to stay out of the traces of this source.

    `shared` is what a mixture wishes for all its sources, beside the decisions that this recipe has of its own.
    """
    clean = _joined_wishes(recipe.clean, shared) if shared is not None else recipe.clean
    keep = {int(one, 16) for one in clean.keep}
    dirty = (set(overlap.contaminated) | {int(one, 16) for one in clean.drop}) - keep
    # A person's word about one question counts for this question, not for the group: it stays beside the others.
    again = {one for one in overlap.groups.others() if one not in keep} if clean.near_duplicates else set()
    held = _held_out(overlap, clean.holdout) - dirty - again
    lists: Ruled = (_packed(dirty), _packed(again), _packed(held))
    return recipe.model_copy(update={"clean": clean.with_ruled(lists)})


def _joined_wishes(own: Clean, shared: Clean) -> Clean:
    more = {"drop": (*own.drop, *shared.drop), "keep": (*own.keep, *shared.keep)}
    return shared.model_copy(update=more)


def held_out_alone(questions: Iterable[str], share: float) -> int:
    """How many of these questions a share holds out, each taken alone; the group of a question may decide otherwise."""
    ids = np.array(sorted({text_id(one) for one in questions}), "<u8")
    return int(_drawn(ids, share).sum())


def _held_out(overlap: Overlap, share: float) -> set[int]:
    if not share:
        return set()
    # A group goes one way as a whole: by the id of its first question.
    return set(overlap.groups.ids[_drawn(overlap.groups.firsts, share)].tolist())


def _drawn(ids: npt.NDArray[np.uint64], share: float) -> npt.NDArray[np.bool_]:
    drawn: npt.NDArray[np.bool_] = order_keys(_HOLDOUT, ids) < np.uint64(min(int(share * 2.0**64), 2**64 - 1))
    return drawn


def _packed(ids: set[int]) -> bytes:
    return np.array(sorted(ids), "<u8").tobytes()


def _common(reading: Blocks, wording: Wording) -> tuple[Grams, int]:
    """What the questions share, from those with the smallest ids; and how many there are."""
    sample: dict[int, str] = {}
    count = 0
    for ids, texts in reading:
        count += len(texts)
        sample.update(zip(ids.tolist(), texts, strict=True))
        sample = {one: sample[one] for one in sorted(sample)[:SAMPLE]}
    return common_grams(wording(sample.values())), count


@dataclass(frozen=True)
class _Known:
    """The questions of all benchmarks."""

    names: list[str]
    """The benchmark of each question."""
    texts: list[str]
    index: Index | None
    common: Grams

    @classmethod
    def of(cls, benchmarks: Sequence[OpenBenchmark], wording: Wording, common: Grams) -> "_Known":
        """Read the benchmarks, and leave out what the questions of each share."""
        names: list[str] = []
        texts: list[str] = []
        shared = [common]
        for one in benchmarks:
            # Not to its end where it has none that anybody lives to see.
            few = islice(one.questions(), 10 * MOST_QUESTIONS)
            own = sorted(set(few), key=lambda text: (text_id(text), text))
            if not own:
                raise SourceError(
                    f"The benchmark {one.about.name} holds no question in {one.about.question!r}."
                )
            if len(texts) + len(own) > MOST_QUESTIONS:
                raise SourceError(f"The benchmarks hold more than {MOST_QUESTIONS:,} questions. Give fewer.")
            shared.append(common_grams(wording(own[:SAMPLE])))
            names += [one.about.name] * len(own)
            texts += own
        every = joined(shared)
        index = Index.of(Content.of(wording(texts), every)) if texts else None
        return cls(names, texts, index, every)

    def pairs(self, reading: Blocks, wording: Wording) -> dict[tuple[int, str], Pair]:
        """The best pair of each question with each benchmark."""
        best: dict[tuple[int, str], Pair] = {}
        for ids, texts in (block for given in reading for block in in_blocks(*given)):
            for mine, other, agreement in self._matches(wording(texts)):
                key = int(ids[other]), self.names[mine]
                pair = Pair(key[0], texts[other], key[1], self.texts[mine], agreement)
                if key not in best or _rank(pair) > _rank(best[key]):
                    best[key] = pair
        return best

    def _matches(self, worded: Worded) -> Iterator[tuple[int, int, Agreement]]:
        if self.index is not None:
            yield from matches(self.index, Content.of(worded, self.common))


def _rank(pair: Pair) -> tuple[bool, float, str]:
    return pair.agreement.by == "same", pair.agreement.share, pair.other


# -- for those who build, preview and look -------------------------------------------------------------------------


Asking = TypeVar("Asking", Recipe, Mixture)


def with_benchmarks(
    recipe: Asking, against: Sequence[str] = (), token: str | None = None
) -> tuple[Asking, list[OpenBenchmark]]:
    """The recipe with its benchmarks pinned, and these opened. Errors: SourceError."""
    if recipe.clean.responses and not (against or recipe.clean.against):
        raise RecipeError(
            "Responses are compared with the answers of benchmarks, and none is named. Add --against BENCHMARK, or leave out "
            "--against-responses."
        )
    if not (against or recipe.clean.against):
        return recipe, []
    benchmarks = opened(recipe.clean, against, token)
    # Those that were decided on a page stay named beside those that are opened now.
    known = tuple(one for one in recipe.clean.against if one.decided)
    about = known + tuple(one.about for one in benchmarks)
    return recipe.model_copy(update={"clean": recipe.clean.model_copy(update={"against": about})}), benchmarks


def with_leaks(
    overlap: Overlap,
    responses: Responses,
    benchmarks: Sequence[OpenBenchmark],
    wanted: bool,
) -> Overlap:
    """With the questions whose responses have a solution of a benchmark in them, if that is asked for. Errors: SourceError."""
    if not wanted or not benchmarks:
        return overlap
    asked = {(pair.question_id, pair.benchmark) for pair in overlap.pairs}
    more = [pair for pair in leaked(responses, benchmarks) if (pair.question_id, pair.benchmark) not in asked]
    pairs = sorted([*overlap.pairs, *more], key=lambda pair: (pair.question_id, pair.benchmark))
    return replace(overlap, pairs=pairs)


def compared(
    source: RawSource, recipe: Recipe, benchmarks: Sequence[OpenBenchmark]
) -> tuple[Recipe, Overlap]:
    """The recipe with the questions of this source that stay out, and why; at once where it asks for nothing."""
    if not recipe.clean.asks:
        return ruled(recipe, Overlap()) if recipe.clean.drop else recipe, Overlap()
    overlap = overlap_of(QuestionsOf(source, recipe.columns), benchmarks, recipe.clean.groups)
    overlap = with_leaks(overlap, responses_of((source, recipe.columns)), benchmarks, recipe.clean.responses)
    return ruled(recipe, overlap), overlap


def compared_together(
    parts: Sequence[RawSource], mixture: Mixture, benchmarks: Sequence[OpenBenchmark]
) -> tuple[Mixture, Overlap]:
    """The mixture with the questions of all its sources that stay out, and why: what repeats in two sources is found too."""
    clean, overlap = mixture.clean, Overlap()
    if clean.asks:
        pairs = [(source, one.recipe.columns) for source, one in zip(parts, mixture.sources, strict=True)]
        reading = QuestionsOf(*pairs[0], *pairs[1:])
        overlap = overlap_of(reading, benchmarks, clean.groups)
        # Of near-duplicates the one of the first source stays, as of questions that are the same.
        groups = overlap.groups.led_by(reading.first_sources(overlap.groups.ids))
        overlap = with_leaks(
            replace(overlap, groups=groups), responses_of(*pairs), benchmarks, clean.responses
        )
    return mixture.with_recipes(tuple(ruled(one, overlap, clean) for one in mixture.recipes)), overlap
