"""LLaMA-Factory, TRL and Axolotl: the traces in the columns that each reads, its configuration and notes."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from skill_factory.build.card import dataset_info
from skill_factory.build.folder import SHARDS
from skill_factory.trainers.bundle import ROWS_AT_ONCE, Bundle
from skill_factory.trainers.options import Options, Trainer, chat_template
from skill_factory.trainers.templates import fill

Keep = npt.NDArray[np.bool_] | None
"""Which rows stay, over all shards; None for all."""


def write_llamafactory(bundle: Bundle, folder: Path, options: Options, keep: Keep, report: str) -> None:
    """The build's shards under its own config, LLaMA-Factory's entry for them, the YAML and the notes."""
    # A folder of its own: `datasets` finds no name for a data set in `.`.
    data = folder / "data"
    write_traces(bundle, data / SHARDS, keep)
    shutil.copyfile(bundle.path / "README.md", data / "README.md")
    _write(data / "dataset_info.json", json.dumps(dataset_info(), indent=2) + "\n")
    template = chat_template(options, Trainer.LLAMAFACTORY)
    line = f"template: {template}" if template else "# no template: the tokenizer's own"
    told = {"model": json.dumps(options.model), "cutoff": options.cutoff, "epochs": options.epochs}
    _write(folder / "train_sft.yaml", fill("llamafactory.yaml", template_line=line, **told))
    _write(folder / "TRAINING.md", fill("llamafactory.md", report=report))


def write_trl(bundle: Bundle, folder: Path, options: Options, keep: Keep, report: str) -> None:
    """The traces in `messages`, a script of ten lines and the notes."""
    write_traces(bundle, folder, keep, {"conversations": "messages"})
    told = {"model": repr(options.model), "cutoff": options.cutoff, "epochs": options.epochs, "bf16": True}
    _write(folder / "train_sft.py", fill("trl_sft.py", **told))
    _write(folder / "TRAINING.md", fill("trl.md", report=report))


def write_axolotl(bundle: Bundle, folder: Path, options: Options, keep: Keep, report: str) -> None:
    """The traces, Axolotl's configuration, a script and the notes."""
    write_traces(bundle, folder / "data", keep)
    template = chat_template(options, Trainer.AXOLOTL) or "tokenizer_default"
    told = {"model": json.dumps(options.model), "cutoff": options.cutoff, "epochs": options.epochs}
    _write(folder / "config.yaml", fill("axolotl.yaml", template=template, excess="drop", **told))
    _write(folder / "train.sh", fill("axolotl.sh"))
    _write(folder / "TRAINING.md", fill("axolotl.md", excess_words="left out", report=report))


def write_traces(bundle: Bundle, folder: Path, keep: Keep, rename: Mapping[str, str] | None = None) -> None:
    """The build's shards, whole or without some rows, a column renamed or not; plain Parquet as the build wrote it."""
    folder.mkdir(parents=True, exist_ok=True)
    done = 0
    for shard in bundle.shards:
        if keep is None and not rename:
            shutil.copyfile(shard, folder / shard.name)
            continue
        file = pq.ParquetFile(shard)
        names = [(rename or {}).get(name, name) for name in file.schema_arrow.names]
        schema = pa.schema(
            [field.with_name(name) for field, name in zip(file.schema_arrow, names, strict=True)]
        )
        with pq.ParquetWriter(folder / shard.name, schema) as writer:
            for batch in file.iter_batches(ROWS_AT_ONCE):
                stays = pa.array(
                    np.ones(batch.num_rows, bool) if keep is None else keep[done : done + batch.num_rows]
                )
                writer.write_batch(batch.rename_columns(names).cast(schema).filter(stays))
                done += batch.num_rows


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
