"""What LLaMA-Factory's templates train of a trace: `template_labels.py MODEL TEMPLATE… <TRACE`.

Runs in the trainers' environment. Prints JSON: by template what is trained, and what with `enable_thinking: false`.
"""

import json
import sys

from llamafactory.data.template import TEMPLATES, ReasoningTemplate
from transformers import AutoTokenizer


def trained(name: str, model: str, trace: str, thinking: bool) -> str:
    """The label's text. Templates for images need a processor, which a text alone doesn't, so they are asked directly."""
    template, tokenizer = TEMPLATES[name], AutoTokenizer.from_pretrained(model)
    if isinstance(template, ReasoningTemplate):
        template.enable_thinking = thinking
    turns = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": trace}]
    ((_, label),) = template.encode_multiturn(tokenizer, turns, None, None)
    return tokenizer.decode(label)


if __name__ == "__main__":
    model, *names = sys.argv[1:]
    trace = sys.stdin.read()
    found = {name: [trained(name, model, trace, thinking) for thinking in (True, False)] for name in names}
    print("\n" + json.dumps(found))
