"""Grading: find the final answer, decide whether it is right; also the reward of reinforcement learning.

answers       where the final answer stands            plain       one writing for answers that differ in dress
quantities    numbers and their units                  countdown   expressions from given numbers
latex         mathematics, part by part                algebra     expressions and equations by their values
expressions   short algebra, read into a tree          values      what it is worth, and how sure that is
constants     too close for a float, by math-verify    equivalence which rule for which task
reward        the reward and its optional terms        self_contained  all of it as one file for a trainer
"""

from skill_factory.grading.answers import BlockNames, final_answer, gold_answer, stated_answer
from skill_factory.grading.equivalence import Decision, Task, choose_task, equivalent, judge
from skill_factory.grading.reward import Weights, compute_score, compute_score_batch, score, trl_reward
from skill_factory.grading.self_contained import reward_source

__all__ = [
    "BlockNames",
    "Decision",
    "Task",
    "Weights",
    "choose_task",
    "compute_score",
    "compute_score_batch",
    "equivalent",
    "final_answer",
    "gold_answer",
    "judge",
    "reward_source",
    "score",
    "stated_answer",
    "trl_reward",
]
