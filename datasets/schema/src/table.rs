//! What goes in: literals from the table modules. What comes out: `Table` and `Column`, and from
//! them an Arrow schema whose metadata carry comment, unit, code list and WCO alias.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};

use crate::codes::CodeList;

/// How sensitive the values of a column are. Policies take their defaults from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Classification {
    /// Nothing about a single person or company.
    Open,
    /// A number that stands for one person or company.
    Identifier,
    /// The name of a person or company.
    Name,
    /// What is known of a natural person beside name and number: birth, home, telephone, family.
    Personal,
    /// What inspections found: the criminal history of those who trade.
    CriminalHistory,
    /// Text as it came in. It may hold any of the others.
    RawText,
}

impl Classification {
    /// Every classification, the open one first.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Identifier, Self::Name, Self::Personal, Self::CriminalHistory, Self::RawText];

    /// The name in policies and in the metadata of columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Identifier => "identifier",
            Self::Name => "name",
            Self::Personal => "personal",
            Self::CriminalHistory => "criminal_history",
            Self::RawText => "raw_text",
        }
    }
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Lower-case name; a column with a unit ends in it (`_kg`, `_krw`, `_rate`).
    pub name: &'static str,
    /// Arrow type of the values.
    pub data_type: DataType,
    /// Whether the column may hold nulls.
    pub nullable: bool,
    /// Unit of the values: `kg`, `KRW` or `fraction`; `None` for anything that has no unit.
    pub unit: Option<&'static str>,
    /// The codes that the column may hold, where they are known.
    pub code_list: Option<&'static CodeList>,
    /// The key column (table, column) that each non-null value must be found in.
    pub references: Option<(&'static str, &'static str)>,
    /// Name of the same thing in the WCO Data Model, where it is obvious.
    pub wco_alias: Option<&'static str>,
    /// How sensitive the values are.
    pub classification: Classification,
    /// Whether numbers may be less than 0.
    pub signed: bool,
    /// What the column says, and what a null means.
    pub comment: &'static str,
}

/// One table of the warehouse.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Lower-case name, with `fact_`, `dim_` or `bridge_` (between two of these) before it in the star.
    pub name: &'static str,
    /// What one row stands for.
    pub comment: &'static str,
    /// The columns, in the order of the files.
    pub columns: &'static [Column],
    /// The columns that name a row; no two rows agree on all of them.
    pub key: &'static [&'static str],
    /// The columns that files are sorted by, so that readers can skip what they do not need.
    pub sort: &'static [&'static str],
}

impl Column {
    /// An open column without unit, code list, reference or alias.
    pub(crate) const fn new(name: &'static str, data_type: DataType, nullable: bool, comment: &'static str) -> Self {
        Self {
            name,
            data_type,
            nullable,
            unit: None,
            code_list: None,
            references: None,
            wco_alias: None,
            classification: Classification::Open,
            signed: false,
            comment,
        }
    }

    /// A text column that is never null.
    pub(crate) const fn text(name: &'static str, comment: &'static str) -> Self {
        Self::new(name, DataType::Utf8, false, comment)
    }

    /// A text column that may be null.
    pub(crate) const fn maybe_text(name: &'static str, comment: &'static str) -> Self {
        Self::new(name, DataType::Utf8, true, comment)
    }

    pub(crate) const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }

    pub(crate) const fn codes(mut self, list: &'static CodeList) -> Self {
        self.code_list = Some(list);
        self
    }

    pub(crate) const fn refers(mut self, table: &'static str, column: &'static str) -> Self {
        self.references = Some((table, column));
        self
    }

    pub(crate) const fn wco(mut self, alias: &'static str) -> Self {
        self.wco_alias = Some(alias);
        self
    }

    /// Numbers less than 0 are right.
    pub(crate) const fn signed(mut self) -> Self {
        self.signed = true;
        self
    }

    pub(crate) const fn classified(mut self, classification: Classification) -> Self {
        self.classification = classification;
        self
    }

    /// The Arrow field: type, nullability, and metadata `comment`, `unit`, `code_list`, `wco_alias`
    /// (each where it is known) and `classification` (where it is not open).
    pub fn arrow_field(&self) -> Field {
        let mut metadata = HashMap::from([("comment".to_owned(), self.comment.to_owned())]);
        let classified = (self.classification != Classification::Open).then(|| self.classification.name());
        let known = [
            ("unit", self.unit),
            ("code_list", self.code_list.map(|c| c.name)),
            ("wco_alias", self.wco_alias),
            ("classification", classified),
        ];
        for (key, value) in known {
            if let Some(value) = value {
                metadata.insert(key.to_owned(), value.to_owned());
            }
        }
        Field::new(self.name, self.data_type.clone(), self.nullable).with_metadata(metadata)
    }
}

impl Table {
    /// The column called `name`, or `None`.
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// The Arrow schema: names, types and nullability in file order, without metadata, so that it
    /// compares equal to what a reader of a plain Parquet or CSV file builds.
    pub fn arrow_schema(&self) -> SchemaRef {
        let fields: Vec<Field> =
            self.columns.iter().map(|c| Field::new(c.name, c.data_type.clone(), c.nullable)).collect();
        Arc::new(Schema::new(fields))
    }

    /// The Arrow schema with each column's metadata and the table's comment, for catalogues.
    pub fn described_schema(&self) -> SchemaRef {
        let fields: Vec<Field> = self.columns.iter().map(Column::arrow_field).collect();
        let metadata = HashMap::from([("comment".to_owned(), self.comment.to_owned())]);
        Arc::new(Schema::new_with_metadata(fields, metadata))
    }
}
