# make demo   set up .venv, install, segment the bundled images, simulate and analyze a movie, say where to look
# make test   set up .venv, install with the test extra, run the suite
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export TF_CPP_MIN_LOG_LEVEL ?= 2
export TF_ENABLE_ONEDNN_OPTS ?= 1

.PHONY: demo test test-slow lint clean

$(VENV)/.installed: setup.py somaseg/__init__.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	touch $@

demo: $(VENV)/.installed
	$(BIN)/somaseg segment examples/simulated_stills -o demo --preset soma --overwrite
	$(BIN)/somaseg simulate --preset typical --seed 1 -o demo/truth --overwrite
	$(BIN)/somaseg analyze demo/truth/movie.tif -o demo/movie --overwrite
	@echo "Look at demo/*_overlay.png (outlines of images) and demo/objects.csv (one row per soma),"
	@echo "then open demo/movie/report.html (migration of a movie, on one page); demo/truth/ holds what is true of it."
	@echo "The images and the movie are simulated; examples/README.md and docs/simulation.md say how."

test: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

test-slow: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) demo build *.egg-info
