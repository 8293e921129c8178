"""Ten clients that ask for ten minutes, each its own mix of short queries of the interactive class and long ones of the
bulk class, on loopback."""

import random
import threading
import time

from haetae_testing import memory_mb

SECONDS, QUICK_SECONDS = 600, 10
CLIENTS = 10

SHORT = [
    "select count(*) from dim_office",
    "select * from dim_importer where importer_id = (select min(importer_id) from dim_importer)",
    "select sum(item_price_krw) from fact_item where declaration_date = date '2021-03-03'",
]
LONG = [
    "select importer_id, hs6, sum(item_price_krw) as krw from fact_item group by 1, 2 order by krw desc limit 50",
    "select office_id, count(*), avg(case when fraud then 1.0 else 0.0 end) from fact_item "
    "join fact_inspection using (declaration_id, item_no) group by 1",
    "select * from fact_item where hs6 like '85%'",
]


def client(server, seed, ends, out):
    """Asks until `ends`; seconds by class, and what went wrong, come into `out`."""
    chance = random.Random(seed)
    try:
        with server.cursor() as interactive, server.cursor(query_class="bulk") as bulk:
            while time.monotonic() < ends:
                kind, cursor = ("short", interactive) if chance.random() < 0.8 else ("long", bulk)
                begun = time.monotonic()
                cursor.execute(chance.choice(SHORT if kind == "short" else LONG))
                cursor.fetch_arrow_table()
                out[kind].append(time.monotonic() - begun)
    except Exception as error:  # each is an error of the soak; the client starts no second time
        out["errors"].append(f"{type(error).__name__}: {error}")


def figures(context):
    server = context.running(items=1_000_000)
    seconds = QUICK_SECONDS if context.quick else SECONDS
    out = {"short": [], "long": [], "errors": []}
    ends = time.monotonic() + seconds
    threads = [threading.Thread(target=client, args=(server, seed, ends, out)) for seed in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    peak = memory_mb(server.process.pid)
    with server.cursor() as cursor:
        # The classes are those that the server knows of, not those that were meant.
        # Statements stand there without their values, so that this one does not find itself; the short ones have neither word.
        cursor.execute(
            "select distinct class from system.queries where statement like '%fact_inspection%' or statement like '%hs6%'"
        )
        classes = [row[0] for row in cursor.fetchall()]
    if out["long"] and classes != ["bulk"]:
        out["errors"].append(f"long queries ran in the classes {classes}, expected bulk alone")
    for error in out["errors"]:
        print(f"    {error}", flush=True)
    p99 = {kind: sorted(out[kind])[int(len(out[kind]) * 0.99)] if out[kind] else None for kind in ("short", "long")}
    note = f"{CLIENTS} clients, {seconds} s: {len(out['short'])} short and {len(out['long'])} long queries"
    return [
        context.figure("flight.soak_errors", len(out["errors"]), "errors", aim="= 0", note=note),
        context.figure("flight.soak_short_p99_s", p99["short"], "s", n=len(out["short"]), note="class interactive, while queries of the class bulk run and wait"),
        context.figure("flight.soak_long_p99_s", p99["long"], "s", n=len(out["long"]), note=f"class bulk; {note}"),
        context.figure("flight.soak_peak_mb", peak, "MB", note="resident in the server at most"),
    ]
