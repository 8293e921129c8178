"""A whole warehouse scored end to end in bounded memory: lines come by SQL, some days at a time, become features, get a
score from a fitted model, and go back through Flight into a table of the user's.

The model is fitted before, on inspected lines of the first half year, as many at every size. As a program it measures the sizes
that it is told: `score_all.py [--warehouse FOLDER] [--record] ITEMS...`, such as 1000000. With `--warehouse` the greatest size is
scored in that warehouse, which has to hold as many lines, instead of one that is made for the occasion; the table of scores in
it, `work.bench_score_all`, is emptied at the end.
"""

import argparse
import itertools
import subprocess
from contextlib import contextmanager
from pathlib import Path

SIZES, QUICK_SIZES = [1_000_000, 10_000_000, 24_700_000], [30_000, 60_000]
# Lines at a time: whole days, so that the table is read along its order.
AT_ONCE = 250_000
# Of the generator's calendar.
DAYS, FIRST, CUT = 547, "2020-01-01", "2020-07-01"
FITTED_ON = 100_000

FIT = f"""
let known = sql("
    select i.*, f.fraud from fact_item i
    join fact_inspection f on f.declaration_id = i.declaration_id and f.item_no = i.item_no
    where i.declaration_date < date '{CUT}'
    order by i.declaration_date, i.declaration_id, i.item_no limit {FITTED_ON}
")?;
let model = Clearance::new().folds(0).fit(&known)?;
// What the model reads, and what a line is called by.
let columns = ["declaration_id", "item_no"].map(str::to_owned).into_iter().chain(model.columns()).collect::<Vec<_>>();
let columns = columns.iter().enumerate().filter(|(i, name)| !columns[..*i].contains(name)).map(|(_, name)| name.as_str())
    .collect::<Vec<_>>().join(", ");
println!("{{}}", known.height());
"""

# The table stays, without lines: the warehouse may be one of others.
EMPTY = 'replace_table("bench_score_all", &sql("select * from work.bench_score_all limit 0")?)?'
COUNT = 'println!("{}", sql("select count(*) as lines from fact_item")?.numbers("lines")?[0]);'

# Seconds of each stage, in the order of STAGES.
STAGES = ["query", "features", "score", "write"]
SCORE = f"""
{{
    let begun = std::time::Instant::now();
    let (mut written, mut day, mut stages) = (0, 0, [0.0; {len(STAGES)}]);
    let mut stage = |number: usize, from: std::time::Instant| {{
        stages[number] += from.elapsed().as_secs_f64();
        std::time::Instant::now()
    }};
    while day < {DAYS} {{
        let until = (day + <days>).min({DAYS});
        let from = std::time::Instant::now();
        let lines = sql(&format!("
            select {{columns}} from fact_item
            where declaration_date >= date '{FIRST}' + interval '{{day}} days'
              and declaration_date < date '{FIRST}' + interval '{{until}} days'
        "))?;
        let from = stage(0, from);
        let matrix = model.matrix(&lines)?;
        let from = stage(1, from);
        let scores = Column::new("score".into(), model.trees().predict(&matrix)?);
        let from = stage(2, from);
        let columns = vec![lines.column("declaration_id")?.clone(), lines.column("item_no")?.clone(), scores];
        let scored = DataFrame::new(lines.height(), columns)?;
        // The first part is all there is, also where a run before was cut off.
        written += if day == 0 {{ replace_table("bench_score_all", &scored)? }} else {{ append_to("bench_score_all", &scored)? }};
        stage(3, from);
        day = until;
    }}
    println!("{{}} {{}} {{}}", begun.elapsed().as_secs_f64(), written, stages.map(|seconds| seconds.to_string()).join(" "));
}}
"""

CHECK = """
let written = sql("select count(*) as lines, min(score) as least, max(score) as most from work.bench_score_all")?;
// In ten parts: what one query may take in memory is bounded.
let mut missing = 0.0;
for part in 0..10 {
    let of = |table: &str| format!("(select declaration_id, item_no from {table} where ascii(right(declaration_id, 1)) % 10 = {part})");
    missing += sql(&format!("select count(*) as lines from {} i left anti join {} s
        on s.declaration_id = i.declaration_id and s.item_no = i.item_no", of("fact_item"), of("work.bench_score_all")))?
        .numbers("lines")?[0];
}
println!("{} {} {} {}", written.numbers("lines")?[0], written.numbers("least")?[0], written.numbers("most")?[0],
    missing);
"""


def scored(context, items, server):
    """Minutes, seconds of each stage, peak memory in GB of all three processes, and in how many parts."""
    from haetae_testing import Kernel, memory_mb

    kernel = Kernel(server.environment)
    try:
        found = int(float(kernel.ok(COUNT, timeout=600).stdout))
        if found != items:
            raise RuntimeError(f"expected {items:,} lines in the warehouse, found {found:,}")
        fitted = int(kernel.ok(FIT, timeout=1800).stdout)
        days = max(1, AT_ONCE * DAYS // items)
        seconds, written, *stages = kernel.ok(SCORE.replace("<days>", str(days)), timeout=6 * 3600).stdout.split()
        process = kernel.manager.provisioner.process.pid
        workers = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True).stdout.split()
        peak = sum(memory_mb(one) for one in [process, server.process.pid, *workers]) / 1024
        check(kernel, items, int(written))
        kernel.ok(EMPTY)
        return {
            "items": items, "minutes": float(seconds) / 60, "stages": dict(zip(STAGES, map(float, stages))), "peak": peak,
            "parts": -(-DAYS // days), "fitted": fitted,
        }
    finally:
        kernel.stop()


def check(kernel, items, written):
    """Every line has a score, once, and each is a probability."""
    lines, least, most, missing = map(float, kernel.ok(CHECK, timeout=3600).stdout.split())
    if (lines, written, missing) != (items, items, 0) or not 0 <= least <= most <= 1:
        raise RuntimeError(
            f"expected {items} scores from 0 to 1, found {lines:.0f} from {least} to {most}, {missing:.0f} lines without one"
        )


@contextmanager
def server_of(context, items, warehouse):
    """A server with so many lines, in front of a warehouse that is there or of one made for the occasion."""
    from haetae_testing import Server

    if not warehouse:
        yield context.running(items)
        context.end(items)
        return
    server = Server(warehouse)
    try:
        yield server
    finally:
        server.stop()


def measured(context, items, server, times):
    """The run of median time among so many; with their greatest peak."""
    runs = sorted((scored(context, items, server) for _ in range(times)), key=lambda one: one["minutes"])
    return {**runs[len(runs) // 2], "peak": max(one["peak"] for one in runs)}


def growth_of(done):
    """How many times as long a line takes at a size as at any smaller one, at worst, and a note; the smallest of `done` is first."""
    of_line = [(one["items"], 60e6 * one["minutes"] / one["items"]) for one in done]
    each = ", ".join(f"{seconds:.2f} s at {items:,} lines" for items, seconds in of_line)
    if len(of_line) < 2:
        return None, f"one size only; a million lines take {each}"
    pairs = itertools.combinations(of_line, 2)
    growth, worst = max((after / before, f"{more:,} beside {few:,}") for (few, before), (more, after) in pairs)
    return growth, f"time of a line at a size over that at any smaller size, at worst: {worst}; a million lines take {each}"


def figures(context, sizes=None, warehouse=None):
    sizes = sorted(sizes or (QUICK_SIZES if context.quick else SIZES))
    done = []
    for items in sizes:
        with server_of(context, items, warehouse if items == sizes[-1] else None) as server:
            # The smallest takes seconds, and all others are compared with it.
            done.append(measured(context, items, server, context.repeat(3) if items == sizes[0] != sizes[-1] else 1))
        print(f"  {words(done[-1])}", flush=True)
    last = done[-1]
    growth, of_growth = growth_of(done)
    way = f"query, features, score, written back; a model of 200 trees fitted on {last['fitted']:,} lines"
    return [
        context.figure("models.score_24m_min", last["minutes"], "min", note="; ".join([way, *map(words, done)])),
        context.figure("models.score_24m_growth", growth, "ratio", aim="<= 1.10", note=of_growth),
        context.figure(
            "models.score_24m_peak_gb", max(one["peak"] for one in done), "GB", aim="<= 8",
            note="server, kernel and worker together, each at its peak",
        ),
    ]


def words(one):
    stages = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in one["stages"].items())
    return f"{one['items']:,} lines in {one['parts']} parts: {one['minutes']:.2f} min ({stages}), {one['peak']:.1f} GB"


def main():
    from run import page, prepared, record, show

    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("items", type=int, nargs="*", default=[1_000_000], help="sizes")
    parser.add_argument("--warehouse", type=Path, help="a warehouse that holds as many lines as the greatest size")
    parser.add_argument(
        "--record", action="store_true",
        help=f"write bench-results/score_all.json and the page of benchmarks; the greatest size has to be {SIZES[-1]} or more",
    )
    asked = parser.parse_args()
    if asked.record and max(asked.items) < SIZES[-1]:
        parser.error(f"--record wants a size of {SIZES[-1]:,} lines or more, for its figures are called so; found {max(asked.items):,}")
    with prepared() as context:
        made = figures(context, asked.items, asked.warehouse)
    show(made)
    if asked.record:
        record("score_all", made)
        page()


if __name__ == "__main__":
    main()
