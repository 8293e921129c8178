//! The items of one office on one day -> a lane for each, with the quotas met exactly.

use super::decisions::Why;
use super::{Lane, Quota};
use crate::frame::{count, nearest};
use crate::{Error, Result};

/// One item on its way to a lane.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) row: usize,
    /// Where a rule puts it.
    pub(super) bound: Option<Lane>,
    pub(super) expected: f64,
    pub(super) draw: u64,
    pub(super) tie: u64,
}

/// Where an item goes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub(super) row: usize,
    pub(super) lane: Lane,
    pub(super) why: Why,
    /// Chance of having been drawn; `None` for an item that could not be.
    pub(super) chance: Option<f64>,
    /// Place among the items that the model had to choose from, from 1.
    pub(super) place: Option<usize>,
}

/// `explore` is the share of the red quota that is drawn, and a number from 0 up to 1 by which a part of an item is
/// one or none: also small quotas draw now and then, and every item's chance is above 0.
pub(super) fn place(
    office: &str,
    day: &str,
    quota: Quota,
    (explore, luck): (f64, f64),
    items: &[Item],
) -> Result<Vec<Placed>> {
    let asked = quota.yellow + quota.red + quota.blue;
    let bound = |lane: Lane| items.iter().filter(|item| item.bound == Some(lane)).count();
    // Items that a rule has made green are not there to be chosen.
    let available = items.len() - bound(Lane::Green);
    if asked > available {
        let Quota { yellow, red, blue } = quota;
        let (office, day) = (office.to_owned(), day.to_owned());
        return Err(Error::Quota { office, day, yellow, red, blue, asked, items: available });
    }
    let mut left = Vec::new();
    for (lane, quota) in [(Lane::Red, quota.red), (Lane::Yellow, quota.yellow), (Lane::Blue, quota.blue)] {
        let asked = bound(lane);
        if asked > quota {
            let (office, day) = (office.to_owned(), day.to_owned());
            return Err(Error::RulesOverQuota { office, day, lane: lane.name(), asked, quota });
        }
        left.push((lane, quota - asked));
    }
    let mut placed: Vec<Placed> = Vec::with_capacity(items.len());
    let mut free: Vec<&Item> = Vec::new();
    for item in items {
        match item.bound {
            Some(lane) => placed.push(Placed { row: item.row, lane, why: Why::Rule, chance: None, place: None }),
            None => free.push(item),
        }
    }
    let wanted = (count(quota.red) * explore).min(count(left[0].1));
    let drawn = usize::try_from(nearest(wanted.floor())).unwrap_or(0) + usize::from(luck < wanted.fract());
    let chance = (!free.is_empty()).then(|| wanted / count(free.len()));
    free.sort_by_key(|item| (item.draw, item.tie));
    for item in free.drain(..drawn) {
        placed.push(Placed { row: item.row, lane: Lane::Red, why: Why::Drawn, chance, place: None });
    }
    left[0].1 -= drawn;
    free.sort_by(|a, b| b.expected.total_cmp(&a.expected).then(a.tie.cmp(&b.tie)));
    let mut rest = free.into_iter().enumerate();
    for (lane, quota) in left {
        for (place, item) in rest.by_ref().take(quota) {
            placed.push(Placed { row: item.row, lane, why: Why::Model, chance, place: Some(place + 1) });
        }
    }
    for (place, item) in rest {
        placed.push(Placed { row: item.row, lane: Lane::Green, why: Why::Rest, chance, place: Some(place + 1) });
    }
    Ok(placed)
}
