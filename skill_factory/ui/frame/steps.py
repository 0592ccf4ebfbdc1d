"""The steps of the journey, one page each."""

from typing import NamedTuple


class Step(NamedTuple):
    """A step of the journey."""

    path: str
    title: str
    icon: str
    help: str


START = Step(
    "pages/1_Start.py", "Start", ":material/flag:", "What comes out, what is needed, and three ways in."
)
DATA = Step(
    "pages/2_Data.py",
    "Data",
    ":material/database:",
    "Pick the data, say which column holds what, see if they will do.",
)
CHOOSE = Step(
    "pages/3_Choose.py",
    "Choose",
    ":material/tune:",
    "Choose the traces, with live numbers beside each choice.",
)
LOOK = Step(
    "pages/4_Look.py", "Look", ":material/visibility:", "Read the traces as the build will write them."
)
FINISH = Step(
    "pages/5_Finish.py", "Finish", ":material/check_circle:", "Build the data set, publish it, train with it."
)
STEPS = (START, DATA, CHOOSE, LOOK, FINISH)
