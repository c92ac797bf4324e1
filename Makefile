# make app    make .venv, install what the app needs, open it on http://localhost:8501
# make test   make .venv, install what the tests need, run them
# make help   the other targets

PYTHON ?= python3
PORT ?= 8501
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
WORKERS ?= $(shell echo $$(( $(CORES) < 2 ? 2 : $(CORES) > 4 ? 4 : $(CORES) )))
BIN := .venv/bin
CONSTRAINTS := assets/constraints.txt
export OMP_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help app test test-all test-processors mutants lint check e2e docs constraints bench bench-accuracy bench-large bench-million bench-small bench-logs bench-hostile pretrain demo clean

help:
	@echo "make app     start CLV Studio on http://localhost:$(PORT) (first time: makes .venv and installs it; some minutes)"
	@echo "make test    run the tests but for the slow ones, some minutes ($(WORKERS) at a time: WORKERS=8 for more)"
	@echo "make test-all  all tests, the logs with known totals, all walks through the app in a browser, and test-processors (an hour and a half)"
	@echo "make test-processors  tests that compare figures, as on other processors: three settings, one and two threads"
	@echo "make mutants  plant the faults of tests/mutants one by one and say which no test notices (half an hour; TABLES=known)"
	@echo "make lint    ruff over everything, mypy --strict over clv_core, pages and app.py"
	@echo "make check   lint and test-all"
	@echo "make e2e     the journey and a short walk a role through the app in a real browser (needs Chromium)"
	@echo "make docs    build the documentation into build/docs"
	@echo "make constraints  the versions in .venv, after the tests passed with them, into $(CONSTRAINTS)"
	@echo "make bench   seconds and memory of each stage on a simulated log, training and scoring as ratios to bare PyTorch (CUSTOMERS=20000), and bench-million"
	@echo "make bench-accuracy  all models on past origins of real and simulated logs (SEEDS=1 ONLY=cdnow,btyd; about half an hour)"
	@echo "make bench-large  a log of 20 million rows: reading and snapshot as ratios to plain DuckDB (ROWS=20000000; some minutes, 4 GB of disk)"
	@echo "make bench-million  a million customers scored on two cores: seconds and memory (ROWS=20000000; some minutes, 6 GB of disk)"
	@echo "make bench-small  random subsets of 100, 300, 1,000 customers of two real logs (DRAWS=20; about half an hour)"
	@echo "make bench-hostile  hostile files through the app in a browser: it answers others meanwhile, its memory is as before (FILES=200; ten minutes)"
	@echo "make bench-logs  invented logs with known totals: read rightly, asked about or refused (some minutes)"
	@echo "make pretrain  the pre-trained network made anew (MINUTES=30 SEED=1 OUT=build/instant)"
	@echo "make demo    the sample and what ships with it made anew into assets/demo (about ten minutes)"
	@echo "make clean   remove .venv and caches; workspace/ stays"

# A stamp is as new as the last install: while requirements.txt, pyproject.toml and the constraints are older, nothing
# is installed.
.venv/made:
	@echo "==> making .venv with $(PYTHON)"
	@$(PYTHON) -c 'import sys; sys.exit("CLV Studio needs Python 3.11 or newer, found " + sys.version.split()[0] + ". Name one: make app PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv .venv || { echo "Python's venv module is missing. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@touch $@

.venv/app: requirements.txt $(CONSTRAINTS) | .venv/made
	@echo "==> installing requirements.txt into .venv"
	@$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) -r requirements.txt
	@touch $@

.venv/dev: requirements.txt pyproject.toml $(CONSTRAINTS) | .venv/made
	@echo "==> installing CLV Studio with its development tools into .venv"
	@$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) -e '.[dev]'
	@touch $@ .venv/app

# Its own packages: moto asks for others than the app. Moto 5.2.0 and 5.2.1 name the root of an answer to
# CompleteMultipartUpload wrongly (getmoto/moto, issue 10055), and Arrow then says INTERNAL_FAILURE.
.venv/s3: | .venv/made
	@echo "==> making .venv/s3, a store of files for tests"
	@$(PYTHON) -m venv $@
	@$@/bin/python -m pip install --quiet 'moto[server]>=5.2.2' || { rm -rf $@; exit 1; }

app: .venv/app
	@echo "==> CLV Studio on http://localhost:$(PORT) (data under $${CLV_WORKSPACE:-workspace/}; Ctrl-C stops it)"
	@$(BIN)/python -m pages.ui --server.port $(PORT)

test: .venv/dev
	@echo "==> tests but for the slow ones, $(WORKERS) at a time"
	@$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=20

test-all: .venv/dev .venv/s3
	@echo "==> all tests, logs with known totals and all walks in a browser, $(WORKERS) at a time"
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
	@$(BIN)/python -m pytest tests/bench/known_logs -n $(WORKERS)
	@$(BIN)/python -m pytest tests/e2e -rs -n $(WORKERS) --dist loadfile
	@$(MAKE) --no-print-directory test-processors

# Each setting makes one library (MKL, OpenBLAS, PyTorch) take the code of another processor.
PROCESSORS := MKL_CBWR=COMPATIBLE OPENBLAS_CORETYPE=Haswell ATEN_CPU_CAPABILITY=default
test-processors: .venv/dev
	@for setting in $(PROCESSORS); do for threads in 1 2; do \
	  echo "==> figures with $$setting, $$threads thread(s), $(WORKERS) tests at a time"; \
	  env $$setting OMP_NUM_THREADS=$$threads $(BIN)/python -m pytest -m "numeric and not slow" -n $(WORKERS) --dist loadfile --no-loadscope-reorder || exit 1; \
	done; done

TABLES ?=
mutants: .venv/dev
	@echo "==> faults of tests/mutants, planted one by one, $(WORKERS) at a time"
	@$(BIN)/python -m tests.mutants.plant $(TABLES) --workers $(WORKERS)

lint: .venv/dev
	@echo "==> ruff"
	@$(BIN)/python -m ruff check .
	@echo "==> mypy --strict clv_core pages app.py"
	@$(BIN)/python -m mypy

check: lint test-all

e2e: .venv/dev
	@echo "==> the app in a real browser"
	@$(BIN)/python -m pytest tests/e2e -m "not slow" -rs -n $(WORKERS) --dist loadfile

docs: .venv/dev
	@echo "==> documentation, into build/docs"
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet --config-file assets/mkdocs.yml

constraints: .venv/dev
	@{ sed '/==/d' $(CONSTRAINTS); $(BIN)/python -m pip freeze --exclude-editable | grep '==' | grep -Eiv '^(torch|triton|nvidia-.*)=='; } > .venv/constraints
	@mv .venv/constraints $(CONSTRAINTS)

CUSTOMERS ?= 20000
bench: .venv/dev
	@echo "==> benchmark on a simulated log of $(CUSTOMERS) customers"
	@$(BIN)/python -m tests.bench.stages --customers $(CUSTOMERS)
	@$(BIN)/python -m tests.bench.answers
	@$(BIN)/python -m tests.bench.speed --customers $(CUSTOMERS)
	@$(BIN)/python -m tests.bench.cdnow
	@$(MAKE) --no-print-directory bench-million

SEEDS ?= 1
RESAMPLES ?= 1000
ONLY ?=
.venv/bench: requirements.txt pyproject.toml $(CONSTRAINTS) | .venv/made
	@echo "==> installing CLV Studio with the benchmark's packages into .venv"
	@$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) -e '.[bench]'
	@touch $@

bench-accuracy: .venv/bench
	@echo "==> accuracy, $(SEEDS) seed(s)"
	@$(BIN)/python -m tests.bench.accuracy --seeds $(SEEDS) --resamples $(RESAMPLES) --only "$(ONLY)"

DRAWS ?= 20
bench-small: .venv/bench
	@echo "==> small shops, $(DRAWS) draws"
	@$(BIN)/python -m tests.bench.small --draws $(DRAWS)

FILES ?= 200
bench-hostile: .venv/dev
	@echo "==> hostile files through the app"
	@$(BIN)/python -m tests.bench.hostile --files $(FILES)

bench-logs: .venv/dev
	@echo "==> logs with known totals"
	@$(BIN)/python -m pytest tests/bench/known_logs -n $(WORKERS)

MINUTES ?= 30
SEED ?= 1
OUT ?= build/instant
pretrain: .venv/app
	@echo "==> pre-training, $(MINUTES) minute(s), into $(OUT)"
	@$(BIN)/python -m clv_core pretrain --minutes $(MINUTES) --seed $(SEED) --out $(OUT) --workspace build/pretrain

demo: .venv/app
	@echo "==> the sample with its models, scores, reasons, monitoring and plan, into assets/demo"
	@$(BIN)/python -m clv_core demo --make assets/demo --workspace build/demo

ROWS ?= 20000000
bench-large: .venv/dev
	@echo "==> a log of $(ROWS) rows"
	@$(BIN)/python -m tests.bench.large --rows $(ROWS)

bench-million: .venv/dev
	@echo "==> scoring the customers of $(ROWS) rows"
	@$(BIN)/python -m tests.bench.million --rows $(ROWS)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
