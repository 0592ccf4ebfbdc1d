#!/usr/bin/env bash
# Make the environments in which the trainers' own code runs: .trainers/llamafactory-verl and .trainers/trl.
#
#   tests/trainers/environments.sh [llamafactory-verl|trl|writers|llamafactory-verl-newest|trl-newest|swift|axolotl|openrlhf|verifiers|unsloth]…
#
# Default: the first two; one that is finished is left alone. Those behind `writers` are for `make letter`: the newest
# release that installs here, and trainers of which only the notes' commands are tried. What needs a GPU to be imported
# (flash-attn, xformers, vllm) is left out of them.
# `writers` holds the programs that only write logs for us to read: inspect_ai and lm-eval, neither of which needs torch here;
# beside them, in a folder of its own, what verl's trainer module imports and its loaders don't.
# LLaMA-Factory 0.9.5 and verl 0.9.1 share one environment: transformers 5.5.4 and datasets 4.0.0 suit both; of
# Axolotl 0.19.0 the reading of configuration and data runs there too (its training needs CUDA). TRL
# wants newer ones. The trainers themselves go in without their dependencies: what they ask for beyond this list
# (gradio, vllm, flash-attn, …) is never imported on the paths that the tests walk. CPU only.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=${SKILL_FACTORY_TRAINERS:-.trainers}
# Two runs at once would install into one folder; the second waits, and finds what the first has made.
mkdir -p "$root"
if command -v flock >/dev/null 2>&1; then
  exec 9>"$root/.lock"
  flock 9
fi
uv=${UV:-.venv/bin/uv}

# uv doesn't read pip's configuration, so the machine's wheel folder and certificates are handed over here.
pip_setting() { .venv/bin/python -m pip config get "$1" 2>/dev/null || true; }
links=${PIP_FIND_LINKS:-$(pip_setting global.find-links)}
export UV_FIND_LINKS=${UV_FIND_LINKS:-$links} UV_HTTP_TIMEOUT=300
certificates=${PIP_CERT:-$(pip_setting global.cert)}
[ -z "$certificates" ] || export SSL_CERT_FILE=${SSL_CERT_FILE:-$certificates}

# A CPU build of torch: from the wheel folder when one lies there, else from the backend uv knows by name.
torch() {
  if compgen -G "$links/torch-2.13.0+cpu-*" >/dev/null; then install torch==2.13.0+cpu; else install --torch-backend cpu torch==2.13.0; fi
}
install() { "$uv" pip install --quiet --python "$root/$name/bin/python" "$@"; }
# The same without packages that need a GPU, and with the torch that is there already.
install_without() {
  local left_out=$1 overrides="$root/$name/overrides.txt" one
  shift
  echo 'torch==2.13.0' >"$overrides"
  for one in $left_out; do echo "$one; sys_platform == 'none'" >>"$overrides"; done
  install --overrides "$overrides" "$@"
}

llamafactory-verl() { llamafactory_and 0.9.5 0.9.1 0.19.0; }

llamafactory_and() {
  torch
  install transformers==5.5.4 datasets==4.0.0 accelerate==1.11.0 peft==0.18.1 trl==0.24.0 'omegaconf<2.4' hydra-core==1.3.8 \
    pandas pyarrow 'numpy>=2' 'packaging<26' tensordict==0.10.0 'ray[default]==2.60.0' torchdata==0.11.0 codetiming dill \
    pillow sentencepiece tiktoken einops fire jinja2 pydantic pyyaml scipy safetensors pytest pytest-timeout hypothesis math-verify colorama addict
  install --no-deps "llamafactory${1:+==$1}" "verl${2:+==$2}" "axolotl${3:+==$3}"
  # LLaMA-Factory imports torchaudio at module level; the published wheel is linked to CUDA. Without its extension
  # libraries it loads, a state its own loader provides for.
  install --no-deps torchaudio==2.11.0
  find "$root/$name" -path '*/torchaudio/lib/*.so' -delete
}

trl() {
  torch
  install trl==1.16.0 transformers==5.23.0 datasets==5.2.0 peft==0.19.1 accelerate jinja2 pytest pytest-timeout
}

writers() {
  install inspect-ai==0.3.285 lm-eval==0.4.13
  "$uv" pip install --quiet --no-deps --python "$root/$name/bin/python" --target "$root/$name/beside-verl" \
    cachetools uvicorn click h11 fastapi starlette annotated-doc
}

llamafactory-verl-newest() { llamafactory_and "" "" ""; }

trl-newest() {
  torch
  install trl transformers datasets accelerate jinja2
}

swift() {
  torch
  install_without "" ms-swift
}

axolotl() {
  torch
  install_without "xformers flash-linear-attention fla-core flash-attn deepspeed-kernels liger-kernel" axolotl
}

openrlhf() {
  torch
  install_without "flash-attn bitsandbytes vllm deepspeed" openrlhf  # whose options are looked up in its source
}

verifiers() {
  install 'verifiers<0.2' datasets uv hatchling
}

unsloth() {
  torch
  install_without "xformers bitsandbytes torchvision" unsloth
}

for name in "${@:-llamafactory-verl trl}"; do
  for name in $name; do
    if [ -e "$root/$name/complete" ]; then echo "$root/$name: already there"; continue; fi
    "$uv" venv --quiet --clear --relocatable --python .venv/bin/python "$root/$name"
    "$name"
    touch "$root/$name/complete"
    echo "$root/$name: made"
  done
done
