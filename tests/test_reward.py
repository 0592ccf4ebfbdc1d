"""The reward pays 1 for a right final answer and 0 else; its file for trainers is grading itself, word for word."""

import ast
import importlib.util
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skill_factory.grading import (
    TASKS,
    BlockNames,
    Task,
    Weights,
    compute_score,
    equivalent,
    final_answer,
    reward_source,
    score,
)
from skill_factory.grading.reward import attempts_of, repeat_share, spoiled_share, well_formed


def load_as_verl_does(source: str, folder: Path) -> ModuleType:
    """The module from its file, kept out of `sys.modules`: how verl loads a reward."""
    path = folder / "reward.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("custom_module", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def reward(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The generated file, loaded."""
    return load_as_verl_does(reward_source(), tmp_path_factory.mktemp("reward"))


def trace(*samples: str, answer: str, verdicts: tuple[str, ...] = ()) -> str:
    """A trace with these samples' answers, their verdicts and a final answer."""
    parts = []
    for place, sample in enumerate(samples):
        parts.append(f"<sample>\nwork number {place}\n<answer>{sample}</answer>\n</sample>")
        if place < len(verdicts):
            parts.append(f"<reflect>\nI look again. <verdict>{verdicts[place]}</verdict>\n</reflect>")
    body = "\n".join(parts)
    return f"<think>\n{body}\n</think>\n\nSo:\n\n<answer>\n{answer}\n</answer>"


# -- the reward of an output ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (trace("4", "5", answer="5"), 1.0),
        (trace("5", "4", answer="4"), 0.0),
        ("5", 0.0),
        ("", 0.0),
        (trace("5", answer="5")[:-30], 0.0),
        (trace("5", "5", answer="5").partition("</think>")[0], 0.0),
        ("<answer>5</answer>", 1.0),
    ],
)
def test_only_the_final_answer_counts(reward: ModuleType, text: str, expected: float) -> None:
    """Right 1.0; wrong, missing, right in an earlier sample only, and cut off 0.0; from every entry point."""
    assert compute_score("ours", text, "5") == expected
    assert reward.compute_score("ours", text, "5") == expected
    assert reward.compute_score_batch(["ours"], [text], ["5"], [None]) == [expected]
    turns = [[{"role": "assistant", "content": text}]]
    assert reward.trl_reward(turns, reward_model=[{"ground_truth": "5", "style": "rule"}]) == [expected]


def test_the_question_reaches_countdown_through_extra_info(reward: ModuleType) -> None:
    """A gold answer that is the target alone needs the question's numbers."""
    question = "Using the numbers [79, 17, 60], create an equation that equals 36. Use each number once."
    told = {"question": question, "index": 0}
    assert reward.compute_score("ours", "<answer>79+17-60</answer>", "36", told) == 1.0
    assert reward.compute_score("ours", "<answer>36</answer>", "36", told) == 0.0
    assert reward.compute_score("ours", "<answer>79+17-60</answer>", "36", told, task="number") == 0.0


# -- the generated file -----------------------------------------------------------------------------------------------

numbers = st.integers(-999, 9999).map(str) | st.sampled_from(
    ["1,234", "$5", "50%", "1/2", "0.5", "\\frac{1}{2}", "5 km"]
)
expressions = st.sampled_from(["3*8", "8/(3-8/3)", "3 × 8 = 24", "24", "3*3+8+8", "9**9"])
words = st.sampled_from(["Paris", "(B)", "x^2+1", "(1,2)", "\\{2,1\\}", "even"]) | st.text(max_size=12)
answers = numbers | expressions | words
shapes = st.sampled_from(
    [
        "<answer>{}</answer>",
        "{}",
        "<think><answer>{}</answer>",
        "<think>a</think><answer>{}</answer>",
        "<answer>{}",
        "<answer>1</answer><answer>{}</answer>",
        "<think><sample>{}</sample><reflect>b</reflect></think><answer>5</answer>",
    ]
)
golds = answers | st.just('{"numbers": [3, 3, 8, 8], "target": 24}')
weights = st.builds(Weights, *[st.sampled_from([0.0, 0.0, 0.5, 1.0])] * 5)


@settings(max_examples=3000, deadline=None)
@given(shapes, answers, golds, st.sampled_from(list(TASKS)), weights)
@example("<answer>{}</answer>", "8/(3-8/3)", '{"numbers": [3, 3, 8, 8], "target": 24}', "auto", Weights())
def test_the_file_scores_as_grading_does(
    reward: ModuleType, shape: str, answer: str, gold: str, task: str, weights: Weights
) -> None:
    """Whatever the output, gold answer, task and weights: one reward, here and in the generated file."""
    text = shape.replace("{}", answer)
    options = {"task": task, **weights._asdict()}
    assert reward.compute_score("ours", text, gold, **options) == score(text, gold, task, weights=weights)


def test_the_file_scores_whole_traces_as_grading_does(reward: ModuleType) -> None:
    """2,000 drawn traces with samples and verdicts, under all weights."""
    rng = random.Random(3)
    for _ in range(2000):
        samples = [rng.choice(["5", "4", "5.0", "6"]) for _ in range(rng.randint(0, 5))]
        verdicts = tuple(rng.choice(["Correct", "Incorrect", "hm"]) for _ in samples)
        text = trace(*samples, answer=rng.choice(["5", "4"]), verdicts=verdicts)
        text = text[: rng.randint(0, len(text))] if rng.random() < 0.2 else text
        every = Weights(*(rng.choice([0, 0.1, 1]) for _ in Weights._fields))
        assert reward.compute_score("ours", text, "5", **every._asdict()) == score(text, "5", weights=every)


def test_the_file_stands_alone(tmp_path: Path) -> None:
    """Alone in an isolated Python it imports nothing of this package, and compares algebra that floats can tell apart."""
    (tmp_path / "reward.py").write_text(reward_source(), encoding="utf-8")
    program = (
        "import sys; sys.path[:] = [p for p in sys.path if 'site-packages' not in p]; sys.path.insert(0, sys.argv[1]);"
        "import reward; print(reward.compute_score('s', '<answer>$1,000</answer>', '1000'));"
        "print(reward.compute_score('s', '<answer>(x+1)^2</answer>', 'x^2+2x+1'));"
        "root = '100000000000000*sqrt(2)';"
        "print(reward.compute_score('s', f'<answer>1+{root}</answer>', f'{root}+1'));"
        "print(any(name.startswith('skill_factory') for name in sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["1.0", "1.0", "0.0", "False"]


def test_the_file_holds_each_name_once() -> None:
    """The modules it is made of share one namespace: no name may be defined twice."""
    tree = ast.parse(reward_source())
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    names += [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    assert sorted(names) == sorted(set(names))


def test_the_file_is_told_its_task_and_weights(tmp_path: Path) -> None:
    """What it is written with goes for calls that say nothing; a call's own settings go before it."""
    module = load_as_verl_does(reward_source(Task.EXACT, Weights(format=0.5)), tmp_path)
    assert module.compute_score("s", "<answer>5.0</answer>", "5") == 0.0
    assert module.compute_score("s", "<answer>5.0</answer>", "5", task="number") == 1.0
    assert module.compute_score("s", trace(answer="5"), "5") == 1.5


def test_the_file_is_told_the_names_of_the_tags(tmp_path: Path) -> None:
    """A recipe with tags of its own gets a reward that reads them; a sample's own answer stays in `<answer>`."""
    names = BlockNames("plan", "try", "check", "result")
    module = load_as_verl_does(reward_source(names=names), tmp_path)
    text = "<plan><try><answer>5</answer></try><check><verdict>Correct</verdict></check></plan><result>5</result>"
    assert module.compute_score("s", text, "5") == score(text, "5", names=names) == 1.0
    assert module.compute_score("s", text, "5", format=1, samples=1, verdicts=1) == 4.0
    assert module.compute_score("s", "<answer>5</answer>", "5") == 0.0


def test_the_file_evaluates_nothing() -> None:
    """Neither `eval` nor `exec` nor a time-out by signal stands in it."""
    called = {
        node.func.id
        for node in ast.walk(ast.parse(reward_source()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & {"eval", "exec", "compile", "__import__"}
    assert "signal" not in {
        alias.name
        for node in ast.walk(ast.parse(reward_source()))
        if isinstance(node, ast.Import)
        for alias in node.names
    }


def test_the_reward_works_in_threads(reward: ModuleType) -> None:
    """verl calls it from threads: eight at once give what one gives."""
    texts = [trace(answer=str(n % 7)) for n in range(400)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda text: reward.compute_score("s", text, "\\frac{6}{2}"), texts))
    assert found == [float(equivalent(final_answer(text), "3")) for text in texts]


def test_close_constants_are_told_apart_in_threads(reward: ModuleType) -> None:
    """math-verify's own time-outs need the main thread, and its precision is everybody's; it is asked without either."""
    pytest.importorskip("math_verify", reason="the optional extra math-verify is not installed")
    root = "100000000000000\\sqrt{2}"
    texts = [f"<answer>{n}+{root}</answer>" for n in (1, 1.1) * 20]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda text: reward.compute_score("s", text, f"{root}+1"), texts))
    assert found == [1.0, 0.0] * 20


# -- what the trainers hand over --------------------------------------------------------------------------------------


def test_verl_s_reward_loop_gets_a_score_and_counts(reward: ModuleType) -> None:
    """Every keyword of the newest loop is taken; the dictionary's score is the float's, and one decision is 1."""
    told = {
        "data_source": "ours",
        "ground_truth": "12",
        "extra_info": {"question": "", "num_turns": 2, "rollout_reward_scores": {}},
    }
    router = {"reward_router_address": "127.0.0.1:1", "reward_model_tokenizer": None}
    for answer, decision in (("12", "right"), ("13", "wrong"), ("12 quokkas", "unjudged")):
        text = f"<answer>{answer}</answer>"
        counted = reward.compute_score_counted(solution_str=text, **told, **router)
        assert counted == {
            "score": float(decision == "right"),
            "right": 0.0,
            "wrong": 0.0,
            "unjudged": 0.0,
            decision: 1.0,
        }
        assert reward.compute_score(solution_str=text, **told, **router) == counted["score"]


def test_trl_hears_how_many_answers_were_not_judged(reward: ModuleType) -> None:
    """TRL hands over prompts, completions, columns and its own functions; unjudged answers are paid 0.0 and logged."""
    logged = []
    texts = ["<answer>12</answer>", "<answer>12 quokkas</answer>"]
    paid = reward.trl_reward(
        prompts=[[{"role": "user", "content": "q"}]] * 2,
        completions=[[{"role": "assistant", "content": text}] for text in texts],
        completion_ids=[[1], [2]],
        reward_model=[{"ground_truth": "12"}] * 2,
        trainer_state=None,
        log_extra=lambda name, values: None,
        log_metric=lambda name, value: logged.append((name, value)),
    )
    assert paid == [1.0, 0.0] and logged == [("unjudged", 0.5)]


@pytest.mark.parametrize(
    "completion",
    [
        "{}",
        [{"role": "assistant", "content": "{}"}],
        [{"role": "assistant", "content": [{"type": "text", "text": "{}"}]}],
    ],
)
def test_a_rubric_calls_the_reward_by_its_own_names(reward: ModuleType, completion: object) -> None:
    """verifiers hands over prompt, completion, answer, task, state, info and a parser; its `task` is not ours."""
    import json

    made = json.loads(json.dumps(completion).replace("{}", "<think>a</think><answer>79+17-60</answer>"))
    prompt = [
        {"role": "user", "content": "Using the numbers [79, 17, 60], create an equation that equals 36."}
    ]
    told = {
        "prompt": prompt,
        "completion": made,
        "answer": "36",
        "task": {"x": 1},
        "state": {},
        "info": {},
        "parser": None,
    }
    assert reward.rubric_reward(**told) == 1.0
    assert reward.rubric_unjudged(**told) == 0.0
    assert reward.rubric_reward(**told | {"answer": "37"}) == 0.0


# -- the optional terms -----------------------------------------------------------------------------------------------


def test_optional_terms_are_off() -> None:
    """Without weights, format, samples, verdicts and repeats change nothing."""
    assert not any(Weights())
    assert score("<answer>5</answer>", "5") == score(trace("4", "4", answer="5"), "5") == 1.0


def test_attempts_carry_their_answer_and_the_verdict_that_follows() -> None:
    """A reflection belongs to the sample before it; a sample without one has no verdict."""
    text = trace("4", "5", "6", answer="5", verdicts=("Incorrect", " CORRECT "))
    assert [(mine.answer, mine.verdict) for mine in attempts_of(text)] == [
        ("4", "incorrect"),
        ("5", "correct"),
        ("6", ""),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (trace("4", answer="5", verdicts=("Correct",)), 1.0),
        (trace("4", answer="5") + " and more", 0.0),
        ("<answer>5</answer>", 0.0),
        (trace("4", answer="5").replace("</sample>", ""), 0.0),
        (trace("4", answer="5") + "<think>", 0.0),
        (trace("4", answer="5").replace("</think>", "</think></think>"), 0.0),
        (trace("4", answer="5").replace("So:", "Back to this: <answer>5</answer>"), 1.0),
    ],
)
def test_format_is_one_thought_and_one_closing_answer(text: str, expected: float) -> None:
    """Closed blocks, one thought, and nothing after the one answer block."""
    assert well_formed(text) == expected
    assert score(text, "no", weights=Weights(format=0.2)) == pytest.approx(0.2 * expected)


def test_samples_and_verdicts_are_paid_by_their_share() -> None:
    """Half of the samples right pays half of the weight; a verdict pays when it says the truth."""
    text = trace("5", "4", answer="4", verdicts=("Correct", "Correct"))
    assert score(text, "5", weights=Weights(samples=1.0)) == 0.5
    assert score(text, "5", weights=Weights(verdicts=1.0)) == 0.5
    assert (
        score(
            trace("5", "4", answer="4", verdicts=("Incorrect", "Incorrect")),
            "5",
            weights=Weights(verdicts=1.0),
        )
        == 0.5
    )
    assert score(trace(answer="4"), "5", weights=Weights(samples=1.0, verdicts=1.0)) == 0.0


def test_repeats_are_fined_above_nine_tenths() -> None:
    """The same words again cost; a text that shares less than nine tenths does not."""
    words = [f"w{n}" for n in range(40)]
    near, far = [*words[:-1], "end"], [*words[:-5], "an", "other", "end", "than", "that"]
    assert repeat_share([" ".join(words), " ".join(near)]) == 1.0
    assert repeat_share([" ".join(words), " ".join(far), " ".join(words)]) == 0.5
    assert repeat_share(["one"]) == repeat_share([]) == 0.0
    twice = trace("5", answer="5").replace(
        "</think>", "<sample>\nwork number 0\n<answer>5</answer>\n</sample></think>"
    )
    assert score(twice, "5", weights=Weights(repeats=0.25)) == 0.75


def test_turning_right_into_wrong_is_fined() -> None:
    """Each step from a right answer to a wrong one counts, the final answer's included."""
    assert spoiled_share([True, False, True]) == 0.5
    assert spoiled_share([False, True]) == spoiled_share([]) == 0.0
    assert score(trace("5", "4", answer="4"), "5", weights=Weights(spoiled=1.0)) == -0.5
    assert score(trace("4", "5", answer="5"), "5", weights=Weights(spoiled=1.0)) == 1.0
