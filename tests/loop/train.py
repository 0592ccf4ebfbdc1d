"""Train a small model from scratch on traces: `train.py TRACES.jsonl OUT --minutes M|--steps N [--width W --layers L --seed S]`.

Runs in the serving environment. Time is that of the processor, so that models trained beside other work are trained as
long. Words are tokens, digits are tokens of their own, and only the assistant's turn is learned. Writes a folder that
transformers loads, and `training.json` with sizes, seconds and losses.
"""

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast

USER, ASSISTANT, END = "<|user|>", "<|assistant|>", "<|end|>"
TEMPLATE = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
TAGS = ("think", "sample", "reflect", "answer", "verdict")
HELD_OUT = 64
"""Traces that aren't learned, the last ones; of few traces a tenth. The first belong to the questions that a pilot asks."""


def rows_of(traces: Path) -> list[tuple[str, str]]:
    """Question and response of every trace: one JSON list of two texts a line."""
    lines = traces.read_text(encoding="utf-8").splitlines()
    return [(question, answer) for question, answer in map(json.loads, lines)]


def make_tokenizer(texts: list[str], size: int) -> PreTrainedTokenizerFast:
    """Pieces of words with the space before them; digits and tags alone."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\d|\n| ?[^\s\d]+"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    raw.decoder = decoders.ByteLevel()
    marks = [USER, ASSISTANT, END, "<|pad|>"]
    raw.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=marks,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token=END, pad_token="<|pad|>", additional_special_tokens=marks[:2]
    )
    tokenizer.add_tokens([f"<{slash}{tag}>" for tag in TAGS for slash in ("", "/")])
    tokenizer.chat_template = TEMPLATE
    tokenizer.model_max_length = 2048
    return tokenizer


def encoded(rows: list[tuple[str, str]], tokenizer: PreTrainedTokenizerFast) -> list[tuple[list[int], int]]:
    """Token ids of each trace, and where the assistant's turn begins."""
    prompts = tokenizer(
        [f"{USER}{question}{END}{ASSISTANT}" for question, _ in rows], add_special_tokens=False
    )
    answers = tokenizer([f"{answer}{END}" for _, answer in rows], add_special_tokens=False)
    pairs = zip(prompts["input_ids"], answers["input_ids"], strict=True)
    return [(prompt + answer, len(prompt)) for prompt, answer in pairs if len(prompt) + len(answer) <= 2048]


def batches(data: list[tuple[list[int], int]], tokens: int, generator: torch.Generator) -> Any:
    """Batches of about so many tokens, of traces of like length, in drawn order, again and again."""
    while True:
        order = torch.randperm(len(data), generator=generator).tolist()
        order = [
            n
            for k in range(0, len(order), 512)
            for n in sorted(order[k : k + 512], key=lambda n: len(data[n][0]))
        ]
        groups, group, longest = [], [], 0
        for n in order:
            longest = max(longest, len(data[n][0]))
            if group and longest * (len(group) + 1) > tokens:
                groups.append(group)
                group, longest = [], len(data[n][0])
            group.append(data[n])
        groups.append(group)
        for k in torch.randperm(len(groups), generator=generator).tolist():
            yield groups[k]


def tensors(batch: list[tuple[list[int], int]], pad: int) -> dict[str, torch.Tensor]:
    """Ids, mask and labels; the question is not learned."""
    longest = max(len(ids) for ids, _ in batch)
    ids = torch.full((len(batch), longest), pad)
    labels = torch.full((len(batch), longest), -100)
    for row, (tokens, start) in enumerate(batch):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        labels[row, start : len(tokens)] = torch.tensor(tokens[start:])
    return {"input_ids": ids, "attention_mask": (ids != pad).long(), "labels": labels}


def main() -> None:
    """Train, and write the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traces", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--steps", type=int, default=0, help="so many steps, however long they take")
    parser.add_argument("--batch", type=int, default=3_000, help="tokens of a step")
    parser.add_argument("--width", type=int, default=160)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--vocabulary", type=int, default=700)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    rows = rows_of(args.traces)
    tokenizer = make_tokenizer([text for row in rows for text in row], args.vocabulary)
    data = encoded(rows, tokenizer)
    apart = min(HELD_OUT, -(-len(data) // 10))
    held, data = data[-apart:], data[:-apart]
    model = GPTNeoXForCausalLM(
        GPTNeoXConfig(
            vocab_size=len(tokenizer),
            hidden_size=args.width,
            intermediate_size=4 * args.width,
            num_hidden_layers=args.layers,
            num_attention_heads=4,
            max_position_embeddings=2048,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
            tie_word_embeddings=True,
        )
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.rate, betas=(0.9, 0.95), weight_decay=0.01)
    begun, budget, seen, curve, recent = time.process_time(), 60 * args.minutes, 0, [], []
    for step, batch in enumerate(batches(data, args.batch, torch.Generator().manual_seed(args.seed)), 1):
        done = (step - 1) / args.steps if args.steps else (time.process_time() - begun) / budget
        if done >= 1:
            break
        warm = min(1.0, step / 60)
        for group in optimizer.param_groups:
            group["lr"] = args.rate * warm * (0.05 + 0.95 * (1 + math.cos(math.pi * done)) / 2)
        loss = model(**tensors(batch, tokenizer.pad_token_id)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        seen += sum(len(ids) for ids, _ in batch)
        recent.append(loss.item())
        if step % 50 == 0:
            curve.append({"step": step, "tokens": seen, "loss": round(sum(recent) / len(recent), 4)})
            print(json.dumps(curve[-1]), flush=True)
            recent = []
    model.eval()
    with torch.no_grad():
        held_loss = model(**tensors(held, tokenizer.pad_token_id)).loss.item()
    model.save_pretrained(args.out)
    tokenizer.save_pretrained(args.out)
    report = {
        "parameters": sum(p.numel() for p in model.parameters()),
        "traces": len(data) + len(held),
        "tokens_seen": seen,
        "seconds": round(time.process_time() - begun),
        "loss_first": curve[0]["loss"] if curve else None,
        "loss_last": curve[-1]["loss"] if curve else None,
        "loss_held_out": round(held_loss, 4),
        "curve": curve,
    }
    (args.out / "training.json").write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
