"""A whole warehouse scored end to end in bounded memory: lines come by SQL, some days at a time, become features, get a
score from a fitted model, and go back through Flight into a table of the user's.

The model is fitted before, on inspected lines of the first half year, as many at every size. `score_all.py ITEMS...` as a
program tries other sizes, such as 1000000.
"""

import subprocess
import sys
import tempfile
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
println!("{{}}", known.height());
"""

SCORE = f"""
{{
    let begun = std::time::Instant::now();
    let (mut written, mut day) = (0, 0);
    while day < {DAYS} {{
        let until = (day + <days>).min({DAYS});
        let lines = sql(&format!("
            select * from fact_item
            where declaration_date >= date '{FIRST}' + interval '{{day}} days'
              and declaration_date < date '{FIRST}' + interval '{{until}} days'
        "))?;
        let scores = Column::new("score".into(), model.score(&lines)?);
        let columns = vec![lines.column("declaration_id")?.clone(), lines.column("item_no")?.clone(), scores];
        let scored = DataFrame::new(lines.height(), columns)?;
        // The first part is all there is, also where a run before was cut off.
        written += if day == 0 {{ replace_table("scores", &scored)? }} else {{ append_to("scores", &scored)? }};
        day = until;
    }}
    println!("{{}} {{}}", begun.elapsed().as_secs_f64(), written);
}}
"""

CHECK = """
let written = sql("select count(*) as lines, min(score) as least, max(score) as most from work.scores")?;
let missing = sql("select count(*) as lines from fact_item i left anti join work.scores s
    on s.declaration_id = i.declaration_id and s.item_no = i.item_no")?;
println!("{} {} {} {}", written.numbers("lines")?[0], written.numbers("least")?[0], written.numbers("most")?[0],
    missing.numbers("lines")?[0]);
"""


def scored(context, items):
    """Minutes, peak memory in GB of all three processes, and in how many parts."""
    from haetae_testing import Kernel, memory_mb

    server = context.running(items)
    kernel = Kernel(server.environment)
    try:
        fitted = int(kernel.ok(FIT, timeout=1800).stdout)
        days = max(1, AT_ONCE * DAYS // items)
        seconds, written = kernel.ok(SCORE.replace("<days>", str(days)), timeout=6 * 3600).stdout.split()
        process = kernel.manager.provisioner.process.pid
        workers = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True).stdout.split()
        peak = sum(memory_mb(one) for one in [process, server.process.pid, *workers]) / 1024
        check(kernel, items, int(written))
        return {"items": items, "minutes": float(seconds) / 60, "peak": peak, "parts": -(-DAYS // days), "fitted": fitted}
    finally:
        kernel.stop()


def check(kernel, items, written):
    """Every line has a score, once, and each is a probability."""
    lines, least, most, missing = map(float, kernel.ok(CHECK, timeout=1800).stdout.split())
    if (lines, written, missing) != (items, items, 0) or not 0 <= least <= most <= 1:
        raise RuntimeError(
            f"expected {items} scores from 0 to 1, found {lines:.0f} from {least} to {most}, {missing:.0f} lines without one"
        )


def figures(context, sizes=None):
    sizes = sizes or (QUICK_SIZES if context.quick else SIZES)
    done = [scored(context, items) for items in sizes]
    last = done[-1]
    note = "; ".join(
        f"{one['items']:,} lines in {one['parts']} parts: {one['minutes']:.2f} min, {one['peak']:.1f} GB" for one in done
    )
    # How the time for a line grows from a size to the next, at worst.
    of_line = [one["minutes"] / one["items"] for one in done]
    growth = max((after / before for before, after in zip(of_line, of_line[1:])), default=None)
    way = f"query, features, score, written back; a model of 200 trees fitted on {last['fitted']:,} lines"
    return [
        context.figure("models.score_24m_min", last["minutes"], "min", note=f"{way}; {note}"),
        context.figure(
            "models.score_24m_growth", growth, "ratio", aim="<= 1.10",
            note="time of a line at a size over that at the size before, at worst" if growth else "one size only",
        ),
        context.figure(
            "models.score_24m_peak_gb", max(one["peak"] for one in done), "GB", aim="<= 8",
            note="server, kernel and worker together, each at its peak",
        ),
    ]


def main(sizes):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))
    from run import Context, show

    with tempfile.TemporaryDirectory(prefix="haetae-bench-") as folder:
        context = Context(Path(folder), False)
        try:
            show(figures(context, sizes))
        finally:
            context.stop()


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [1_000_000])
