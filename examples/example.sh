#!/usr/bin/env bash
# The paper's example, with the published script's flags: bash examples/example.sh -i IN -o OUT
# IN is a Hub data set, a file or demo; the result is the folder ./NAME. Add --push to publish it.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-$here/.venv/bin/python}
[ -x "$python" ] || python=python3
in=demo out=my-traces push=()
while [ $# -gt 0 ]; do
  case $1 in
    -i | --input-dataset) in=$2; shift 2 ;;
    -o | --output-dataset) out=$2; shift 2 ;;
    --push) push=(--push); shift ;;
    *) echo "Unknown option $1. Use -i IN, -o OUT, --push." >&2; exit 2 ;;
  esac
done
exec "$python" "$here/skill_factory/sft_data_creation.py" \
  --input_reflection_dataset_name "$in" \
  --output_dataset_name "$out" \
  --num_responses_ignore_correctness 5 \
  --num_repeats_per_question 1 \
  --formats '*C_full' ${push[@]+"${push[@]}"}
