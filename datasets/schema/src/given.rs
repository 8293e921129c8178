//! What goes in: nothing. What comes out: small tables of what is given: days, procedures, means of transport, terms of
//! delivery, methods of valuation, agreements, exchange rates.

use arrow_schema::DataType::{Boolean, Date32, Float64, Int32};

use crate::codes;
use crate::shared::day;
use crate::table::{Column, Table};

pub(crate) const DIM_DATE: Table = Table {
    name: "dim_date",
    comment: "One day.",
    columns: &[
        day("day", "The day."),
        Column::new("year", Int32, false, "Its year."),
        Column::new("quarter", Int32, false, "Its quarter, 1 to 4."),
        Column::new("month", Int32, false, "Its month, 1 to 12."),
        Column::new("day_of_month", Int32, false, "Day of the month, from 1."),
        Column::new("weekday", Int32, false, "Day of the week: 1 is Monday."),
        Column::new("iso_week", Int32, false, "Week of the year after ISO 8601."),
        Column::new("holiday", Boolean, false, "Whether it is a public holiday on which few declarations are taken."),
    ],
    key: &["day"],
    sort: &["day"],
};

pub(crate) const DIM_PROCEDURE: Table = Table {
    name: "dim_procedure",
    comment: "One arrangement under which goods come in.",
    columns: &[
        Column::text("import_type", "Code of the arrangement.")
            .codes(&codes::IMPORT_TYPE)
            .wco("GovernmentProcedure/CurrentCode"),
        Column::text("name", "What it is."),
    ],
    key: &["import_type"],
    sort: &["import_type"],
};

pub(crate) const DIM_TRANSPORT_MODE: Table = Table {
    name: "dim_transport_mode",
    comment: "One way for goods to cross the border.",
    columns: &[
        Column::text("transport_mode", "Code.").codes(&codes::TRANSPORT_MODE).wco("BorderTransportMeans/ModeCode"),
        Column::text("name", "What it is."),
    ],
    key: &["transport_mode"],
    sort: &["transport_mode"],
};

pub(crate) const DIM_INCOTERM: Table = Table {
    name: "dim_incoterm",
    comment: "One term of delivery: what the invoiced price has in it.",
    columns: &[
        Column::text("incoterm", "Three letters.").wco("TradeTerms/ConditionCode"),
        Column::text("name", "What it says, in short."),
        Column::new("freight_in_price", Boolean, false, "Whether the price has the freight to the border in it."),
        Column::new("insurance_in_price", Boolean, false, "Whether the price has the insurance in it."),
    ],
    key: &["incoterm"],
    sort: &["incoterm"],
};

pub(crate) const DIM_VALUATION_METHOD: Table = Table {
    name: "dim_valuation_method",
    comment: "One method to find a customs value, in the order in which they are tried.",
    columns: &[
        Column::text("valuation_method", "Number of the method.").wco("CustomsValuation/MethodCode"),
        Column::text("name", "What it rests on."),
        Column::text("article", "Article of the WTO Agreement on Customs Valuation."),
    ],
    key: &["valuation_method"],
    sort: &["valuation_method"],
};

pub(crate) const DIM_AGREEMENT: Table = Table {
    name: "dim_agreement",
    comment: "One trade agreement, or one-sided preference, that lowers duty rates.",
    columns: &[
        Column::text("agreement_id", "Short name.").wco("DutyTaxFee/DutyRegimeCode"),
        Column::text("name", "Name."),
        Column::new("mutual", Boolean, false, "Whether both sides lower their rates."),
    ],
    key: &["agreement_id"],
    sort: &["agreement_id"],
};

pub(crate) const BRIDGE_AGREEMENT_COUNTRY: Table = Table {
    name: "bridge_agreement_country",
    comment: "One country whose goods an agreement favours, in a span of days.",
    columns: &[
        Column::text("agreement_id", "The agreement.").refers("dim_agreement", "agreement_id"),
        Column::text("country_code", "The country.").refers("dim_country", "country_code").wco("Origin/CountryCode"),
        day("valid_from", "First day on which it holds, of those that the data are about."),
        Column::new("valid_to", Date32, true, "Last day on which it holds; null = no end known."),
        Column::text("tariff_type", "Ground of the rates in its first schedule.").codes(&codes::TARIFF_TYPE),
    ],
    key: &["agreement_id", "country_code", "valid_from"],
    sort: &["agreement_id", "country_code", "valid_from"],
};

pub(crate) const DIM_CURRENCY_RATE: Table = Table {
    name: "dim_currency_rate",
    comment: "The exchange rate of one currency for the declarations of one week.",
    columns: &[
        Column::text("currency", "ISO 4217 code.").wco("CurrencyExchange/CurrencyTypeCode"),
        day("valid_from", "First day of the week, a Sunday."),
        day("valid_to", "Last day of the week."),
        Column::new("krw_per_unit", Float64, false, "Won for one unit of the currency.")
            .wco("CurrencyExchange/RateNumeric"),
    ],
    key: &["currency", "valid_from"],
    sort: &["currency", "valid_from"],
};
