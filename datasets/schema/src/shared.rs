//! What goes in: nothing. What comes out: columns that stand in several tables and say the same in each.

use arrow_schema::DataType::{Date32, Float64, Int32};

use crate::codes;
use crate::table::Classification::Identifier;
use crate::table::Column;

/// The declaration that a row belongs to.
pub(crate) const DECLARATION: Column = Column::text("declaration_id", "Number of the declaration.")
    .refers("fact_declaration", "declaration_id")
    .wco("Declaration/ID");

/// The declared line that a row is about, with `item_no`.
pub(crate) const DECLARATION_OF_LINE: Column = Column::text("declaration_id", "Number of the declaration.")
    .refers("fact_item", "declaration_id")
    .wco("Declaration/ID");
pub(crate) const ITEM_NO: Column =
    Column::new("item_no", Int32, false, "Number of the line in its declaration.").refers("fact_item", "item_no");

pub(crate) const IMPORT_TYPE: Column = Column::text("import_type", "Under what arrangement the goods come in.")
    .codes(&codes::IMPORT_TYPE)
    .wco("GovernmentProcedure/CurrentCode");
pub(crate) const PAYMENT_TYPE: Column =
    Column::text("payment_type", "How the duty is collected.").codes(&codes::PAYMENT_TYPE).wco("Payment/MethodCode");
pub(crate) const TRANSPORT_MODE: Column = Column::text("transport_mode", "How the goods crossed the border.")
    .codes(&codes::TRANSPORT_MODE)
    .wco("BorderTransportMeans/ModeCode");

pub(crate) const IMPORTER: Column = Column::text("importer_id", "Who imports.")
    .refers("dim_importer", "importer_id")
    .classified(Identifier)
    .wco("Importer/ID");
pub(crate) const COURIER: Column = Column::maybe_text("courier_id", "Express courier; null where none took part.")
    .refers("dim_courier", "courier_id")
    .classified(Identifier)
    .wco("Carrier/ID");

/// An amount of money that is never null.
pub(crate) const fn krw(name: &'static str, comment: &'static str) -> Column {
    Column::new(name, Float64, false, comment).unit("KRW")
}

/// A mass that is never null.
pub(crate) const fn kg(name: &'static str, comment: &'static str) -> Column {
    Column::new(name, Float64, false, comment).unit("kg")
}

/// A day that is never null.
pub(crate) const fn day(name: &'static str, comment: &'static str) -> Column {
    Column::new(name, Date32, false, comment)
}
