//! Four roles, each said twice: as a policy, and as plain code that filters and masks the rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use haetae_warehouse::query::policy::{Access, Column, Mask, MaskKey, Rights, TableAccess};
use hmac::{Hmac, Mac};

use super::data::{Row, Table, importers, inspections, items};

const KEY: [u8; 32] = [42; 32];

pub struct Role {
    pub name: &'static str,
    pub access: Arc<Access>,
    /// Whether the role sees a row; `None` = the table does not exist.
    sees: fn(&Table, &Row) -> Option<bool>,
    /// What the role sees of a value; the outer `None` = the column does not exist.
    shows: fn(&str, &str, Option<&str>) -> Option<Option<String>>,
}

impl Role {
    /// A plain engine over what the role sees.
    pub fn oracle(&self) -> SessionContext {
        let schema = MemorySchemaProvider::new();
        for table in [items(), inspections(), importers()] {
            if (self.sees)(&table, &table.rows[0]).is_none() {
                continue;
            }
            let rows = table.rows.iter().filter(|row| (self.sees)(&table, row) == Some(true));
            let columns: Vec<&str> = table
                .columns
                .iter()
                .copied()
                .filter(|column| (self.shows)(table.name, column, None).is_some())
                .collect();
            let rows: Vec<Row> = rows
                .map(|row| columns.iter().map(|c| (self.shows)(table.name, c, table.value(row, c)).unwrap()).collect())
                .collect();
            let batch = table.batch(&columns, &rows);
            let provider = MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
            schema.register_table(table.name.to_owned(), Arc::new(provider)).unwrap();
        }
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema("customs", Arc::new(schema)).unwrap();
        let mut config =
            SessionConfig::new().with_default_catalog_and_schema("haetae", "customs").with_target_partitions(1);
        config.options_mut().sql_parser.map_string_types_to_utf8view = false;
        let context = SessionContext::new_with_config(config.with_create_default_catalog_and_schema(false));
        context.register_catalog("haetae", Arc::new(catalog));
        context
    }
}

fn hash(value: Option<&str>) -> Option<String> {
    value.map(|value| {
        let mut mac = <Hmac<sha2::Sha256> as Mac>::new_from_slice(&KEY).unwrap();
        mac.update(value.as_bytes());
        let digest = mac.finalize().into_bytes();
        digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    })
}

/// `KCANARY Trading Co.` -> `K** Co.`
fn partial(value: Option<&str>) -> Option<String> {
    value.map(|value| format!("{}** Co.", &value[..1]))
}

fn table(filter: Option<&str>, columns: &[(&str, Column)]) -> TableAccess {
    let columns = columns.iter().map(|(name, column)| ((*name).to_owned(), column.clone())).collect();
    TableAccess { filter: filter.map(str::to_owned), columns }
}

fn access(id: &str, tables: Vec<(&str, TableAccess)>) -> Arc<Access> {
    let tables = tables.into_iter().map(|(name, table)| (("customs".to_owned(), name.to_owned()), table)).collect();
    let attributes = BTreeMap::from([("office".to_owned(), "40".to_owned())]);
    let rights = Rights::Limited { tables, attributes, key: MaskKey::new(KEY) };
    let access = Access {
        id: id.to_owned(),
        rights,
        system: Vec::new(),
        work: None,
        writes: Default::default(),
        clearance: Default::default(),
    };
    assert_eq!(access.check(), [], "{id}");
    Arc::new(access)
}

const HASH: Column = Column::Mask(Mask::Hash);
const NULL: Column = Column::Mask(Mask::Null);
const PARTIAL: Column = Column::Mask(Mask::PartialName);

fn sql(text: &str) -> Column {
    Column::Mask(Mask::Sql(text.to_owned()))
}

pub fn all() -> [Role; 4] {
    [officer(), reviewer(), statistician(), cautious()]
}

/// Sees one office; the past of traders and who they are is masked.
fn officer() -> Role {
    let ids = [("importer_id", HASH), ("declarant_id", HASH), ("seller_id", HASH)];
    let past = [("fraud", NULL), ("fraud_class", NULL), ("additional_duty_krw", NULL)];
    Role {
        name: "officer",
        access: access(
            "officer",
            vec![
                ("fact_item", table(Some("office_id = $office"), &ids)),
                ("fact_inspection", table(Some("item_no < 7"), &past)),
                ("dim_importer", table(Some("region <> 'Hidden'"), &[("importer_id", HASH), ("name", PARTIAL)])),
            ],
        ),
        sees: |table, row| {
            Some(match table.name {
                "fact_item" => table.value(row, "office_id") == Some("40"),
                "fact_inspection" => table.value(row, "item_no") != Some("7"),
                _ => table.value(row, "region") != Some("Hidden"),
            })
        },
        shows: |_, column, value| {
            Some(match column {
                "importer_id" | "declarant_id" | "seller_id" => hash(value),
                "fraud" | "fraud_class" | "additional_duty_krw" => None,
                "name" => partial(value),
                _ => value.map(str::to_owned),
            })
        },
    }
}

/// Sees cheap goods that are not from one country, with coarse values.
fn reviewer() -> Role {
    let items = [
        ("seller_id", Column::Mask(Mask::Constant("seller".to_owned()))),
        ("hs6", sql("substr(hs6, 1, 2) || '0000'")),
        ("net_mass_kg", sql("floor(net_mass_kg / 10) * 10")),
        ("declaration_date", Column::Mask(Mask::Year)),
    ];
    let importers =
        [("name", Column::Mask(Mask::Constant("(name)".to_owned()))), ("registered_on", Column::Mask(Mask::Year))];
    let duty = [("additional_duty_krw", Column::Mask(Mask::Constant("0".to_owned())))];
    Role {
        name: "reviewer",
        access: access(
            "reviewer",
            vec![
                ("fact_item", table(Some("item_price_krw < 5000 and origin_country <> 'CN'"), &items)),
                ("fact_inspection", table(Some("declaration_id not like 'CAN%'"), &duty)),
                ("dim_importer", table(Some("region in ('Seoul', 'Busan')"), &importers)),
            ],
        ),
        sees: |table, row| {
            Some(match table.name {
                "fact_item" => {
                    let price: i64 = table.value(row, "item_price_krw").unwrap().parse().unwrap();
                    price < 5000 && table.value(row, "origin_country") != Some("CN")
                }
                "fact_inspection" => !table.value(row, "declaration_id").unwrap().starts_with("CAN"),
                _ => table.value(row, "region") != Some("Hidden"),
            })
        },
        shows: |_, column, value| {
            Some(match column {
                "seller_id" => Some("seller".to_owned()),
                "hs6" => value.map(|value| format!("{}0000", &value[..2])),
                "net_mass_kg" => value.map(|value| (value.parse::<i64>().unwrap() / 10 * 10).to_string()),
                "declaration_date" | "registered_on" => value.map(|value| format!("{}-01-01", &value[..4])),
                "name" => Some("(name)".to_owned()),
                "additional_duty_krw" => Some("0".to_owned()),
                _ => value.map(str::to_owned),
            })
        },
    }
}

/// Sees no companies at all, and rows that are chosen by a column whose values are masked.
fn statistician() -> Role {
    let hidden = ["importer_id", "declarant_id", "seller_id"].map(|name| (name, Column::Hide));
    let past = [("fraud", NULL), ("additional_duty_krw", Column::Hide)];
    Role {
        name: "statistician",
        access: access(
            "statistician",
            vec![
                ("fact_item", table(Some("office_id <> '99'"), &hidden)),
                ("fact_inspection", table(Some("fraud and item_no <> 7"), &past)),
            ],
        ),
        sees: |table, row| match table.name {
            "fact_item" => Some(table.value(row, "office_id") != Some("99")),
            "fact_inspection" => {
                Some(table.value(row, "fraud") == Some("true") && table.value(row, "item_no") != Some("7"))
            }
            _ => None,
        },
        shows: |_, column, value| match column {
            "importer_id" | "declarant_id" | "seller_id" | "additional_duty_krw" => None,
            "fraud" => Some(None),
            _ => Some(value.map(str::to_owned)),
        },
    }
}

/// Has row filters that could fail, so that nothing of the user's may be evaluated below them.
fn cautious() -> Role {
    let items = [("seller_id", HASH), ("importer_id", Column::Show), ("declarant_id", Column::Hide)];
    let past = [("fraud_class", sql("cast(fraud_class % 2 as tinyint)")), ("additional_duty_krw", NULL)];
    Role {
        name: "cautious",
        access: access(
            "cautious",
            vec![
                ("fact_item", table(Some("cast(hs6 as int) % 2 = 0"), &items)),
                ("fact_inspection", table(Some("14 / item_no > 2"), &past)),
                ("dim_importer", table(Some("length(importer_id) = 2"), &[("name", PARTIAL)])),
            ],
        ),
        sees: |table, row| {
            Some(match table.name {
                "fact_item" => table.value(row, "hs6").unwrap().parse::<i64>().unwrap() % 2 == 0,
                "fact_inspection" => table.value(row, "item_no") != Some("7"),
                _ => table.value(row, "importer_id").unwrap().len() == 2,
            })
        },
        shows: |_, column, value| match column {
            "declarant_id" => None,
            "seller_id" => Some(hash(value)),
            "fraud_class" => Some(value.map(|value| (value.parse::<i64>().unwrap() % 2).to_string())),
            "additional_duty_krw" => Some(None),
            "name" => Some(partial(value)),
            _ => Some(value.map(str::to_owned)),
        },
    }
}
