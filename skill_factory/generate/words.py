"""Words of the command line ⇄ a job; where the key comes from."""

import argparse
import json
import os
from typing import Any

from skill_factory.errors import EndpointError, RecipeError
from skill_factory.generate.job import Job, Kind
from skill_factory.generate.limits import Limits
from skill_factory.generate.money import Budget, Price
from skill_factory.generate.net.endpoint import Endpoint
from skill_factory.generate.request import Sampling, parse_extra
from skill_factory.hosting import GIVEN_KEY, hosted
from skill_factory.recipe.model import Columns, Source

NAMED = tuple(name for name in Sampling.model_fields if name != "extra")


def job_of(args: argparse.Namespace, kind: str) -> Job:
    """The job that parsed words describe. Errors: RecipeError."""
    word = vars(args).get
    where = Endpoint(
        args.model, word("endpoint", ""), word("provider", ""), word("stream", False), word("timeout", 600.0)
    )
    return Job(
        kind=Kind(kind),
        source=args.source,
        out=args.out,
        endpoint=where,
        sampling=_sampling(args),
        columns=_mapping(args.map),
        prompts=args.prompts,
        variants=tuple(name.strip() for name in word("variants", "").split(",") if name.strip()),
        per_variant=word("per_variant", 16),
        task=word("task", "auto"),
        k=word("k", 4),
        max_k=word("max_k", 0),
        pilot=args.pilot,
        price=Price(word("price_in", 0.0), word("price_out", 0.0)),
        budget=Budget(word("budget_tokens"), word("budget")),
        limits=_limits(args),
        retry_declined=word("retry_declined", False),
        part=Source(config=word("config", ""), split=word("split", "train"), revision=word("revision", "")),
    )


def words_of(job: Job) -> list[str]:
    """The words after `python -m skill_factory` that describe a job, for starting it as a process."""
    end, sampling, limits = job.endpoint, job.sampling, job.limits
    evaluates = job.kind is Kind.OUTPUTS
    command = ["evaluate"] if evaluates else ["generate", job.kind.value]
    words = [*command, job.source, "--out", str(job.out), "--model", end.model]
    words += _given(("--endpoint", end.url), ("--provider", end.provider), ("--prompts", job.prompts))
    part = job.part
    words += _given(("--config", part.config), ("--split", part.split), ("--revision", part.revision))
    words += ["--stream"] * end.stream + ["--retry-declined"] * job.retry_declined
    for name, value in job.columns.items():
        columns = [value] if isinstance(value, str) else value
        words += [word for column in columns for word in ("--map", f"{name}={column}")]
    for name in NAMED:
        value = getattr(sampling, name)
        if evaluates and name == "seed" and value is None:
            continue  # there it is the recipe's, which always has one
        words += [f"--{name.replace('_', '-')}", "none" if value is None else str(value)]
    words += [
        word
        for name, value in sampling.extra.items()
        for word in ("--parameter" if evaluates else "--set", f"{name}={json.dumps(value)}")
    ]
    if evaluates:
        words += ["--samples", str(job.per_variant), "--task", job.task]
    elif job.kind == "responses":
        words += ["--per-variant", str(job.per_variant), "--task", job.task]
        words += _given(("--variants", ",".join(job.variants)))
    else:
        words += ["--k", str(job.k), "--max-k", str(job.max_k)]
    words += _given(
        ("--pilot", job.pilot),
        ("--budget-tokens", job.budget.tokens),
        ("--budget-money" if evaluates else "--budget", job.budget.money),
    )
    words += ["--price-in", str(job.price.prompt), "--price-out", str(job.price.completion)]
    words += ["--timeout", str(end.timeout), "--concurrency", str(limits.concurrency)]
    return [*words, "--tries", str(limits.tries), "--patience", str(limits.patience)]


def _given(*pairs: tuple[str, object]) -> list[str]:
    return [word for flag, value in pairs if value for word in (flag, str(value))]


def _limits(args: argparse.Namespace) -> Limits:
    if "concurrency" not in args:  # batch files have no pace
        return Limits()
    return Limits(args.concurrency, args.tries, args.patience)


def _sampling(args: argparse.Namespace) -> Sampling:
    extra = parse_extra(args.set)
    try:
        return Sampling(**{name: getattr(args, name) for name in NAMED}, extra=extra)
    except ValueError as error:
        # pydantic's lines: a count of errors, then each field and what is wrong with it.
        field_and_reason = [line.strip() for line in str(error).splitlines()[1:3]]
        raise RecipeError(f"The model can't sample like that: {': '.join(field_and_reason)}.") from None


def _mapping(words: list[str]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for word in words:
        field, sign, column = word.partition("=")
        if not sign or field not in Columns.model_fields:
            known = ", ".join(Columns.model_fields)
            raise RecipeError(f"Can't read --map {word!r}. Write FIELD=COLUMN; fields: {known}.")
        many = field not in ("question", "answer", "prompt_variant")
        mapping[field] = [*mapping.get(field, []), column] if many else column
    return mapping


def key_of(endpoint: Endpoint, variable: str = GIVEN_KEY) -> str | None:
    """The key for an endpoint from the environment; for Inference Providers the Hub's token will do."""
    # A stranger could otherwise have any variable of the server's environment sent to a server of their own.
    if hosted() and variable != GIVEN_KEY:
        raise EndpointError(f"On a hosted instance the key comes in {GIVEN_KEY} only.")
    if key := os.environ.get(variable, "").strip():
        return key
    if not endpoint.provider:
        return None
    from huggingface_hub import get_token

    # The login of a hosted instance's owner isn't its visitors'.
    if not hosted() and (token := get_token()):
        return token
    raise EndpointError(f"Inference Providers need a token. Sign in with `hf auth login`, or set {variable}.")
