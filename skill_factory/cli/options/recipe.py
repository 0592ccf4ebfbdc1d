"""The options that every command with a recipe takes, and the recipe, mapping, source and token that follow from them."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skill_factory.cli.output import JSON
from skill_factory.errors import RecipeError
from skill_factory.recipe.fields import MANY, NAMES
from skill_factory.recipe.options import OPTIONS, recipe_changes

if TYPE_CHECKING:
    from skill_factory.recipe.mixture import Mixture
    from skill_factory.recipe.model import Recipe

SOURCE = "demo[:WORLD][:N], a file, folder or glob, or a Hub dataset user/name[@revision]"


def add_recipe_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a recipe, and `--json`."""
    group = parser.add_argument_group("recipe", "what the dataset holds; saved as recipe.toml")
    group.add_argument(
        "--recipe",
        default="",
        metavar="FILE",
        help="a recipe file, a shipped recipe (paper), or that of a dataset (hf:USER/NAME); a mixture names its sources",
    )
    group.add_argument(
        "--from",
        action="append",
        default=[],
        dest="places",
        metavar="NAME=PATH",
        help="where a source of a mixture is, by its name there",
    )
    group.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help=f"which column holds a field ({', '.join(NAMES)}); give response several times for the wide form",
    )
    for option in OPTIONS:
        name = option.flag.lstrip("-").replace("-", "_")
        if not option.metavar:
            # A prefix of its own, since options of a command (`--split`, `--seed`) would overwrite those of the recipe.
            group.add_argument(option.flag, dest=f"set_{name}", action="store_true", help=option.help)
        else:
            group.add_argument(
                option.flag,
                dest=f"set_{name}",
                metavar=option.metavar,
                help=option.help,
                # None tells "not given" from a value: only what was given changes the recipe.
                default=None,
                action="append" if option.many else "store",
                type=int if option.number else str,
            )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="any other field of the recipe, with its value as TOML, e.g. balance.pass_rate=[0.2,0.8]",
    )
    parser.add_argument("--json", action="store_true", help=JSON)


def add_against(parser: argparse.ArgumentParser) -> None:
    """Add the option that names benchmarks, for commands that look at all questions."""
    parser.add_argument(
        "--against",
        action="append",
        default=[],
        metavar="BENCHMARK",
        help="leave out questions that this benchmark asks too: a file, a folder of files, user/name; may be given several times",
    )


def recipe_of(args: argparse.Namespace, base: "Recipe | None" = None) -> "Recipe":
    """The recipe that the options ask for: `--recipe`, else `base`, with the other options on top. Errors: RecipeError."""
    import tomllib

    from skill_factory.recipe.model import new_recipe

    if mixed(args):
        raise RecipeError(
            f"{args.recipe} names several sources, and this command takes one. Give it a source and the recipe of that source; "
            "`build`, `inspect` and `preview` take the whole."
        )
    recipe = _given_recipe(args.recipe) if args.recipe else base or new_recipe()
    given = {option.flag: _value_of(args, option.flag) for option in OPTIONS}
    changes = recipe_changes(given)
    # Values are TOML, so that numbers, lists and yes or no need no syntax of our own.
    for text in args.set:
        name, sign, value = text.partition("=")
        try:
            changes[name.strip()] = tomllib.loads(f"value = {value}")["value"] if sign else None
        except tomllib.TOMLDecodeError:
            # Not TOML, so it is taken as text: quotes around every word would be asking too much of a shell.
            changes[name.strip()] = value
        if not sign:
            raise RecipeError(f"--set takes FIELD=VALUE; found {text!r}. Example: --set balance.min_wrong=1.")
    return recipe.changed(changes) if changes else recipe


def mixed(args: argparse.Namespace) -> bool:
    """Whether the given recipe names several sources."""
    from skill_factory.recipe.mixture_file import is_mixture

    if not args.recipe:
        return False
    if args.recipe.startswith("hf:"):
        return is_mixture(_published(args.recipe))
    try:
        return is_mixture(Path(args.recipe).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError):
        return False


def mixture_of(args: argparse.Namespace) -> tuple["Mixture", dict[str, str]]:
    """The mixture that --recipe names, and where its sources are. Errors: RecipeError."""
    from skill_factory.recipe.mixture_file import load_mixture, mixture_from_toml
    from skill_factory.recipe.model import Recipe

    given = {option.flag: _value_of(args, option.flag) for option in OPTIONS if _value_of(args, option.flag)}
    # What is compared or held out is asked of all questions together, whichever source they are in.
    whole = [option.flag for option in OPTIONS if option.field.startswith("clean.") and option.flag in given]
    changes = [flag for flag in given if flag not in whole] + ["--set"] * bool(args.set)
    changes += ["--map"] * bool(args.map)
    if changes:
        raise RecipeError(
            f"{changes[0]} changes the recipe of one source, and {args.recipe} names several. Set it in the mixture, below the "
            "source that it is meant for."
        )
    if args.source:
        raise RecipeError(
            f"{args.recipe} names its own sources; found {args.source!r} besides. Say where a source is with --from NAME=PATH."
        )
    if args.recipe.startswith("hf:"):
        mixture, places = mixture_from_toml(_published(args.recipe), args.recipe)
    else:
        mixture, places = load_mixture(args.recipe)
    if whole:
        asked = Recipe(clean=mixture.clean).changed(recipe_changes({flag: given[flag] for flag in whole}))
        mixture = mixture.model_copy(update={"clean": asked.clean})
    return mixture, {**places, **places_of(args)}


def places_of(args: argparse.Namespace) -> dict[str, str]:
    """Where the sources of a mixture are, by --from. Errors: RecipeError."""
    places = {}
    for text in args.places:
        name, sign, place = text.partition("=")
        if not sign or not name or not place:
            raise RecipeError(
                f"--from takes NAME=PATH with the name of a source of the mixture; found {text!r}."
            )
        places[name] = place
    return places


def token_for_any(mixture: "Mixture", places: dict[str, str], *more: str) -> str | None:
    """The stored login if any source, or any other dataset that is named, may be on the Hub."""
    known = [*(places.get(one.name) or one.recipe.source.name for one in mixture.sources), *more]
    return next((token for name in known if (token := token_for(name))), None)


def _value_of(args: argparse.Namespace, flag: str) -> Any:
    return getattr(args, f"set_{flag.lstrip('-').replace('-', '_')}")


def _published(name: str) -> str:
    from skill_factory.hub.client import read_text, stored_token

    repo, _, revision = name.removeprefix("hf:").partition("@")
    return read_text(repo, "recipe.toml", stored_token(), revision or None)


def _given_recipe(name: str) -> "Recipe":
    """A recipe file, a shipped recipe, or that of a published dataset (`hf:USER/NAME`)."""
    from skill_factory.recipe.model import load_recipe, recipe_from_toml

    if not name.startswith("hf:"):
        return load_recipe(name)
    return recipe_from_toml(_published(name), name)


def columns_of(args: argparse.Namespace) -> dict[str, Any]:
    """The mapping that --map gives. Errors: RecipeError."""
    columns: dict[str, Any] = {}
    for text in args.map:
        field, sign, column = text.partition("=")
        if not sign or field not in NAMES:
            raise RecipeError(f"--map takes FIELD=COLUMN with a field of {', '.join(NAMES)}; found {text!r}.")
        if field in MANY:
            # An empty column clears what was found: `--map reflections=` means none.
            columns[field] = [*columns.get(field, []), column] if column else []
        else:
            columns[field] = column
    return columns


def source_of(args: argparse.Namespace, recipe: "Recipe") -> str:
    """The source to open: the argument, otherwise the one that the recipe names. Errors: SourceError."""
    from skill_factory.sources import source_of_recipe

    # A recipe alone is enough to build again what it built.
    return args.source or source_of_recipe(recipe.source)


def token_for(*sources: str) -> str | None:
    """The stored login if one of the sources may be on the Hub; others need none."""
    from skill_factory.sources.hub import looks_like_repo

    # Asking for the login imports the Hub's library, which a file doesn't need.
    if all(os.path.exists(source) or not looks_like_repo(source) for source in sources):
        return None
    from skill_factory.hub.client import stored_token

    return stored_token()
