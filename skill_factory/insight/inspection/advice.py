"""What a source lacks, and what to do next, most important first."""

from typing import TYPE_CHECKING

from skill_factory import wording
from skill_factory.formats import overlap_sentence
from skill_factory.insight.doubts import Doubt, Sample
from skill_factory.insight.proposal import Proposal
from skill_factory.model import TraceFormat
from skill_factory.recipe.model import Recipe
from skill_factory.wording import inflect, many

if TYPE_CHECKING:
    from skill_factory.overlap.ruling import Overlap


def needed(sample: Sample, reflections: int) -> list[str]:
    """What is lacking for traces that show a retry, with so many reflections among all rows that were read."""
    labels, answers = sample.labels, sample.answers
    needs = []
    if 2 * labels.count(None) > len(labels):
        needs.append("grade" if any(sample.golds) else "labels")
    if 2 * sum(answer is None for answer in answers) > len(answers):
        needs.append("answers")
    if not reflections:
        needs.append("critiques")
    pairs = set(zip(sample.questions, sample.responses, strict=True))
    if len(pairs) == len(set(sample.questions)):
        needs.append("responses")
    return needs


def overlap_advice(overlap: "Overlap | None") -> list[str]:
    """What a person should know of questions that are asked elsewhere too."""
    if overlap is None or not overlap.pairs:
        return []
    n = len(overlap.contaminated)
    names = wording.listed([f"{name} ({number:,})" for name, number in overlap.by_benchmark().items()])
    said = (
        f"{many(n, 'question')} of {overlap.questions:,} {inflect(n, 'is', 'are')} asked by a benchmark too: {names}. A build "
        f"with the same --against leaves {inflect(n, 'it', 'them')} out."
    )
    return [said]


_NEEDS = {
    "grade": "It isn't known which responses are right, but there are gold answers: grade the responses (`grade SOURCE --out FILE.parquet`).",
    "labels": "It isn't known which responses are right, and no column holds gold answers. Pick one that says right or wrong (--map correct=COLUMN), or one with gold answers to grade by (--map answer=COLUMN). If the data holds verified answers only, count them all as right: --label-rule all_right.",
    "answers": "No rule finds a final answer in most responses. Name one: --answer-regex PATTERN, or map a column (--map extracted_answer=COLUMN).",
    "critiques": "No column holds reflections on the responses. Make them with `generate reflections`, or build the weaker `--format no_reflection`.",
    "responses": "Each question has only one response, so a trace can't show a retry. Sample more with `generate responses`.",
}


def advise(
    proposal: Proposal, needs: list[str], doubtful: list[Doubt], mapped: Recipe, recipe: Recipe
) -> list[str]:
    """
    What to do next, most important first: what is doubtful, what is lacking, and the number of attempts.

    `recipe` is `mapped` without the column of reflections where that holds none.
    """
    advice = [f"{doubt.sentence} {doubt.fix}" for doubt in doubtful]
    advice += [_NEEDS[code] for code in needs]
    if proposal.attempts:
        bare = "" if recipe.columns.reflections else f" --format {TraceFormat.NO_REFLECTION}"
        bare += (
            " --map reflections=" if mapped.columns.reflections and bare else ""
        )  # an empty column has to go
        advice.append(
            f"N = {proposal.attempts} suits this data: {proposal.reason} "
            f"Build with --attempts {proposal.attempts}{bare}."
        )
    else:
        advice.append(proposal.reason)
    if overlap := overlap_sentence(recipe.traces.formats):
        advice.append(overlap)
    return advice
