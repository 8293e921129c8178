//! What the tests of this folder are made of: small CSV files, and the answers of a warehouse.

use std::path::{Path, PathBuf};

use arrow::util::display::array_value_to_string;
use futures::TryStreamExt;
use haetae_warehouse::Result;
use haetae_warehouse::ingest::{Format, Ingested, ingest};
use haetae_warehouse::query::{Engine, EngineOptions, Snapshot};
use haetae_warehouse::store::Store;

pub const ITEM_HEADER: &str = "declaration_id,item_no,declaration_date,office_id,process_type,import_type,import_use,\
    payment_type,transport_mode,declarant_id,importer_id,seller_id,courier_id,hs6,hs10,departure_country,origin_country,\
    duty_rate,tariff_type,origin_mark,quantity,quantity_unit,net_mass_kg,item_price_krw";

/// A good line of `fact_item` with other values in some columns.
pub fn item(id: &str, changes: &[(&str, &str)]) -> String {
    let usual = [
        id,
        "1",
        "2026-03-02",
        "40",
        "B",
        "11",
        "21",
        "11",
        "10",
        "D1",
        "I1",
        "S1",
        "",
        "010129",
        "",
        "CN",
        "CN",
        "0.08",
        "A",
        "Y",
        "",
        "",
        "12.5",
        "372254.4",
    ];
    let names: Vec<&str> = ITEM_HEADER.split(',').collect();
    for (name, _) in changes {
        assert!(names.contains(name), "{name}");
    }
    let value = |(name, usual): (&&str, &str)| {
        changes.iter().find(|(changed, _)| changed == name).map_or(usual, |(_, value)| value).to_owned()
    };
    names.iter().zip(usual).map(value).collect::<Vec<_>>().join(",")
}

pub fn items(lines: &[String]) -> String {
    format!("{ITEM_HEADER}\n{}\n", lines.join("\n"))
}

pub const KCS_HEADER: &str = "Declaration ID,Date,Office ID,Process Type,Import Type,Import Use,Payment Type,\
    Mode of Transport,Declarant ID,Importer ID,Seller ID,Courier ID,HS6 Code,Country of Departure,Country of Origin,\
    Tax Rate,Tax Type,Country of Origin Indicator,Net Mass,Item Price,Fraud,Critical Fraud";

pub const KCS_LINES: [&str; 3] = [
    "97061800,2020-01-01,30,B,11,21,11,10,ZZR1LT6,QLRUBN9,0VKY2BR,,440890,BE,BE,0.0,FEU1,G,108.0,372254.4,0,0",
    "85945189,2020-01-01,40,B,11,21,11,40,SWF9S4X,7JD1S2X,8WDKMC6,,10129,CN,DE,8.0,A,Y,11352.0,375751.2,1,1",
    "77770316,2020-01-02,40,B,11,21,11,40,SWF9S4X,WI9O3I5,,OVKY2B,620822,CN,CN,10.4,FCN1,B,351.0,140461.3,1,2",
];

pub fn kcs(lines: &[&str]) -> String {
    format!("{KCS_HEADER}\n{}\n", lines.join("\n"))
}

/// A warehouse in a folder of its own.
pub struct Place {
    pub folder: tempfile::TempDir,
    pub store: Store,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("warehouse")).unwrap();
        Self { folder, store }
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub fn load(&self, table: &str, file: &Path) -> Result<Ingested> {
        self.load_as("customs", &Format::Table(table.to_owned()), file)
    }

    pub fn load_as(&self, schema: &str, format: &Format, file: &Path) -> Result<Ingested> {
        ingest(&self.store, schema, format, &[file.to_path_buf()], &mut |_| {})
    }

    pub fn engine(&self) -> Engine {
        Engine::new(self.store.clone(), &EngineOptions::default()).unwrap()
    }

    /// The cells of an answer as text; null is an empty text.
    pub fn ask(&self, sql: &str) -> Vec<Vec<String>> {
        ask(&self.engine(), sql).unwrap()
    }

    pub fn refused(&self, sql: &str) -> String {
        ask(&self.engine(), sql).unwrap_err().to_string()
    }
}

pub fn ask(engine: &Engine, sql: &str) -> Result<Vec<Vec<String>>> {
    ask_of(&engine.current()?, sql)
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

pub fn ask_of(snapshot: &Snapshot, sql: &str) -> Result<Vec<Vec<String>>> {
    runtime().block_on(async {
        let statement = snapshot.statement(sql).await?;
        let batches: Vec<_> = statement.execute(None).await?.try_collect().await?;
        let mut rows = Vec::new();
        for batch in batches {
            for row in 0..batch.num_rows() {
                rows.push(batch.columns().iter().map(|column| array_value_to_string(column, row).unwrap()).collect());
            }
        }
        Ok(rows)
    })
}
