# Each target is one script; `make help` lists them.
.PHONY: help setup build lab test release-test crash-test fuzz cuda device notebooks lint bench doc clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 12

setup:  ## install what is missing: Debian packages, and JupyterLab in .venv
	@scripts/setup lab

build: setup  ## compile everything and install the kernel into .venv
	@scripts/build

lab: build  ## demo warehouse, Flight SQL server and JupyterLab on 127.0.0.1:8888, until Ctrl-C
	@scripts/lab

test:  ## every test, Rust and Python; cells of the course that have passed unchanged are left out
	@scripts/setup lab test && scripts/build && scripts/test

release-test:  ## as `make test`, nothing left out; also nets on a device and beside PyTorch's, arrow-flight's command line, DataFusion's SQL scripts
	@export HAETAE_RUN_ALL=1; scripts/setup lab test && scripts/build && scripts/test

crash-test:  ## thousands of kills, power cuts and errors of the disk; prints what was lost
	@scripts/setup lab test && scripts/build && scripts/crash-test

fuzz:  ## make up files, commands and tickets for five minutes, and see that nothing breaks
	@scripts/setup lab test && scripts/build && scripts/fuzz

cuda:  ## nets on a GPU: compile the library of devices with CUDA, test it and install it; needs no GPU
	@scripts/setup lab && scripts/build && scripts/device cuda && scripts/test-device

device:  ## the same library for the processor alone: it tests what a GPU runs, without one
	@scripts/setup lab && scripts/build && scripts/device cpu && scripts/test-device

notebooks:  ## run the notebooks and store their outputs in them
	@scripts/setup lab test && scripts/build && scripts/notebooks

lint:  ## clippy; it compiles all dependencies a second time, so it is no part of `make test`
	@scripts/setup lab && scripts/lint

bench:  ## the figures of docs/benchmarks.md; AREA=kernel runs one area, AREA=build takes an hour
	@scripts/setup lab test bench && scripts/build && scripts/bench $(AREA)

doc:  ## the book in book/, and the API reference of our own crates, as HTML
	@scripts/setup lab && scripts/doc

clean:  ## remove .venv, the demo warehouse and the results of benchmarks
	@scripts/clean
