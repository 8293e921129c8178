//! Items of a day, and the results that are known -> items of which little is known and at which much is at stake.
//!
//! After gATE (Kim et al., *Active learning for human-in-the-loop customs inspection*, IEEE TKDE 2022, arXiv:2010.14282):
//! uncertainty times amount, with diversity, behind a gate. There it is the embedding of a net that says what is alike; here it
//! is the values that two items share, and the uncertainty is that of a share of so many results.

use haetae_features::FeatureMatrix;
use haetae_models::Random;

/// Results of the overall share that stand behind a value of which nothing is known.
const PRIOR: f64 = 2.0;

/// How many results there are behind each value of each categorical feature.
pub(super) struct Known {
    columns: Vec<usize>,
    /// Of each of these columns, the results of each code; the last place is for missing values.
    results: Vec<Vec<f64>>,
    all: f64,
}

impl Known {
    /// Counts rows whose result is known or on its way: the way is paid for, whatever it brings.
    pub(super) fn of(features: &FeatureMatrix, rows: impl Iterator<Item = usize>) -> Self {
        let columns: Vec<usize> = (0..features.columns()).filter(|&column| features.is_categorical(column)).collect();
        let size = |&column: &usize| {
            let most = features.column(column).iter().copied().filter(|code| code.is_finite()).fold(-1.0, f64::max);
            vec![0.0; place(most, 0).map_or(1, |place| place + 2)]
        };
        let mut known = Self { results: columns.iter().map(size).collect(), columns, all: 0.0 };
        rows.for_each(|row| known.add(features, row));
        known
    }

    pub(super) fn add(&mut self, features: &FeatureMatrix, row: usize) {
        self.all += 1.0;
        for (&column, results) in self.columns.iter().zip(&mut self.results) {
            if let Some(place) = place(features.value(row, column), results.len()) {
                results[place] += 1.0;
            }
        }
    }

    /// How uncertain a row's probability is: the variance of a share, over the results behind each of its values.
    pub(super) fn variance(&self, features: &FeatureMatrix, row: usize, probability: f64) -> f64 {
        let behind = |(&column, results): (&usize, &Vec<f64>)| {
            let found = place(features.value(row, column), results.len()).and_then(|place| results.get(place));
            1.0 / (found.copied().unwrap_or(0.0) + PRIOR)
        };
        let values: f64 = self.columns.iter().zip(&self.results).map(behind).sum();
        probability * (1.0 - probability) * (values + 1.0 / (self.all + PRIOR))
    }
}

/// Place of a code; the last one for a missing value.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "codes are whole numbers from 0 on")]
fn place(code: f64, places: usize) -> Option<usize> {
    if code.is_nan() { places.checked_sub(1) } else { (code >= 0.0).then_some(code as usize) }
}

/// An item that may be drawn.
pub(super) struct Candidate {
    pub(super) row: usize,
    pub(super) probability: f64,
    pub(super) stake: f64,
}

/// Draws `wanted` of the candidates, which leave the list. Chances go by the deviation of the probability times the stake,
/// and what is drawn counts as known for the next draw, so that few share a value (as k-means++ draws centres away from
/// those that it has; Arthur and Vassilvitskii 2007).
pub(super) fn draw(
    candidates: &mut Vec<Candidate>,
    wanted: usize,
    known: &mut Known,
    features: &FeatureMatrix,
    random: &mut Random,
) -> Vec<usize> {
    let mut drawn = Vec::with_capacity(wanted);
    for _ in 0..wanted.min(candidates.len()) {
        let worth: Vec<f64> = candidates
            .iter()
            .map(|one| one.stake.max(0.0) * known.variance(features, one.row, one.probability).sqrt())
            .collect();
        let mut left = random.unit() * worth.iter().sum::<f64>();
        let mut at = worth.len() - 1;
        for (place, worth) in worth.iter().enumerate() {
            if left < *worth {
                at = place;
                break;
            }
            left -= worth;
        }
        let one = candidates.remove(at);
        known.add(features, one.row);
        drawn.push(one.row);
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Importers 0 to 3, ten items each, all of one kind of goods.
    fn features() -> FeatureMatrix {
        let importer = (0..40).map(|row| f64::from(row / 10)).collect();
        let names = vec!["importer".to_owned(), "goods".to_owned()];
        FeatureMatrix::new(names, vec![importer, vec![0.0; 40]], vec![true, true]).unwrap()
    }

    fn candidates(rows: impl Iterator<Item = usize>) -> Vec<Candidate> {
        rows.map(|row| Candidate { row, probability: 0.1, stake: 1.0 }).collect()
    }

    #[test]
    fn who_is_known_least_is_uncertain_most() {
        let features = features();
        // Five results of importer 0, one of importer 1.
        let known = Known::of(&features, [0, 1, 2, 3, 4, 10].into_iter());
        let variance = |row| known.variance(&features, row, 0.1);
        assert!(variance(5) < variance(11) && variance(11) < variance(20));
        assert_eq!(variance(20), variance(30));
        // By hand: 0.1 * 0.9 * (1 / (5 + 2) + 1 / (6 + 2) + 1 / (6 + 2)).
        assert!((variance(5) - 0.09 * (1.0 / 7.0 + 0.25)).abs() < 1e-12);
        assert!(known.variance(&features, 5, 0.5) > variance(5));
    }

    #[test]
    fn draws_spread_over_what_is_not_known() {
        let features = features();
        let share = |prior: usize| {
            let mut first = [0usize; 4];
            for seed in 0..200 {
                let mut known = Known::of(&features, (0..10).cycle().take(prior));
                let mut left = candidates(0..40);
                let drawn = draw(&mut left, 4, &mut known, &features, &mut Random::new(seed));
                assert!(drawn.len() == 4 && left.len() == 36 && left.iter().all(|one| !drawn.contains(&one.row)));
                drawn.iter().for_each(|row| first[row / 10] += 1);
            }
            first
        };
        let (blank, known) = (share(0), share(50));
        assert!(blank.iter().all(|count| (150..250).contains(count)), "{blank:?}");
        assert!(known[0] * 2 < known[1] && known[0] > 0, "{known:?}");
    }

    #[test]
    fn what_is_at_stake_weighs_and_a_wish_for_too_many_takes_all() {
        let features = features();
        let mut rich = 0;
        for seed in 0..200 {
            let mut left = candidates(0..40);
            left[7].stake = 100.0;
            let mut known = Known::of(&features, std::iter::empty());
            rich += usize::from(draw(&mut left, 1, &mut known, &features, &mut Random::new(seed)) == [7]);
        }
        assert!((110..180).contains(&rich), "100 of 139 parts: {rich} of 200");
        let mut left = candidates(0..3);
        let mut known = Known::of(&features, std::iter::empty());
        assert_eq!(draw(&mut left, 9, &mut known, &features, &mut Random::new(1)).len(), 3);
    }
}
