"""The samples that lm-eval logs of its dummy model: `lm_eval_log.py FOLDER`. In the writers' environment.

Two filters, so that every document stands in the log twice, and three answers to each.
"""

import json
import subprocess
import sys
from pathlib import Path

SUMS = [(2, 3), (4, 5), (6, 1)]
TASK = """task: sums
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: generate_until
doc_to_text: "Q: {{{{question}}}}\\nA:"
doc_to_target: "{{{{answer}}}}"
repeats: 3
generation_kwargs: {{until: ["\\n\\n"], do_sample: true, temperature: 1.0}}
metric_list: [{{metric: exact_match, aggregation: mean, higher_is_better: true}}]
filter_list:
  - {{name: strict, filter: [{{function: take_first}}]}}
  - {{name: flexible, filter: [{{function: majority_vote}}, {{function: take_first}}]}}
"""


def write(folder: Path) -> None:
    """A task over a file of three questions, run by the command as a person runs it."""
    tasks = folder / "tasks"
    tasks.mkdir(parents=True)
    rows = [{"question": f"What is {a} plus {b}?", "answer": str(a + b)} for a, b in SUMS]
    data = tasks / "sums.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tasks / "sums.yaml").write_text(TASK.format(data=data))
    command = [
        sys.executable,
        "-m",
        "lm_eval",
        "run",
        "--model",
        "dummy",
        "--tasks",
        "sums",
        "--include_path",
        tasks,
        "--output_path",
        folder / "log",
        "--log_samples",
    ]
    subprocess.run([str(word) for word in command], check=True)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
