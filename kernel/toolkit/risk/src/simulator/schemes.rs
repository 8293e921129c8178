//! Draws, and how fraud is to change -> schemes of fraud: who lies about what, how, and from when to when.

use super::trade::{Drift, TradeItems};
use haetae_models::Random;

/// Share of fraud among the items of a scheme at its full strength.
const FULL: f64 = 0.5;

/// How the items of a scheme lie, and what of it is to be seen in the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Technique {
    /// The declared price is too low: `price_off` shows it.
    Undervalued,
    /// All lies name one origin, which honest items of these goods name too.
    FalseOrigin,
    /// Less is declared than came in: no column shows it.
    Quantity,
}

impl Technique {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Undervalued => "undervaluation",
            Self::FalseOrigin => "false_origin",
            Self::Quantity => "quantity_slip",
        }
    }
}

/// One scheme.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scheme {
    pub(super) good: usize,
    pub(super) importers: Vec<usize>,
    pub(super) technique: Technique,
    pub(super) origin: usize,
    /// Day on which it has come to half its strength (all of it where it begins at once); none for one that was always there.
    pub(super) first: Option<usize>,
    /// Day on which it has lost half of it; none for one that stays.
    pub(super) last: Option<usize>,
}

impl Scheme {
    /// Share of its items that lie on a day; `over` is how many days a rise or a fall takes, 0 for at once.
    pub(super) fn strength(&self, day: usize, over: usize) -> f64 {
        let part = |turn: usize| match over {
            0 => f64::from(day >= turn),
            over => {
                let (day, turn, over) =
                    (crate::frame::count(day), crate::frame::count(turn), crate::frame::count(over));
                ((day - turn) / over + 0.5).clamp(0.0, 1.0)
            }
        };
        FULL * (self.first.map_or(1.0, part) - self.last.map_or(0.0, part)).max(0.0)
    }
}

/// All schemes, the ones that are there from the beginning first. No importer and no kind of goods is in two of them.
pub(super) fn plan(items: &TradeItems, sells: &[Vec<usize>], origins: usize, random: &mut Random) -> Vec<Scheme> {
    let mut goods: Vec<usize> = (0..items.goods).collect();
    random.shuffle(&mut goods);
    let mut taken = vec![false; sells.len()];
    let spans = spans(items);
    let mut made = Vec::with_capacity(spans.len());
    for (number, ((first, last), good)) in spans.into_iter().zip(goods).enumerate() {
        let trade: Vec<usize> = (0..sells.len()).filter(|&one| !taken[one] && sells[one].contains(&good)).collect();
        // Every other importer of the goods stays honest.
        let importers: Vec<usize> = trade.into_iter().step_by(2).collect();
        importers.iter().for_each(|&one| taken[one] = true);
        let technique = match (number % 3, items.drift, first) {
            // What is new leaves no trace in the columns that told the old schemes.
            (0, Drift::NewSchemes, Some(_)) | (1, ..) => Technique::Quantity,
            (0, ..) => Technique::Undervalued,
            _ => Technique::FalseOrigin,
        };
        made.push(Scheme { good, importers, technique, origin: random.below(origins), first, last });
    }
    made
}

/// First and last day of each scheme: one goes and another comes every `lasts / schemes` days.
pub(super) fn spans(items: &TradeItems) -> Vec<(Option<usize>, Option<usize>)> {
    if items.drift == Drift::None {
        return vec![(None, None); items.schemes];
    }
    let step = |number: usize| (number * items.lasts).checked_div(items.schemes).unwrap_or(0);
    let old = (1..=items.schemes).map(|number| (None, Some(step(number))));
    let new = (1..).map(step).take_while(|&day| day < items.days).map(|day| (Some(day), Some(day + items.lasts)));
    old.chain(new).collect()
}
