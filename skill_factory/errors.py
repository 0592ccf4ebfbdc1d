"""Errors of use: each message is the sentence a person reads (what was wrong, what was found, what to do).

    SkillFactoryError            the command ends with exit code 2, the app shows the sentence
    ├── SourceError              a file, folder or data set that can't be read
    ├── ColumnError              the columns don't say what is needed
    ├── RecipeError              a recipe, preset or option that can't be used
    ├── NothingUsable            the data hold nothing this recipe can build from
    ├── BuildFolderError         the output folder is taken, locked, full or not writable
    ├── HubError                 the Hub refused, or can't be reached
    ├── EndpointError            a model endpoint refused, or can't be reached
    └── HandoffError             a trainer's files can't be made from this build

Failures of *data* (a row without a label, a reflection without a verdict) are no exceptions: they are
counted values in the ledger (`tally.py`).
"""


class SkillFactoryError(Exception):
    """Something the user can mend; `str(error)` says what was wrong, what was found and what to do."""


class SourceError(SkillFactoryError):
    """A file, folder or data set could not be read."""


class ColumnError(SkillFactoryError):
    """The columns of the source do not hold what the recipe needs."""


class RecipeError(SkillFactoryError):
    """A recipe, preset or option has a value that can't be used."""


class NothingUsable(SkillFactoryError):
    """The source was read, but nothing in it can become a trace under this recipe."""


class BuildFolderError(SkillFactoryError):
    """The output folder is taken, locked, full or not writable."""


class HubError(SkillFactoryError):
    """The Hub refused a request or could not be reached."""


class EndpointError(SkillFactoryError):
    """A model endpoint refused a request or could not be reached."""


class HandoffError(SkillFactoryError):
    """A trainer's files can't be made from this build."""
