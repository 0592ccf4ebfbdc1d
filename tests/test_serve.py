"""Serving a trained model: found or named, waited for, asked, and ended with what it was started for."""

import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from skill_factory.errors import SkillFactoryError
from skill_factory.measure.evaluation.serving import command, free_port, name_of, served
from tests.command import ROOT, run

SERVER = """#!{python}
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
if "broken" in sys.argv[2]:
    sys.exit("the weights can't be read")
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("content-length", "0"); self.end_headers()
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if {{"top_k", "repetition_penalty"}} & set(asked):  # as `transformers serve` does
            self.send_response(422); self.send_header("content-length", "0"); self.end_headers(); return
        said = "<think>\\n<sample>\\nI add.\\n<answer>3</answer>\\n</sample>\\n</think>\\n<answer>3</answer>"
        body = json.dumps({{"id": "1", "object": "chat.completion", "model": asked["model"], "choices": [
            {{"index": 0, "finish_reason": "stop", "message": {{"role": "assistant", "content": said}}}}],
            "usage": {{"prompt_tokens": 3, "completion_tokens": 9, "total_tokens": 12}}}}).encode()
        self.send_response(200); self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *words):
        pass
port = int(sys.argv[sys.argv.index("--port") + 1])
ThreadingHTTPServer((sys.argv[sys.argv.index("--host") + 1], port), Handler).serve_forever()
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program with the words of `transformers serve`, which answers every question alike."""
    path = tmp_path / "bin" / "transformers"
    path.parent.mkdir()
    path.write_text(SERVER.format(python=sys.executable), encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """Two questions with their gold answers."""
    path = tmp_path / "questions.jsonl"
    path.write_text(
        '{"question": "1+2?", "answer": "3"}\n{"question": "1+1?", "answer": "2"}\n', encoding="utf-8"
    )
    return path


def test_a_model_is_served_while_it_is_asked(tmp_path: Path, program: Path, questions: Path) -> None:
    """`evaluate --serve` starts the server, asks, and ends it; run again, it asks nothing twice, though the port is another."""
    out, model = tmp_path / "outputs", tmp_path / "my-model"
    model.mkdir()
    words = (
        "evaluate",
        str(questions),
        "--serve",
        "--program",
        str(program),
        "--model",
        str(model),
    )
    done = run(*words, "--out", str(out), "--samples", "2")
    assert (done.exit, pq.read_table(out / "data").num_rows) == (0, 4)
    assert "This server takes no --top-k and --repetition-penalty, so outputs are drawn without." in done.err
    # The outputs carry the folder's name, and nothing of where it lies.
    assert set(pq.read_table(out / "data")["model"].to_pylist()) == {"my-model"}
    again = run(*words, "--out", str(out), "--samples", "2")
    assert again.exit == 0 and pq.read_table(out / "data").num_rows == 4
    # Trained again, it has the same name and other answers.
    later = time.time() + 60
    os.utime(model, (later, later))
    again = run(*words, "--out", str(out), "--samples", "2")
    assert again.exit == 2 and "holds the answers of an earlier my-model" in again.err


def test_the_server_listens_on_this_computer_alone_and_ends_with_the_block(
    program: Path, tmp_path: Path
) -> None:
    """On loopback; afterwards the port is free."""
    with served(str(tmp_path / "model"), program=str(program)) as url:
        port = int(url.split(":")[2].split("/")[0])
        assert url == f"http://127.0.0.1:{port}/v1"
        assert "--host 127.0.0.1" in " ".join(command("m", port, str(program)))
    with socket.socket() as tried:
        assert tried.connect_ex(("127.0.0.1", port))


def test_a_server_that_fails_is_told_with_its_last_words(
    tmp_path: Path, program: Path, questions: Path
) -> None:
    """One sentence and exit code 2."""
    words = ("evaluate", str(questions), "--serve", "--program", str(program), "--model", "broken")
    done = run(*words, "--out", str(tmp_path / "outputs"))
    assert done.exit == 2
    assert "The server ended before it answered. It said last: the weights can't be read" in done.err


@pytest.mark.long
@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="this system doesn't say what a process computed"
)
def test_a_server_is_late_only_when_it_stands_still_or_computes_too_long(
    tmp_path: Path, program: Path
) -> None:
    """On a busy machine loading takes as long as it takes; sleeping for as long doesn't."""
    whole = program.read_text(encoding="utf-8").split("\n", 1)
    late = pytest.raises(SkillFactoryError, match="didn't answer within 2 seconds")
    busy = "import time\nwhile time.process_time() < 4:\n    pass"
    program.write_text(f"{whole[0]}\n{busy}\n{whole[1]}", encoding="utf-8")
    with served(str(tmp_path / "model"), program=str(program), seconds=20):
        pass
    with late, served(str(tmp_path / "model"), program=str(program), seconds=2):
        pass
    program.write_text(f"{whole[0]}\nimport time\ntime.sleep(60)", encoding="utf-8")
    with late, served(str(tmp_path / "model"), program=str(program), seconds=2):
        pass


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Neither vllm nor transformers is installed here"),
        ("ollama", "'ollama' isn't a server that can be started here; it can be vllm or transformers"),
        ("nowhere/bin/vllm", "There is no program 'nowhere/bin/vllm'"),
    ],
)
def test_what_cannot_be_served_is_said(monkeypatch: pytest.MonkeyPatch, name: str, sentence: str) -> None:
    """With what to do."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("SKILL_FACTORY_SERVER", raising=False)
    with pytest.raises(SkillFactoryError, match=sentence):
        command("model", free_port(), name)


def test_a_trained_model_is_called_after_the_one_it_began_with(tmp_path: Path) -> None:
    """The folder that `train` writes is always called `model`, which would name every run alike; any other has its name."""
    (tmp_path / "run" / "model").mkdir(parents=True)
    assert name_of(str(tmp_path / "run" / "model")) == "model"
    (tmp_path / "run" / "training.json").write_text('{"id": "1", "model": "/far/Tiny-1M"}', encoding="utf-8")
    assert name_of(str(tmp_path / "run" / "model")) == "Tiny-1M-trained"
    assert (name_of(str(tmp_path / "run")), name_of("user/model")) == ("run", "user/model")


def test_an_adapter_is_served_with_the_model_under_it(
    tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """vLLM is told both; the Hub may be asked for the model under it, which may not lie here."""
    folder = tmp_path / "skilled"
    folder.mkdir()
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "user/base"}', encoding="utf-8")
    vllm = program.with_name("vllm")
    vllm.hardlink_to(program)
    words = command(str(folder), 8000, str(vllm))
    assert words[1:6] == ["serve", "user/base", "--enable-lora", "--lora-modules", "skilled=skilled"]
    assert command(str(folder), 8000, str(program))[1:3] == ["serve", "skilled"]
    offline = "import os, sys\nif os.environ.get('HF_HUB_OFFLINE'):\n    sys.exit('offline')"
    first, rest = program.read_text(encoding="utf-8").split("\n", 1)
    program.write_text(f"{first}\n{offline}\n{rest}", encoding="utf-8")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with served(str(folder), program=str(program)):
        pass
    (folder / "adapter_config.json").unlink()
    with (
        pytest.raises(SkillFactoryError, match="It said last: offline"),
        served(str(folder), program=str(program)),
    ):
        pass


def test_the_server_of_another_environment_is_named_once(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a variable; what is named on the command line wins over it."""
    monkeypatch.setenv("SKILL_FACTORY_SERVER", str(program))
    assert command("m", 8000)[0] == str(program)
    with pytest.raises(SkillFactoryError, match="There is no program 'nowhere/vllm'"):
        command("m", 8000, "nowhere/vllm")


def test_a_server_and_an_endpoint_exclude_each_other(questions: Path, tmp_path: Path) -> None:
    """Asked for both, it says which to leave out."""
    done = run(
        "evaluate",
        str(questions),
        "--serve",
        "--endpoint",
        "http://127.0.0.1:1/v1",
        "--model",
        "m",
        "--out",
        str(tmp_path / "o"),
    )
    assert done.exit == 2 and "leave out --endpoint and --provider, or --serve" in done.err


def test_serve_prints_what_comes_next_and_ends_with_ctrl_c(program: Path, tmp_path: Path) -> None:
    """The address, and the command that samples and measures."""
    port = free_port()
    words = [
        sys.executable,
        "-m",
        "skill_factory",
        "serve",
        "my-model",
        "--port",
        str(port),
        "--program",
        str(program),
    ]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ})
    try:
        assert process.stdout
        said = [process.stdout.readline(), process.stdout.readline()]
        assert f"my-model is served at http://127.0.0.1:{port}/v1" in said[0]
        assert "evaluate QUESTIONS --endpoint" in said[1]
        assert said[1].endswith("--out outputs --top-k none --repetition-penalty none\n")
        process.send_signal(2)
        assert process.wait(20) == 130
    finally:
        process.kill()
        process.wait()
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.2)
    raise AssertionError("the server outlives its command")
