"""Runs the measurements of one area or of all, prints them beside their aims, and writes
`bench-results/AREA.json` and `docs/benchmarks.md`.

An area is a module of this folder with `figures(context)`, which returns a list of `context.figure(…)`.
HAETAE_BENCH_QUICK=1 repeats each measurement once, to see that it runs; nothing is written then.
"""

import importlib
import json
import os
import re
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "bench")]

from machine import commit, machine  # noqa: E402  (our folders come first on the path)
from page import table_of, write_page  # noqa: E402
from haetae_testing import BIN, Server, make_warehouse  # noqa: E402

AREAS = ["synth", "warehouse", "quality", "flight", "kernel", "models", "risk", "course"]
SLOW_AREAS = ["build", "score_all"]
RESULTS = ROOT / "bench-results"


class Context:
    """What an area may use: servers with generated data, repetitions, and the form of a figure."""

    root = ROOT
    bin = BIN

    def __init__(self, folder, quick):
        self.folder = folder
        self.quick = quick
        self.warehouses, self.servers = {}, {}

    def server(self, items):
        """The environment of a client of a running server with `items` generated items."""
        return self.running(items).environment

    def running(self, items):
        """A running server with `items` generated items."""
        if items not in self.warehouses:
            print(f"  warehouse with {items:,} items …", flush=True)
            folder = self.folder / f"items-{items}"
            folder.mkdir()
            self.warehouses[items] = make_warehouse(folder, items)
        if items not in self.servers:
            self.servers[items] = Server(self.warehouses[items])
        return self.servers[items]

    def end(self, items):
        """Stops the server with so many items: what is measured next has the machine to itself."""
        self.servers.pop(items).stop()

    def repeat(self, times):
        """How often to measure: `times`, or once in a quick run."""
        return 1 if self.quick else times

    @staticmethod
    def query_seconds(server, sql, n):
        """Seconds of `n` runs of a query by ADBC from Python, with the whole result as a pyarrow table; one run before them
        is not counted."""
        seconds = []
        with server.cursor() as cursor:
            for _ in range(n + 1):
                begun = time.monotonic()
                cursor.execute(sql)
                cursor.fetch_arrow_table()
                seconds.append(time.monotonic() - begun)
        return seconds[1:]

    @staticmethod
    def figure(name, value, unit, n=1, peer=None, peer_value=None, note="", aim="", table=None):
        """One figure in the form of bench-results. A `value` of None needs a reason in `note`. A `table` that belongs to
        it has `columns` and `rows`."""
        if value is None and not note:
            raise ValueError(f"{name} has no value: expected the reason in note")
        figure = {"name": name, "value": rounded(value), "unit": unit, "n": n}
        more = {"table": table} if table else {}
        return {**figure, "peer": peer, "peer_value": rounded(peer_value), "note": note, "aim": aim, **more}

    def stop(self):
        for server in self.servers.values():
            try:
                server.stop()
            except RuntimeError as error:  # the others have to end too
                print(f"  {error}", file=sys.stderr, flush=True)


@contextmanager
def prepared():
    """A context with a folder of its own, until its servers are stopped."""
    with tempfile.TemporaryDirectory(prefix="haetae-bench-") as folder:
        context = Context(Path(folder), os.environ.get("HAETAE_BENCH_QUICK", "") not in ("", "0"))
        try:
            yield context
        finally:
            context.stop()


def alone(figures):
    """What a part of an area does as a program: measures, and prints its figures, tables and notes."""
    with prepared() as context:
        made = figures(context)
    show(made)
    for figure in made:
        if "table" in figure:
            print(*table_of(figure), sep="\n")
        if figure["note"]:
            print(f"{figure['name']}: {figure['note']}")


def rounded(value):
    return None if value is None else float(f"{value:.4g}") if isinstance(value, float) else value


def met(figure):
    """Whether the aim is met: yes, no, or nothing where it cannot be told from the figure alone."""
    form = re.match(r"(<=|>=|=|>) ([\d.]+|peer)( over .*)?$", figure["aim"])
    value, peer = figure["value"], figure["peer_value"]
    if not form or value is None:
        return ""
    sign, bound, over = form.groups()
    if (bound == "peer" or over) and peer is None:
        return ""
    bound = peer if bound == "peer" else float(bound)
    value = value - peer if over else value
    return "yes" if {"<=": value <= bound, ">=": value >= bound, ">": value > bound, "=": value == bound}[sign] else "no"


def show(figures):
    for figure in figures:
        value = "-" if figure["value"] is None else f"{figure['value']:,}"
        peer = "" if figure["peer_value"] is None else f"   {figure['peer']}: {figure['peer_value']:,}"
        aim = f"   aim {figure['aim']}" if figure["aim"] else ""
        answer = {"yes": " (met)", "no": " (NOT met)", "": ""}[met(figure)]
        print(f"  {figure['name']:<42} {value:>12} {figure['unit']}{aim}{answer}{peer}")


def record(area, figures):
    """Writes the results of an area."""
    result = {"area": area, "commit": commit(ROOT), "machine": machine(), "figures": figures}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{area}.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


def page():
    """Writes the page of all areas that have results."""
    write_page(RESULTS, AREAS + SLOW_AREAS, met, ROOT / "docs" / "benchmarks.md")


def main(names):
    known = AREAS + SLOW_AREAS
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"error: expected an area of {', '.join(known)}; found {', '.join(unknown)}")
    areas = names or AREAS
    failed = []
    with prepared() as context:
        for area in areas:
            print(f"{area}:", flush=True)
            try:
                figures = importlib.import_module(area).figures(context)
            except Exception as error:  # one area that fails must not hide the others
                failed.append(area)
                print(f"  FAILED: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
                continue
            show(figures)
            if not context.quick:
                record(area, figures)
    if not context.quick:
        page()
    if failed:
        sys.exit(f"error: no figures of {', '.join(failed)}")


if __name__ == "__main__":
    main(sys.argv[1:])
