//! What goes in: a world. What comes out: record batches of the dimension tables, and the ground
//! truth about importers. Each table is sorted by its key.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::calendar::DAY_2021;
use crate::columns::{ROWS, batch, by_id, days, maybe, maybe_days, numbers, table, text};
use crate::defects::{self, Defect};
use crate::error::SynthError;
use crate::importers::NOBODY;
use crate::names;
use crate::rows::Ids;
use crate::tariff::{Claim, Schedule};
use crate::truth::Planted;
use crate::world::World;

/// Takes the batches of one table: folder, table, schema, batches.
pub type Sink<'a> = dyn FnMut(
        &'static str,
        &'static str,
        SchemaRef,
        &mut dyn Iterator<Item = Result<RecordBatch, SynthError>>,
    ) -> Result<(), SynthError>
    + 'a;

/// Hands all dimension tables and `truth/importers.parquet` to `sink`.
///
/// # Errors
/// What the sink reports, or columns that do not fit their schema.
pub fn write(world: &World, ids: &Ids, sink: &mut Sink<'_>) -> Result<(), SynthError> {
    importers(world, ids, sink)?;
    let c = &world.companies;
    let seed = world.seed;
    let country = |i: usize| world.reference.countries[c.sellers[i].country as usize].code;
    table(sink, "dim_seller", &by_id(c.sellers.len(), |i| ids.seller(i)), |rows| {
        let name = |&i: &usize| vague(world, SELLER, i).unwrap_or_else(|| names::seller(seed, i, country(i)));
        vec![
            text(rows.iter().map(|&i| ids.seller(i))),
            text(rows.iter().map(name)),
            text(rows.iter().map(|&i| country(i))),
        ]
    })?;
    table(sink, "dim_declarant", &by_id(c.declarants, |i| ids.declarant(i)), |rows| {
        let region =
            |&i: &usize| names::region_name(names::region(&mut crate::rng::Rng::new(seed, (2 << 32) + i as u64)));
        vec![
            text(rows.iter().map(|&i| ids.declarant(i))),
            text(rows.iter().map(|&i| names::broker(seed, i))),
            text(rows.iter().map(region)),
        ]
    })?;
    table(sink, "dim_courier", &by_id(c.couriers, |i| ids.courier(i)), |rows| {
        vec![text(rows.iter().map(|&i| ids.courier(i))), text(rows.iter().map(|&i| names::courier(seed, i)))]
    })?;
    given(world, sink)
}

/// Kinds of companies whose names may be spoilt.
const IMPORTER: u64 = 1;
const SELLER: u64 = 2;

fn vague(world: &World, kind: u64, i: usize) -> Option<String> {
    defects::vague_name(world, kind, i).map(str::to_owned)
}

/// The names in which defects are planted, in the order of their keys.
pub fn planted(world: &World, ids: &Ids) -> Vec<Planted<'static>> {
    let c = &world.companies;
    let (seed, countries) = (world.seed, &world.reference.countries);
    let importers = by_id(c.importers.len(), |i| ids.importer(i)).into_iter().filter_map(|i| {
        vague(world, IMPORTER, i)?;
        Some(("dim_importer", ids.importer(i).to_owned(), names::company(seed, 1, i)))
    });
    let sellers = by_id(c.sellers.len(), |i| ids.seller(i)).into_iter().filter_map(|i| {
        vague(world, SELLER, i)?;
        let country = countries[c.sellers[i].country as usize].code;
        Some(("dim_seller", ids.seller(i).to_owned(), names::seller(seed, i, country)))
    });
    let planted = importers.chain(sellers).map(|(table, row_key, name)| Planted {
        row_key,
        defect: Cow::Owned(Defect {
            table,
            family: "text",
            kind: "vague_name",
            column: "name",
            decidable: true,
            true_value: Some(name),
            instead: Vec::new(),
            late_days: 0,
        }),
    });
    planted.collect()
}

/// Offices, countries, subheadings and duty rates.
fn given(world: &World, sink: &mut Sink<'_>) -> Result<(), SynthError> {
    let r = &world.reference;
    table(sink, "dim_office", &r.offices, |some| {
        vec![text(some.iter().map(|o| o.id)), text(some.iter().map(|o| o.name)), text(some.iter().map(|o| o.kind))]
    })?;
    table(sink, "dim_country", &r.countries, |some| {
        vec![text(some.iter().map(|c| c.code)), text(some.iter().map(|c| c.name))]
    })?;
    table(sink, "dim_hs", &world.goods.list, |some| {
        vec![
            text(some.iter().map(|g| g.hs6)),
            text(some.iter().map(|g| &g.hs6[..2])),
            text(some.iter().map(|g| &g.hs6[..4])),
            text(some.iter().map(|g| g.description)),
            text(some.iter().map(|g| r.chapters[g.chapter].unit)),
        ]
    })?;
    table(sink, "dim_tariff_rate", &rates(world), |some| {
        vec![
            text(some.iter().map(|x| x.hs6)),
            maybe(some.iter().map(|x| x.origin)),
            text(some.iter().map(|x| x.claim.tariff_type)),
            numbers(some.iter().map(|x| x.claim.rate)),
            days(some.iter().map(|x| x.from)),
            maybe_days(some.iter().map(|x| x.to)),
        ]
    })
}

fn importers(world: &World, ids: &Ids, sink: &mut Sink<'_>) -> Result<(), SynthError> {
    let list = &world.companies.importers;
    let rows = by_id(list.len(), |i| ids.importer(i));
    table(sink, "dim_importer", &rows, |rows| {
        let industry = |&i: &usize| world.reference.industries[list[i].industry as usize].name;
        vec![
            text(rows.iter().map(|&i| ids.importer(i))),
            text(rows.iter().map(|&i| vague(world, IMPORTER, i).unwrap_or_else(|| names::company(world.seed, 1, i)))),
            text(rows.iter().map(|&i| names::region_name(list[i].region))),
            text(rows.iter().map(industry)),
            days(rows.iter().map(|&i| list[i].registered)),
        ]
    })?;
    let schema = Arc::new(Schema::new(vec![
        Field::new("importer_id", DataType::Utf8, false),
        Field::new("dishonesty", DataType::Float32, false),
        Field::new("phoenix_of", DataType::Utf8, true),
    ]));
    let before = |&i: &usize| (list[i].phoenix_of != NOBODY).then(|| ids.importer(list[i].phoenix_of as usize));
    let columns = |rows: &[usize]| -> Vec<ArrayRef> {
        vec![
            text(rows.iter().map(|&i| ids.importer(i))),
            Arc::new(Float32Array::from_iter_values(rows.iter().map(|&i| list[i].dishonesty))),
            maybe(rows.iter().map(before)),
        ]
    };
    let mut batches = rows.chunks(ROWS).map(|rows| batch("importers", Arc::clone(&schema) as SchemaRef, columns(rows)));
    sink("truth", "importers", Arc::clone(&schema), &mut batches)
}

/// One row of `dim_tariff_rate`.
struct Rate {
    hs6: &'static str,
    origin: Option<&'static str>,
    claim: Claim,
    from: i32,
    to: Option<i32>,
}

/// The tariff of all traded goods, by the rules that declarants follow, sorted by its key.
fn rates(world: &World) -> Vec<Rate> {
    let mut rates = Vec::new();
    let stage = DAY_2021;
    for (i, good) in world.goods.list.iter().enumerate().filter(|(_, g)| g.weight > 0.0) {
        let mut add = |origin, claim, from: i32, to| rates.push(Rate { hs6: good.hs6, origin, claim, from, to });
        good.duties.general.iter().for_each(|&claim| add(None, claim, 0, None));
        for (c, country) in world.reference.countries.iter().enumerate() {
            let origin = Some(country.code);
            for &(agreement, from, to) in world.tariff.agreements(c) {
                let to = (to < i32::MAX).then_some(to);
                match world.tariff.schedule(agreement, i, &good.duties) {
                    Schedule::LeftOut => {}
                    Schedule::Fixed(claim) => add(origin, claim, from, to),
                    Schedule::Staged(first, then) => {
                        if from < stage {
                            add(origin, first, from, Some(stage - 1));
                        }
                        if to.is_none_or(|to| to >= stage) {
                            add(origin, then, from.max(stage), to);
                        }
                    }
                }
            }
        }
    }
    rates.sort_by(|a, b| {
        (a.hs6, a.origin, a.claim.tariff_type, a.from).cmp(&(b.hs6, b.origin, b.claim.tariff_type, b.from))
    });
    rates
}
