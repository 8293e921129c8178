//! A warehouse with some weeks of made-up declarations, whose fraud follows importers and goods.

use std::fmt::Write;
use std::num::NonZero;

use arrow::util::display::array_value_to_string;
use chrono::NaiveDate;
use futures::TryStreamExt;
use haetae_scoring::{By, Day, Definition, Result, Trained, Warehouse};
use haetae_warehouse::ingest::{Format, ingest};
use haetae_warehouse::query::{Engine, EngineOptions};
use haetae_warehouse::store::Store;

pub const DAYS: u32 = 46;
const PER_DAY: u32 = 60;
const OFFICES: [&str; 3] = ["10", "20", "30"];

pub struct Place {
    pub folder: tempfile::TempDir,
    pub store: Store,
    pub engine: Engine,
    pub runtime: tokio::runtime::Runtime,
}

const HEADER: &str = "declaration_id,item_no,declaration_date,office_id,process_type,import_type,import_use,payment_type,\
    transport_mode,declarant_id,importer_id,seller_id,courier_id,hs6,hs10,departure_country,origin_country,duty_rate,\
    tariff_type,origin_mark,quantity,quantity_unit,net_mass_kg,item_price_krw";

/// A number from 0 to 999 that looks like chance.
fn chance(day: u32, n: u32, salt: u32) -> u32 {
    let mut x = u64::from(day) << 40 ^ u64::from(n) << 16 ^ u64::from(salt);
    for _ in 0..3 {
        x = (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    u32::try_from((x >> 20) % 1000).unwrap()
}

pub fn date(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + chrono::Days::new(u64::from(day))
}

fn importer(day: u32, n: u32) -> u32 {
    chance(day, n, 1) % 40
}

/// Importers below 6 cheat often, and goods of chapter 03 are cheated with.
pub fn fraud(day: u32, n: u32) -> bool {
    let likely = if importer(day, n) < 6 { 600 } else { 5 } + if chance(day, n, 2).is_multiple_of(3) { 30 } else { 0 };
    chance(day, n, 3) < likely
}

pub fn items() -> String {
    let mut text = format!("{HEADER}\n");
    for day in 0..DAYS {
        for n in 0..PER_DAY {
            let goods = ["030211", "010129", "840999"][(chance(day, n, 2) % 3) as usize];
            writeln!(
                text,
                "d{day:02}{n:02},1,{},{},B,11,21,11,10,D{},I{:02},S1,,{goods},{goods}1000,CN,{},0.{:02},A,Y,3,U,{}.5,{}",
                date(day),
                OFFICES[(n % 3) as usize],
                n % 5,
                importer(day, n),
                if n % 7 == 0 { "VN" } else { "CN" },
                1 + chance(day, n, 4) % 30,
                1 + chance(day, n, 5),
                100_000 + 1000 * chance(day, n, 6)
            )
            .unwrap();
        }
    }
    text
}

/// Two of three items are inspected, two days after they were declared.
pub fn inspections(fraud: impl Fn(u32, u32) -> bool) -> String {
    let mut text = "declaration_id,item_no,inspection_date,fraud,fraud_class,additional_duty_krw\n".to_owned();
    for day in 0..DAYS {
        for n in (0..PER_DAY).filter(|n| (n + day) % 3 != 0) {
            let found = fraud(day, n);
            let duty = if found { 1000 * (1 + chance(day, n, 7)) } else { 0 };
            writeln!(text, "d{day:02}{n:02},1,{},{found},{},{duty}", date(day + 2), u8::from(found)).unwrap();
        }
    }
    text
}

pub fn importers() -> String {
    let mut text = "importer_id,name,region,industry,registered_on\n".to_owned();
    for n in 0..40 {
        let region = if n % 2 == 0 { "Busan" } else { "Seoul" };
        writeln!(text, "I{n:02},Firm {n},{region},{},2001-01-01", if n < 10 { "trade" } else { "food" }).unwrap();
    }
    text
}

pub fn by() -> By {
    By { who: "kim".to_owned(), why: "a test".to_owned() }
}

pub const CLEARANCE: &str = include_str!("../../definitions/import.toml");
pub const COMPANIES: &str = include_str!("../../definitions/companies.toml");

/// The shipped definition, for a small office.
pub fn text() -> String {
    CLEARANCE
        .replace("days = 180\nevery = 3\ndelay_days = 14", "days = 28\nevery = 1\ndelay_days = 5")
        .replace("trees = 100\nleaves = 8\nlearning_rate = 0.1", "trees = 40\nleaves = 8\nlearning_rate = 0.05")
        .replace("min_rows = 40", "min_rows = 10")
        .replace("yellow = 0.02\nred = 0.05\nblue = 0.03", "yellow = 0.1\nred = 0.2\nblue = 0.05")
}

pub fn definition() -> Definition {
    parse(&text())
}

pub fn parse(text: &str) -> Definition {
    Definition::parse("test.toml", text).unwrap()
}

impl Place {
    /// With every table loaded, and findings by `found`.
    pub fn with(found: impl Fn(u32, u32) -> bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("warehouse")).unwrap();
        let options = EngineOptions { partitions: Some(NonZero::<usize>::MIN), ..EngineOptions::default() };
        let engine = Engine::new(store.clone(), &options).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let place = Self { folder, store, engine, runtime };
        place.load("fact_item", &items());
        place.load("fact_inspection", &inspections(found));
        place.load("dim_importer", &importers());
        place
    }

    pub fn new() -> Self {
        Self::with(fraud)
    }

    /// With a champion, trained as of day 36.
    pub fn trained() -> Self {
        let place = Self::new();
        let done = place.train(&definition()).unwrap();
        assert_eq!(done.model, "import-1");
        assert!(place.promote("import-1").unwrap());
        place
    }

    pub fn load(&self, table: &str, csv: &str) {
        self.load_into("customs", table, csv);
    }

    pub fn load_into(&self, schema: &str, table: &str, csv: &str) {
        let file = self.folder.path().join(format!("{schema}.{table}.csv"));
        std::fs::write(&file, csv).unwrap();
        let done = ingest(&self.store, schema, &Format::Table(table.to_owned()), &[file], &mut |_| {}).unwrap();
        assert_eq!(done.rejected, 0, "{table}");
    }

    pub fn warehouse(&self) -> Warehouse<'_> {
        Warehouse { store: &self.store, engine: &self.engine }
    }

    pub fn train(&self, definition: &Definition) -> Result<Trained> {
        self.runtime.block_on(haetae_scoring::train(self.warehouse(), definition, date(36), &by()))
    }

    pub fn promote(&self, model: &str) -> Result<bool> {
        self.runtime.block_on(haetae_scoring::promote(self.warehouse(), model, &by()))
    }

    pub fn score(&self, definition: &Definition, model: Option<&str>, day: u32) -> Result<Day> {
        self.runtime.block_on(haetae_scoring::score(
            self.warehouse(),
            definition,
            model,
            date(day),
            &by(),
            "2026-02-20T18:00:00Z",
        ))
    }

    /// What was refused, and that nothing was written.
    pub fn refused(&self, definition: &Definition, model: Option<&str>, day: u32) -> String {
        let before = self.store.current_version().unwrap();
        let message = self.score(definition, model, day).unwrap_err().to_string();
        assert_eq!(self.store.current_version().unwrap(), before, "{message}");
        message
    }

    /// The cells of an answer as text; null is an empty text.
    pub fn ask(&self, sql: &str) -> Vec<Vec<String>> {
        self.runtime.block_on(async {
            let statement = self.engine.current().unwrap().statement(sql).await.unwrap();
            let batches: Vec<_> = statement.execute(None).await.unwrap().try_collect().await.unwrap();
            let mut rows = Vec::new();
            for batch in batches {
                for row in 0..batch.num_rows() {
                    let cells = batch.columns().iter().map(|column| array_value_to_string(column, row).unwrap());
                    rows.push(cells.collect());
                }
            }
            rows
        })
    }
}
