# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "trl==1.16.0",
#   "transformers==5.23.0",
#   "datasets==5.2.0",
#   "torch>=2.6,<3",
#   "accelerate",
#   "jinja2",
# ]
# ///
"""Fine-tune a model with TRL, here or on a rented machine: `uv run THIS_FILE [training.json] [DATA.parquet …]`.

It reads `training.json` and `data/` beside it and writes `log.jsonl`, `checkpoints/` and `model/` there, or into the current
folder where its own can't be written. Run it again after it was stopped or killed: it resumes from the last checkpoint, which
lies here or, if the settings name a repository, on the Hub. Exit code 0: trained; 130: stopped; 75: its time was over.
"""

import json
import math
import os
import resource
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import torch
from datasets import load_dataset
from transformers import PrinterCallback, TrainerCallback, set_seed

STOPPED, EXPIRED = 130, 75
WHOLE = "whole.json"
"""The file that a checkpoint gets last: one without it was being written when its process was killed."""
KEPT = "checkpoints"
"""The folder of the newest checkpoint in the repository."""
asked: list[str] = []
"""Why it has to stop, once it has to."""


class Log:
    """Lines of JSON on standard output, and in a file."""

    def __init__(self, path: Path) -> None:
        # A process that was killed may have left half a line.
        torn = path.is_file() and not path.read_bytes().endswith(b"\n")
        self.file = path.open("a", encoding="utf-8")
        self.file.write("\n" if torn else "")

    def say(self, event: str, **values: Any) -> None:
        """Write one line; a reader that has gone away stops the training, which would run on unseen."""
        line = json.dumps({"event": event, "time": round(time.time(), 3), **values}, ensure_ascii=False)
        self.file.write(line + "\n")
        self.file.flush()
        try:
            print(line, flush=True)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            asked.append("stopped")


class Hub:
    """The repository to which checkpoints and the model go; nothing happens if the settings name none."""

    def __init__(self, settings: dict[str, Any]) -> None:
        from huggingface_hub import HfApi

        self.repo, self.api = settings["to"], HfApi()
        self.pending: Any = None
        # A model that is trained here is published once, at its end.
        self.follows = bool(self.repo) and settings["push_checkpoints"]
        if self.repo:
            self.api.create_repo(self.repo, private=not settings["public"], exist_ok=True)

    def keep(self, folder: Path, step: int) -> None:
        """Send a checkpoint while training continues."""
        if self.follows:
            self.wait()
            self.pending = self.api.run_as_future(self._send, folder, step)

    def _send(self, folder: Path, step: int) -> None:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        earlier = {name.split("/")[1] for name in self._files() if name.startswith(f"{KEPT}/")}
        there = f"{KEPT}/{step}"
        self.api.upload_folder(
            repo_id=self.repo,
            folder_path=folder,
            path_in_repo=there,
            ignore_patterns=[WHOLE],
            commit_message=f"Checkpoint at step {step}",
        )
        # In a commit of its own, since a large folder may come in several: what isn't marked isn't whole.
        marked = CommitOperationAdd(f"{there}/{WHOLE}", str(folder / WHOLE))
        gone = [CommitOperationDelete(f"{KEPT}/{one}/", is_folder=True) for one in earlier - {str(step)}]
        self.api.create_commit(self.repo, [marked, *gone], commit_message=f"Resume from step {step}")

    def wait(self) -> None:
        """Wait for the checkpoint that is on its way: its folder may be deleted after that."""
        if self.pending is not None:
            self.pending.result()

    def _files(self) -> list[str]:
        return [str(name) for name in self.api.list_repo_files(self.repo)]

    def fetch(self, folder: Path) -> Path | None:
        """The newest whole checkpoint of the repository, if there is one."""
        steps = (
            [name.split("/")[1] for name in self._files() if name.endswith(f"/{WHOLE}")]
            if self.follows
            else []
        )
        if not steps:
            return None
        last = max(steps, key=int)
        self.api.snapshot_download(self.repo, allow_patterns=[f"{KEPT}/{last}/*"], local_dir=folder)
        return folder / KEPT / last

    def publish(self, folder: Path) -> None:
        """Send the model in place of the checkpoints."""
        if self.repo:
            self.wait()
            self.api.upload_folder(
                repo_id=self.repo,
                folder_path=folder,
                delete_patterns=f"{KEPT}/*",
                commit_message="Trained model",
            )


class Watch(TrainerCallback):  # type: ignore[misc]  # TRL's environment has its types, ours doesn't
    """Says how it goes, takes samples, keeps checkpoints, and stops when it is asked to or its time is over."""

    def __init__(
        self, settings: dict[str, Any], log: Log, hub: Hub, prompts: list[tuple[str, list[int]]]
    ) -> None:
        self.settings, self.log, self.hub, self.prompts = settings, log, hub, prompts
        self.begun = self.saved = self.logged = time.monotonic()
        self.first, self.tokens, self.aside, self.sampled = 0, 0.0, 0.0, -1

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """The clock starts when training does, not when the model loads."""
        self.begun = self.saved = self.logged = time.monotonic()
        self.first = state.global_step
        model = more["model"]
        self.log.say(
            "start",
            step=state.global_step,
            steps=state.max_steps,
            parameters=sum(one.numel() for one in model.parameters()),
            trained=sum(one.numel() for one in model.parameters() if one.requires_grad),
            device=torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
            processor=round(time.process_time(), 2),
        )
        self._sample(state, more)

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> Any:
        """Decide what happens after a step."""
        now, last = time.monotonic(), state.global_step >= state.max_steps
        minutes = self.settings["deadline_minutes"]
        if minutes and now - STARTED > 60 * minutes and not asked and not last:
            asked.append("expired")
        if asked:
            control.should_training_stop = control.should_save = control.should_log = True
        elif now - self.saved >= 60 * self.settings["save_minutes"] and not last:
            # Logged first, so that the figures before a checkpoint are part of it.
            control.should_save = control.should_log = True
        if last or state.global_step - max(self.sampled, 0) >= math.ceil(state.max_steps / 10):
            self._sample(state, more)
        return control

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **more: Any) -> None:
        """One line for the loss, or for what else a method counts."""
        if "loss" not in logs:
            return
        now, done = time.monotonic(), state.global_step - self.first
        # TRL counts tokens from the start of this process.
        tokens, self.tokens = logs.get("num_tokens", 0) - self.tokens, logs.get("num_tokens", 0)
        seconds = max(1e-9, now - self.logged - self.aside)
        kept = ("reward", "completions/mean_length", "kl", "entropy", "mean_token_accuracy", "grad_norm")
        self.log.say(
            "step",
            step=state.global_step,
            loss=logs["loss"],
            learning_rate=logs.get("learning_rate"),
            epoch=round(state.epoch or 0, 4),
            tokens=tokens,
            tokens_per_second=round(tokens / seconds, 2),
            seconds_left=round((now - self.begun) / max(1, done) * (state.max_steps - state.global_step), 1),
            memory=_memory(),
            processor=round(time.process_time(), 2),
            **{name: logs[name] for name in kept if name in logs},
        )
        self.logged, self.aside = now, 0.0

    def on_save(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Mark the checkpoint as whole, and send it."""
        begun = time.monotonic()
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        (folder / WHOLE).write_text(
            json.dumps({"id": self.settings["id"], "step": state.global_step}), "utf-8"
        )
        self.hub.keep(folder, state.global_step)
        self.log.say("saved", step=state.global_step)
        self.saved = time.monotonic()
        self.aside += self.saved - begun

    def _sample(self, state: Any, more: dict[str, Any]) -> None:
        """One output, of each question in turn: the skill is seen to come."""
        if not self.prompts or self.sampled == state.global_step or not self.settings["sample_tokens"]:
            return
        begun, self.sampled = time.monotonic(), state.global_step
        model, tokenizer = more["model"], more["processing_class"]
        # The number of the sample follows from the step, so a resumed run asks what the whole one would have asked.
        turn = round(10 * state.global_step / state.max_steps)
        question, ids = self.prompts[turn % len(self.prompts)]
        # Draws of its own: those of the training stay as they would be without a sample.
        devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
        training = model.training
        with torch.random.fork_rng(devices), torch.no_grad():
            torch.manual_seed(self.settings["seed"] + turn)
            model.eval()
            given = torch.tensor([ids], device=model.device)
            output = model.generate(
                input_ids=given,
                attention_mask=torch.ones_like(given),
                max_new_tokens=self.settings["sample_tokens"],
                do_sample=True,
                temperature=0.7,
                top_k=0,
                use_cache=True,
                pad_token_id=tokenizer.pad_token_id,
            )
            model.train(training)
        new = output[0][len(ids) :].tolist()
        ended = bool(new) and new[-1] == tokenizer.eos_token_id
        text = tokenizer.decode(new[:-1] if ended else new, skip_special_tokens=False)
        seconds = time.monotonic() - begun
        self.log.say(
            "sample",
            step=state.global_step,
            question=question,
            text=text,
            tokens=len(new),
            ended=ended,
            seconds=round(seconds, 2),
        )
        self.aside += seconds


def _memory() -> int:
    """The most bytes that were in use: of the accelerator, or of this process."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    # macOS counts bytes, Linux kilobytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _data(files: list[Path]) -> Any:
    """The rows: tokens with labels, prompts with completions, or questions with what their reward needs."""
    rows = load_dataset("parquet", data_files=[str(path) for path in files], split="train")
    for columns in (["input_ids", "labels"], ["prompt", "completion"]):
        if set(columns) <= set(rows.column_names):
            # The tools that a conversation may call are part of what is asked.
            tools = [name for name in ("tools",) if name in rows.column_names and "prompt" in columns]
            return rows.select_columns([*columns, *tools])
    return rows


def _prompts(settings: dict[str, Any], rows: Any, tokenizer: Any) -> list[tuple[str, list[int]]]:
    """Questions, with their tokens up to the place where the model continues: held-out ones, else the first of the data."""

    def asked_as(turns: list[dict[str, str]], tools: str | None = None) -> list[int]:
        told = json.loads(tools) if tools else None
        shown = tokenizer.apply_chat_template(turns, tools=told, add_generation_prompt=True, tokenize=False)
        return list(tokenizer(shown, add_special_tokens=False)["input_ids"])

    if settings["ask"]:
        return [(text, asked_as(_turns(text))) for text in settings["ask"]]
    found: dict[str, list[int]] = {}
    for row in rows.select(range(min(len(rows), 200))):
        if "labels" in row:
            trained = [place for place, label in enumerate(row["labels"]) if label != -100]
            ids = row["input_ids"][: trained[0] if trained else 0]
            question = tokenizer.decode(ids, skip_special_tokens=True)
        else:
            ids = asked_as(row["prompt"], row.get("tools"))
            question = next(turn["content"] for turn in reversed(row["prompt"]) if turn["role"] == "user")
        if ids:
            found.setdefault(question, ids)
        if len(found) == settings["questions"]:
            break
    return list(found.items())


def _turns(text: str) -> list[dict[str, str]]:
    """A question as messages; one in a conversation stands there as messages already."""
    return json.loads(text) if text.startswith('[{"role": ') else [{"role": "user", "content": text}]


def _common(settings: dict[str, Any], out: Path, rows: int) -> dict[str, Any]:
    """What both methods are told."""
    gpu = torch.cuda.is_available()
    # Older accelerators than Ampere only pretend to have bfloat16.
    bf16 = gpu and torch.cuda.get_device_capability()[0] >= 8
    steps = math.ceil(rows / settings["batch"]) * settings["epochs"]
    return {
        "output_dir": str(out / "checkpoints"),
        "num_train_epochs": settings["epochs"],
        "max_steps": settings["max_steps"] or -1,
        "learning_rate": settings["learning_rate"],
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.05,
        "weight_decay": 1e-4,
        "adam_beta1": 0.9,
        "adam_beta2": 0.95,
        "bf16": bf16,
        "fp16": gpu and not bf16,
        "use_cpu": not gpu,
        "gradient_checkpointing": gpu,
        "logging_steps": max(1, round(steps / 500)),
        "save_strategy": "no",  # by the clock: see `Watch`
        "save_total_limit": 2,
        "seed": settings["seed"],
        "report_to": settings["report_to"],
        "run_name": settings["name"],
        "disable_tqdm": True,
        # The weights that are trained stay exact: steps of 1e-6 vanish in bfloat16.
        "model_init_kwargs": {"dtype": "bfloat16" if settings["lora"] and bf16 else "float32"},
    }


def _trainer(settings: dict[str, Any], out: Path, files: list[Path]) -> tuple[Any, Any]:
    """TRL's trainer for the method, and the rows."""
    rows = _data(files)
    common, lora = _common(settings, out, len(rows)), None
    if settings["lora"]:
        from peft import LoraConfig

        lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    if settings["method"] == "sft":
        from trl import SFTConfig, SFTTrainer

        more: dict[str, Any] = {"completion_only_loss": True} if "completion" in rows.column_names else {}
        if settings["chat_template"]:
            (out / "chat_template.jinja").write_text(settings["chat_template"], encoding="utf-8")
            more["chat_template_path"] = str(out / "chat_template.jinja")
        config = SFTConfig(
            max_length=settings["cutoff"],
            per_device_train_batch_size=1,
            gradient_accumulation_steps=settings["batch"],
            **common,
            **more,
        )
        return SFTTrainer(settings["model"], args=config, train_dataset=rows, peft_config=lora), rows
    from trl import GRPOConfig, GRPOTrainer

    sys.path.insert(0, str(next(path.parent for path in ARGUMENTS if path.name == "reward.py")))
    from reward import trl_reward  # type: ignore[import-not-found]  # written beside the data

    config = GRPOConfig(
        num_generations=settings["generations"],
        # The outputs of one question at a time, their gradients added up.
        per_device_train_batch_size=settings["generations"],
        gradient_accumulation_steps=settings["batch"],
        max_completion_length=settings["completion_tokens"],
        beta=0.0,
        reward_weights=[1.0],
        **common,
    )
    return GRPOTrainer(
        settings["model"], args=config, train_dataset=rows, reward_funcs=trl_reward, peft_config=lora
    ), rows


def _last_checkpoint(settings: dict[str, Any], out: Path, hub: Hub) -> str | None:
    """The newest whole checkpoint of this training; half ones are deleted."""
    best: tuple[int, Path] | None = None
    for folder in (out / "checkpoints").glob("checkpoint-*"):
        if not (folder / WHOLE).is_file():
            shutil.rmtree(folder)
        else:
            best = max(best or (0, folder), (json.loads((folder / WHOLE).read_text("utf-8"))["step"], folder))
    found = best[1] if best else hub.fetch(out / "fetched")
    if found and json.loads((found / WHOLE).read_text("utf-8"))["id"] != settings["id"]:
        sys.exit(f"{found.name} belongs to another training. Choose another folder or repository.")
    return str(found) if found else None


def _finish(settings: dict[str, Any], out: Path, trainer: Any, hub: Hub, log: Log) -> None:
    """The model in its folder, whole or not at all, with its card."""
    partial = out / "model.partial"
    shutil.rmtree(partial, ignore_errors=True)
    trainer.save_model(str(partial))
    history = [one for one in trainer.state.log_history if "loss" in one]
    told = [
        f"- {trainer.state.global_step:,} steps, {trainer.state.epoch:.2f} epochs",
        *(
            [f"- loss {history[0]['loss']:.4f} at first, {history[-1]['loss']:.4f} at last"]
            if history
            else []
        ),
        *([f"- reward {history[-1]['reward']:.4f} at last"] if history and "reward" in history[-1] else []),
        f"- trained on {torch.cuda.get_device_name() if torch.cuda.is_available() else 'a CPU'}",
    ]
    card = settings["card"].replace("@{figures}", "\n".join(told))
    (partial / "README.md").write_text(card, encoding="utf-8")
    for name, text in settings["files"].items():
        (partial / name).write_text(text, encoding="utf-8")
    shutil.copyfile(__file__, partial / f"train_{settings['method']}.py")
    shutil.rmtree(out / "model", ignore_errors=True)
    partial.rename(out / "model")
    hub.publish(out / "model")
    log.say("end", how="trained", step=trainer.state.global_step)


def main() -> int:
    """Train, and give the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.append("stopped"))
    beside = Path(__file__).resolve().with_name("training.json")
    here = next((path for path in ARGUMENTS if path.suffix == ".json"), beside)
    settings = json.loads(here.read_text(encoding="utf-8"))
    out = here.parent if os.access(here.parent, os.W_OK) and not settings["push_checkpoints"] else Path.cwd()
    files = [path for path in ARGUMENTS if path.suffix == ".parquet"]
    if not files:
        files = sorted((here.parent / "data").glob("train*.parquet"))
        ARGUMENTS.append(here.parent / "data" / "reward.py")
    log, hub = Log(out / "log.jsonl"), Hub(settings)
    set_seed(settings["seed"])
    resumed = _last_checkpoint(settings, out, hub)
    trainer, rows = _trainer(settings, out, files)
    prompts = _prompts(settings, rows, trainer.processing_class)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Watch(settings, log, hub, prompts))
    trainer.train(resume_from_checkpoint=resumed)
    if not asked or trainer.state.global_step >= trainer.state.max_steps:
        _finish(settings, out, trainer, hub, log)
        return 0
    hub.wait()
    log.say("end", how=asked[0], step=trainer.state.global_step)
    return EXPIRED if asked[0] == "expired" else STOPPED


if __name__ == "__main__":
    STARTED, ARGUMENTS = time.monotonic(), [Path(one).resolve() for one in sys.argv[1:]]
    sys.exit(main())
