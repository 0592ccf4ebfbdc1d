"""Make what is missing: responses and reflections from any model. Read in the order in which it happens:

prompts     what is asked, as data           request      one request, its id, its answer
sampling    responses: requests and rows     reflecting   reflections: requests and rows     work   what both share
net/        asks a server, through bounds    running      many at once, each answered once
            (with open_requests, declined, limits)
store       answers on disk, never twice     batch_files  requests and answers as files      money  tokens and cost
notes       what a person should be told     pilot        figures and a forecast             lineage  card and report
planning    a job with its source opened     folder       where all of it lies
job, flow   all of it in a call: `generate(Job(...), key)`
"""

from skill_factory.generate.batch_files import join_answers, write_requests
from skill_factory.generate.flow import generate
from skill_factory.generate.folder import read_pilot, read_progress, read_report
from skill_factory.generate.job import Job, Kind, Made
from skill_factory.generate.limits import Limits
from skill_factory.generate.money import Budget, Price
from skill_factory.generate.net.endpoint import Endpoint
from skill_factory.generate.pilot import Interval, Pilot, pilot_lines
from skill_factory.generate.progress import GenerateProgress
from skill_factory.generate.request import Sampling

__all__ = [
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
