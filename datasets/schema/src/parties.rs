//! What goes in: nothing. What comes out: the tables of companies with their history and accounts, of persons, and of
//! what binds them: roles, ownership, family, offences.

use arrow_schema::DataType::{Date32, Float64, Int32};

use crate::codes;
use crate::shared::{day, krw};
use crate::table::Classification::{CriminalHistory, Identifier, Name, Personal};
use crate::table::{Column, Table};

const COMPANY: Column =
    Column::text("company_id", "The company.").refers("dim_company", "company_id").classified(Identifier);
const PERSON: Column =
    Column::text("person_id", "The person.").refers("dim_person", "person_id").classified(Identifier);
const FROM: Column = day("valid_from", "First day on which it holds.");
const TO: Column = Column::new("valid_to", Date32, true, "Last day on which it holds; null = it still does.");
const SHARE: Column =
    Column::new("share_rate", Float64, true, "Share of the capital: 0.25 is a quarter; null where it is none.")
        .unit("fraction");

pub(crate) const DIM_COMPANY: Table = Table {
    name: "dim_company",
    comment: "One company at home in one span of days: a change of name, seat or state begins a new row.",
    columns: &[
        Column::text("company_id", "Number of the company; of an importer its importer_id.").classified(Identifier),
        day("valid_from", "First day on which the row holds."),
        Column::new("valid_to", Date32, true, "Last day on which the row holds; null = it still does."),
        Column::maybe_text("importer_id", "Under which number it imports; null for one that does not, as a holding.")
            .refers("dim_importer", "importer_id")
            .classified(Identifier)
            .wco("Importer/ID"),
        Column::text("name", "Registered name.").classified(Name).wco("Importer/Name"),
        Column::text("business_no", "Business registration number: ten digits, the last of them a check digit.")
            .classified(Identifier),
        Column::text("region", "Province or city of the seat.").wco("Importer/Address"),
        Column::text("address", "Street and number of the seat.").classified(Identifier).wco("Importer/Address/Line"),
        Column::text("phone", "Telephone number.").classified(Identifier).wco("Importer/Communication/ID"),
        Column::text("bank_account", "Account from which it pays.").classified(Identifier),
        Column::text("state", "Whether it is in business.").codes(&codes::COMPANY_STATE),
    ],
    key: &["company_id", "valid_from"],
    sort: &["company_id", "valid_from"],
};

pub(crate) const FACT_COMPANY_FINANCE: Table = Table {
    name: "fact_company_finance",
    comment: "The accounts of one company for one year.",
    columns: &[
        COMPANY,
        Column::new("fiscal_year", Int32, false, "The year, which ends on 31 December."),
        krw("revenue_krw", "Revenue."),
        krw("cost_of_sales_krw", "Cost of what was sold."),
        krw("operating_profit_krw", "Revenue less all costs of the business; less than 0 is a loss.").signed(),
        krw("net_income_krw", "What is left after interest and tax; less than 0 is a loss.").signed(),
        krw("assets_krw", "All that it has: liabilities and equity together."),
        krw("current_assets_krw", "What of it becomes money within a year."),
        krw("inventory_krw", "What of that is stock."),
        krw("liabilities_krw", "What it owes."),
        krw("current_liabilities_krw", "What of that is due within a year."),
        krw("equity_krw", "What its owners have in it; less than 0 where it owes more than it has.").signed(),
        Column::new("employees", Int32, false, "Number of employees."),
    ],
    key: &["company_id", "fiscal_year"],
    sort: &["company_id", "fiscal_year"],
};

pub(crate) const DIM_PERSON: Table = Table {
    name: "dim_person",
    comment: "One person who has a part in a company, or is kin to one who has.",
    columns: &[
        Column::text("person_id", "Number of the person.").classified(Identifier),
        Column::text("name", "Name in Latin letters.").classified(Name),
        Column::maybe_text("name_local", "Name in the letters of the country; null where they are Latin.")
            .classified(Name),
        Column::text("nationality", "Nationality.").refers("dim_country", "country_code"),
        Column::text("birth_date", "Date of birth, as YYYY-MM-DD.").classified(Personal),
        Column::text("region", "Province or city where the person lives.").classified(Personal),
        Column::text("address", "Street and number.").classified(Personal),
        Column::text("phone", "Telephone number.").classified(Personal),
    ],
    key: &["person_id"],
    sort: &["person_id"],
};

pub(crate) const BRIDGE_COMPANY_PERSON: Table = Table {
    name: "bridge_company_person",
    comment: "One part of a person in a company. The shares of a company, those of companies among them, are never more \
              than the whole on any day.",
    columns: &[COMPANY, PERSON, Column::text("role", "What part it is.").codes(&codes::COMPANY_ROLE), FROM, TO, SHARE],
    key: &["company_id", "person_id", "role", "valid_from"],
    sort: &["company_id", "person_id", "role", "valid_from"],
};

pub(crate) const BRIDGE_COMPANY_COMPANY: Table = Table {
    name: "bridge_company_company",
    comment: "One share of a company in another.",
    columns: &[
        Column::text("owner_company_id", "The company that owns.")
            .refers("dim_company", "company_id")
            .classified(Identifier),
        Column::text("company_id", "The company that is owned.")
            .refers("dim_company", "company_id")
            .classified(Identifier),
        FROM,
        TO,
        Column::new("share_rate", Float64, false, "Share of the capital: 0.25 is a quarter.").unit("fraction"),
    ],
    key: &["owner_company_id", "company_id", "valid_from"],
    sort: &["owner_company_id", "company_id", "valid_from"],
};

/// Who is kin to whom is nobody's business, and hashes would draw the same tree: the numbers are no mere identifiers here.
pub(crate) const BRIDGE_PERSON_PERSON: Table = Table {
    name: "bridge_person_person",
    comment: "One tie between two persons; each pair stands once, the smaller number first.",
    columns: &[
        PERSON.classified(Personal),
        Column::text("other_person_id", "The other person.").refers("dim_person", "person_id").classified(Personal),
        Column::text("relation", "How they are tied.").codes(&codes::PERSON_RELATION).classified(Personal),
    ],
    key: &["person_id", "other_person_id", "relation"],
    sort: &["person_id", "other_person_id", "relation"],
};

/// That a person stands in this table at all is criminal history: the number of the person is no mere identifier here.
pub(crate) const BRIDGE_PERSON_OFFENCE: Table = Table {
    name: "bridge_person_offence",
    comment: "One customs offence that one person was found guilty of.",
    columns: &[
        Column::text("offence_id", "Number of the case.").classified(CriminalHistory),
        Column::text("person_id", "The person.").refers("dim_person", "person_id").classified(CriminalHistory),
        Column::text("offence_kind", "What it was.").codes(&codes::OFFENCE_KIND).classified(CriminalHistory),
        day("offence_date", "Day of the deed.").classified(CriminalHistory),
        day("decision_date", "Day of the decision; after the deed.").classified(CriminalHistory),
        Column::maybe_text("declaration_id", "Declaration that it was about; null where it is older than those here.")
            .refers("fact_declaration", "declaration_id")
            .classified(CriminalHistory),
        krw("penalty_krw", "Penalty.").classified(CriminalHistory),
    ],
    key: &["offence_id"],
    sort: &["offence_id"],
};
