//! What goes in: nothing. What comes out: the tables of the schema `meta`: what the warehouse knows of its
//! own tables.

use arrow_schema::DataType::{Boolean, Int32, Int64};

use crate::table::{Column, Table};

const SCHEMA: Column = Column::text("schema_name", "Schema of the table.");
const TABLE: Column = Column::text("table_name", "The table.");

pub(crate) const DATASETS: Table = Table {
    name: "datasets",
    comment: "One table that is served.",
    columns: &[
        SCHEMA,
        TABLE,
        Column::text("title", "What the table is called."),
        Column::text("description", "What one of its rows stands for."),
        Column::text("owner", "Who answers for the table."),
        Column::text("steward", "Who looks after its quality."),
        Column::text("class", "The most sensitive class of its columns: public, internal, personal, secret."),
        Column::text("updated", "How often it changes."),
        Column::maybe_text("key_columns", "The columns that name a row, with commas; null where none do."),
        Column::new("row_count", Int64, true, "Number of rows; null where it is not known, or not all may be seen."),
        Column::new("changed_version", Int64, true, "Version that last changed rows; null where none did."),
        Column::maybe_text("changed_at", "When that version was committed, in UTC; null where none did."),
    ],
    key: &["schema_name", "table_name"],
    sort: &["schema_name", "table_name"],
};

pub(crate) const COLUMNS: Table = Table {
    name: "columns",
    comment: "One column that is served.",
    columns: &[
        SCHEMA,
        TABLE,
        Column::text("column_name", "The column."),
        Column::new("position", Int32, false, "Its place, from 1."),
        Column::text("data_type", "Its Arrow type."),
        Column::new("nullable", Boolean, false, "Whether it may hold nulls."),
        Column::text("description", "What it says, and what a null means."),
        Column::maybe_text("unit", "Unit of its values; null where they have none."),
        Column::text("classification", "How sensitive it is, as policies name it."),
        Column::text("class", "How sensitive it is: public, internal, personal, secret."),
        Column::maybe_text("code_list", "List of the codes that it holds; null where it has none."),
        Column::new("is_key", Boolean, false, "Whether it is one of the columns that name a row."),
        Column::maybe_text("refers_to", "table.column in which each value is found; null where there is none."),
        Column::maybe_text("wco_alias", "Name in the WCO Data Model; null where it has none that is known."),
    ],
    key: &["schema_name", "table_name", "column_name"],
    sort: &["schema_name", "table_name", "position"],
};

pub(crate) const CODES: Table = Table {
    name: "codes",
    comment: "One code of a list.",
    columns: &[
        Column::text("code_list", "The list."),
        Column::text("code", "The code."),
        Column::text("description", "What it stands for."),
    ],
    key: &["code_list", "code"],
    sort: &["code_list", "code"],
};

pub(crate) const GLOSSARY: Table = Table {
    name: "glossary",
    comment: "One term in English, Korean and Russian.",
    columns: &[
        Column::text("term", "The term in English."),
        Column::text("korean", "The term in Korean."),
        Column::text("russian", "The term in Russian."),
        Column::text("meaning", "What it means here."),
    ],
    key: &["term"],
    sort: &["term"],
};

pub(crate) const VERSIONS: Table = Table {
    name: "versions",
    comment: "One change of one table.",
    columns: &[
        Column::new("version", Int64, false, "Version of the warehouse that the change made."),
        Column::text("committed_at", "When it was committed, in UTC."),
        Column::new("operation_id", Int64, false, "Number of the change; rejects call it load_id."),
        Column::text("kind", "What was done: append, replace, upsert, delete, compact."),
        SCHEMA,
        TABLE,
        Column::new("accepted", Int64, true, "Rows accepted; null where not all may be seen."),
        Column::new("rejected", Int64, true, "Rows refused; null where not all may be seen."),
        Column::new("removed", Int64, true, "Rows removed; null where not all may be seen."),
    ],
    key: &["operation_id"],
    sort: &["operation_id"],
};

pub(crate) const EDITS: Table = Table {
    name: "edits",
    comment: "One value of the catalogue that somebody has changed.",
    columns: &[
        Column::new("edit_id", Int64, false, "Number of the edit, from 1."),
        Column::new("operation_id", Int64, false, "Number of the change that it was made in; see versions."),
        Column::text("edited_at", "When that was committed, in UTC."),
        Column::text("edited_by", "Who made it."),
        Column::text("entry", "Which table of this schema it is about: datasets, columns, glossary."),
        Column::maybe_text("schema_name", "Schema of the table; null of a term."),
        Column::maybe_text("table_name", "The table; null of a term."),
        Column::maybe_text("column_name", "The column; null of a table or a term."),
        Column::maybe_text("term", "The term; null of a table or a column."),
        Column::text("property", "What was changed: a column of that table, or removed of a term."),
        Column::maybe_text("value", "The new value; null where there is none."),
        Column::new("takes_back", Boolean, false, "Whether it takes back what was edited before."),
        Column::new("in_force", Boolean, false, "Whether the value is the one that is shown."),
    ],
    key: &["edit_id"],
    sort: &["edit_id"],
};

const PIPELINE: Column = Column::text("pipeline", "Name of the pipeline.");
const DIGEST: Column = Column::text("pipeline_sha256", "SHA-256 of its declaration, in lower-case hexadecimal.");
const RUN: Column = Column::new("run_id", Int64, false, "Number of the change that recorded it.");

pub(crate) const PIPELINE_RUNS: Table = Table {
    name: "pipeline_runs",
    comment: "One file that a pipeline has loaded.",
    columns: &[
        RUN,
        PIPELINE,
        DIGEST,
        SCHEMA,
        TABLE,
        Column::text("file", "The file, as it was given."),
        Column::text("file_sha256", "SHA-256 of its content, in lower-case hexadecimal."),
        Column::new("rows_read", Int64, true, "Rows found in it; null where not all may be seen."),
        Column::new("left_out", Int64, true, "Rows that a step left out; null where not all may be seen."),
        Column::new("accepted", Int64, true, "Rows accepted; null where not all may be seen."),
        Column::new("rejected", Int64, true, "Rows refused; null where not all may be seen."),
    ],
    key: &["run_id"],
    sort: &["run_id"],
};

pub(crate) const LINEAGE: Table = Table {
    name: "lineage",
    comment: "One column that a column of a table was made of, by one declaration of a pipeline.",
    columns: &[
        RUN,
        PIPELINE,
        DIGEST,
        SCHEMA,
        TABLE,
        Column::text("column_name", "Column that was made."),
        Column::text("source_table", "The word file, or the table that was read, with its schema."),
        Column::text("source_column", "Column of the file or of the table."),
        Column::maybe_text("source_path", "Where it stands in the file: header or path; null for tables."),
    ],
    key: &["run_id", "schema_name", "table_name", "column_name", "source_table", "source_column"],
    sort: &["run_id", "table_name", "column_name"],
};
