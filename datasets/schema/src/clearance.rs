//! What goes in: nothing. What comes out: the tables of what clearance makes of declarations: headers, taxes, payments,
//! refunds, amendments, and the bills of the cargo manifests.

use arrow_schema::DataType::{Float64, Int32};

use crate::codes;
use crate::shared::{COURIER, DECLARATION, IMPORT_TYPE, IMPORTER, ITEM_NO, PAYMENT_TYPE, TRANSPORT_MODE, day, kg, krw};
use crate::table::Classification::{Identifier, RawText};
use crate::table::{Column, Table};

const LINE: Column = ITEM_NO.wco("GovernmentAgencyGoodsItem/SequenceNumeric");

pub(crate) const FACT_DECLARATION: Table = Table {
    name: "fact_declaration",
    comment: "One import declaration: what its lines share, and their sums.",
    columns: &[
        Column::text("declaration_id", "Number of the declaration.").wco("Declaration/ID"),
        day("declaration_date", "Day on which it was lodged.").wco("Declaration/IssueDateTime"),
        day("arrival_date", "Day on which the goods arrived.").wco("BorderTransportMeans/ArrivalDateTime"),
        day("acceptance_date", "Day on which it was accepted; never before it was lodged.")
            .wco("Declaration/AcceptanceDateTime"),
        day("release_date", "Day on which the goods were released; never before they arrived or it was accepted.")
            .wco("Declaration/GoodsShipment/ReleaseDateTime"),
        Column::text("office_id", "Customs office that took it.")
            .refers("dim_office", "office_id")
            .wco("DeclarationOffice/ID"),
        Column::text("process_type", "How it is processed.").codes(&codes::PROCESS_TYPE),
        IMPORT_TYPE.refers("dim_procedure", "import_type"),
        PAYMENT_TYPE,
        TRANSPORT_MODE.refers("dim_transport_mode", "transport_mode"),
        Column::text("declarant_id", "Who lodged it.")
            .refers("dim_declarant", "declarant_id")
            .classified(Identifier)
            .wco("Declarant/ID"),
        IMPORTER,
        COURIER,
        Column::text(
            "bill_id",
            "Bill of lading or air waybill, or the record of a parcel, under which the goods came.",
        )
        .refers("fact_manifest", "bill_id")
        .wco("TransportContractDocument/ID"),
        Column::text("lane", "What happened to it: released, documents checked, or goods inspected.")
            .codes(&codes::LANE),
        Column::new("item_count", Int32, false, "Number of its lines.").wco("Declaration/GoodsItemQuantity"),
        Column::new("package_count", Int32, false, "Number of packages.").wco("Declaration/TotalPackageQuantity"),
        kg("net_mass_kg", "Net mass: that of all lines.").wco("GoodsMeasure/NetNetWeightMeasure"),
        kg("gross_mass_kg", "Gross mass as declared; never less than the net mass.")
            .wco("Declaration/TotalGrossMassMeasure"),
        Column::text("incoterm", "Terms of delivery.")
            .refers("dim_incoterm", "incoterm")
            .wco("TradeTerms/ConditionCode"),
        Column::text("valuation_method", "How the customs value was found.")
            .refers("dim_valuation_method", "valuation_method")
            .wco("CustomsValuation/MethodCode"),
        Column::text("currency", "Currency of the invoice.").wco("InvoiceAmount/CurrencyID"),
        Column::new("krw_per_unit", Float64, false, "Exchange rate of the week of the declaration: won for one unit.")
            .wco("CurrencyExchange/RateNumeric"),
        Column::new("invoice_amount", Float64, false, "Amount of the invoice in its currency, under its terms.")
            .wco("Declaration/InvoiceAmount"),
        krw("freight_krw", "Freight to the border.").wco("CustomsValuation/FreightChargeAmount"),
        krw("insurance_krw", "Insurance to the border.").wco("CustomsValuation/ChargeDeduction/InsuranceAmount"),
        krw("customs_value_krw", "Customs value: the sum over the lines, freight and insurance among it.")
            .wco("CustomsValuation/CustomsValueAmount"),
        krw("duty_krw", "Duty: the sum over the lines.").wco("DutyTaxFee/AssessedAmount"),
        krw("vat_krw", "Value added tax: the sum over the lines."),
        krw("payable_krw", "Duty and tax that are to be paid: less what is relieved.").wco("Payment/TaxAssessedAmount"),
    ],
    key: &["declaration_id"],
    sort: &["declaration_date", "declaration_id"],
};

pub(crate) const FACT_TAX: Table = Table {
    name: "fact_tax",
    comment: "One tax on one declared line, as it was declared; a tax that comes to nothing has no row.",
    columns: &[
        DECLARATION,
        LINE,
        Column::text("tax_kind", "Which tax it is.").codes(&codes::TAX_KIND).wco("DutyTaxFee/TypeCode"),
        krw("tax_base_krw", "What the tax is computed from: the customs value, for value added tax with the duty.")
            .wco("DutyTaxFee/SpecificTaxBaseQuantity"),
        Column::new("tax_rate", Float64, false, "Rate of the tax: 0.1 is 10 percent.")
            .unit("fraction")
            .wco("DutyTaxFee/TaxRateNumeric"),
        krw("tax_krw", "The tax: base times rate, in whole won.").wco("DutyTaxFee/AssessedAmount"),
        krw("relieved_krw", "What of it is not collected.").wco("DutyTaxFee/DeductAmount"),
    ],
    key: &["declaration_id", "item_no", "tax_kind"],
    sort: &["declaration_id", "item_no", "tax_kind"],
};

pub(crate) const FACT_PAYMENT: Table = Table {
    name: "fact_payment",
    comment: "One payment of what a declaration, or its amendment, has made due. What inspections and audits have \
              recovered is no part of it.",
    columns: &[
        Column::text("payment_id", "Number of the payment.").wco("Payment/ReferenceID"),
        DECLARATION,
        Column::text("payment_kind", "What it pays.").codes(&codes::PAYMENT_KIND),
        Column::maybe_text("amendment_id", "The amendment that it pays for; null where it pays the declaration.")
            .refers("fact_amendment", "amendment_id"),
        day("due_date", "Last day on which it could be paid in time.").wco("Payment/DueDateTime"),
        day("payment_date", "Day on which it was paid.").wco("Payment/PaymentDateTime"),
        Column::text("channel", "How it was paid.").codes(&codes::PAYMENT_CHANNEL).wco("Payment/MethodCode"),
        krw("amount_krw", "Amount.").wco("Payment/PaymentAmount"),
    ],
    key: &["payment_id"],
    sort: &["payment_id"],
};

pub(crate) const FACT_REFUND: Table = Table {
    name: "fact_refund",
    comment: "One refund of duty and tax; the refunds of a declaration are never more than its payments.",
    columns: &[
        Column::text("refund_id", "Number of the refund."),
        DECLARATION,
        Column::text("refund_reason", "Why.").codes(&codes::REFUND_REASON),
        Column::maybe_text("amendment_id", "The amendment that led to it; null where there was none.")
            .refers("fact_amendment", "amendment_id"),
        day("application_date", "Day on which it was asked for."),
        day("refund_date", "Day on which it was paid out; never before it was asked for."),
        krw("amount_krw", "Amount.").wco("DutyTaxFee/Payment/PaymentAmount"),
    ],
    key: &["refund_id"],
    sort: &["refund_id"],
};

pub(crate) const FACT_AMENDMENT: Table = Table {
    name: "fact_amendment",
    comment: "One correction of one value of a declared line after release, which the importer asked for; fact_item keeps \
              what was declared.",
    columns: &[
        Column::text("amendment_id", "Number of the amendment.").wco("Declaration/Amendment/ID"),
        DECLARATION,
        LINE,
        day("amendment_date", "Day on which it was asked for; never before release.")
            .wco("Declaration/Amendment/ChangeDateTime"),
        Column::text("amendment_reason", "Why.")
            .codes(&codes::AMENDMENT_REASON)
            .wco("Declaration/Amendment/ChangeReasonCode"),
        Column::text("column_name", "Column of fact_item that is corrected.").wco("Declaration/Amendment/Pointer"),
        // Whatever stands in a declaration may stand here.
        Column::text("value_before", "What was declared.").classified(RawText),
        Column::text("value_after", "What is right.").classified(RawText),
        krw("tax_change_krw", "What it adds to duty and tax; less than 0 where they fall.").signed(),
    ],
    key: &["amendment_id"],
    sort: &["amendment_id"],
};

pub(crate) const FACT_MANIFEST: Table = Table {
    name: "fact_manifest",
    comment: "One bill of a cargo manifest: what the carrier says it has brought for one consignee.",
    columns: &[
        Column::text("bill_id", "Number of the bill of lading, of the air waybill or of the parcel.")
            .wco("TransportContractDocument/ID"),
        Column::text("manifest_id", "Number of the manifest: one ship, flight, train or truck.")
            .wco("BorderTransportMeans/JourneyID"),
        Column::text("transport_mode", "How the goods came.")
            .codes(&codes::TRANSPORT_MODE)
            .refers("dim_transport_mode", "transport_mode")
            .wco("BorderTransportMeans/ModeCode"),
        Column::text("carrier_code", "Code of the carrier: letters that begin the bill's number.").wco("Carrier/ID"),
        Column::text("loading_country", "Country in which the goods were loaded.")
            .refers("dim_country", "country_code")
            .wco("LoadingLocation/CountryCode"),
        Column::text("office_id", "Customs office where they were unloaded.")
            .refers("dim_office", "office_id")
            .wco("UnloadingLocation/ID"),
        day("departure_date", "Day on which they left."),
        day("arrival_date", "Day on which they arrived; never before they left.")
            .wco("BorderTransportMeans/ArrivalDateTime"),
        Column::maybe_text("container_no", "Container, with its check digit (ISO 6346); null where there was none.")
            .wco("TransportEquipment/ID"),
        Column::text("importer_id", "Consignee.")
            .refers("dim_importer", "importer_id")
            .classified(Identifier)
            .wco("Consignee/ID"),
        Column::new("package_count", Int32, false, "Number of packages.").wco("Consignment/TotalPackageQuantity"),
        kg("gross_mass_kg", "Gross mass as the carrier has it.").wco("Consignment/TotalGrossMassMeasure"),
    ],
    key: &["bill_id"],
    sort: &["arrival_date", "manifest_id", "bill_id"],
};
