"""How many questions are useful, and what the lights say against the data."""

from collections.abc import Sequence

from skill_factory.insight.opinion.attempts import TradeOff
from skill_factory.insight.opinion.reasons import SMALL, TOY, Reason, Weight
from skill_factory.insight.readiness import Finding, Light, Step
from skill_factory.wording import inflect, many


def of_finding(finding: Finding) -> Reason | None:
    """A light that isn't green, as a reason."""
    if finding.light is Light.GOOD:
        return None
    code = finding.topic.lower().replace(" ", "_")
    weight = Weight.NOTE
    if finding.light is Light.MISSING:
        # Without labels or final answers there is no trace; without retries or reflections, a weaker one.
        weight = Weight.STOPS if code in ("labels", "final_answers") else Weight.SERIOUS
    short = finding.headline[:1].lower() + finding.headline[1:]
    return Reason(code, weight, short, f"{finding.headline}. {finding.meaning}", finding.todo, finding.step)


def of_size(best: TradeOff, every: int) -> list[Reason]:
    """Whether there are enough questions."""
    n = best.questions
    if n >= SMALL:
        return []
    of = f"{many(n, 'question')}" if n == every else f"{n:,} of {many(every, 'question')}"
    can = f"Only {of} can be used"
    todo = f"Add questions: {SMALL - n:,} more make {SMALL}; the paper used 4,000."
    if n < TOY:
        short = f"{many(n, 'question')} {inflect(n, 'is', 'are')} enough to try things out, not to train on"
        said = f"{can}. That shows how it works, but a model would learn these questions by heart."
        return [Reason("toy", Weight.STOPS, short, said, todo, Step.MORE_ANSWERS)]
    short = f"it is small: {many(n, 'usable question')}"
    said = f"{can}. Below {SMALL}, a model sees few different problems, and every number here is rough."
    return [Reason("small", Weight.SERIOUS, short, said, todo, Step.MORE_ANSWERS)]


def shows_nothing(best: TradeOff, known: Sequence[Reason]) -> list[Reason]:
    """Whether any trace would show a mistake corrected, where no light has said why not."""
    if best.corrected or any(
        reason.code in ("several_answers", "labels") and reason.weight is not Weight.NOTE for reason in known
    ):
        return []
    return [
        Reason(
            "no_mistakes",
            Weight.SERIOUS,
            "no trace would show a mistake corrected",
            "No usable question has both right and wrong answers, so no trace can show a mistake corrected.",
            "Add answers from a weaker model, or at a higher temperature.",
            Step.MORE_ANSWERS,
        )
    ]
