//! What goes in: nothing. What comes out: the tables of those who trade: importers, declarants,
//! sellers, couriers.

use arrow_schema::DataType::Date32;

use crate::table::Classification::{Identifier, Name};
use crate::table::{Column, Table};

pub(crate) const DIM_IMPORTER: Table = Table {
    name: "dim_importer",
    comment: "One company or person that imports.",
    columns: &[
        Column::text("importer_id", "Number of the importer.").classified(Identifier).wco("Importer/ID"),
        Column::maybe_text("name", "Registered name; null where the source has none.")
            .classified(Name)
            .wco("Importer/Name"),
        Column::maybe_text("region", "Province or city of the seat; null where not known.").wco("Importer/Address"),
        Column::maybe_text("industry", "Main line of business; null where not known."),
        Column::new("registered_on", Date32, true, "Day of registration; null where not known."),
    ],
    key: &["importer_id"],
    sort: &["importer_id"],
};

pub(crate) const DIM_DECLARANT: Table = Table {
    name: "dim_declarant",
    comment: "One customs broker or own customs desk that lodges declarations.",
    columns: &[
        Column::text("declarant_id", "Number of the declarant.").classified(Identifier).wco("Declarant/ID"),
        Column::maybe_text("name", "Registered name; null where the source has none.")
            .classified(Name)
            .wco("Declarant/Name"),
        Column::maybe_text("region", "Province or city of the seat; null where not known.").wco("Declarant/Address"),
    ],
    key: &["declarant_id"],
    sort: &["declarant_id"],
};

pub(crate) const DIM_SELLER: Table = Table {
    name: "dim_seller",
    comment: "One foreign seller.",
    columns: &[
        Column::text("seller_id", "Number of the seller.").classified(Identifier).wco("Seller/ID"),
        Column::maybe_text("name", "Name; null where the source has none.").classified(Name).wco("Seller/Name"),
        Column::maybe_text("country", "Country of the seat; null where not known.")
            .refers("dim_country", "country_code")
            .wco("Seller/Address/CountryCode"),
    ],
    key: &["seller_id"],
    sort: &["seller_id"],
};

pub(crate) const DIM_COURIER: Table = Table {
    name: "dim_courier",
    comment: "One express courier.",
    columns: &[
        Column::text("courier_id", "Number of the courier.").classified(Identifier).wco("Carrier/ID"),
        Column::maybe_text("name", "Name; null where the source has none.").classified(Name).wco("Carrier/Name"),
    ],
    key: &["courier_id"],
    sort: &["courier_id"],
};
