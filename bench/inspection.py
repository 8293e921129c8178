"""Policies of inspection on generated items with and without drift, replayed day by day in a cell of the kernel."""

from haetae_testing import Kernel

# One line a policy: drift, rate and policy, then mean and interval of its revenue as a share of the oracle's less that of
# exploitation, and of its precision; revenue and recall; the first again for the last 90 days.
REPLAY = """
use haetae::risk::{Drift, DriftingItems, Policy, Replay, TradeItems, paired_difference};
let seeds: u64 = <seeds>;
let policies = [
    Policy::Exploit, Policy::Gate { share: 0.2 }, Policy::Gate { share: 0.1 }, Policy::Adaptive, Policy::Hybrid { share: 0.2 },
    Policy::Hybrid { share: 0.1 }, Policy::Explore, Policy::Ranked { by: "stake" }, Policy::Ranked { by: "rules" },
    Policy::History { of: "importer" },
];
type Frame<'a> = &'a dyn Fn(u64) -> haetae::risk::Result<DataFrame>;
fn say(world: &str, rate: f64, seeds: u64, policies: &[Policy], frame: Frame<'_>) -> haetae::risk::Result<()> {
    let none = vec![0.0; seeds as usize];
    let mut found: Vec<(Vec<f64>, Vec<f64>, Vec<f64>, Vec<f64>)> = vec![Default::default(); policies.len()];
    // The share was chosen on seeds 1 to 10.
    for seed in 11..11 + seeds {
        let items = frame(seed)?;
        for (figures, policy) in found.iter_mut().zip(policies) {
            let done = Replay::new().rate(rate).seed(seed).run(&items, *policy)?;
            figures.0.push(done.of_oracle());
            figures.1.push(done.precision());
            figures.2.push(done.recall());
            figures.3.push(done.last(90).of_oracle());
        }
    }
    for ((revenue, precision, recall, end), policy) in found.iter().zip(policies) {
        let (less, hits) = (paired_difference(revenue, &found[0].0)?, paired_difference(precision, &none)?);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let ends = paired_difference(end, &found[0].3)?;
        println!("{world};{rate};{};{} {} {} {} {} {} {} {} {} {} {}", policy.name(), less.mean, less.low, less.high,
            hits.mean, hits.low, hits.high, mean(revenue), mean(recall), ends.mean, ends.low, ends.high);
    }
    Ok(())
}
for drift in [Drift::NewSchemes, Drift::Gradual, Drift::None] {
    for rate in [0.01, 0.05, 0.1] {
        say(drift.name(), rate, seeds, &policies, &|seed| TradeItems { drift, ..TradeItems::default() }.frame(seed))?;
    }
}
say("goods", 0.1, seeds, &policies[..7], &|seed| DriftingItems::default().frame(seed))?;
"""

WORLDS = {
    "new schemes": "schemes end and others begin among importers and goods that were clean, every 20 days",
    "gradual": "schemes wane and others grow, each over 80 days",
    "none": "the schemes of the first day go on",
    "goods": "fraud moves from goods to goods every 60 days (DriftingItems)",
}
HYBRID = "gate 0.2"
REPLAY_SEEDS = 20


def replays(seeds):
    """(drift, rate) -> the lines of `REPLAY` by policy, as numbers."""
    kernel = Kernel()
    try:
        text = kernel.ok(REPLAY.replace("<seeds>", str(seeds)), timeout=3600).stdout
    finally:
        kernel.stop()
    found = {}
    for line in text.splitlines():
        world, rate, policy, numbers = line.split(";")
        found.setdefault((world, float(rate)), {})[policy] = list(map(float, numbers.split()))
    return found


def policies(context):
    seeds = 2 if context.quick else REPLAY_SEEDS
    made = []
    for (world, rate), found in replays(seeds).items():
        told = (world, rate) == ("new schemes", 0.05)
        (less, low, high), ends = found[HYBRID][:3], found[HYBRID][8:]
        end = "" if told else f"_{world.replace(' ', '_')}_{rate:.0%}".rstrip("%")
        beside = "; ".join(f"{policy} {one[6]:.3f} ({one[0]:+.3f}, {one[1]:+.3f} to {one[2]:+.3f})" for policy, one in found.items())
        note = (
            f"{WORLDS[world]}; {rate:.0%} inspected, {seeds} seeds in pairs; {HYBRID} minus exploit, 95 % interval {low:+.3f} to "
            f"{high:+.3f}, in the last 90 days {ends[0]:+.3f} ({ends[1]:+.3f} to {ends[2]:+.3f}); share of the oracle's revenue (minus "
            f"exploit): {beside}"
        )
        made.append(context.figure(f"risk.hybrid_minus_exploit{end}", less, "share", n=seeds, aim="> 0" if told else "", note=note))
        if world == "new schemes":
            hits = "; ".join(f"{policy} {one[3]:.3f} ({one[4]:.3f} to {one[5]:.3f}), recall {one[7]:.3f}" for policy, one in found.items())
            made.append(context.figure(
                f"risk.simulated_hit_rate_{rate:.0%}".rstrip("%"), found[HYBRID][3], "share", n=seeds, peer="importer history",
                peer_value=found["history of importer"][3],
                note=f"found of inspected under {HYBRID}, {WORLDS[world]}; {seeds} seeds, 95 % intervals; explore is at random: {hits}",
            ))
    return made
