//! A label must not travel through keys: looking up whole key tuples of the training year has to be
//! worthless on later months, while a plain score that generalises is not.

use std::collections::HashMap;
use std::hash::Hash;

use arrow::array::AsArray;

use crate::dataset::{APRIL_2021, Frame, YEAR_2021};

/// Mean label of each group, drawn towards the overall mean by `weight` rows.
struct Rates<K> {
    groups: HashMap<K, (f64, f64)>,
    mean: f64,
    weight: f64,
}

impl<K: Eq + Hash> Rates<K> {
    fn fit(rows: impl Iterator<Item = (K, f64)>, mean: f64, weight: f64) -> Self {
        let mut groups: HashMap<K, (f64, f64)> = HashMap::new();
        for (key, label) in rows {
            let g = groups.entry(key).or_default();
            *g = (g.0 + label, g.1 + 1.0);
        }
        Self { groups, mean, weight }
    }

    fn rate(&self, key: &K) -> f64 {
        let (sum, n) = self.groups.get(key).copied().unwrap_or_default();
        (sum + self.weight * self.mean) / (n + self.weight)
    }
}

/// Area under the ROC curve; ties count half.
fn auc(scores: &[f64], labels: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut rank_sum, mut start) = (0.0, 0);
    while start < order.len() {
        let same = order[start..].iter().take_while(|&&i| scores[i] == scores[order[start]]).count();
        let rank = start as f64 + (same as f64 + 1.0) / 2.0;
        rank_sum += order[start..start + same].iter().map(|&i| rank * labels[i]).sum::<f64>();
        start += same;
    }
    let positive: f64 = labels.iter().sum();
    let negative = labels.len() as f64 - positive;
    (rank_sum - positive * (positive + 1.0) / 2.0) / (positive * negative)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
fn a_lookup_of_whole_keys_is_worth_less_than_a_plain_score() {
    let (items, inspections) = (Frame::table("fact_item"), Frame::table("fact_inspection"));
    let (hs6, origin, departure) = (items.word("hs6"), items.word("origin_country"), items.word("departure_country"));
    let (importer, tariff_type) = (items.word("importer_id"), items.word("tariff_type"));
    let (rate, mass, price) = (items.number("duty_rate"), items.number("net_mass_kg"), items.number("item_price_krw"));
    let day: Vec<i32> = items.date("declaration_date").into_iter().flatten().collect();
    let rows = items.index();
    let found = inspections.column("fraud").as_boolean();
    let labelled: Vec<(usize, f64)> = inspections
        .keys()
        .iter()
        .enumerate()
        .map(|(i, key)| (rows[key], f64::from(u8::from(found.value(i)))))
        .collect();
    let train: Vec<_> = labelled.iter().copied().filter(|(i, _)| day[*i] < YEAR_2021).collect();
    let test: Vec<_> = labelled.iter().copied().filter(|(i, _)| (YEAR_2021..APRIL_2021).contains(&day[*i])).collect();
    assert!(train.len() > 5_000 && test.len() > 1_000);
    let mean = train.iter().map(|(_, y)| y).sum::<f64>() / train.len() as f64;

    let key = |i: usize| (hs6[i], departure[i], origin[i], rate[i].to_bits(), tariff_type[i], mass[i].to_bits());
    let lookup = Rates::fit(train.iter().map(|&(i, y)| (key(i), y)), mean, 2.0);
    // The same without the mass, which hardly ever repeats: what an honest history of goods is worth.
    let loose = |i: usize| (hs6[i], departure[i], origin[i], rate[i].to_bits(), tariff_type[i]);
    let loose_lookup = Rates::fit(train.iter().map(|&(i, y)| (loose(i), y)), mean, 2.0);
    let unseen = test.iter().filter(|(i, _)| !lookup.groups.contains_key(&key(*i))).count() as f64 / test.len() as f64;

    // Usual unit prices of the training year, by subheading and origin, or by subheading alone.
    let ln_price = |i: usize| (price[i] / mass[i]).ln();
    let mut by_origin: HashMap<(&str, &str), Vec<f64>> = HashMap::new();
    let mut by_good: HashMap<&str, Vec<f64>> = HashMap::new();
    for i in (0..items.rows()).filter(|&i| day[i] < YEAR_2021) {
        by_origin.entry((hs6[i], origin[i])).or_default().push(ln_price(i));
        by_good.entry(hs6[i]).or_default().push(ln_price(i));
    }
    let by_origin: HashMap<_, f64> =
        by_origin.into_iter().filter(|(_, v)| v.len() >= 5).map(|(k, mut v)| (k, median(&mut v))).collect();
    let by_good: HashMap<_, f64> = by_good.into_iter().map(|(k, mut v)| (k, median(&mut v))).collect();
    // A plain score that has seen no label at all: cheaper than usual, a preference for goods that
    // came from elsewhere, a young company.
    let register = Frame::table("dim_importer");
    let registered: HashMap<&str, i32> =
        register.word("importer_id").into_iter().zip(register.date("registered_on").into_iter().flatten()).collect();
    let plain = |i: usize| {
        let usual = by_origin.get(&(hs6[i], origin[i])).or_else(|| by_good.get(hs6[i]));
        let deviation = usual.map_or(0.0, |u| ln_price(i) - u);
        let preference = tariff_type[i].len() > 1 && tariff_type[i].starts_with('F');
        let detour = preference && departure[i] != origin[i];
        let young = day[i] - registered[importer[i]] < 180;
        f64::from(u8::from(detour)) + 0.5 * f64::from(u8::from(young)) - deviation.clamp(-1.5, 1.5)
    };

    let labels: Vec<f64> = test.iter().map(|(_, y)| *y).collect();
    let area = |score: &dyn Fn(usize) -> f64| auc(&test.iter().map(|(i, _)| score(*i)).collect::<Vec<_>>(), &labels);
    let (lookup_auc, plain_auc) = (area(&|i| lookup.rate(&key(i))), area(&plain));
    let loose_auc = area(&|i| loose_lookup.rate(&loose(i)));
    println!("lookup AUC {lookup_auc:.3}, without mass {loose_auc:.3}, plain {plain_auc:.3}, unseen {unseen:.4}");
    assert!(unseen > 0.95, "only {unseen} of the test keys are new");
    assert!(lookup_auc < 0.55, "the lookup scores {lookup_auc}");
    assert!(plain_auc > 0.62, "the plain score reaches only {plain_auc}");
    assert!(plain_auc > lookup_auc + 0.10, "plain {plain_auc} against lookup {lookup_auc}");
    assert!(plain_auc > loose_auc + 0.03, "plain {plain_auc} against {loose_auc} without the mass");
}
