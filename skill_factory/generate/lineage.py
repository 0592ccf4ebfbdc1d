"""Where a raw set comes from: its report and its card. Neither can hold a key or an address: none is known here."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skill_factory.build.card import BEGIN, END
from skill_factory.generate.folder import read_report
from skill_factory.generate.job import Job, Kind
from skill_factory.generate.money import Spending
from skill_factory.generate.notes import EQUAL, ESTIMATED, JOINED
from skill_factory.generate.pilot import Pilot
from skill_factory.generate.prompts import Prompt
from skill_factory.recipe.model import Source


def report_of(
    job: Job,
    source: Source,
    prompts: tuple[Prompt, ...],
    counts: Counter[str],
    spending: Spending,
    failures: Mapping[str, int],
    times: tuple[str, str],
    ending: str,
    missing: int,
    pilot: Pilot | None,
) -> dict[str, Any]:
    """The content of `report.toml`."""
    report: dict[str, Any] = {
        "made": {
            "what": job.kind.value,
            "with": "SkillFactory Studio",
            "started": times[0],
            "finished": times[1],
            "complete": ending == "done" and missing == 0,
            "missing": missing,
        },
        "model": {"name": job.endpoint.model, "endpoint": job.endpoint.kind},
        # TOML has no null: a parameter that was left out is left out here too.
        "sampling": {k: v for k, v in job.sampling.model_dump().items() if v is not None},
        "amount": _amount(job),
        "prompts": {p.name: {"prompt": p.text} | ({"system": p.system} if p.system else {}) for p in prompts},
        "source": {k: v for k, v in source.model_dump().items() if v},
        "counts": {name: n for name, n in sorted(counts.items()) if n},
        "tokens": _tokens(spending),
        "failed_attempts": _reasons(failures),
    }
    if pilot:
        report["pilot"] = {"questions": pilot.questions, "questions_total": pilot.questions_total}
    # A source that was generated here brings its own report along, so the whole way stands in one file.
    before = read_report(job.source)
    if before:
        report["before"] = {name: value for name, value in before.items() if name != "before"}
    return report


def _reasons(failures: Mapping[str, int]) -> dict[str, int]:
    """Failed attempts by reason, without a server's own words: they may hold an address, an account, part of a key."""
    reasons: Counter[str] = Counter()
    for why, number in failures.items():
        status, ours = re.search(r"HTTP \d+", why), why.split(":")[0]
        reasons[status[0] if status else ours if re.fullmatch(r"[A-Za-z' ]+", ours) else "other"] += number
    return dict(reasons)


def _amount(job: Job) -> dict[str, Any]:
    if job.kind is not Kind.REFLECTIONS:
        return {"per_variant": job.per_variant, "task": job.task}
    return {"k": job.k, "max_k": max(job.k, job.max_k)}


def _tokens(spending: Spending) -> dict[str, Any]:
    return {
        "answers": spending.answers,
        "prompt": spending.prompt_tokens,
        "completion": spending.completion_tokens,
        "cost": round(spending.cost, 6),
        "price_per_million_prompt": spending.price.prompt,
        "price_per_million_completion": spending.price.completion,
        # They may stand on the bill, which a reader of this report will want to compare.
        "lost_requests": spending.lost,
    }


def questions_behind(source: str) -> int:
    """How many questions the set has that a pilot's folder stands for; 0 where the source isn't a pilot."""
    report = read_report(source) if Path(source).is_dir() else None
    return int(report.get("pilot", {}).get("questions_total", 0)) if report else 0


def card_of(report: Mapping[str, Any]) -> str:
    """The dataset card (README.md) of a raw set."""
    what = report["made"]["what"]
    sections = [BEGIN, _head(report, what), _numbers(report), _made_by(report), _prompt_section(report)]
    sections += [_before(report["before"])] if "before" in report else []
    return "\n\n".join([_front(), *sections, END]) + "\n"


def _front() -> str:
    return (
        "---\ntags:\n- synthetic\n- skill-factory\nconfigs:\n- config_name: default\n  data_files:\n"
        "  - split: train\n    path: data/train-*.parquet\n---"
    )


def _head(report: Mapping[str, Any], what: str) -> str:
    made, model = report["made"], report["model"]["name"]
    if what == "outputs":
        return _head_of_outputs(report)
    which = "Responses" if what == "responses" else "Responses with reflections"
    state = "" if made["complete"] else _incomplete(made["missing"])
    return (
        f"# {which} by {model}\n\nRaw data for think / sample / reflect training traces: one row per response, in the "
        "columns of the SkillFactory method (arXiv 2512.04072). "
        "Build traces from it with `python -m skill_factory build THIS --out DIR`." + state
    )


def _head_of_outputs(report: Mapping[str, Any]) -> str:
    missing = report["made"]["missing"]
    state = _incomplete(missing) if missing else ""
    return (
        f"# Outputs of {report['model']['name']}\n\nOne row per output. Count their attempts, reflections and verdicts "
        f"with `python -m skill_factory measure THIS`.{state}"
    )


def _incomplete(missing: int) -> str:
    return f"\n\nThis set is not complete: {missing:,} answers are missing."


_COUNTS = {
    "rows": "Responses",
    "label_right": "… right",
    "label_wrong": "… wrong",
    "label_unjudged": "… not judged",
    "no_final_answer": "… without a final answer",
    "reflections": "Reflections",
    "reflections_made": "… made here",
    "verdict_missing": "… without a verdict",
    "responses_with_kept": "Responses with a reflection to keep",
    "finish_length": "Answers cut off at the token limit",
    "finish_refused": "Answers refused",
    "finish_empty": "Empty answers",
    EQUAL: "Answers equal to another one",
    JOINED: "Answers whose thinking came in a field of its own, and is back inside `<think>`",
    ESTIMATED: "Answers whose tokens are estimated",
    "unanswered": "Requests without an answer",
}


def _numbers(report: Mapping[str, Any]) -> str:
    counts, tokens = report["counts"], report["tokens"]
    lines = [f"| {words} | {counts[name]:,} |" for name, words in _COUNTS.items() if name in counts]
    lines += [f"| Tokens in, out | {tokens['prompt']:,}, {tokens['completion']:,} |"]
    return "\n".join(["## Numbers", "", "| what | how many |", "|---|---|", *lines])


def _made_by(report: Mapping[str, Any]) -> str:
    made, model = report["made"], report["model"]
    values = {**report["sampling"], **report["amount"]}
    settings = ", ".join(f"{name} {value}" for name, value in values.items() if value not in ({}, ""))
    source = report["source"]
    origin = " ".join(str(source[name]) for name in ("kind", "name", "revision", "digest") if name in source)
    return (
        f"## Made by\n\n- Model: {model['name']} ({model['endpoint']})\n- Parameters: {settings}\n- Source: {origin}\n"
        f"- From {made['started']} to {made['finished']}, with SkillFactory Studio"
    )


def _prompt_section(report: Mapping[str, Any]) -> str:
    blocks = []
    for name, prompt in report["prompts"].items():
        system = f"System: {prompt['system']}\n\n" if "system" in prompt else ""
        blocks.append(f"### {name}\n\n{_fenced(system + prompt['prompt'])}")
    return "\n\n".join(["## Prompts", *blocks])


def _fenced(text: str) -> str:
    # A fence must be longer than any in the prompt, or the rest of the card would be read as code.
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"


def _before(before: Mapping[str, Any]) -> str:
    model, made = before["model"], before["made"]
    return (
        f"## Before this\n\nThe {made['what']} were made by {model['name']} ({model['endpoint']}) and finished on "
        f"{made['finished']}. `report.toml` holds the whole report of that step."
    )
