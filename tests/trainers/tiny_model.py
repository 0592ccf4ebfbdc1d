"""A random model of two layers and a tokenizer of single bytes, made on the spot: `tiny_model.py FOLDER qwen2|qwen3 [TEMPLATE.jinja]`.

Runs in a trainer's environment. Without a file the chat template is plain ChatML, the assistant's turn marked for TRL.
"""

import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] }}<|im_end|>\n{% endgeneration %}"
    "{% else %}{{ message['content'] }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


R1 = ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>")


def make_tokenizer(template: str = CHATML) -> PreTrainedTokenizerFast:
    """Every byte is a token; the template's marks are control tokens; `<think>` is a token but not a control token."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw = Tokenizer(models.BPE(vocab={sign: place for place, sign in enumerate(alphabet)}, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    r1 = R1[2] in template
    begin, end, *marks = R1 if r1 else (None, "<|im_end|>", "<|im_start|>")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        bos_token=begin,
        eos_token=end,
        pad_token="<|endoftext|>",
        additional_special_tokens=marks,
    )
    tokenizer.add_tokens(["<think>", "</think>"])
    tokenizer.chat_template = template
    tokenizer.model_max_length = 100_000
    return tokenizer


def make_model(family: str, tokens: int) -> torch.nn.Module:
    """Two layers of width 32 with random weights."""
    torch.manual_seed(0)
    config, model = (Qwen3Config, Qwen3ForCausalLM) if family == "qwen3" else (Qwen2Config, Qwen2ForCausalLM)
    return model(
        config(
            vocab_size=tokens,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=16,
            max_position_embeddings=100_000,
            tie_word_embeddings=True,
            eos_token_id=tokens - 4,
            pad_token_id=tokens - 3,
            bos_token_id=None,
        )
    )


if __name__ == "__main__":
    folder, family, *template = sys.argv[1:]
    tokenizer = make_tokenizer(Path(template[0]).read_text("utf-8") if template else CHATML)
    model = make_model(family, len(tokenizer))
    model.config.eos_token_id = model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.config.pad_token_id = model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
