//! What goes in: nothing. What comes out: the tables of what happened: declared lines, inspections, what
//! partner countries say they have sent, and documents.

use arrow_schema::DataType::{Boolean, Float64, Int8, Int32};

use crate::codes;
use crate::shared::{
    COURIER, DECLARATION_OF_LINE, IMPORT_TYPE, IMPORTER, ITEM_NO, PAYMENT_TYPE, TRANSPORT_MODE, day, kg, krw,
};
use crate::table::Classification::{CriminalHistory, Identifier, RawText};
use crate::table::{Column, Table};

pub(crate) const FACT_ITEM: Table = Table {
    name: "fact_item",
    comment: "One declared line of an import declaration.",
    columns: &[
        Column::text("declaration_id", "Number of the declaration.").wco("Declaration/ID"),
        Column::new("item_no", Int32, false, "Number of the line in its declaration, from 1.")
            .wco("GovernmentAgencyGoodsItem/SequenceNumeric"),
        day("declaration_date", "Day on which the declaration was lodged.").wco("Declaration/IssueDateTime"),
        Column::text("office_id", "Customs office that took the declaration.")
            .refers("dim_office", "office_id")
            .wco("DeclarationOffice/ID"),
        Column::text("process_type", "How the declaration is processed.").codes(&codes::PROCESS_TYPE),
        IMPORT_TYPE,
        Column::text("import_use", "What the goods are for.").codes(&codes::IMPORT_USE),
        PAYMENT_TYPE,
        TRANSPORT_MODE,
        Column::text("declarant_id", "Who lodged the declaration: a customs broker or the importer's own desk.")
            .refers("dim_declarant", "declarant_id")
            .classified(Identifier)
            .wco("Declarant/ID"),
        IMPORTER,
        Column::maybe_text("seller_id", "Foreign seller; null where none was declared.")
            .refers("dim_seller", "seller_id")
            .classified(Identifier)
            .wco("Seller/ID"),
        COURIER,
        Column::text("hs6", "Harmonized System subheading: six digits, padded with zeros on the left.")
            .refers("dim_hs", "hs6")
            .wco("Classification/ID"),
        Column::maybe_text("hs10", "National tariff line: ten digits; null where the source keeps six only.")
            .wco("Classification/ID"),
        Column::text("departure_country", "Country from which the goods were sent.")
            .refers("dim_country", "country_code")
            .wco("ExportCountry/ID"),
        Column::text("origin_country", "Country in which the goods were made.")
            .refers("dim_country", "country_code")
            .wco("Origin/CountryCode"),
        Column::new("duty_rate", Float64, false, "Ad valorem duty rate claimed: 0.08 is 8 percent.")
            .unit("fraction")
            .wco("DutyTaxFee/TaxRateNumeric"),
        Column::text("tariff_type", "On what ground the duty rate rests.")
            .codes(&codes::TARIFF_TYPE)
            .wco("DutyTaxFee/DutyRegimeCode"),
        Column::text("origin_mark", "Where and how the origin is marked on the goods.").codes(&codes::ORIGIN_MARK),
        Column::new("quantity", Float64, true, "Quantity in quantity_unit; null where the source has none.")
            .wco("GoodsMeasure/TariffQuantity"),
        Column::maybe_text("quantity_unit", "Unit of quantity; null where the source has none.")
            .codes(&codes::QUANTITY_UNIT),
        kg("net_mass_kg", "Net mass.").wco("GoodsMeasure/NetNetWeightMeasure"),
        krw("item_price_krw", "Declared price of the line.").wco("InvoiceLine/ItemChargeAmount"),
    ],
    key: &["declaration_id", "item_no"],
    sort: &["declaration_date", "office_id", "hs6"],
};

pub(crate) const FACT_INSPECTION: Table = Table {
    name: "fact_inspection",
    comment: "The finding for one inspected line; lines that were not inspected have no row.",
    columns: &[
        DECLARATION_OF_LINE,
        ITEM_NO,
        day("inspection_date", "Day of the finding; never before the declaration.").wco("Control/ActualDateTime"),
        Column::new("fraud", Boolean, false, "Whether something illicit was found.").classified(CriminalHistory),
        Column::new("fraud_class", Int8, false, "How grave the finding is.")
            .classified(CriminalHistory)
            .codes(&codes::FRAUD_CLASS),
        Column::new(
            "additional_duty_krw",
            Float64,
            true,
            "Duty and import tax recovered, 0 where nothing was found; null where the source does not say.",
        )
        .unit("KRW")
        .classified(CriminalHistory)
        .wco("DutyTaxFee/Payment/PaymentAmount"),
    ],
    key: &["declaration_id", "item_no"],
    sort: &["declaration_id", "item_no"],
};

pub(crate) const FACT_PARTNER_EXPORT: Table = Table {
    name: "fact_partner_export",
    comment: "What a partner country says it has exported to this one: one subheading in one month.",
    columns: &[
        Column::text("partner_country", "Country that reports the exports; goods of its own alone, no re-exports.")
            .refers("dim_country", "country_code")
            .wco("ExportCountry/ID"),
        Column::text("hs6", "Subheading.").refers("dim_hs", "hs6").wco("Classification/ID"),
        day("export_month", "First day of the month in which the goods left."),
        krw("fob_value_krw", "Value at the border of the partner, without freight and insurance."),
        kg("net_mass_kg", "Net mass.").wco("GoodsMeasure/NetNetWeightMeasure"),
    ],
    key: &["partner_country", "hs6", "export_month"],
    sort: &["export_month", "partner_country", "hs6"],
};

pub(crate) const FACT_DOCUMENT: Table = Table {
    name: "fact_document",
    comment: "One document that was handed in: what it is and what it says; the file itself stays where it is.",
    columns: &[
        Column::text("sha256", "SHA-256 of the content, in lower-case hexadecimal.").wco("AdditionalDocument/ID"),
        // Whoever names a file may name a person in it.
        Column::text("file_name", "Name of the file when it was loaded first.").classified(RawText),
        Column::text("media_type", "What the first bytes say it is; application/octet-stream where they say nothing.")
            .wco("AdditionalDocument/TypeCode"),
        Column::new("byte_size", Int32, false, "Size of the file in bytes."),
        Column::maybe_text("document_text", "Its text, at most 1 MiB of it; null where it cannot be read as text.")
            .classified(RawText),
    ],
    key: &["sha256"],
    sort: &["media_type", "sha256"],
};
