"""What people call the fields of a recipe: the labels of their controls on the pages, and their names in tables."""

from skill_factory.recipe.fields import FIELDS

TITLES: dict[str, str] = {
    "source.kind": "Kind of source",
    "source.name": "Data",
    "source.config": "Config",
    "source.split": "Split",
    "source.revision": "Revision",
    "source.digest": "Checksum of the file",
    **{f"columns.{field.name}": f"Column: {field.title.lower()}" for field in FIELDS},
    "columns.think": "Thinking in a response",
    "columns.question_rule": "How a question is read",
    "columns.response_rule": "How a response is read",
    "columns.label_rule": "What counts as right",
    "columns.question_marks": "Marks around the question",
    "columns.response_marks": "Marks around the response",
    "columns.right": "Values that mean right",
    "columns.wrong": "Values that mean wrong",
    "columns.threshold": "Smallest number that means right",
    "columns.only": "Rows that are used",
    "columns.guess": "How columns are found",
    "answers.rules": "Answer rules",
    "answers.pattern": "Pattern of the final answer",
    "verdicts.rule": "Verdict rule",
    "verdicts.pattern": "Pattern of the verdict",
    "verdicts.correct": "Verdicts that mean right",
    "verdicts.incorrect": "Verdicts that mean wrong",
    "labels.corrections": "Corrected labels",
    "review.accepted": "Accepted traces",
    "review.rejected": "Rejected traces",
    "review.notes": "Notes on traces",
    "filters.variants": "Prompt variants",
    "filters.ban": "Banned words",
    "filters.ban_substrings": "Ban words inside other words too",
    "filters.response_chars": "Response length",
    "filters.reflection_chars": "Reflection length",
    "filters.block_tags": "Texts that contain a trace tag",
    "filters.given_away": "Reflections that state the gold answer",
    "clean.against": "Benchmarks to keep out",
    "clean.responses": "Look for benchmarks in the responses too",
    "clean.near_duplicates": "Keep one of near-duplicate questions",
    "clean.holdout": "Held-out questions",
    "clean.drop": "Questions left out by hand",
    "clean.keep": "Questions kept by hand",
    "traces.formats": "Formats",
    "traces.attempts": "Maximum attempts (N)",
    "traces.repeats": "Repeats",
    "traces.distinct_variants": "A different prompt variant for each attempt",
    "traces.sample_attempts": "Vary the number of attempts",
    "traces.seed": "Seed",
    "traces.layout": "Layout",
    "balance.pass_rate": "Share of right responses",
    "balance.per_question": "Maximum traces per question",
    "balance.label_limits": "Maximum traces by trace type",
    "balance.min_wrong": "Minimum wrong attempts",
    "balance.max_traces": "Maximum traces",
    "balance.exclude": "Left out by hand",
    "balance.drop_duplicates": "Drop duplicate traces",
    "balance.suite": "Suite that this is an arm of",
    "phrases.language": "Language of the phrases between attempts",
    "phrases.add": "Added phrases",
    "phrases.replace": "Replaced phrases",
    "tags.think": "Tag around the thinking",
    "tags.sample": "Tag around an attempt",
    "tags.reflect": "Tag around a reflection",
    "tags.answer": "Tag around the final answer",
    "cutoff.tokens": "Cut-off in tokens",
    "cutoff.action": "Longer traces",
    "cutoff.chars_per_token": "Characters per token",
    "output.lineage": "Keep lineage",
}
"""Every field of a recipe."""

_OF_A_MIXTURE = {"traces": "Traces in all", "sources": "Sources"}
_OF_A_SOURCE = {"weight": "Weight", "count": "Number of traces"}


def title_of(field: str) -> str:
    """A field's plain name; for a field of one source of a mixture (`sums.traces.seed`), behind the source's name."""
    if known := (TITLES | _OF_A_MIXTURE).get(field):
        return known
    for name, title in (TITLES | _OF_A_SOURCE).items():
        if field.endswith(f".{name}"):
            return f"{field.removesuffix(f'.{name}')}: {title[:1].lower()}{title[1:]}"
    return field
