//! A row and a grade -> the fewest changes that would bring it there.

use super::TaxpayerModel;
use super::grade::written;
use crate::Result;
use crate::error::refuse;
use crate::scorecard::at;
use polars::frame::DataFrame;
use std::fmt;

/// One attribute that would be otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The attribute.
    pub attribute: String,
    /// The bin that it is in.
    pub from: String,
    /// The bin that it would be in.
    pub to: String,
    /// What that changes in the score.
    pub points: i64,
}

/// What would move a company's grade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterfactual {
    /// Score and grade as they are.
    pub from: (i64, String),
    /// Score and grade after the changes.
    pub to: (i64, String),
    /// Whether the changes reach the grade that was asked for. If not, they are all that help.
    pub reached: bool,
    /// The changes, the one that helps most first.
    pub changes: Vec<Change>,
}

impl fmt::Display for Counterfactual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.reached { "would be" } else { "would be no safer than" };
        writeln!(
            f,
            "score {}, grade {} {word} score {}, grade {}, if",
            self.from.0, self.from.1, self.to.0, self.to.1
        )?;
        for change in &self.changes {
            writeln!(f, "{:>+6}  {}: {} instead of {}", change.points, change.attribute, change.to, change.from)?;
        }
        Ok(())
    }
}

/// What one attribute could become.
struct Possible {
    attribute: usize,
    from: Option<usize>,
    /// Bins with fewer points than now, and what they change.
    steps: Vec<(usize, i64)>,
}

impl TaxpayerModel {
    /// The fewest `changeable` attributes that would have to be otherwise for the row to get the grade `to` (a number;
    /// 1 is the riskiest) or a safer one, each moved no further than needed. The second model's part and the factors
    /// stay as they are: what they would say of the changed company is not known.
    ///
    /// # Errors
    /// As [`TaxpayerModel::score`]; when there is no such row, grade or attribute.
    pub fn counterfactual(
        &self,
        frame: &DataFrame,
        row: usize,
        to: usize,
        changeable: &[&str],
    ) -> Result<Counterfactual> {
        self.with_second(None)?;
        self.nearest_change(frame, row, to, (changeable, None))
    }

    /// As [`TaxpayerModel::counterfactual`], with the second model's probability of the row.
    ///
    /// # Errors
    /// As [`TaxpayerModel::counterfactual`] and [`TaxpayerModel::score_blended`].
    pub fn counterfactual_blended(
        &self,
        frame: &DataFrame,
        row: usize,
        to: usize,
        changeable: &[&str],
        second: f64,
    ) -> Result<Counterfactual> {
        self.with_second(Some(&[second]))?;
        self.nearest_change(frame, row, to, (changeable, Some(second)))
    }

    fn nearest_change(
        &self,
        frame: &DataFrame,
        row: usize,
        to: usize,
        (changeable, second): (&[&str], Option<f64>),
    ) -> Result<Counterfactual> {
        if !(1..=self.grades().grades()).contains(&to) {
            return refuse("grade", format!("1 to {}", self.grades().grades()), to);
        }
        let one = self.one_row(frame, row)?;
        let scored = self.scored(&one, second.as_ref().map(std::slice::from_ref))?;
        let sum = self.card.base() + scored.card[0] + scored.second[0] + scored.factors[0];
        let score_of = |sum: i64| sum.clamp(super::LEAST, super::MOST);
        let safe = |sum: i64| self.grade(score_of(sum)) >= to;
        let mut options = self.options(&one, changeable)?;
        // The attributes that can help most, greatest first: so many of them as are needed are the fewest that do.
        let best = |option: &Possible| option.steps.iter().map(|step| step.1).min().unwrap_or(0);
        options.sort_by_key(best);
        let mut needed = 0;
        let mut lowest = sum;
        while !safe(lowest) && needed < options.len() {
            lowest += best(&options[needed]);
            needed += 1;
        }
        let reached = safe(lowest);
        let mut chosen: Vec<(usize, usize, i64)> = Vec::new();
        for (number, option) in options.iter().take(needed).enumerate().rev() {
            // The others at their best, this one only as far as it has to go: the smallest change that still does.
            lowest -= best(option);
            let enough = option.steps.iter().filter(|step| !reached || safe(lowest + step.1));
            let step = match reached {
                true => enough.max_by_key(|step| step.1),
                false => enough.min_by_key(|step| step.1),
            };
            let Some(&(bin, points)) = step else { continue };
            lowest += points;
            chosen.push((number, bin, points));
        }
        chosen.sort_by_key(|choice| choice.2);
        let attributes = self.card.bins().attributes();
        let change = |&(number, bin, points): &(usize, usize, i64)| {
            let option = &options[number];
            let attribute = &attributes[option.attribute];
            let from = option.from.map_or("a value that was not seen", |from| attribute.bins()[from].label.as_str());
            let (from, to) = (from.to_owned(), attribute.bins()[bin].label.clone());
            Change { attribute: attribute.name().to_owned(), from, to, points }
        };
        let grade = |sum: i64| (score_of(sum), written(self.grade(score_of(sum))));
        let changes = chosen.iter().map(change).collect();
        Ok(Counterfactual { from: grade(sum), to: grade(lowest), reached, changes })
    }

    fn options(&self, one: &DataFrame, changeable: &[&str]) -> Result<Vec<Possible>> {
        let attributes = self.card.bins().attributes();
        if let Some(name) = changeable.iter().find(|name| self.card.bins().get(name).is_none()) {
            let known: Vec<&str> = attributes.iter().map(|attribute| attribute.name()).collect();
            return refuse(
                "changeable",
                format!("attributes of the scorecard: {}", known.join(", ")),
                format!("`{name}`"),
            );
        }
        let places = self.card.places(one)?;
        let option = |attribute: usize| {
            let from = places[attribute][0];
            let points = self.card.points_of(attribute);
            let now = at(points, from);
            // Nothing gets better by becoming unknown, or a sign such as -1.
            let within = attributes[attribute].regular();
            let steps = (0..within).map(|bin| (bin, points[bin] - now)).filter(|step| step.1 < 0).collect();
            Possible { attribute, from, steps }
        };
        let wanted = (0..attributes.len()).filter(|&i| changeable.contains(&attributes[i].name()));
        Ok(wanted.map(option).filter(|option| !option.steps.is_empty()).collect())
    }
}
