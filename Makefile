# Two commands do all the set-up on a fresh machine: `make app` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python

.PHONY: release setup app demo test check lint types tests unit browser-tests coverage site smoke lock browser screenshots bench bench-app torture matrix trainers test-trainers letter test-writers test-long test-ray loop docs clean

setup: .venv/.ready

# Again when the list of what to install has changed.
.venv/.ready: requirements.txt requirements-dev.lock
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; found " + sys.version.split()[0] + ". Say which: make setup PYTHON=python3.12") if sys.version_info < (3, 11) else 0'
	test -x $(RUN) || $(PYTHON) -m venv .venv
	$(BIN)/uv --version >/dev/null 2>&1 || $(RUN) -m pip install --quiet "uv>=0.13,<0.14"
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(RUN) -r requirements-dev.lock
	touch .venv/.ready

app: setup
	$(BIN)/streamlit run serve.py

demo: setup
	$(RUN) -m skill_factory build demo --out demo-build --fresh

test: check browser tests smoke

check: setup lint types

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

# Debian's Chromium, for the tests that look at the app as a visitor does.
browser:
	sh tests/browser/install.sh

# What failed is listed and tried once more, alone: on a busy machine a time-out isn't a finding. What fails twice fails.
AGAIN := --last-failed --last-failed-no-failures none
LISTED = echo "Tried once more:" && $(BIN)/pytest -q --collect-only $(AGAIN)
# Half of them wait for a server or a process, so three workers keep two cores busy; a browser keeps a core busy by itself.
# A file's tests share what they set up, so one worker takes a whole file; files start in order, the slow ones early.
SPREAD := --dist loadfile --no-loadscope-reorder
UNIT := -m "not trainers and not writers and not torture and not long" --ignore tests/browser
JOURNEYS := -m "not long" tests/browser

tests: unit browser-tests

unit: setup
	$(BIN)/pytest -q -n 3 $(SPREAD) $(UNIT) || { $(LISTED) $(UNIT); $(BIN)/pytest -q $(AGAIN) $(UNIT); }

browser-tests: setup browser
	$(BIN)/pytest -q -n 2 $(SPREAD) $(JOURNEYS) || { $(LISTED) $(JOURNEYS); $(BIN)/pytest -q $(AGAIN) $(JOURNEYS); }

# What takes too long for every run: sieges, runs that are killed on a page, each published format through the browser.
test-long: setup browser
	$(BIN)/pytest -q -n 2 $(SPREAD) -m long
	SKILL_FACTORY_LONG=1 $(BIN)/pytest -q tests/browser/test_three_clicks.py tests/test_generate_kills.py

# Shown, not enforced: which lines the tests reach, also in processes that they start.
coverage: setup
	$(BIN)/pytest -q -n 3 $(SPREAD) $(UNIT) --cov=skill_factory --cov-report=term --cov-report=html

# The loaders of LLaMA-Factory and verl on 50 questions, in an environment of their own.
smoke: setup
	bash tests/trainers/environments.sh llamafactory-verl || { echo "The trainers' environment can't be made; its tests fail in CI and are skipped elsewhere."; test -z "$$CI"; }
	SKILL_FACTORY_SMOKE=1 $(BIN)/pytest -q -m trainers tests/trainers

lock: setup
	$(BIN)/uv pip compile --quiet --upgrade --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-annotate --no-header requirements-dev.in -o requirements-dev.lock

docs: setup
	$(RUN) -m tests.write_docs
	$(RUN) -m tests.write_grading

# Once round the loop on two cores: three builds, a small model trained on each, outputs, figures, the next build.
loop: setup
	bash tests/trainers/serve_environment.sh
	$(RUN) -m tests.loop

# The pages of docs/ as a small site: open site/index.html.
site: setup
	$(BIN)/mkdocs build --quiet --clean

screenshots: setup browser
	$(RUN) -m tests.screenshots

# Figures: medians of several runs, ratios first. Rewrites docs/benchmarks.md.
bench: setup
	$(RUN) -m tests.bench

bench-app: setup browser
	$(RUN) -m tests.bench_app

LETTER := llamafactory-verl-newest trl-newest axolotl unsloth swift openrlhf verifiers
# The trainers' own environments lie in .trainers/, which git ignores.
trainers: setup
	bash tests/trainers/environments.sh

test-trainers: trainers
	bash tests/trainers/serve_environment.sh
	$(BIN)/pytest -q -m trainers --timeout 1800
	$(RUN) -m tests.loop --short

# Every command of every export's notes, in a shell, with the trainers' own releases. Writes docs/trainers.md.
letter: trainers
	bash tests/trainers/environments.sh $(LETTER)
	$(RUN) -m tests.letter

# What other programs log today is read: they run in environments of their own, on small models or none.
test-writers: trainers
	bash tests/trainers/environments.sh writers
	$(BIN)/pytest -q -m writers --timeout 900 tests/writers

test-ray: setup
	$(BIN)/pytest -q -m ray --timeout 600

# sdist and wheel in dist/; the wheel is then installed into an empty environment, builds the demo and shows the app.
release: setup browser
	rm -rf dist
	$(BIN)/uv build --quiet --out-dir dist .
	$(BIN)/pytest -q tests/browser/test_wheel.py

clean:
	rm -rf demo-build site htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Everything of tests/test_torture.py in earnest, with figures: writes docs/reliability.md. Takes some twenty minutes.
torture: setup
	$(RUN) -m tests.torture

# Every Python that can be had here, and homes that aren't usual.
matrix: setup
	$(RUN) -m tests.matrix
