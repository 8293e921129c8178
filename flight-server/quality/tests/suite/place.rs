//! A warehouse in a folder of its own, rules over it, and its answers.

use std::path::Path;

use haetae_quality::rules::{self, Rules};
use haetae_quality::{Done, Options, Result};
use haetae_warehouse::ingest::{Change, Changes, Format, ingest};
use haetae_warehouse::query::{Engine, EngineOptions};
use haetae_warehouse::store::Store;

pub use crate::warehouse::runtime;
use crate::warehouse::{ITEM_HEADER, ask};

pub struct Place {
    pub folder: tempfile::TempDir,
    pub store: Store,
}

/// A good line of `fact_item` with other values in some columns.
pub fn item(changes: &[(&str, &str)]) -> String {
    let usual = "a,1,2026-03-02,40,B,11,21,11,10,D1,I1,S1,,010129,0101291000,CN,CN,0.08,A,Y,3,U,12.5,3000";
    let value = |(name, usual): (&str, &str)| {
        changes.iter().find(|(changed, _)| *changed == name).map_or(usual, |(_, value)| value).to_owned()
    };
    ITEM_HEADER.split(',').zip(usual.split(',')).map(value).collect::<Vec<_>>().join(",")
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("warehouse")).unwrap();
        Self { folder, store }
    }

    pub fn load(&self, table: &str, csv: &str) {
        let file = self.folder.path().join("rows.csv");
        std::fs::write(&file, csv).unwrap();
        self.load_file(table, &file);
    }

    pub fn load_file(&self, table: &str, file: &Path) {
        let format = Format::Table(table.to_owned());
        let done = ingest(&self.store, "customs", &format, &[file.to_path_buf()], &mut |_| {}).unwrap();
        assert_eq!(done.rejected, 0, "{table}");
    }

    pub fn items(&self, lines: &[String]) {
        self.load("fact_item", &format!("{ITEM_HEADER}\n{}\n", lines.join("\n")));
    }

    pub fn replace_items(&self, lines: &[String]) {
        let file = self.folder.path().join("rows.csv");
        std::fs::write(&file, format!("{ITEM_HEADER}\n{}\n", lines.join("\n"))).unwrap();
        let mut changes = Changes::begin(&self.store).unwrap();
        let format = Format::Table("fact_item".to_owned());
        changes.apply(Change::Replace, "customs", &format, vec![file.into()], &mut |_| {}).unwrap();
        changes.commit().unwrap();
    }

    pub fn engine(&self) -> Engine {
        Engine::new(self.store.clone(), &EngineOptions::default()).unwrap()
    }

    pub fn run(&self, rules: &Rules, options: &Options) -> Result<Done> {
        runtime().block_on(haetae_quality::run(&self.store, &self.engine(), rules, options, &mut |_| {}))
    }

    /// The keys of the rows that break the one rule of a file, separated by spaces.
    pub fn broken(&self, rule: &str) -> String {
        let rules = rules::parse([("rules.toml", rule)]).unwrap();
        let done = self.run(&rules, &options()).unwrap();
        let [outcome] = done.outcomes.as_slice() else { panic!("{:?}", done.outcomes) };
        assert_eq!(outcome.violations as usize, outcome.kept.len());
        outcome.kept.iter().map(|row| row.row_key.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The cells of an answer as text; null is an empty text.
    pub fn ask(&self, sql: &str) -> Vec<Vec<String>> {
        ask(&self.engine(), sql).unwrap()
    }
}

pub fn options() -> Options {
    Options { schema: "customs".to_owned(), dataset: None, since: None, keep: 1000 }
}
