"""Errors of use: each message is the sentence a person reads (what was wrong, what was found, what to do).

    SkillFactoryError            the command ends with exit code 2, the app shows the sentence
    ├── SourceError              a file, folder or dataset that can't be read
    ├── ColumnError              the columns don't hold what is needed
    ├── RecipeError              a recipe, preset or option that can't be used
    ├── NothingUsable            the data holds nothing this recipe can build from
    ├── BuildFolderError         the output folder is taken, locked, full or not writable
    ├── HubError                 the Hub refused, or can't be reached
    ├── EndpointError            a model endpoint refused, or can't be reached
    ├── HandoffError             a trainer's files can't be made from this build
    └── TrainingError            a training can't be started, or it failed

Failures of *data* (a row without a label, a reflection without a verdict) aren't exceptions: the ledger counts them
(`tally.py`).
"""


class SkillFactoryError(Exception):
    """Something the user can fix; `str(error)` says what was wrong, what was found and what to do."""


class SourceError(SkillFactoryError):
    """A file, folder or dataset couldn't be read."""


class ColumnError(SkillFactoryError):
    """The columns of the source don't hold what the recipe needs."""


class RecipeError(SkillFactoryError):
    """A recipe, preset or option has a value that can't be used."""


class NothingUsable(SkillFactoryError):
    """The source was read, but nothing in it can become a trace under this recipe."""


class BuildFolderError(SkillFactoryError):
    """The output folder is taken, locked, full or not writable."""


class HubError(SkillFactoryError):
    """The Hub refused a request or couldn't be reached."""


class EndpointError(SkillFactoryError):
    """A model endpoint refused a request or couldn't be reached."""


class HandoffError(SkillFactoryError):
    """A trainer's files can't be made from this build."""


class TrainingError(SkillFactoryError):
    """A training can't be started, or it failed."""
