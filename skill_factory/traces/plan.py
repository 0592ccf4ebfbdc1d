"""Usable questions become plans of traces, within the limits of the recipe. Each plan is kept, or counted with a reason."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from skill_factory.formats.record import Format
from skill_factory.judge.facts import Reading
from skill_factory.judge.judge import Judgement, questions, usable_for
from skill_factory.model import Closing, Skip, Trace, TracePlan, hex_id
from skill_factory.reasons import TraceReason
from skill_factory.recipe.model import Balance, Recipe
from skill_factory.recipe.phrases import PhraseBook
from skill_factory.tally import Overlap, Tally
from skill_factory.traces.counting import tally_skip
from skill_factory.traces.decisions import Decision, Decisions
from skill_factory.traces.render import phrases_of, render

Render = Callable[[TracePlan, PhraseBook, Recipe], Trace]


@dataclass
class Written:
    """What was written before, in written order: the limits of a dataset count from its head."""

    traces: int = 0
    by_label: Counter[str] = field(default_factory=Counter)


def compose_plans(
    reading: Reading,
    judgement: Judgement,
    recipe: Recipe,
    book: PhraseBook,
    formats: Mapping[str, Format],
    tally: Tally,
    written: Written,
    render: Render = render,
) -> Iterator[TracePlan]:
    """
    The plans of all usable questions, in written order.

    As they come, `tally` counts the traces that couldn't be made, and `written`, if the recipe sets limits, those that
    were; `tally_traces` counts the latter in full. A plan is rendered here only if a limit depends on its text.
    """
    alike = _Alike(recipe, book, tally)
    # Which questions pass a format's gate is one array operation, done before any question is looked at.
    gates = {code: usable_for(judgement, recipe, kind.needs) for code, kind in formats.items()}
    excluded = frozenset(recipe.balance.exclude)
    limited = sets_limits(recipe)
    decisions = Decisions(recipe.review)
    for place, question in questions(reading, judgement, recipe.traces.seed):
        of_question = 0
        # Equal traces can only come from one question, so its plans are all that has to be remembered.
        alike.begin()
        for code, kind in formats.items():
            if not gates[code][place]:
                continue
            for plan in kind.plans(question, recipe.traces):
                if isinstance(plan, Skip):
                    tally_skip(tally, plan)
                    continue
                if limited:
                    kept = _within_limits(plan, kind, recipe, book, excluded, written, of_question, render)
                    if isinstance(kept, Skip):
                        tally_skip(tally, kept)
                        continue
                    plan = kept
                if alike.possible and alike.seen(plan):
                    tally_skip(tally, _skip(plan, TraceReason.DUPLICATE))
                    continue
                # After the search for equals: an equal trace doesn't take the place of one that was rejected.
                if decisions and (decision := decisions.about(plan)) is not Decision.NONE:
                    tally.counts["review"][decision.value] += 1
                    if decision is Decision.REJECTED:
                        tally_skip(tally, _skip(plan, TraceReason.REJECTED))
                        continue
                if limited:
                    # Only now: a trace that was dropped must not use up a limit.
                    written.traces += 1
                    written.by_label[plan.label] += 1
                of_question += 1
                yield plan


class _Alike:
    """
    Finds the plans of one question that show the same attempts and reflections, as they come.

    Formats that share a rule draw the same attempts, and repeats may: their traces differ only in phrases, or not at all.
    The responses and reflections of a question are different texts, so equal ids and equal phrases mean equal words.
    """

    def __init__(self, recipe: Recipe, book: PhraseBook, tally: Tally) -> None:
        traces = recipe.traces
        self.possible = len(traces.formats) > 1 or traces.repeats > 1
        self._drops, self._book, self._tally = recipe.balance.drop_duplicates, book, tally
        self._plans: dict[tuple[object, ...], list[TracePlan]] = {}

    def begin(self) -> None:
        """Forget the last question: the plans of the next one follow."""
        self._plans = {}

    def seen(self, plan: TracePlan) -> bool:
        """Whether the recipe drops the plan because an earlier one of its question has the same words."""
        # Most plans differ in their responses, which is cheap to see; only for the others are reflections drawn.
        shown = (plan.closing, plan.reflect, *[response.id for response in plan.order])
        earlier = self._plans.setdefault(shown, [])
        same = [other for other in earlier if _reflections(other) == _reflections(plan)] if earlier else []
        if same:
            self._tally.counts["overlaps"][str(Overlap(same[0].format, plan.format))] += 1
        if self._drops and any(
            phrases_of(other, self._book) == phrases_of(plan, self._book) for other in same
        ):
            return True
        earlier.append(plan)
        return False


def _reflections(plan: TracePlan) -> list[int]:
    return [attempt.reflection.id for attempt in plan.attempts if attempt.reflection is not None]


def sets_limits(recipe: Recipe) -> bool:
    """Whether the recipe sets any limit: most set none, and then a build's many plans need no look."""
    balance = recipe.balance
    # Fields that no plan has to be looked at for.
    unlimited = Balance(
        pass_rate=balance.pass_rate, drop_duplicates=balance.drop_duplicates, suite=balance.suite
    )
    return recipe.cutoff.limits_traces or recipe.balance != unlimited


def _within_limits(
    plan: TracePlan,
    kind: Format,
    recipe: Recipe,
    book: PhraseBook,
    excluded: frozenset[str],
    written: Written,
    of_question: int,
    render: Render,
) -> TracePlan | Skip:
    """The plan, maybe with fewer attempts, or a skip for the first limit that it meets."""
    balance = recipe.balance
    # The cheap limits first.
    if balance.max_traces and written.traces >= balance.max_traces:
        return _skip(plan, TraceReason.OVER_LIMIT)
    if balance.min_wrong and sum(not response.correct for response in plan.order) < balance.min_wrong:
        return _skip(plan, TraceReason.TOO_FEW_WRONG)
    # From here on limits need the text, so the trace has to be rendered.
    if recipe.cutoff.limits_traces:
        fitting = _within_cutoff(render(plan, book, recipe), kind, recipe, book)
        if fitting is None:
            return _skip(plan, TraceReason.OVER_CUTOFF)
        plan = fitting
    if excluded and hex_id(render(plan, book, recipe).id) in excluded:
        return _skip(plan, TraceReason.EXCLUDED)
    if balance.per_question and of_question >= balance.per_question:
        return _skip(plan, TraceReason.OVER_QUESTION_CAP)
    limit = balance.label_limits.get(plan.label)
    if limit is not None and written.by_label[plan.label] >= limit:
        return _skip(plan, TraceReason.OVER_LABEL_LIMIT)
    return plan


def _skip(plan: TracePlan, reason: TraceReason) -> Skip:
    return Skip(plan.question, plan.format, reason)


def _within_cutoff(trace: Trace, kind: Format, recipe: Recipe, book: PhraseBook) -> TracePlan | None:
    """The trace's plan if it fits the cut-off; otherwise, if the recipe allows, the plan with fewer attempts that does."""
    cutoff = recipe.cutoff
    while cutoff.estimated_tokens(len(trace.plan.question.text) + len(trace.text)) > cutoff.tokens:
        shorter = _without_first(trace.plan, kind) if cutoff.action == "fewer_attempts" else None
        if shorter is None:
            return None
        # Rendered again: only the text says whether it fits now.
        trace = render(shorter, book, recipe)
    return trace.plan


def _without_first(plan: TracePlan, kind: Format) -> TracePlan | None:
    """The plan without its first attempt; None if the format's closing needs that attempt."""
    order = plan.order[1:]
    needed = 1 if plan.closing is Closing.PLAIN else 2
    # Going back needs a right attempt to go back to.
    back = plan.closing is Closing.BACKTRACK
    if len(order) < needed or (back and not any(response.correct for response in order[:-1])):
        return None
    # A label that counts attempts counts those that are left; any other label stays.
    counted = plan.label == kind.label_of(len(plan.order))
    label = kind.label_of(len(order)) if counted else plan.label
    return plan._replace(order=order, away=plan.away + 1, label=label)
