# Everything a person or CI does with this tree. Needs Python >= 3.11 with venv and its headers, a C compiler and make; nothing else.

PYTHON ?= python3
VENV ?= .venv
CORPUS ?= ../shared/data
PY = $(VENV)/bin/python
PIP = $(PY) -m pip install --quiet --disable-pip-version-check
FUZZ_S ?= 60
PROOF = build/proof
CHECKED = build/checked
CHECKED_TREE = kcore ext proto tests bench setup.py pyproject.toml README.md LICENSE
CHECKED_TESTS = $(foreach package,machinery client store watch scheduler apiserver,$(wildcard tests/unit/$(package) tests/property/$(package))) tests/property/fuzz
REQUIREMENTS = $(PY) -c 'import sys, tomllib; print(*eval(sys.argv[1], tomllib.load(open("pyproject.toml", "rb"))), sep="\n")'

MICRO = KCORE_BENCH_SIZE=full $(PY) -m pytest bench/micro --benchmark-enable --benchmark-only --benchmark-json=build/bench/micro.json

export KCORE_STRICT = 1

SOURCES := setup.py $(shell find ext proto -name '*.pyx' -o -name '*.pxd' -o -name '*.proto')

.PHONY: help setup setup-run demo test lint check bench bench-compare clients proto corpus sdist-proof checked fuzz clean
.DELETE_ON_ERROR:

help:
	@echo "make demo         set up, run a control plane of processes with 100 hollow nodes, apply real manifests, show what happened"
	@echo "make test         set up, run the whole test suite"
	@echo "make setup        make $(VENV) with everything to develop kcore; quick when nothing changed"
	@echo "make lint         import layers, ruff, mypy, stubs, proto, layout"
	@echo "make check        lint, then all other tests"
	@echo "make bench        measure; results and pictures under build/bench"
	@echo "make bench-compare  the ratios of bench/micro beside bench/baseline.json; fails on one that fell by more than a quarter"
	@echo "make clients      programs in Go, Node, Java, Rust and Python over gRPC and HTTPS, kubectl and helm; needs go, node, java, mvn and cargo"
	@echo "make proto        write the service definitions anew from the options of the kinds"
	@echo "make corpus       apply the manifests in CORPUS=$(CORPUS), fill the nodes of its trace with its pods"
	@echo "make checked      unit and property tests of all that is compiled, on a build with bounds and overflow checks"
	@echo "make fuzz         search for bytes that break a decoder, each for FUZZ_S=$(FUZZ_S) seconds; what was learned is kept in build/fuzz"
	@echo "make sdist-proof  sdist, wheel from it, install into a fresh venv, run"
	@echo "make clean        remove all that was built, but $(VENV)"

# A venv that can run and build kcore; what developing takes besides comes on top, so that a demo does not wait for it.

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"kcore needs Python 3.11, {sys.executable} is {sys.version.split()[0]}")'
	@$(PYTHON) -c 'import os, sys, sysconfig as s; p = s.get_path("include") + "/Python.h"; sys.exit(not os.path.exists(p) and f"{p} is missing; Debian has it in python3-dev")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: pyproject.toml $(VENV)/.made
	@$(REQUIREMENTS) 'globals()["build-system"]["requires"]' > $(VENV)/requirements.txt
	$(PIP) -r $(VENV)/requirements.txt
	$(PIP) --no-build-isolation -e .
	@touch $@

$(VENV)/.develop: pyproject.toml $(VENV)/.run
	@$(REQUIREMENTS) 'sum(project["optional-dependencies"].values(), [])' > $(VENV)/requirements.txt
	$(PIP) -r $(VENV)/requirements.txt
	@touch $@

$(VENV)/.built: $(SOURCES) $(VENV)/.run
	$(PY) setup.py --quiet build_ext --inplace
	@touch $@

# Bytecode too: where Python is told to write none, every start would compile all that it imports, a quarter of a second of it.
setup-run: $(VENV)/.run $(VENV)/.built
	@$(PY) -m compileall -q kcore

setup: setup-run $(VENV)/.develop

demo: setup-run
	$(PY) -m kcore demo

test: setup
	$(PY) -m pytest

lint: setup
	$(PY) -m pytest tests/lint

check: lint
	$(PY) -m pytest --ignore=tests/lint

bench: setup
	@mkdir -p build/bench
	$(MICRO); micro=$$?; \
	$(PY) -m bench.compare build/bench/micro.json --plot build/bench/micro.png; compared=$$?; \
	$(PY) -m bench.load.clusters --json build/bench/clusters.json; clusters=$$?; \
	$(PY) -m kcore bench --json build/bench/load.json && exit $$((micro + compared + clusters))

bench-compare: setup
	@mkdir -p build/bench
	@rm -f build/bench/micro.json
	-$(MICRO)
	$(PY) -m bench.compare build/bench/micro.json

clients: setup
	$(PY) -m pytest tests/clients/check_*.py -o faulthandler_timeout=2000 --durations=0 --durations-min=0.05

proto: setup
	$(PY) proto/derive_services.py

corpus: setup-run
	$(PY) -m bench.load.corpus $(CORPUS)

# A copy of the tree, so that the ordinary build stays what it is; what was compiled for it is kept.
checked: setup
	@mkdir -p $(CHECKED)
	@rm -rf $(addprefix $(CHECKED)/,$(CHECKED_TREE))
	@cp -a $(CHECKED_TREE) $(CHECKED)
	cd $(CHECKED) && KCORE_CHECKED=1 $(abspath $(PY)) setup.py --quiet build_ext --inplace
	cd $(CHECKED) && $(abspath $(PY)) -m pytest $(CHECKED_TESTS)

# atheris is for this alone, and has no wheel for every Python: it is no part of the setup.
fuzz: setup
	$(PIP) 'atheris>=3.0'
	$(PY) -m tests.property.fuzz build/fuzz $(FUZZ_S)

sdist-proof: setup
	rm -rf $(PROOF)
	$(PY) -m build --outdir $(PROOF) .
	$(PYTHON) -m venv $(PROOF)/venv
	$(PROOF)/venv/bin/python -m pip install --quiet --disable-pip-version-check $(PROOF)/*.whl
	cd $(PROOF) && venv/bin/kcore version && venv/bin/kcore demo && venv/bin/kcore proto --out proto
	diff -r -x __init__.py -x derive_services.py -x __pycache__ proto $(PROOF)/proto

clean:
	rm -rf build dist kcore/api *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	find kcore -name '*.so' -delete
	find kcore tests bench ext -name __pycache__ -prune -exec rm -rf {} +
	rm -f $(VENV)/.built
