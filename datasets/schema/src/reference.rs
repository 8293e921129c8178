//! What goes in: nothing. What comes out: the tables of what is given: offices, goods, countries,
//! duty rates.

use arrow_schema::DataType::{Date32, Float64};

use crate::codes;
use crate::shared::day;
use crate::table::{Column, Table};

pub(crate) const DIM_OFFICE: Table = Table {
    name: "dim_office",
    comment: "One customs office.",
    columns: &[
        Column::text("office_id", "Number of the office, without leading zeros.").wco("DeclarationOffice/ID"),
        Column::maybe_text("name", "Name of the office; null where not known."),
        Column::maybe_text("kind", "Kind of the office; null where not known.").codes(&codes::OFFICE_KIND),
    ],
    key: &["office_id"],
    sort: &["office_id"],
};

pub(crate) const DIM_HS: Table = Table {
    name: "dim_hs",
    comment: "One subheading of the Harmonized System, edition 2022.",
    columns: &[
        Column::text("hs6", "Subheading: six digits.").wco("Classification/ID"),
        Column::text("hs2", "Chapter: the first two digits."),
        Column::text("hs4", "Heading: the first four digits."),
        Column::maybe_text(
            "description",
            "Short text of the subheading, cut at about 110 characters; null where not known.",
        )
        .wco("Commodity/Description"),
        Column::maybe_text("unit", "Supplementary unit of quantity; null where not known.")
            .codes(&codes::QUANTITY_UNIT),
    ],
    key: &["hs6"],
    sort: &["hs6"],
};

pub(crate) const DIM_COUNTRY: Table = Table {
    name: "dim_country",
    comment: "One country or territory.",
    columns: &[
        Column::text("country_code", "ISO 3166-1 alpha-2 code; ZZ is not known.").wco("Country/ID"),
        Column::maybe_text("name", "Short English name; null where not known."),
    ],
    key: &["country_code"],
    sort: &["country_code"],
};

pub(crate) const DIM_TARIFF_RATE: Table = Table {
    name: "dim_tariff_rate",
    comment: "One duty rate that may be claimed for a subheading and an origin in a span of days.",
    columns: &[
        Column::text("hs6", "Subheading.").refers("dim_hs", "hs6").wco("Classification/ID"),
        Column::maybe_text("origin_country", "Origin that the rate is for; null = any origin.")
            .refers("dim_country", "country_code")
            .wco("Origin/CountryCode"),
        Column::text("tariff_type", "On what ground the rate rests.")
            .codes(&codes::TARIFF_TYPE)
            .wco("DutyTaxFee/DutyRegimeCode"),
        Column::new("duty_rate", Float64, false, "Ad valorem duty rate: 0.08 is 8 percent.")
            .unit("fraction")
            .wco("DutyTaxFee/TaxRateNumeric"),
        day("valid_from", "First day on which the rate holds."),
        Column::new("valid_to", Date32, true, "Last day on which the rate holds; null = no end known."),
    ],
    key: &["hs6", "origin_country", "tariff_type", "valid_from"],
    sort: &["hs6"],
};
