//! What goes in: a world, a day and a number of items. What comes out: the lines declared on that
//! day, with the truth beside them.

use haetae_schema::CodeList;

use crate::defects::Defect;
use crate::fraud::{self, Truth};
use crate::inspections::{self, Finding};
use crate::rng::Rng;
use crate::tariff::Claim;
use crate::world::World;

/// What is said (or true) about the goods of one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Goods {
    /// Index of the subheading.
    pub good: usize,
    /// Index of the country of origin.
    pub origin: usize,
    /// Duty rate and its ground.
    pub claim: Claim,
    /// In the unit of the subheading.
    pub quantity: f64,
    /// Net mass in kg.
    pub mass: f64,
    /// Price in KRW.
    pub price: f64,
}

/// One declared line.
#[derive(Debug, Clone)]
pub struct Item {
    /// Day index.
    pub day: i32,
    /// Number of the declaration within its day.
    pub serial: u32,
    /// Number of the line within its declaration, from 1.
    pub item_no: i32,
    /// Index of the office.
    pub office: usize,
    /// Process type, import type, use, payment type, transport mode, origin mark: indices into the code lists.
    pub codes: [u8; 6],
    /// Number of the declarant.
    pub declarant: usize,
    /// Number of the importer.
    pub importer: usize,
    /// Number of the seller.
    pub seller: Option<usize>,
    /// Number of the courier.
    pub courier: Option<usize>,
    /// Ten-digit tariff line.
    pub hs10: String,
    /// Index of the country of departure.
    pub departure: usize,
    /// What is declared.
    pub declared: Goods,
    /// The fraud behind it, if there is one.
    pub truth: Option<Truth>,
    /// The right duty rate, where a clerk slipped.
    pub slip: Option<f64>,
    /// What the inspection found, where there was one.
    pub finding: Option<Finding>,
    /// The slip of data entry that was planted in it, if there is one.
    pub defect: Option<Box<Defect>>,
}

impl Item {
    /// The code at a place of `codes`, from the list that is meant there.
    pub fn code(&self, list: &'static CodeList, place: usize) -> &'static str {
        list.codes.get(self.codes[place] as usize).map_or("", |code| code.0)
    }

    /// Whether the goods came by ship or train.
    pub fn slow(&self) -> bool {
        // Codes of the schema's list, by place: 0 sea, 5 rail.
        matches!(self.codes[4], 0 | 5)
    }

    /// What a planted defect has put in a column instead: `Some(None)` is a null.
    pub fn instead(&self, column: &str) -> Option<Option<&str>> {
        let texts = self.defect.as_ref()?.instead.iter();
        texts.filter(|(name, _)| *name == column).map(|(_, text)| text.as_deref()).next()
    }
}

/// The honest state of a line, before anybody decides to lie.
pub struct Draft {
    /// The line, declared as it is.
    pub item: Item,
    /// Log odds of fraud, short of the world's constant.
    pub log_odds: f64,
}

/// What the lines of one declaration share.
struct Header {
    day: i32,
    serial: u32,
    importer: usize,
    office: usize,
    air: bool,
    codes: [u8; 6],
    declarant: usize,
    courier: Option<usize>,
}

/// The lines of one day, in the order of declaration and line.
pub fn day(world: &World, day: usize, items: usize) -> Vec<Item> {
    let mut rng = world.stream(day as u64);
    let mut lines = Vec::with_capacity(items);
    let mut serial = 0;
    while lines.len() < items {
        let left = items - lines.len();
        drafts(world, day as i32, serial, left, &mut rng, |world, draft, rng| {
            let mut item = fraud::settle(world, draft, rng);
            inspections::consider(world, &mut item, rng);
            lines.push(item);
        });
        serial += 1;
    }
    lines
}

/// Draws one declaration and hands each of its lines on.
pub fn drafts(
    world: &World,
    day: i32,
    serial: u32,
    most: usize,
    rng: &mut Rng,
    mut each: impl FnMut(&World, Draft, &mut Rng),
) {
    let header = header(world, day, serial, rng);
    let mut lines = 1;
    while lines < most.min(20) && rng.chance(0.42) {
        lines += 1;
    }
    for item_no in 1..=lines as i32 {
        let draft = line(world, &header, item_no, rng);
        each(world, draft, rng);
    }
}

fn header(world: &World, day: i32, serial: u32, rng: &mut Rng) -> Header {
    let importer = world.companies.draw_importer(day, rng);
    let im = &world.companies.importers[importer];
    let air = rng.chance(f64::from(im.air));
    // Codes of the schema's list, by place: 0 sea, 1 air, 2 post, 3 road, 4 other, 5 rail.
    let mode = match (air, rng.unit()) {
        (true, x) if x < 0.037 => 2,
        (true, _) => 1,
        (false, x) if x < 0.0060 => 3,
        (false, x) if x < 0.0094 => 4,
        (false, x) if x < 0.0099 => 5,
        (false, _) => 0,
    };
    let process = match rng.unit() {
        x if x < 0.00015 => 1,
        x if x < 0.00020 => 2,
        _ => 0,
    };
    let usual = rng.chance(0.97);
    let [import_type, import_use, payment] = if usual { im.habits } else { [0, 0, 0] };
    let courier = rng.chance(f64::from(im.courier_share)).then_some(im.courier as usize);
    Header {
        day,
        serial,
        importer,
        office: im.offices[usize::from(!air)] as usize,
        air,
        codes: [process, import_type, import_use, payment, mode, 0],
        declarant: im.declarants[usize::from(rng.chance(0.2))] as usize,
        courier,
    }
}

fn line(world: &World, header: &Header, item_no: i32, rng: &mut Rng) -> Draft {
    let im = &world.companies.importers[header.importer];
    let good = im.goods[rng.rank(im.goods_len as usize)] as usize;
    let partner = im.sellers[rng.rank(im.sellers_len as usize)] as usize;
    let home = world.companies.sellers[partner].country as usize;
    let departure = if rng.chance(0.045) { world.hub(rng) } else { home };
    let origin = match &world.goods.list[good].origins {
        Some(origins) if !rng.chance(0.77) => origins.draw(rng),
        _ => departure,
    };
    let (hs10, ln_line) = world.goods.hs10(good, u64::from(im.identity));
    let chapter = &world.reference.chapters[world.goods.list[good].chapter];
    let ln_typical = if header.air { (1.5 * chapter.sea_kg.sqrt()).ln() } else { chapter.sea_kg.ln() };
    let mass = round_mass((ln_typical + f64::from(im.ln_scale) + 1.5 * rng.normal()).exp());
    let ln_price = world.goods.ln_price(good, origin)
        + f64::from(im.ln_level)
        + ln_line
        + world.ln_season(chapter.hs2, header.day)
        + 0.32 * rng.normal();
    let true_goods = Goods {
        good,
        origin,
        claim: world.honest_claim(good, origin, header.day, im, rng),
        quantity: world.quantity(good, mass, 0.25 * rng.normal()),
        mass,
        price: round_price(ln_price.exp() * mass),
    };
    let mut codes = header.codes;
    codes[5] = world.origin_mark(good, rng);
    let log_odds = fraud::log_odds(world, im, &true_goods, header.day);
    let item = Item {
        day: header.day,
        serial: header.serial,
        item_no,
        office: header.office,
        codes,
        declarant: header.declarant,
        importer: header.importer,
        seller: (!rng.chance(f64::from(im.null_seller))).then_some(partner),
        courier: header.courier,
        hs10,
        departure,
        declared: true_goods,
        truth: None,
        slip: None,
        finding: None,
        defect: None,
    };
    Draft { item, log_odds }
}

/// To 0.1 kg, and to whole kilograms from a tonne on.
pub fn round_mass(mass: f64) -> f64 {
    let mass = mass.clamp(0.1, 2.0e7);
    if mass < 1000.0 { (mass * 10.0).round() / 10.0 } else { mass.round() }
}

/// To whole won, at least 100.
pub fn round_price(price: f64) -> f64 {
    price.round().max(100.0)
}
