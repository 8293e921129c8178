//! Fitted features <-> bytes.

use crate::codec::{In, Stored, Taken};
use crate::deviation::{Deviations, Sum};
use crate::feature::Feature;
use crate::history::{Overall, Seen, Timeline};
use crate::key::{Dictionary, KeySet, Values};
use crate::{FittedFeatures, stored};

stored!(Seen { day, rows, labelled, positive });
stored!(Sum { day, values, rows });
stored!(Timeline { keys, offsets, seen });
stored!(Deviations { keys, sums });
stored!(Dictionary { column, prefix, values });
stored!(KeySet { dictionaries, steps, len });
stored!(FittedFeatures { features, date, overall, timelines, dictionaries, deviations });

impl Stored for Overall {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(input: &mut In<'_>) -> Taken<Self> {
        Stored::take(input).map(Self)
    }
}

impl Stored for Values {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(values) => {
                out.push(0);
                values.put(out);
            }
            Self::Number(values) => {
                out.push(1);
                values.put(out);
            }
        }
    }

    fn take(input: &mut In<'_>) -> Taken<Self> {
        match u8::take(input)? {
            0 => Stored::take(input).map(Self::Text),
            1 => Stored::take(input).map(Self::Number),
            other => Err(format!("case {other} is not known")),
        }
    }
}

impl Stored for Feature {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Numeric(column) => (0_u8, column.clone()).put(out),
            Self::Log(column) => (1_u8, column.clone()).put(out),
            Self::Ratio(a, b) => (2_u8, (a.clone(), b.clone())).put(out),
            Self::Same(a, b) => (3_u8, (a.clone(), b.clone())).put(out),
            Self::Categorical(column) => (4_u8, column.clone()).put(out),
            Self::History(columns, prior) => (5_u8, (columns.clone(), *prior)).put(out),
            Self::Count(columns) => (6_u8, columns.clone()).put(out),
            Self::Deviation(a, b, columns) => (7_u8, ((a.clone(), b.clone()), columns.clone())).put(out),
        }
    }

    fn take(input: &mut In<'_>) -> Taken<Self> {
        Ok(match u8::take(input)? {
            0 => Self::Numeric(Stored::take(input)?),
            1 => Self::Log(Stored::take(input)?),
            2 => Self::Ratio(Stored::take(input)?, Stored::take(input)?),
            3 => Self::Same(Stored::take(input)?, Stored::take(input)?),
            4 => Self::Categorical(Stored::take(input)?),
            5 => Self::History(Stored::take(input)?, Stored::take(input)?),
            6 => Self::Count(Stored::take(input)?),
            7 => Self::Deviation(Stored::take(input)?, Stored::take(input)?, Stored::take(input)?),
            other => return Err(format!("feature {other} is not known")),
        })
    }
}

impl KeySet {
    /// Every key that it can give is one of those that it counts.
    fn is_sound(&self) -> bool {
        let steps = !self.steps.is_empty() && self.steps.len() == self.dictionaries.len();
        steps && self.steps.last().is_none_or(|last| last.values().all(|&key| (key as usize) < self.len))
    }
}

impl FittedFeatures {
    /// Whether lists fit each other: what was written is, but a file may have been made by another program.
    #[doc(hidden)]
    pub fn is_sound(&self) -> bool {
        let timeline = |timeline: &Timeline| {
            let offsets = &timeline.offsets;
            timeline.keys.is_sound()
                && offsets.len().checked_sub(1) == Some(timeline.keys.len())
                && offsets.is_sorted()
                && offsets.last().is_some_and(|end| *end <= timeline.seen.len())
        };
        let known = |feature: &Feature| match feature {
            Feature::Categorical(name) => self.dictionaries.iter().any(|(known, _)| known == name),
            Feature::Deviation(..) => self.deviations.iter().any(|(known, _)| *known == feature.name()),
            other => other.key().is_none_or(|key| self.timelines.iter().any(|(known, _)| known == key)),
        };
        !self.features.is_empty()
            && self.features.iter().all(known)
            && self.timelines.iter().all(|(_, own)| timeline(own))
            && self.deviations.iter().all(|(_, own)| own.keys.is_sound())
    }

    /// Names of the features, and whether each is one of categories.
    #[doc(hidden)]
    pub fn schema(&self) -> Vec<(String, bool)> {
        self.features.iter().map(|feature| (feature.name(), matches!(feature, Feature::Categorical(_)))).collect()
    }
}
