"""Make what is missing: responses and critiques from any model. Read in the order in which it happens:

prompts     what is asked, as data           request      one request, its id, its answer
sampling    responses: what to ask, rows     reflecting   critiques: what to ask, rows       work  what both share
endpoint    asks a server                    line         to it, for the Hub's client   wire     its connections
network     whom it may reach                trouble      what goes wrong
pace        how many at once                 running      retries, patience, cancel (limits)   money  tokens and cost
store       answers on disk, never twice     batch_files  requests and answers as files
pilot       figures and forecast             lineage      card and report                     folder where all of it lies
job, flow   all of it in a call: `generate(Job(...), key)`
"""

from skill_factory.generate.batch_files import join_answers, write_requests
from skill_factory.generate.flow import generate
from skill_factory.generate.folder import read_pilot, read_progress, read_report
from skill_factory.generate.job import PILOT_QUESTIONS, Job, Kind, Made
from skill_factory.generate.limits import Limits
from skill_factory.generate.money import Budget, Price
from skill_factory.generate.net.endpoint import Endpoint
from skill_factory.generate.pilot import Interval, Pilot, pilot_lines
from skill_factory.generate.progress import GenerateProgress
from skill_factory.generate.request import Sampling

__all__ = [
    "PILOT_QUESTIONS",
    "Budget",
    "Endpoint",
    "GenerateProgress",
    "Interval",
    "Job",
    "Kind",
    "Limits",
    "Made",
    "Pilot",
    "Price",
    "Sampling",
    "generate",
    "join_answers",
    "pilot_lines",
    "read_pilot",
    "read_progress",
    "read_report",
    "write_requests",
]
