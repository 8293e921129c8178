//! Groups by numbers in the place of values, compared with DataFusion's own over the same rows.

use std::num::NonZero;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use haetae_warehouse::query::policy::{Access, Column, Mask, MaskKey, Rights, TableAccess};
use haetae_warehouse::query::{Engine, EngineOptions, Snapshot};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::differential::cells;
use crate::files::{Place, item, items, runtime};

const KEYS: [&str; 26] = [
    "office_id",
    "hs6",
    "substr(hs6, 1, 2)",
    "origin_country",
    "declaration_date",
    "date_trunc('month', declaration_date)",
    "extract(day from declaration_date)",
    "declaration_id",
    "left(declaration_id, 2)",
    "item_no",
    "item_no % 3",
    "100000 * (item_no % 5)",
    "cast(item_no as bigint) * 4000000000",
    "seller_id",
    "coalesce(seller_id, 'none')",
    "seller_id is null",
    "courier_id",
    "concat(importer_id, ' in a longer text')",
    "concat(seller_id, ', also longer, or null')",
    "departure_country <> origin_country",
    "quantity > 3",
    "case when quantity > 3 then hs6 end",
    "item_no > 3 and 12 / item_no > 2",
    "item_no = 1 or 12 / item_no > 3",
    // Numbers with a fraction: DataFusion groups these.
    "duty_rate",
    "'a'",
];

const MEASURES: [&str; 14] = [
    "count(*)",
    "count(seller_id)",
    "count(distinct importer_id)",
    "count(distinct seller_id) filter (where item_no > 2)",
    "sum(item_no)",
    "sum(item_no) filter (where quantity > 3)",
    "sum(quantity)",
    "sum(cast(quantity as decimal(12, 2)) + 1)",
    "avg(item_no)",
    "min(declaration_date)",
    "max(seller_id)",
    "bool_or(quantity > 3)",
    "sum(distinct item_no)",
    "max(cast(item_no as decimal(20, 4)) / 3)",
];

fn place(rows: usize) -> Place {
    let place = Place::new();
    let mut dice = ChaCha8Rng::seed_from_u64(7);
    let lines: Vec<String> = (0..rows)
        .map(|n| {
            let pick = |dice: &mut ChaCha8Rng, of: usize| dice.random_range(0..of);
            let number = (1 + pick(&mut dice, 9)).to_string();
            let sellers =
                ["", "S1", "S2", "S123456", "S1234567", "S12345678901", "S123456789012", "a seller's long name"];
            let seller = sellers[pick(&mut dice, sellers.len())];
            let hs6 = format!("{:06}", 10_121 + 9_100 * pick(&mut dice, 40));
            item(
                &(10_000 + n).to_string(),
                &[
                    ("item_no", number.as_str()),
                    (
                        "declaration_date",
                        &format!("2025-{:02}-{:02}", 1 + pick(&mut dice, 12), 1 + pick(&mut dice, 28)),
                    ),
                    ("office_id", ["10", "20", "30", "40"][pick(&mut dice, 4)]),
                    ("importer_id", &format!("I{}", pick(&mut dice, 300))),
                    ("seller_id", seller),
                    ("hs6", &hs6),
                    ("origin_country", ["CN", "DE", "US"][pick(&mut dice, 3)]),
                    ("duty_rate", ["0", "0.08"][pick(&mut dice, 2)]),
                    // So that sums are exact in any order.
                    ("quantity", ["", "0.5", "2", "4", "6.25"][pick(&mut dice, 5)]),
                ],
            )
        })
        .collect();
    for (part, lines) in lines.chunks(rows.div_ceil(3)).enumerate() {
        let done = place.load("fact_item", &place.file(&format!("items-{part}.csv"), items(lines))).unwrap();
        assert_eq!(done.rejected, 0);
    }
    place
}

fn queries(count: usize) -> Vec<String> {
    let mut dice = ChaCha8Rng::seed_from_u64(20_261_128);
    (0..count)
        .map(|n| {
            let keys: Vec<&str> = KEYS.choose_multiple(&mut dice, 1 + n % 4).copied().collect();
            let measures: Vec<&str> = MEASURES.choose_multiple(&mut dice, n % 4).copied().collect();
            // Each with a name of its own: DataFusion writes a cast as what it casts.
            let named = keys.iter().chain(&measures).enumerate().map(|(n, shown)| format!("{shown} as c{n}"));
            let shown = named.collect::<Vec<_>>().join(", ");
            let filter = ["", " where quantity > 1", " where hs6 < '3' and item_no > 1", " where office_id = '77'"]
                [dice.random_range(0..4)];
            let by = (1..=keys.len()).map(|key| key.to_string()).collect::<Vec<_>>().join(", ");
            let rest = match n % 5 {
                0 => format!(" having count(*) > {}", n % 7),
                // All keys, so that it is certain which rows are the first.
                1 => format!(" order by {by} limit {}", 1 + n % 9),
                2 => format!(" order by {by}"),
                _ => String::new(),
            };
            match n % 11 {
                10 => format!("select count(*), count(distinct k) from (select {shown}, {} as k from fact_item{filter} group by {by})", keys[0]),
                _ => format!("select {shown} from fact_item{filter} group by {by}{rest}"),
            }
        })
        .collect()
}

async fn rows(snapshot: &Snapshot, sql: &str) -> Result<Vec<RecordBatch>, String> {
    let asked = async { snapshot.statement(sql).await?.execute(None).await?.try_collect::<Vec<_>>().await };
    asked.await.map_err(|error| error.to_string())
}

async fn oracle(snapshot: &Snapshot) -> SessionContext {
    let rows = rows(snapshot, "select * from fact_item").await.unwrap();
    let context = SessionContext::new();
    let table = MemTable::try_new(rows[0].schema(), vec![rows]).unwrap();
    context.register_table("fact_item", Arc::new(table)).unwrap();
    context
}

/// How many of the queries were answered; each as the plain engine does, or not for want of memory.
async fn compare(snapshot: &Snapshot, count: usize) -> usize {
    let oracle = oracle(snapshot).await;
    let mut answered = 0;
    for sql in queries(count) {
        let theirs = cells(&oracle.sql(&sql).await.unwrap().collect().await.unwrap());
        match rows(snapshot, &sql).await {
            Ok(ours) => {
                assert_eq!(cells(&ours), theirs, "{sql}");
                answered += 1;
            }
            Err(message) => assert!(message.contains("memory"), "{sql}: {message}"),
        }
    }
    answered
}

async fn plan(snapshot: &Snapshot, sql: &str) -> String {
    let rows = rows(snapshot, &format!("explain {sql}")).await.unwrap();
    format!("{:?}", cells(&rows))
}

fn engine(place: &Place, partitions: usize, memory: usize) -> Engine {
    let partitions = Some(NonZero::new(partitions).unwrap());
    let options = EngineOptions { partitions, memory_bytes: memory, ..EngineOptions::default() };
    Engine::new(place.store.clone(), &options).unwrap()
}

#[test]
fn groups_are_those_of_datafusion() {
    let place = place(3000);
    runtime().block_on(async {
        for partitions in [1, 3] {
            let snapshot = engine(&place, partitions, 1 << 30).current().unwrap();
            assert_eq!(compare(&snapshot, 200).await, 200);
            let plan = plan(&snapshot, "select substr(hs6, 1, 2), count(*) from fact_item group by 1").await;
            assert!(plan.contains("CodedAggregateExec: gby=[substr(hs6"), "{plan}");
        }
    });
}

#[test]
fn groups_under_a_policy_are_those_of_what_is_shown() {
    let place = place(1000);
    let columns = [("seller_id", Mask::Null), ("hs6", Mask::Sql("concat(left(hs6, 4), '00')".to_owned()))];
    let columns = columns.map(|(name, mask)| (name.to_owned(), Column::Mask(mask)));
    let shown = TableAccess { filter: Some("office_id in ('10', '40')".to_owned()), columns: columns.into() };
    let access = Access {
        id: "groups".to_owned(),
        rights: Rights::Limited {
            tables: [(("customs".to_owned(), "fact_item".to_owned()), shown)].into(),
            attributes: Default::default(),
            key: MaskKey::new([7; 32]),
        },
        system: Vec::new(),
        work: None,
        writes: Default::default(),
        clearance: Default::default(),
    };
    runtime().block_on(async {
        let snapshot = engine(&place, 2, 1 << 30).current().unwrap().seen_by(&Arc::new(access)).unwrap();
        assert_eq!(compare(&snapshot, 150).await, 150);
        let plan = plan(&snapshot, "select office_id, count(*) from fact_item group by 1").await;
        assert!(plan.contains("CodedAggregateExec") && plan.contains("PolicyScan"), "{plan}");
    });
}

#[test]
fn a_key_that_fails_for_values_is_computed_for_rows() {
    let place = Place::new();
    // Nine rows of ten have the number 1, four values of five have another one. `and` asks its other side only for rows
    // that it needs where they are few, `or` too.
    let lines: Vec<String> = (0..1000)
        .map(|n| {
            let number = if n % 10 == 0 { 2 + n / 10 % 4 } else { 1 };
            item(&(10_000 + n).to_string(), &[("item_no", &number.to_string())])
        })
        .collect();
    place.load("fact_item", &place.file("items.csv", items(&lines))).unwrap();
    runtime().block_on(async {
        let snapshot = engine(&place, 1, 1 << 30).current().unwrap();
        for (key, expected) in [
            ("item_no > 1 and 12 / (item_no - 1) > 5", [["false", "950"], ["true", "50"]]),
            ("item_no = 1 or 12 / (item_no - 1) > 5", [["false", "50"], ["true", "950"]]),
        ] {
            let sql = format!("select {key}, count(*) from fact_item group by 1 order by 1");
            assert!(plan(&snapshot, &sql).await.contains("Coded"), "{key}");
            assert_eq!(cells(&rows(&snapshot, &sql).await.unwrap()), expected, "{key}");
        }
        let sql = "select 12 / (item_no - 1), count(*) from fact_item group by 1";
        assert!(rows(&snapshot, sql).await.unwrap_err().to_lowercase().contains("zero"));
    });
}

#[test]
fn states_that_grow_are_left_to_datafusion_where_rows_come_in_one_part() {
    let place = place(100);
    runtime().block_on(async {
        for (measure, coded) in [("median(item_no)", false), ("array_agg(hs6)", false), ("sum(item_no)", true)] {
            let snapshot = engine(&place, 1, 1 << 30).current().unwrap();
            let sql = format!("select office_id, {measure} from fact_item group by 1");
            assert_eq!(plan(&snapshot, &sql).await.contains("Coded"), coded, "{measure}");
        }
    });
}

#[test]
fn groups_in_little_memory_are_right_or_refused() {
    let place = place(3000);
    runtime().block_on(async {
        let answered = compare(&engine(&place, 2, 256 << 10).current().unwrap(), 100).await;
        assert!(answered >= 20, "{answered}");
    });
}

#[test]
fn rows_that_are_groups_of_their_own_are_handed_on() {
    let place = place(120_000);
    runtime().block_on(async {
        // Pairs of many values with few, and with so many that cells would take too much memory.
        for (partitions, keys) in
            [(1, "item_no, declaration_id"), (2, "declaration_id, item_no"), (1, "declaration_id, importer_id")]
        {
            let snapshot = engine(&place, partitions, 1 << 30).current().unwrap();
            let sql = format!(
                "select count(*), sum(n), min(n), sum(k) from (select {keys}, count(*) as n, \
                count(seller_id) filter (where quantity > 3) as k from fact_item group by 1, 2)"
            );
            let found = cells(&rows(&snapshot, &sql).await.unwrap());
            let sql = "select count(*), count(*) as n, 1, count(seller_id) filter (where quantity > 3) from fact_item";
            assert_eq!(found, cells(&rows(&snapshot, sql).await.unwrap()), "{keys}");
            assert_eq!(found[0][0], "120000");
        }
    });
}

#[test]
fn the_first_groups_of_an_order_are_left_to_datafusion() {
    let place = place(100);
    runtime().block_on(async {
        let snapshot = engine(&place, 2, 1 << 30).current().unwrap();
        let sql = "select office_id, max(declaration_date) from fact_item group by 1 order by 2 desc limit 3";
        assert!(!plan(&snapshot, sql).await.contains("Coded"));
        let sql = "select office_id, sum(item_no) from fact_item group by 1 order by 2 desc limit 3";
        assert!(plan(&snapshot, sql).await.contains("Coded"));
    });
}
