"""Measuring on a real Ray of this machine: the same figures."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.command import run
from tests.planted_outputs import plant


@pytest.mark.long
@pytest.mark.ray
def test_ray_gives_the_same_figures(tmp_path: Path) -> None:
    """Every number of the report, intervals included, from a file of several pieces."""
    pytest.importorskip("ray", reason="Ray is an extra: pip install 'skill-factory[ray]'")
    path = tmp_path / "run.parquet"
    pq.write_table(pa.Table.from_pylist(plant(40).rows), path, row_group_size=30)
    here, there = (run("measure", path, "--engine", engine, "--json") for engine in ("local", "ray"))
    assert there.exit == 0, there.err[-2000:]
    assert json.loads(there.out) == json.loads(here.out)
