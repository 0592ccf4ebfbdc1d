"""A random small model whose tokens are the words of some traces: `word_model.py TRACES.parquet FOLDER [WIDTH LAYERS]`.

Runs in TRL's environment. Traces are short in its tokens and soon learned, so a few steps show a falling loss.
"""

import sys
from pathlib import Path

import pyarrow.parquet as pq
import torch
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.loop.train import make_tokenizer


def main() -> None:
    """Write the folder."""
    traces, folder = sys.argv[1:3]
    width, layers = (int(one) for one in sys.argv[3:5] or ("32", "2"))
    rows = pq.read_table(traces, columns=["conversations"]).column(0).to_pylist()
    tokenizer = make_tokenizer([turn["content"] for row in rows for turn in row], 700)
    torch.manual_seed(0)
    model = GPTNeoXForCausalLM(
        GPTNeoXConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=4 * width,
            num_hidden_layers=layers,
            num_attention_heads=4,
            max_position_embeddings=2048,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
            tie_word_embeddings=True,
        )
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    main()
