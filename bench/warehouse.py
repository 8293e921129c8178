"""Loading ten million items from CSV and from Parquet beside DuckDB and polars, which sort them by the same
columns and write Parquet with the same compression and row groups, synced; the size of the files; and a
warehouse of ten thousand files.

Ours does more in that time: it checks every value, compares every key, keeps refused rows, and publishes a
version that survives a power cut.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ITEMS, QUICK_ITEMS = 10_000_000, 100_000
FILES, QUICK_FILES = 10_000, 500
SORT = ["declaration_date", "office_id", "hs6"]
ROW_GROUP = 131_072

# Codes have leading zeros: a reader that guesses would take them for numbers.
DUCKDB = """
import duckdb, os, sys
source, target, temporary = sys.argv[1:]
connection = duckdb.connect()
connection.execute(f"set temp_directory = '{temporary}'")
types = {name: kind for name, kind, *_ in connection.execute(f"describe select * from '{source}'").fetchall()}
for name in types:
    if name.endswith("_id") or name in ("hs6", "hs10"):
        types[name] = "VARCHAR"
for name in ("process_type", "import_type", "import_use", "payment_type", "transport_mode"):
    types[name] = "VARCHAR"
read = f"'{source}'" if source.endswith(".parquet") else f"read_csv('{source}', header = true, types = {types})"
connection.execute(f"copy (select * from {read} order by SORT) to '{target}' "
                   "(format parquet, compression zstd, row_group_size ROW_GROUP)")
file = os.open(target, os.O_RDONLY)
os.fsync(file)
""".replace("SORT", ", ".join(SORT)).replace("ROW_GROUP)", f"{ROW_GROUP})")

POLARS = """
import os, sys
import polars as pl
source, target, _ = sys.argv[1:]
text = ["process_type", "import_type", "import_use", "payment_type", "transport_mode", "office_id", "declaration_id",
        "declarant_id", "importer_id", "seller_id", "courier_id", "hs6", "hs10"]
if source.endswith(".parquet"):
    frame = pl.scan_parquet(source)
else:
    frame = pl.scan_csv(source, schema_overrides={name: pl.String for name in text}, try_parse_dates=True)
frame.sort(SORT).sink_parquet(target, compression="zstd", compression_level=1, row_group_size=ROW_GROUP)
file = os.open(target, os.O_RDONLY)
os.fsync(file)
""".replace("SORT", repr(SORT)).replace("ROW_GROUP", str(ROW_GROUP))


def measured(command):
    """Seconds and peak memory in MB of a program that has to succeed."""
    begun = time.monotonic()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    elapsed = time.monotonic() - begun
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {said.decode().strip()[-2000:]}")
    return elapsed, usage.ru_maxrss / 1024


def size_mb(path):
    files = [path] if path.is_file() else [file for file in path.rglob("*.parquet")]
    return sum(file.stat().st_size for file in files) / 1e6


def load(context, folder, source, repeat):
    """Seconds, peak memory and size: ours, DuckDB's and polars', each the median."""
    ways = {
        "ours": lambda home: [context.bin / "haetae-server", "ingest", "--warehouse", home / "wh", "fact_item", source],
        "duckdb": lambda home: [sys.executable, "-c", DUCKDB, source, home / "out.parquet", home],
        "polars": lambda home: [sys.executable, "-c", POLARS, source, home / "out.parquet", home],
    }
    runs = {name: [] for name in ways}
    for _ in range(repeat):
        for name, command in ways.items():
            with tempfile.TemporaryDirectory(dir=folder) as home:
                home = Path(home)
                seconds, memory = measured(command(home))
                out = home / "wh/data" if name == "ours" else home / "out.parquet"
                runs[name].append((seconds, memory, size_mb(out)))
    return {name: [statistics.median(values) for values in zip(*done)] for name, done in runs.items()}


def many_files(context, folder, source, files):
    """A warehouse whose items lie in `files` files, which are one file under as many names; seconds until a
    server has answered its first query."""
    from haetae_testing import Server

    home = folder / "many"
    measured([context.bin / "haetae-server", "ingest", "--warehouse", home, "fact_item", source])
    manifest = json.loads((home / "manifest-1.json").read_text())
    table = manifest["tables"]["customs"]["fact_item"]
    [file] = table["files"]
    table["files"] = []
    for number in range(files):
        path = f"data/customs/fact_item/{number:08}-777.parquet"
        os.link(home / file["path"], home / path)
        table["files"].append({**file, "path": path})
    (home / "manifest-1.json").write_text(json.dumps(manifest))
    begun = time.monotonic()
    server = Server(home)
    try:
        listening = time.monotonic() - begun
        seconds = context.query_seconds(server, "select count(*), min(declaration_date) from fact_item", 1)
        first = time.monotonic() - begun - seconds[-1]
    finally:
        server.stop()
    shutil.rmtree(home)
    return listening, first, seconds[-1]


def figures(context):
    items, files = (QUICK_ITEMS, QUICK_FILES) if context.quick else (ITEMS, FILES)
    found = []
    with tempfile.TemporaryDirectory(prefix="haetae-warehouse-") as folder:
        folder = Path(folder)
        measured([context.bin / "haetae-synth", "--seed", "7", "--items", items, "--core", "--out", folder / "demo"])
        parquet = folder / "demo/tables/fact_item.parquet"
        csv = folder / "items.csv"
        # DuckDB turns the file into text, so that no program reads what it has written itself.
        measured([sys.executable, "-c", f"import duckdb; duckdb.execute(\"copy '{parquet}' to '{csv}' (header)\")"])
        for kind, source in (("csv", csv), ("parquet", parquet)):
            done = load(context, folder, source, context.repeat(3))
            ours = done["ours"]
            for peer in ("duckdb", "polars"):
                seconds, memory, _ = done[peer]
                note = f"{items:,} items; {ours[0]:.1f} s beside {seconds:.1f} s, at most {ours[1]:.0f} MB beside {memory:.0f} MB"
                found.append(context.figure(
                    f"warehouse.ingest_{kind}_vs_{peer}", ours[0] / seconds, "ratio", n=context.repeat(3), peer=peer,
                    peer_value=seconds, note=note, aim="<= 1.2" if (kind, peer) == ("csv", "duckdb") else "",
                ))
            if kind == "csv":
                found.append(context.figure(
                    "warehouse.size_mb", ours[2], "MB", peer="duckdb", peer_value=done["duckdb"][2],
                    note=f"Parquet of {items:,} items; the CSV file has {csv.stat().st_size / 1e6:.0f} MB",
                ))
                found.append(context.figure("warehouse.ingest_peak_mb", ours[1], "MB", peer="duckdb", peer_value=done["duckdb"][1]))
        small = folder / "small.csv"
        with open(csv) as lines, open(small, "w") as out:
            out.writelines(line for line, _ in zip(lines, range(1001)))
        listening, first, second = many_files(context, folder, small, files)
        found.append(context.figure(
            "warehouse.open_10000_files_s", first, "s",
            note=f"{files:,} files: {listening:.2f} s until it listens, {first:.2f} s until the first answer, "
            f"{second:.3f} s for the second",
        ))
    return found
