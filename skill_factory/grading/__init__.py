"""Grading: find the final answer, decide whether it is right; also the reward of reinforcement learning.

answers       where the final answer stands       plain         one writing for what differs in dress
numerals      numbers in digits and words         nouns, units  what may stand behind a number
quantities    numbers and constants with units    moments       dates and times
groups        lists, tuples, sets, matrices       regions       intervals and inequalities
choices       letters and options                 countdown     expressions from given numbers
expressions   short algebra, read into a tree     values        what it is worth, and how sure that is
algebra       the same value, the same equation   constants     too close for a float, by math-verify
readings      what an answer says, as a whole     comparing, listing  do two readings say the same
decisions     what is decided, and why
tasks         one record for each kind of task    equivalence   right, wrong or unjudged
labelling     labels for whole sources            doubts        labels that others contradict
reward        the reward and its optional terms   self_contained  all of it as one file for a trainer
"""

from skill_factory.grading.answers import BlockNames, final_answer, gold_answer, stated_answer
from skill_factory.grading.decisions import Decision
from skill_factory.grading.equivalence import Explained, can_be_judged, equivalent, explain, find, judge
from skill_factory.grading.reward import Weights, compute_score, compute_score_batch, score, trl_reward
from skill_factory.grading.self_contained import reward_source
from skill_factory.grading.tasks import TASKS, Chosen, Task, choose_task, chosen_task, register, task_named

__all__ = [
    "TASKS",
    "BlockNames",
    "Chosen",
    "Decision",
    "Explained",
    "Task",
    "Weights",
    "can_be_judged",
    "choose_task",
    "chosen_task",
    "compute_score",
    "compute_score_batch",
    "equivalent",
    "explain",
    "final_answer",
    "find",
    "gold_answer",
    "judge",
    "register",
    "reward_source",
    "score",
    "stated_answer",
    "task_named",
    "trl_reward",
]
