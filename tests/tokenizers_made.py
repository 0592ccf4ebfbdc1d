"""Three tokenizers trained on the spot, and chat templates after the manner of known families."""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

MARKS = ["<unk>", "<|im_start|>", "<|im_end|>", "<|begin|>", "<|end|>"]


def bpe(texts: Iterable[str]) -> Tokenizer:
    """BPE in the manner of Llama 2: no splitting into words, spaces as ▁, single bytes for what is unknown."""
    bytes_ = [f"<0x{n:02X}>" for n in range(256)]
    made = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=True)
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    made.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=1500, special_tokens=[*MARKS, *bytes_]))
    made.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in MARKS])
    return made


def byte_level(texts: Iterable[str]) -> Tokenizer:
    """BPE over bytes in the manner of GPT-2, whose post-processor trims spaces from the places of tokens."""
    from tokenizers import processors

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.post_processor = processors.ByteLevel(trim_offsets=True)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=2000, special_tokens=MARKS, initial_alphabet=alphabet)
    )
    return made


def unigram(texts: Iterable[str]) -> Tokenizer:
    """Unigram in the manner of SentencePiece: spaces are ▁, one stands in front of the text."""
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    made.decoder = decoders.Metaspace(prepend_scheme="first")
    made.train_from_iterator(
        texts, trainers.UnigramTrainer(vocab_size=1200, special_tokens=MARKS, unk_token="<unk>")
    )
    return made


TOKENIZERS = {"bpe": bpe, "byte_level": byte_level, "unigram": unigram}

QWEN3 = (
    "{%- for message in messages %}"
    "{%- if message.role == 'assistant' %}"
    "{%- if '</think>' in message.content %}"
    "{%- set thinking = message.content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}"
    "{%- set content = message.content.split('</think>')[-1].lstrip('\\n') %}"
    "{%- else %}{%- set thinking = '' %}{%- set content = message.content %}{%- endif %}"
    "{{- '<|im_start|>assistant\\n<think>\\n' + thinking.strip('\\n') + '\\n</think>\\n\\n' + content + '<|im_end|>\\n' }}"
    "{%- else %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endif %}"
    "{%- endfor %}"
)
R1 = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}<|User|>{{ message['content'] }}"
    "{% else %}<|Assistant|>{{ message['content'].split('</think>')[-1] }}{{ eos_token }}{% endif %}{% endfor %}"
)
LLAMA = (
    "{{ bos_token }}{% for message in messages %}<|begin|>{{ message['role'] }}\n\n{{ message['content'] | trim }}"
    "<|end|>{% endfor %}"
)
MARKED = (
    "{% for message in messages %}[{{ message.role }}] {% if message.role == 'assistant' %}{% generation %}"
    "{{ message.content }}{{ eos_token }}{% endgeneration %}{% else %}{{ message.content }}\n{% endif %}{% endfor %}"
)
TEMPLATES = {"chatml": "", "qwen3": QWEN3, "r1": R1, "llama": LLAMA, "marked": MARKED}
BEHIND = {
    "chatml": "<|im_end|>\n",
    "qwen3": "<|im_end|>\n",
    "r1": "<|end|>",
    "llama": "<|end|>",
    "marked": "<|end|>",
}
"""What each template puts behind the assistant's text."""


def tokenizer_folder(folder: Path, made: Tokenizer, template: str = "") -> Path:
    """A tokenizer as a model's folder holds it, with or without a chat template."""
    import json

    folder.mkdir(parents=True, exist_ok=True)
    made.save(str(folder / "tokenizer.json"))
    config = {"bos_token": {"content": "<|begin|>"}, "eos_token": "<|end|>"}
    (folder / "tokenizer_config.json").write_text(
        json.dumps(config | ({"chat_template": template} if template else {})), encoding="utf-8"
    )
    return folder
