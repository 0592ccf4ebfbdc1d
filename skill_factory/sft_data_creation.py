"""For people who know the paper's script: its flags, its rule for names, and a build folder ./NAME instead of a push.

    python skill_factory/sft_data_creation.py --num_responses_ignore_correctness 5 --formats '*C_full'

Flags and defaults are those of the script. Where its defaults crash, this says so. Nothing is published without
`--push`.
"""

import argparse
import sys
from pathlib import Path

if __name__ == "__main__":  # run by its path: the package is found beside this folder, not in it
    sys.path[0] = str(Path(__file__).parents[1])

from skill_factory.errors import RecipeError, SkillFactoryError

STAGE = "model_responses__mutated_prompts"
INPUT = "TAUR-dev/9_8_25__countdown_3arg__sft_data_multiprompts_reflections"
OUTPUT = "TAUR-dev/skillfactory_sft_countdown_3arg"
VARIANTS = ("original", "plan_and_execute", "alternatively", "rephrase")
LONGEST_NAME = 95


def flags() -> argparse.ArgumentParser:
    """The parser of the script's flags, and of `--push`."""
    parser = argparse.ArgumentParser(description="The paper's data creation, built by SkillFactory Studio.")
    parser.add_argument(
        "--input_reflection_dataset_name", default=INPUT, help="Hub dataset, file, folder or demo"
    )
    parser.add_argument("--output_dataset_name", default=OUTPUT)
    parser.add_argument("--num_responses_ignore_correctness", type=int, default=None, help="N; required")
    parser.add_argument("--subsample_size", type=int, default=None)
    parser.add_argument("--num_repeats_per_question", type=int, default=3)
    parser.add_argument("--sampling_response_counts", action="store_true")
    parser.add_argument("--formats", nargs="+", default=["0C", "*C", "*C*IC", "*CC"])
    parser.add_argument("--force_unique_prompting_types", action="store_true")
    parser.add_argument("--prompt_variants_to_use", nargs="+", default=list(VARIANTS))
    parser.add_argument("--response_column", default=STAGE)
    parser.add_argument("--extracted_answer_column", default=f"{STAGE}__eval_extracted_answers")
    parser.add_argument("--responses_correctness_column", default=f"{STAGE}__eval_is_correct")
    parser.add_argument("--reflection_column", default=f"{STAGE}_reflection")
    parser.add_argument("--push", action="store_true", help="publish the folder as a new private dataset")
    return parser


def dataset_name(output: str, n: int, formats: list[str]) -> str:
    """The script's name for its result, cut where it is too long for the Hub, with an ending that the Hub accepts."""
    name = f"{output}_reflections{n}_formats{'.'.join(formats).replace('*', '-')}"
    while "--" in name or ".." in name:
        name = name.replace("--", "-").replace("..", ".")
    return name[:LONGEST_NAME].rstrip(".-")


def main(arguments: list[str]) -> int:
    """Build, and push if asked; exit code 2 with one sentence where something has to be fixed."""
    args = flags().parse_args(arguments)
    try:
        return _run(args)
    except SkillFactoryError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. Run the same command again to resume.", file=sys.stderr)
        return 130


def _run(args: argparse.Namespace) -> int:
    from skill_factory.build.pipeline import build
    from skill_factory.build.progress import TerminalReport
    from skill_factory.cli.options.recipe import token_for
    from skill_factory.cli.output import show_build
    from skill_factory.recipe.model import Recipe

    n = args.num_responses_ignore_correctness
    if n is None:
        raise RecipeError(
            "The script has no default for --num_responses_ignore_correctness and crashes without it. "
            "Set it; the paper uses 5."
        )
    recipe = Recipe().changed(
        {
            "traces.formats": args.formats,
            "traces.attempts": n,
            "traces.repeats": args.num_repeats_per_question,
            "traces.sample_attempts": args.sampling_response_counts,
            "traces.distinct_variants": args.force_unique_prompting_types,
            "balance.max_traces": args.subsample_size or 0,
            "filters.variants": args.prompt_variants_to_use,
            "filters.ban": ("idea", "fast"),
            "filters.ban_substrings": True,
        }
    )
    columns = {
        "response": [args.response_column],
        "extracted_answer": [args.extracted_answer_column],
        "correct": [args.responses_correctness_column],
        "reflections": [args.reflection_column],
    }
    name = dataset_name(args.output_dataset_name, n, args.formats)
    source = args.input_reflection_dataset_name
    report = TerminalReport()
    result = build(
        source, Path(name.rpartition("/")[2]), recipe, columns=columns, report=report, token=token_for(source)
    )
    report.close()
    show_build(result)
    if args.push:
        from skill_factory.cli.main import main as command

        return command(["push", str(result.path), name])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
