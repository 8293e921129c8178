//! What goes in: the lines of one day. What comes out: the same with slips of data entry planted in a
//! share of them, and for each what is wrong with it.
//!
//! Only honest lines are spoilt, each at most once, so that one row has one defect. The draws come from
//! a stream of their own: whatever is not spoilt is what it would be without defects.

use haetae_schema::codes;

use crate::calendar::{DAY_2021, DAYS};
use crate::inventors::invented;
use crate::items::Item;
use crate::rng::{Rng, mix, mix_unit};
use crate::world::World;

/// Streams of defects begin here; those of days and world lie below.
const STREAM: u64 = 3 << 32;

/// What is wrong with one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Defect {
    /// The table whose row is spoilt.
    pub table: &'static str,
    /// The family of quality rules that it falls under.
    pub family: &'static str,
    /// Which slip it is.
    pub kind: &'static str,
    /// The column that is wrong.
    pub column: &'static str,
    /// Whether the row alone, or beside the others, can tell.
    pub decidable: bool,
    /// The value before.
    pub true_value: Option<String>,
    /// Texts (and nulls) that stand in columns instead of what the line says.
    pub instead: Vec<(&'static str, Option<String>)>,
    /// Days by which the date of the declaration is late.
    pub late_days: i32,
}

impl Defect {
    pub fn new(family: &'static str, kind: &'static str, column: &'static str, true_value: impl ToString) -> Self {
        Self {
            table: "fact_item",
            family,
            kind,
            column,
            decidable: true,
            true_value: Some(true_value.to_string()),
            instead: Vec::new(),
            late_days: 0,
        }
    }

    fn text(mut self, column: &'static str, value: Option<String>) -> Self {
        self.instead.push((column, value));
        self
    }
}

/// The slips on lines that are not inspected.
const ITEM_KINDS: [&str; 20] = [
    "quantity_missing",
    "unit_missing",
    "hs10_missing",
    "hs6_unknown",
    "origin_unknown",
    "departure_unknown",
    "import_type_unknown",
    "transport_mode_unknown",
    "price_zero",
    "mass_zero",
    "hs10_of_another",
    "unit_of_another",
    "quantity_is_not_mass",
    "rate_as_percent",
    "lodged_twice",
    "late_entry",
    "price_x100",
    "price_x1000",
    "price_x10",
    "mass_x1000",
];

/// Plants defects in a share of `rate` of the lines.
pub fn plant(world: &World, day: usize, rate: f64, items: &mut [Item]) {
    if rate <= 0.0 {
        return;
    }
    for item in items.iter_mut().filter(|item| world.invents(item.importer)) {
        if item.truth.is_none() && item.slip.is_none() {
            item.declared.price = invented(item.declared.price);
        }
    }
    let mut rng = Rng::new(world.seed, STREAM + day as u64);
    for place in 0..items.len() {
        if !rng.chance(rate) {
            continue;
        }
        let first = rng.below(ITEM_KINDS.len() + 1);
        let Some(item) = items.get(place).filter(|item| item.truth.is_none() && item.slip.is_none()) else { continue };
        if item.finding.is_some() {
            spoil_finding(&mut items[place], &mut rng);
        } else if first == ITEM_KINDS.len() {
            let spoilt = count_x1000(world, &mut items[place]);
            items[place].defect = spoilt.map(Box::new);
        } else {
            // A slip that this line cannot have gives way to the next one.
            let kinds = ITEM_KINDS.iter().cycle().skip(first).take(ITEM_KINDS.len());
            for kind in kinds {
                let spoilt = match *kind {
                    "lodged_twice" => lodge_twice(items, place, &mut rng),
                    kind => spoil(world, kind, &mut items[place], &mut rng),
                };
                if let Some(defect) = spoilt {
                    items[place].defect = Some(Box::new(defect));
                    break;
                }
            }
        }
    }
}

fn spoil_finding(item: &mut Item, rng: &mut Rng) {
    let Some(finding) = &mut item.finding else { return };
    let true_value = finding.delay;
    let (family, kind) = if rng.chance(0.5) {
        finding.delay = -(1 + rng.below(20) as i32);
        ("consistency", "found_before_declared")
    } else {
        finding.delay += 45 + rng.below(60) as i32;
        ("timeliness", "late_finding")
    };
    let defect = Defect::new(family, kind, "inspection_date", format!("{true_value} days after the declaration"));
    item.defect = Some(Box::new(Defect { table: "fact_inspection", ..defect }));
}

/// The same goods declared again under another number of the same day.
fn lodge_twice(items: &mut [Item], place: usize, rng: &mut Rng) -> Option<Defect> {
    let (before, rest) = items.split_at_mut(place);
    let item = rest.first_mut()?;
    let source = before.get(rng.below(before.len().max(1)))?;
    let honest = source.truth.is_none() && source.slip.is_none() && source.finding.is_none();
    if !honest || source.defect.is_some() || source.serial == item.serial {
        return None;
    }
    let (serial, item_no) = (item.serial, item.item_no);
    *item = Item { serial, item_no, ..source.clone() };
    Some(Defect { true_value: None, ..Defect::new("uniqueness", "lodged_twice", "declaration_id", "") })
}

fn count_x1000(world: &World, item: &mut Item) -> Option<Defect> {
    let quantity = item.declared.quantity;
    if !world.counted(item.declared.good) || quantity < 3.0 {
        return None;
    }
    item.declared.quantity = quantity * 1000.0;
    Some(Defect::new("outliers", "count_x1000", "quantity", quantity))
}

fn spoil(world: &World, kind: &'static str, item: &mut Item, rng: &mut Rng) -> Option<Defect> {
    let r = &world.reference;
    let goods = &world.goods.list[item.declared.good];
    let unit = r.chapters[goods.chapter].unit;
    let hs6 = goods.hs6;
    let (price, mass, quantity) = (item.declared.price, item.declared.mass, item.declared.quantity);
    let defect = |family, column, value: &dyn ToString| Defect::new(family, kind, column, value.to_string());
    Some(match kind {
        "quantity_missing" => defect("completeness", "quantity", &quantity).text("quantity", None),
        "unit_missing" => defect("completeness", "quantity_unit", &unit).text("quantity_unit", None),
        "hs10_missing" => defect("completeness", "hs10", &item.hs10).text("hs10", None),
        "hs6_unknown" => {
            let wrong = ["97", "98", "99", "96", "95"].map(|last| format!("{}{last}", &hs6[..4]));
            let known = |code: &str| world.goods.list.iter().any(|good| good.hs6 == code);
            let wrong = wrong.into_iter().find(|code| !known(code))?;
            let hs10 = format!("{wrong}{}", item.hs10.get(6..).unwrap_or_default());
            defect("validity", "hs6", &hs6).text("hs6", Some(wrong)).text("hs10", Some(hs10))
        }
        "origin_unknown" => {
            let wrong = rng.pick(&["UK", "XX", "EL", "SU"]).copied()?;
            let value = r.countries[item.declared.origin].code;
            defect("validity", "origin_country", &value).text("origin_country", Some(wrong.to_owned()))
        }
        "departure_unknown" => {
            let wrong = rng.pick(&["UK", "XX", "EL", "SU"]).copied()?;
            let value = r.countries[item.departure].code;
            defect("validity", "departure_country", &value).text("departure_country", Some(wrong.to_owned()))
        }
        "import_type_unknown" => defect("validity", "import_type", &item.code(&codes::IMPORT_TYPE, 1))
            .text("import_type", Some("77".to_owned())),
        "transport_mode_unknown" => defect("validity", "transport_mode", &item.code(&codes::TRANSPORT_MODE, 4))
            .text("transport_mode", Some("70".to_owned())),
        "price_zero" => {
            item.declared.price = 0.0;
            defect("validity", "item_price_krw", &price)
        }
        "mass_zero" => {
            item.declared.mass = 0.0;
            defect("validity", "net_mass_kg", &mass)
        }
        "hs10_of_another" => {
            let other = &world.goods.list[(item.declared.good + 1 + rng.below(50)) % world.goods.list.len()];
            let wrong = format!("{}{}", other.hs6, item.hs10.get(6..).unwrap_or_default());
            defect("consistency", "hs10", &item.hs10).text("hs10", Some(wrong))
        }
        "unit_of_another" => {
            let wrong = if unit == "U" { "2U" } else { "U" };
            defect("consistency", "quantity_unit", &unit).text("quantity_unit", Some(wrong.to_owned()))
        }
        "quantity_is_not_mass" if unit == "KG" => {
            item.declared.quantity = (quantity * rng.between(1.5, 3.0) * 100.0).round() / 100.0;
            defect("consistency", "quantity", &quantity)
        }
        "rate_as_percent" if item.declared.claim.rate > 0.0 => {
            let rate = item.declared.claim.rate;
            item.declared.claim.rate = (rate * 100_000.0).round() / 1000.0;
            defect("consistency", "duty_rate", &rate)
        }
        "late_entry" => {
            let late = 10 + rng.below(50) as i32;
            let last = if item.day < DAY_2021 { DAY_2021 } else { DAYS as i32 };
            if item.day + late >= last {
                return None;
            }
            Defect { late_days: late, ..defect("timeliness", "declaration_date", &format!("{late} days before")) }
        }
        "price_x10" | "price_x100" | "price_x1000" => {
            let factor: f64 = kind.strip_prefix("price_x")?.parse().ok()?;
            item.declared.price = price * factor;
            // Ten times the usual price is within what honest goods of one subheading cost.
            Defect { decidable: factor > 10.0, ..defect("outliers", "item_price_krw", &price) }
        }
        "mass_x1000" => {
            item.declared.mass = mass * 1000.0;
            if !world.counted(item.declared.good) {
                item.declared.quantity = quantity * 1000.0;
            }
            defect("outliers", "net_mass_kg", &mass)
        }
        _ => return None,
    })
}

/// Names that say nothing.
const VAGUE: [&str; 8] = ["N/A", "unknown", "TEST", "-", "xxx", "various", "none", "TBD"];

/// The vague name that company number `i` of a kind is registered under instead of its own, if it is.
pub fn vague_name(world: &World, kind: u64, i: usize) -> Option<&'static str> {
    let spoilt = mix_unit(world.seed, 96, kind, i as u64) < world.defects;
    spoilt.then(|| VAGUE[(mix(world.seed, 97, kind, i as u64) % VAGUE.len() as u64) as usize])
}
