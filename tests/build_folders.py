"""Finished build folders made by hand, of any size, for tests of what comes after a build."""

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

CARD = """---
license: apache-2.0
tags:
- skill-factory
configs:
- config_name: sft_train
  default: true
  data_files:
  - split: train
    path: sft_train/train-*.parquet
---
# Traces

{rows} traces. Load them with `load_dataset("USER/NAME", "sft_train")`.
"""
ENTRY = {
    "skill_factory_sft": {
        "script_url": "hub",
        "subset": "sft_train",
        "formatting": "sharegpt",
        "columns": {"messages": "conversations"},
        "tags": {
            "role_tag": "role",
            "content_tag": "content",
            "user_tag": "user",
            "assistant_tag": "assistant",
        },
    }
}


def build_folder(
    folder: Path, shards: int = 2, rows: int = 20, salt: str = "a", extra: tuple[str, ...] = ()
) -> Path:
    """A folder as a build leaves it: `rows` traces in `shards` shards; `salt` makes other ones, `extra` more columns."""
    (folder / "sft_train").mkdir(parents=True)
    fingerprint = hashlib.sha256(f"{salt}{rows}{extra}".encode()).hexdigest()
    for number, part in enumerate(parts(shards, rows, salt, extra)):
        name = f"train-{number:05d}-of-{shards:05d}.parquet"
        pq.write_table(part, folder / "sft_train" / name, compression="zstd", store_schema=False)
    (folder / "README.md").write_text(CARD.format(rows=rows), encoding="utf-8")
    (folder / "recipe.toml").write_text(
        f'version = 1\n\n[source]\nkind = "demo"\nname = "{rows}"\n', encoding="utf-8"
    )
    (folder / "dataset_info.json").write_text(json.dumps(ENTRY, indent=2), encoding="utf-8")
    ledger = {"traces": {"read": rows, "kept": rows, "dropped": {}}}
    (folder / "report.json").write_text(
        json.dumps({"fingerprint": fingerprint, "ledger": ledger}), encoding="utf-8"
    )
    return folder


def parts(shards: int, rows: int, salt: str, extra: tuple[str, ...]) -> list[pa.Table]:
    table = traces(rows, salt, extra)
    step = -(-rows // shards)
    return [table.slice(start, step) for start in range(0, rows, step)]


def traces(rows: int, salt: str = "a", extra: tuple[str, ...] = ()) -> pa.Table:
    """Rows as a build writes them: a conversation of two messages and a label, lineage columns behind."""
    talk = [
        [
            {"role": "user", "content": f"{salt} {n}?"},
            {"role": "assistant", "content": f"<think>\n{salt}{n}\n</think>"},
        ]
        for n in range(rows)
    ]
    columns = {"conversations": talk, "sft_template_type_idx": [f"{n % 5 + 1}C" for n in range(rows)]}
    return pa.table(columns | {name: [f"{salt}{n}" for n in range(rows)] for name in extra})
