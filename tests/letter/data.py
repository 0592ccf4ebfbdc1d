"""What is exported: builds of three kinds, and tiny random models with the chat templates of real families."""

import json
import os
import random
import subprocess
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests import command

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = Path(os.environ.get("SKILL_FACTORY_TRAINERS", ROOT / ".trainers"))
TEMPLATES = ENVIRONMENTS / "trl" / "lib" / "python3.11" / "site-packages" / "trl" / "chat_templates"
MODELS = {
    "Qwen2.5-tiny": ("qwen2", "qwen2_5"),
    "Qwen3-tiny": ("qwen3", "qwen3"),
    "DeepSeek-R1-Distill-Qwen-tiny": ("qwen2", "deepseek_r1_distill"),
    "Tiny-of-my-own": ("qwen2", ""),
}
"""Name of the folder → architecture and the chat template that TRL ships for the family; none is plain ChatML."""


def make_models(folder: Path, names: Collection[str]) -> dict[str, Path]:
    """The models, each in a folder that is named as its family is; the exporter goes by names."""
    for name in names:
        architecture, template = MODELS[name]
        words = [ENVIRONMENTS / "llamafactory-verl" / "bin" / "python", ROOT / "tests/trainers/tiny_model.py"]
        more = [TEMPLATES / f"{template}.jinja"] if template else []
        subprocess.run([*words, folder / name, architecture, *more], check=True, capture_output=True)
    return {name: folder / name for name in names}


def chinese_rows(questions: int, seed: int = 0) -> list[dict[str, str]]:
    """Raw data in Chinese: four responses a question, half of them a slip away from right, each with a reflection."""
    drawn = random.Random(seed)
    rows = []
    for number in range(questions):
        a, b = drawn.randint(11, 89), drawn.randint(11, 89)
        question = f"第{number + 1}题：小明有{a}个苹果，小红又给了他{b}个。他现在一共有多少个苹果？"
        for k in range(4):
            right = k % 2 == 0
            said = a + b if right else a + b + drawn.choice((-10, -1, 1, 10))
            rows.append(
                {
                    "question": question,
                    "answer": str(a + b),
                    "response": f"先把两个数相加：{a}加{b}。（第{k + 1}种写法）\n\n得到{said}，所以一共有{said}个苹果。\n\n<answer>{said}</answer>",
                    "correct": "正确" if right else "错误",
                    "reflection": f"我重新计算了{a}加{b}，"
                    + (
                        "结果一致，这个答案是正确的。"
                        if right
                        else f"发现进位算错了，{said}这个答案是错误的。"
                    )
                    + f"\n\n<verdict>{'Correct' if right else 'Incorrect'}</verdict>",
                }
            )
    return rows


def make_builds(folder: Path, questions: int) -> dict[str, Path]:
    """The paper's recipe, the tight layout in several formats, and a build in Chinese; and the source of the third."""
    source = folder / "数据.parquet"
    pq.write_table(pa.Table.from_pylist(chinese_rows(2 * questions)), source)
    several = [word for name in ("*C_full", "*C*IC", "*CC", "no_reflection") for word in ("--format", name)]
    command.build(f"demo:{questions}", folder / "paper")
    command.build(
        f"demo:{questions}", folder / "tight", "--set", "traces.layout=tight", "--attempts", "3", *several
    )
    command.build(source, folder / "chinese", "--attempts", "2")
    return {name: folder / name for name in ("paper", "tight", "chinese")}


def rows(build: Path) -> int:
    """The traces of a build."""
    return int(json.loads((build / "report.json").read_text(encoding="utf-8"))["traces"])
