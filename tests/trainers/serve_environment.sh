#!/usr/bin/env bash
# Make .trainers/serve: an inference server (`transformers serve`) for tests/test_generate_real_server.py. CPU only.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=${SKILL_FACTORY_TRAINERS:-.trainers}
uv=${UV:-.venv/bin/uv}

# uv doesn't read pip's configuration, so the machine's wheel folder and certificates are handed over here.
pip_setting() { .venv/bin/python -m pip config get "$1" 2>/dev/null || true; }
links=${PIP_FIND_LINKS:-$(pip_setting global.find-links)}
export UV_FIND_LINKS=${UV_FIND_LINKS:-$links} UV_HTTP_TIMEOUT=300
certificates=${PIP_CERT:-$(pip_setting global.cert)}
[ -z "$certificates" ] || export SSL_CERT_FILE=${SSL_CERT_FILE:-$certificates}
install() { "$uv" pip install --quiet --python "$root/serve/bin/python" "$@"; }

if [ -e "$root/serve/complete" ]; then echo "$root/serve: already there"; exit; fi
"$uv" venv --quiet --clear --relocatable --python .venv/bin/python "$root/serve"
if compgen -G "$links/torch-2.13.0+cpu-*" >/dev/null; then install torch==2.13.0+cpu; else install --torch-backend cpu torch==2.13.0; fi
install 'transformers[serving]==5.23.0'
touch "$root/serve/complete"
echo "$root/serve: made"
