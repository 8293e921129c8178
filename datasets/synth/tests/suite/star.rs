//! The tables around the lines agree with them and with one another.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;
use haetae_synth::{Options, generate};
use parquet::file::reader::{FileReader, SerializedFileReader};
use sha2::{Digest, Sha256};

use crate::dataset::{Frame, demo, options};

/// Sums of a column by a text column.
fn sums<'a>(frame: &'a Frame, by: &str, column: &str) -> HashMap<&'a str, f64> {
    let mut sums = HashMap::new();
    frame
        .word(by)
        .into_iter()
        .zip(frame.number(column))
        .for_each(|(key, value)| *sums.entry(key).or_insert(0.0) += value);
    sums
}

/// Rows by a text column without nulls.
fn index<'a>(frame: &'a Frame, key: &str) -> HashMap<&'a str, usize> {
    frame.word(key).into_iter().enumerate().map(|(row, key)| (key, row)).collect()
}

#[test]
fn taxes_are_those_of_the_lines_and_headers_their_sums() {
    let (items, taxes, headers) =
        (Frame::table("fact_item"), Frame::table("fact_tax"), Frame::table("fact_declaration"));
    let (price, rate) = (items.number("item_price_krw"), items.number("duty_rate"));
    let mut due: HashMap<(&str, i32, &str), (f64, f64)> = HashMap::new();
    let (tax, relieved) = (taxes.number("tax_krw"), taxes.number("relieved_krw"));
    for (row, ((declaration, item_no), kind)) in taxes.keys().into_iter().zip(taxes.word("tax_kind")).enumerate() {
        assert!(tax[row] > 0.0 && (relieved[row] == 0.0 || relieved[row] == tax[row]));
        due.insert((declaration, item_no, kind), (tax[row], relieved[row]));
    }
    let mut payable: HashMap<&str, (f64, f64, f64)> = HashMap::new();
    for (row, (declaration, item_no)) in items.keys().into_iter().enumerate() {
        let of = |kind| due.get(&(declaration, item_no, kind)).copied().unwrap_or_default();
        let (duty, vat) = (of("duty"), of("vat"));
        assert_eq!(duty.0, (price[row] * rate[row]).round(), "{declaration}/{item_no}");
        assert_eq!(vat.0, (0.1 * (price[row] + duty.0)).round(), "{declaration}/{item_no}");
        let sum = payable.entry(declaration).or_default();
        *sum = (sum.0 + duty.0, sum.1 + vat.0, sum.2 + duty.0 + vat.0 - duty.1 - vat.1);
    }
    let (values, masses) =
        (sums(&items, "declaration_id", "item_price_krw"), sums(&items, "declaration_id", "net_mass_kg"));
    let mut lines: HashMap<&str, i32> = HashMap::new();
    items.word("declaration_id").into_iter().for_each(|id| *lines.entry(id).or_default() += 1);
    assert_eq!(headers.rows(), lines.len());
    let number = |name| headers.number(name);
    let (value, duty, vat, pays) =
        (number("customs_value_krw"), number("duty_krw"), number("vat_krw"), number("payable_krw"));
    let (net, gross, freight, insurance) =
        (number("net_mass_kg"), number("gross_mass_kg"), number("freight_krw"), number("insurance_krw"));
    let counts = headers.whole("item_count");
    for (row, id) in headers.word("declaration_id").into_iter().enumerate() {
        assert_eq!((value[row], counts[row]), (values[id], lines[id]), "{id}");
        assert_eq!((duty[row], vat[row], pays[row]), payable[id], "{id}");
        assert!((net[row] - masses[id]).abs() < 0.06 && gross[row] >= net[row], "{id}: {} {}", net[row], masses[id]);
        assert!(freight[row] + insurance[row] < value[row], "{id}");
    }
    assert!(pays.iter().any(|x| *x == 0.0) && relieved.iter().any(|x| *x > 0.0));
}

#[test]
fn invoices_are_the_value_under_their_terms() {
    let (headers, terms) = (Frame::table("fact_declaration"), Frame::table("dim_incoterm"));
    let inside: HashMap<&str, (bool, bool)> = terms
        .word("incoterm")
        .into_iter()
        .zip(terms.flag("freight_in_price").into_iter().zip(terms.flag("insurance_in_price")))
        .collect();
    let rates = Frame::table("dim_currency_rate");
    let mut weeks: HashMap<(&str, i32), f64> = HashMap::new();
    let ends = rates.day("valid_to");
    for (row, (currency, from)) in rates.word("currency").into_iter().zip(rates.day("valid_from")).enumerate() {
        assert_eq!(ends[row], from + 6);
        weeks.insert((currency, from.div_euclid(7)), rates.number("krw_per_unit")[row]);
    }
    let day = headers.day("declaration_date");
    let sunday = rates.day("valid_from")[0].rem_euclid(7);
    let number = |name| headers.number(name);
    let (value, freight, insurance, rate, invoice) = (
        number("customs_value_krw"),
        number("freight_krw"),
        number("insurance_krw"),
        number("krw_per_unit"),
        number("invoice_amount"),
    );
    for (row, (term, currency)) in headers.word("incoterm").into_iter().zip(headers.word("currency")).enumerate() {
        let (with_freight, with_insurance) = inside[term];
        let outside = if with_freight { 0.0 } else { freight[row] } + if with_insurance { 0.0 } else { insurance[row] };
        assert!((invoice[row] * rate[row] - (value[row] - outside)).abs() <= 0.006 * rate[row] + 1e-6, "row {row}");
        assert_eq!(rate[row], weeks[&(currency, (day[row] - sunday).div_euclid(7))], "row {row}");
    }
}

#[test]
fn payments_pay_what_is_due_and_refunds_are_less() {
    let headers = Frame::table("fact_declaration");
    let (payments, refunds, amendments) =
        (Frame::table("fact_payment"), Frame::table("fact_refund"), Frame::table("fact_amendment"));
    let changes: HashMap<&str, f64> =
        amendments.word("amendment_id").into_iter().zip(amendments.number("tax_change_krw")).collect();
    let (mut declared, mut paid) = (HashMap::<&str, f64>::new(), HashMap::<&str, f64>::new());
    let mut settled: HashSet<&str> = HashSet::new();
    let amounts = payments.number("amount_krw");
    let (kinds, causes) = (payments.word("payment_kind"), payments.text("amendment_id"));
    for (row, id) in payments.word("declaration_id").into_iter().enumerate() {
        assert!(amounts[row] > 0.0);
        *paid.entry(id).or_default() += amounts[row];
        match causes[row] {
            None => *declared.entry(id).or_default() += amounts[row],
            Some(cause) => assert!(settled.insert(cause) && changes[cause] == amounts[row], "{cause}"),
        }
        assert_eq!(kinds[row] == "amended", causes[row].is_some());
    }
    for (id, payable) in headers.word("declaration_id").into_iter().zip(headers.number("payable_krw")) {
        assert_eq!(declared.get(id).copied().unwrap_or(0.0), payable, "{id}");
    }
    let amounts = refunds.number("amount_krw");
    let (reasons, causes) = (refunds.word("refund_reason"), refunds.text("amendment_id"));
    for row in 0..refunds.rows() {
        assert!(amounts[row] > 0.0);
        assert_eq!(reasons[row] == "amended", causes[row].is_some());
        if let Some(cause) = causes[row] {
            assert!(settled.insert(cause) && changes[cause] == -amounts[row], "{cause}");
        }
    }
    for (id, back) in sums(&refunds, "declaration_id", "amount_krw") {
        assert!(back <= paid[id], "{id}: {back} of {}", paid[id]);
    }
    // Whatever changes the tax is paid or paid back, and nothing else is.
    let moving: HashSet<&str> = changes.iter().filter(|(_, change)| **change != 0.0).map(|(id, _)| *id).collect();
    assert_eq!(settled, moving);
    assert!(["amended", "drawback", "returned"].iter().all(|reason| reasons.contains(reason)));
}

#[test]
fn amendments_say_what_stood_in_the_line_and_correct_clerks_alone() {
    let (items, amendments) = (Frame::table("fact_item"), Frame::table("fact_amendment"));
    let (slips, frauds) = (Frame::truth("errors"), Frame::truth("fraud"));
    let (rows, slips_at, lies) = (items.index(), slips.index(), frauds.index());
    let right = slips.number("true_duty_rate");
    let (columns, before, after) =
        (amendments.word("column_name"), amendments.word("value_before"), amendments.word("value_after"));
    for (row, key) in amendments.keys().into_iter().enumerate() {
        let declared = items.number(columns[row])[rows[&key]];
        assert_eq!(before[row], declared.to_string(), "{key:?}");
        assert!(!lies.contains_key(&key), "{key:?}: nobody corrects a lie");
        if columns[row] == "duty_rate" {
            assert_eq!(after[row], right[slips_at[&key]].to_string(), "{key:?}");
        }
    }
    assert_eq!(columns.iter().collect::<BTreeSet<_>>().len(), 2);
}

#[test]
fn days_are_in_their_order() {
    let in_order = |table: &str, columns: &[&str]| {
        let frame = Frame::table(table);
        for pair in columns.windows(2) {
            let (first, then) = (frame.date(pair[0]), frame.date(pair[1]));
            let wrong = first.iter().zip(&then).position(|(a, b)| matches!((a, b), (Some(a), Some(b)) if a > b));
            assert_eq!(wrong, None, "{table}: {} after {}", pair[0], pair[1]);
        }
    };
    in_order("fact_declaration", &["declaration_date", "acceptance_date", "release_date"]);
    in_order("fact_declaration", &["arrival_date", "release_date"]);
    in_order("fact_manifest", &["departure_date", "arrival_date"]);
    in_order("fact_refund", &["application_date", "refund_date"]);
    in_order("fact_audit", &["period_from", "period_to", "notified_on", "opened_on", "closed_on"]);
    in_order("fact_ruling", &["application_date", "ruling_date", "valid_to"]);
    in_order("bridge_person_offence", &["offence_date", "decision_date"]);
    for table in ["dim_company", "bridge_company_person", "bridge_company_company", "bridge_agreement_country"] {
        in_order(table, &["valid_from", "valid_to"]);
    }
    let headers = Frame::table("fact_declaration");
    let rows = index(&headers, "declaration_id");
    let not_before = |table: &str, column: &str, than: &str, sign: i32| {
        let (frame, bounds) = (Frame::table(table), headers.day(than));
        for (id, day) in frame.word("declaration_id").into_iter().zip(frame.day(column)) {
            assert!(sign * (day - bounds[rows[id]]) >= 0, "{table}.{column} of {id} and {than}");
        }
    };
    not_before("fact_payment", "payment_date", "acceptance_date", 1);
    not_before("fact_amendment", "amendment_date", "release_date", 1);
    not_before("fact_refund", "refund_date", "release_date", 1);
    not_before("fact_audit_line", "checked_on", "release_date", 1);
    not_before("fact_inspection", "inspection_date", "release_date", -1);
    not_before("bridge_document_declaration", "issued_on", "arrival_date", -1);
    let (payments, refunds) = (Frame::table("fact_payment"), Frame::table("fact_refund"));
    let mut last: HashMap<&str, i32> = HashMap::new();
    let declared = payments.word("payment_kind");
    for (row, (id, day)) in payments.word("declaration_id").into_iter().zip(payments.day("payment_date")).enumerate() {
        if declared[row] == "declared" {
            let entry = last.entry(id).or_insert(day);
            *entry = day.max(*entry);
        }
    }
    let back = refunds.word("declaration_id").into_iter().zip(refunds.day("refund_date"));
    back.for_each(|(id, day)| assert!(day > last[id], "{id} has its money back before it has paid"));
}

#[test]
fn the_bill_of_a_declaration_is_its_own() {
    let (headers, bills) = (Frame::table("fact_declaration"), Frame::table("fact_manifest"));
    let rows = index(&bills, "bill_id");
    assert_eq!(rows.len(), headers.rows());
    let (arrival, importer, packages) =
        (bills.day("arrival_date"), bills.word("importer_id"), bills.whole("package_count"));
    let weighed = bills.number("gross_mass_kg");
    let (own_arrival, own_importer, own_packages, gross) = (
        headers.day("arrival_date"),
        headers.word("importer_id"),
        headers.whole("package_count"),
        headers.number("gross_mass_kg"),
    );
    let (mut same, mut hidden, mut hidden_same) = (0, 0, 0);
    let lies = Frame::truth("fraud");
    let (items, true_mass) = (Frame::table("fact_item"), lies.number("true_net_mass_kg"));
    let (at, mass) = (items.index(), items.number("net_mass_kg"));
    let light: HashSet<&str> = lies
        .keys()
        .into_iter()
        .zip(&true_mass)
        .filter(|(key, truth)| mass[at[key]] < **truth * 0.95)
        .map(|(key, _)| key.0)
        .collect();
    for (row, (bill, id)) in headers.word("bill_id").into_iter().zip(headers.word("declaration_id")).enumerate() {
        let b = rows[bill];
        assert_eq!((arrival[b], importer[b], packages[b]), (own_arrival[row], own_importer[row], own_packages[row]));
        let agrees = weighed[b] == gross[row];
        same += i32::from(agrees);
        if light.contains(id) {
            hidden += 1;
            hidden_same += i32::from(agrees);
        }
    }
    assert!(f64::from(same) > 0.93 * headers.rows() as f64, "{same}");
    assert!(hidden > 100 && hidden_same * 2 < hidden, "{hidden_same} of {hidden} understated masses are on the bill");
}

#[test]
fn audits_find_fraud_that_no_inspection_has_found_and_sum_up() {
    let (audits, lines) = (Frame::table("fact_audit"), Frame::table("fact_audit_line"));
    let (items, fraud, inspections) =
        (Frame::table("fact_item"), Frame::truth("fraud"), Frame::table("fact_inspection"));
    let (rows, lies, inspected) = (items.index(), fraud.index(), inspections.index());
    let (evaded, caught) = (fraud.number("additional_duty_krw"), inspections.column("fraud").as_boolean());
    let case = index(&audits, "audit_id");
    let [from, to, opened, closed] = ["period_from", "period_to", "opened_on", "closed_on"].map(|n| audits.day(n));
    let (importer, declared, day) = (items.word("importer_id"), items.day("declaration_date"), lines.day("checked_on"));
    let (found, recovered) = (lines.flag("fraud"), lines.number("additional_duty_krw"));
    let mut sums: BTreeMap<&str, (i32, i32, f64)> = BTreeMap::new();
    for (row, (key, id)) in lines.keys().into_iter().zip(lines.word("audit_id")).enumerate() {
        let (audit, item) = (case[id], rows[&key]);
        assert_eq!(audits.word("importer_id")[audit], importer[item], "{key:?}");
        assert!((from[audit]..=to[audit]).contains(&declared[item]), "{key:?}");
        assert!((opened[audit]..=closed[audit]).contains(&day[row]), "{key:?}");
        assert!(!inspected.get(&key).is_some_and(|i| caught.value(*i)), "{key:?} was found before");
        assert_eq!(found[row], recovered[row] > 0.0);
        assert!(recovered[row] <= lies.get(&key).map_or(0.0, |f| evaded[*f]), "{key:?}");
        let sum = sums.entry(id).or_default();
        *sum = (sum.0 + 1, sum.1 + i32::from(found[row]), sum.2 + recovered[row]);
    }
    let (checked, wrong, total) =
        (audits.whole("lines_checked"), audits.whole("lines_wrong"), audits.number("additional_duty_krw"));
    for (row, id) in audits.word("audit_id").into_iter().enumerate() {
        assert_eq!((checked[row], wrong[row], total[row]), sums.get(id).copied().unwrap_or_default(), "{id}");
    }
    assert!(found.iter().filter(|found| **found).count() > 20);
    let entities = Frame::table("bridge_case_entity");
    let (companies, persons) = (Frame::table("dim_company"), Frame::table("dim_person"));
    let known: HashSet<&str> = companies.word("company_id").into_iter().chain(persons.word("person_id")).collect();
    assert!(entities.word("entity_id").iter().all(|id| known.contains(id)));
}

#[test]
fn documents_are_what_their_digest_says() {
    let (documents, links, objects) =
        (Frame::table("fact_document"), Frame::table("bridge_document_declaration"), Frame::table("fact_image_object"));
    for (sha256, text) in documents.word("sha256").into_iter().zip(documents.word("document_text")) {
        let digest: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(sha256, digest);
    }
    assert!(
        documents.word("document_text").iter().zip(documents.whole("byte_size")).all(|(t, n)| t.len() == n as usize)
    );
    assert_eq!(links.rows(), documents.rows());
    let kinds: HashMap<&str, &str> = links.word("sha256").into_iter().zip(links.word("document_type")).collect();
    assert_eq!(kinds.values().collect::<HashSet<_>>().len(), 4);
    for side in [["left_share", "width_share"], ["top_share", "height_share"]] {
        let [start, size] = side.map(|name| objects.number(name));
        assert!(start.iter().zip(&size).all(|(start, size)| *start > 0.0 && *size > 0.0 && start + size < 1.0));
    }
    let mut on: HashMap<&str, HashSet<&str>> = HashMap::new();
    objects.word("sha256").into_iter().zip(objects.word("object_kind")).for_each(|(document, kind)| {
        on.entry(document).or_default().insert(kind);
    });
    let certificates = kinds.iter().filter(|(_, kind)| **kind == "origin");
    certificates.for_each(|(document, _)| assert_eq!(on[document].len(), 2, "{document}"));
}

#[test]
fn companies_have_one_unbroken_history_that_ends_as_the_register_says() {
    let (companies, importers) = (Frame::table("dim_company"), Frame::table("dim_importer"));
    let (from, to) = (companies.day("valid_from"), companies.date("valid_to"));
    let (names, regions, states) = (companies.word("name"), companies.word("region"), companies.word("state"));
    let mut spans: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    companies.word("company_id").into_iter().enumerate().for_each(|(row, id)| spans.entry(id).or_default().push(row));
    let (numbers, mut owners) = (companies.word("business_no"), HashMap::new());
    let register = index(&importers, "importer_id");
    let (registered, name, region) = (importers.day("registered_on"), importers.word("name"), importers.word("region"));
    for (id, rows) in &spans {
        for pair in rows.windows(2) {
            assert_eq!(to[pair[0]].map(|to| to + 1), Some(from[pair[1]]), "{id} has a gap");
        }
        let last = rows[rows.len() - 1];
        assert_eq!(to[last], None, "{id}");
        rows.iter()
            .for_each(|row| assert!(*owners.entry(numbers[*row]).or_insert(*id) == *id, "{id} shares its number"));
        let Some(&importer) = register.get(id) else { continue };
        assert_eq!(
            (from[rows[0]], names[last], regions[last]),
            (registered[importer], name[importer], region[importer])
        );
        assert!(rows[..rows.len() - 1].iter().all(|row| states[*row] == "active"));
    }
    assert!(importers.word("importer_id").iter().all(|id| spans.contains_key(id)));
    assert!(spans.values().any(|rows| rows.len() > 2) && states.contains(&"closed"));
}

#[test]
fn accounts_add_up() {
    let frame = Frame::table("fact_company_finance");
    let number = |name: &str| frame.number(name);
    let (assets, liabilities, equity) = (number("assets_krw"), number("liabilities_krw"), number("equity_krw"));
    let (current, inventory, short) =
        (number("current_assets_krw"), number("inventory_krw"), number("current_liabilities_krw"));
    for row in 0..frame.rows() {
        assert_eq!(assets[row], liabilities[row] + equity[row]);
        assert!(inventory[row] <= current[row] && current[row] <= assets[row] && short[row] <= liabilities[row]);
    }
    assert!(number("revenue_krw").iter().all(|revenue| *revenue > 0.0));
    assert!(equity.iter().any(|equity| *equity < 0.0) && number("net_income_krw").iter().any(|net| *net < 0.0));
}

#[test]
fn nobody_has_accounts_of_the_year_in_which_it_closed() {
    let (companies, accounts) = (Frame::table("dim_company"), Frame::table("fact_company_finance"));
    let from = companies.day("valid_from");
    let states = companies.word("state").into_iter().zip(companies.word("company_id")).zip(from);
    let closed: HashMap<&str, i32> =
        states.filter(|((state, _), _)| *state == "closed").map(|((_, id), from)| (id, from)).collect();
    // Days since 1970-01-01.
    let ends: HashMap<i32, i32> = HashMap::from([(2017, 17_531), (2018, 17_896), (2019, 18_261), (2020, 18_627)]);
    for (id, year) in accounts.word("company_id").into_iter().zip(accounts.whole("fiscal_year")) {
        assert!(closed.get(id).is_none_or(|closed| *closed > ends[&year]), "{id} has accounts of {year}");
    }
    assert!(!closed.is_empty());
}

#[test]
fn papers_have_the_name_that_the_buyer_had_on_their_day() {
    let (companies, links) = (Frame::table("dim_company"), Frame::table("bridge_document_declaration"));
    let (documents, headers) = (Frame::table("fact_document"), Frame::table("fact_declaration"));
    let mut spans: HashMap<&str, Vec<(i32, Option<i32>, &str)>> = HashMap::new();
    let rows = companies.day("valid_from").into_iter().zip(companies.date("valid_to")).zip(companies.word("name"));
    for (id, ((from, to), name)) in companies.word("company_id").into_iter().zip(rows) {
        spans.entry(id).or_default().push((from, to, name));
    }
    let (text, header) = (index(&documents, "sha256"), index(&headers, "declaration_id"));
    let (texts, importers) = (documents.word("document_text"), headers.word("importer_id"));
    let papers = links.word("sha256").into_iter().zip(links.word("declaration_id")).zip(links.day("issued_on"));
    let mut former = 0;
    for ((sha256, declaration), day) in papers {
        let text = texts[text[sha256]];
        assert!(!text.contains("<buyer>"), "{text}");
        let Some(line) = text.lines().find(|l| l.starts_with("Buyer: ") || l.starts_with("Consignee: ")) else {
            continue;
        };
        let all = &spans[importers[header[declaration]]];
        let Some((_, to, name)) = all.iter().find(|(from, to, _)| *from <= day && to.is_none_or(|to| day <= to)) else {
            continue;
        };
        assert!(line.contains(name), "{line} on day {day}, when it was {name}");
        former += usize::from(to.is_some() && all.iter().any(|(.., other)| other != name));
    }
    assert!(former > 0);
}

#[test]
fn whoever_was_found_guilty_was_of_age() {
    let (offences, persons) = (Frame::table("bridge_person_offence"), Frame::table("dim_person"));
    let (person, born) = (index(&persons, "person_id"), persons.word("birth_date"));
    for (id, day) in offences.word("person_id").into_iter().zip(offences.day("offence_date")) {
        let year: i32 = born[person[id]][..4].parse().unwrap();
        // Days from 1970-01-01 to the end of the year of birth at most.
        let latest = ((year + 1 - 1970) as f64 * 365.25).ceil() as i32;
        let earliest = latest - 366;
        assert!(day >= earliest + 6_574, "{id}, born in {year}, on day {day}");
    }
}

#[test]
fn every_day_of_a_fact_stands_among_the_days() {
    let days: HashSet<i32> = Frame::table("dim_date").day("day").into_iter().collect();
    let first = *days.iter().min().unwrap();
    for (table, column) in [
        ("fact_payment", "due_date"),
        ("fact_payment", "payment_date"),
        ("fact_refund", "refund_date"),
        ("fact_amendment", "amendment_date"),
        ("fact_declaration", "release_date"),
        ("fact_inspection", "inspection_date"),
        ("fact_audit", "closed_on"),
        ("fact_ruling", "ruling_date"),
        ("bridge_person_offence", "decision_date"),
    ] {
        let late =
            Frame::table(table).date(column).into_iter().flatten().find(|day| *day >= first && !days.contains(day));
        assert_eq!(late, None, "{table}.{column}");
    }
    let last = days.iter().max().unwrap();
    assert_eq!(days.len() as i32, last - first + 1);
}

#[test]
fn shares_are_never_more_than_the_whole() {
    let (persons, companies) = (Frame::table("bridge_company_person"), Frame::table("bridge_company_company"));
    let shares = |frame: &Frame| frame.column("share_rate").as_primitive::<Float64Type>().iter().collect::<Vec<_>>();
    let mut held: HashMap<&str, Vec<(i32, Option<i32>, f64)>> = HashMap::new();
    for frame in [&persons, &companies] {
        let (from, to) = (frame.day("valid_from"), frame.date("valid_to"));
        for (row, (company, share)) in frame.word("company_id").into_iter().zip(shares(frame)).enumerate() {
            held.entry(company).or_default().extend(share.map(|share| (from[row], to[row], share)));
        }
    }
    for (company, shares) in &held {
        for (day, ..) in shares {
            let on = shares.iter().filter(|(from, to, _)| from <= day && to.is_none_or(|to| *day <= to));
            let sum: f64 = on.map(|(.., share)| share).sum();
            assert!(sum <= 1.0 + 1e-9, "{company}: {sum}");
        }
        assert!(shares.iter().all(|(.., share)| *share > 0.0 && *share <= 1.0), "{company}");
    }
    let roles = persons.word("role");
    assert!(shares(&persons).iter().zip(&roles).all(|(share, role)| share.is_some() == (*role == "shareholder")));
    let born: HashMap<String, i32> = {
        let people = Frame::table("dim_person");
        let year = |text: &str| text[..4].parse::<i32>().unwrap();
        people
            .word("person_id")
            .into_iter()
            .map(str::to_owned)
            .zip(people.word("birth_date").into_iter().map(year))
            .collect()
    };
    for (person, from) in persons.word("person_id").into_iter().zip(persons.day("valid_from")) {
        assert!(born[person] + 19 <= 1970 + from.div_euclid(365), "{person} is too young");
    }
}

/// Neighbours of each company and person, as the served tables have them.
fn network() -> HashMap<String, BTreeSet<String>> {
    let mut near: HashMap<String, BTreeSet<String>> = HashMap::new();
    for (table, one, other) in [
        ("bridge_company_person", "company_id", "person_id"),
        ("bridge_company_company", "owner_company_id", "company_id"),
        ("bridge_person_person", "person_id", "other_person_id"),
    ] {
        let frame = Frame::table(table);
        for (one, other) in frame.word(one).into_iter().zip(frame.word(other)) {
            assert!(table != "bridge_person_person" || one < other, "{one} {other}");
            near.entry(one.to_owned()).or_default().insert(other.to_owned());
            near.entry(other.to_owned()).or_default().insert(one.to_owned());
        }
    }
    near
}

fn within(near: &HashMap<String, BTreeSet<String>>, from: &str, steps: usize) -> BTreeSet<String> {
    let mut found = BTreeSet::from([from.to_owned()]);
    for _ in 0..steps {
        let next: Vec<String> = found.iter().filter_map(|node| near.get(node)).flatten().cloned().collect();
        found.extend(next);
    }
    found
}

#[test]
fn the_members_of_a_ring_are_bound_by_persons_and_shares() {
    let (rings, near) = (Frame::truth("rings"), network());
    let mut members: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (row, (ring, importer)) in rings.word("ring_id").into_iter().zip(rings.word("importer_id")).enumerate() {
        members.entry(ring).or_default().insert(importer);
        let organiser = rings.word("organiser_person_id")[row];
        let direct = matches!(rings.word("bond")[row], "shareholder" | "director");
        let reach = within(&near, organiser, if direct { 1 } else { 2 });
        assert!(reach.contains(importer), "{ring}: {importer} is not within reach of {organiser}");
    }
    assert!(members.len() > 20 && members.values().all(|m| (3..=6).contains(&m.len())), "{}", members.len());
    assert_eq!(rings.word("bond").into_iter().collect::<BTreeSet<_>>().len(), 4);
    // They live by fraud, and chance binds nobody as closely: of the others few are within four steps of each other.
    let truth = Frame::truth("importers");
    let dishonesty = truth.column("dishonesty").as_primitive::<arrow::datatypes::Float32Type>();
    let ids = truth.word("importer_id");
    let of: HashMap<&str, f32> = ids.iter().copied().zip(dishonesty.values().iter().copied()).collect();
    assert!(members.values().flatten().all(|importer| of[importer] > 0.5));
    let in_ring: HashSet<&str> = members.values().flatten().copied().collect();
    let others: Vec<&str> = ids.iter().copied().filter(|id| !in_ring.contains(id)).step_by(7).collect();
    let bound = others.iter().filter(|id| within(&near, id, 4).iter().any(|n| n.starts_with('I') && n != *id)).count();
    assert!((bound as f64) < 0.2 * others.len() as f64, "{bound} of {}", others.len());
}

#[test]
fn phoenix_companies_are_often_bound_to_those_whom_they_follow() {
    let (truth, near) = (Frame::truth("importers"), network());
    let pairs: Vec<(&str, &str)> = truth
        .word("importer_id")
        .into_iter()
        .zip(truth.text("phoenix_of"))
        .filter_map(|(new, old)| Some((new, old?)))
        .collect();
    let bound = pairs.iter().filter(|(new, old)| within(&near, new, 3).contains(*old)).count() as f64;
    let share = bound / pairs.len() as f64;
    assert!(pairs.len() > 20 && (0.75..0.99).contains(&share), "{share} of {}", pairs.len());
    let companies = Frame::table("dim_company");
    let accounts: HashMap<&str, &str> =
        companies.word("company_id").into_iter().zip(companies.word("bank_account")).collect();
    let shared = pairs.iter().filter(|(new, old)| accounts[new] == accounts[old]).count() as f64 / pairs.len() as f64;
    assert!((0.15..0.5).contains(&shared), "{shared}");
}

#[test]
fn critical_findings_become_offences_of_the_representative() {
    let (offences, inspections) = (Frame::table("bridge_person_offence"), Frame::table("fact_inspection"));
    let grave: BTreeMap<&str, usize> =
        inspections.class().into_iter().zip(inspections.word("declaration_id")).filter(|(class, _)| *class == 2).fold(
            BTreeMap::new(),
            |mut counts, (_, id)| {
                *counts.entry(id).or_default() += 1;
                counts
            },
        );
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    offences.text("declaration_id").into_iter().flatten().for_each(|id| *found.entry(id).or_default() += 1);
    assert_eq!(found, grave);
    assert!(offences.column("declaration_id").null_count() > 50, "older offences");
    let headers = Frame::table("fact_declaration");
    let (roles, rows) = (Frame::table("bridge_company_person"), index(&headers, "declaration_id"));
    let importer = headers.word("importer_id");
    let heads: HashSet<(&str, &str)> = roles
        .word("company_id")
        .into_iter()
        .zip(roles.word("person_id"))
        .zip(roles.word("role"))
        .filter(|(_, role)| *role == "representative")
        .map(|(pair, _)| pair)
        .collect();
    for (person, declaration) in offences.word("person_id").into_iter().zip(offences.text("declaration_id")) {
        let Some(declaration) = declaration else { continue };
        assert!(heads.contains(&(importer[rows[declaration]], person)), "{declaration}");
    }
}

#[test]
fn the_lines_are_the_same_without_the_tables_around_them() {
    let home = tempfile::tempdir().unwrap();
    let make = |name: &str, core| {
        let out = home.path().join(name);
        let made = generate(&Options { core, ..options(&out, 5, 3_000) }, &|_| {}).unwrap();
        (out, made)
    };
    let ((whole, all), (core, few)) = (make("whole", false), make("core", true));
    assert!(few.rows < all.rows && few.items == all.items);
    let mut files = 0;
    for folder in ["tables", "truth"] {
        for entry in std::fs::read_dir(core.join(folder)).unwrap() {
            let name = entry.unwrap().file_name();
            let read = |root: &std::path::Path| std::fs::read(root.join(folder).join(&name)).unwrap();
            assert!(read(&core) == read(&whole), "{name:?}");
            files += 1;
        }
    }
    assert_eq!(files, 11 + 4);
}

#[test]
fn the_summary_counts_the_rows_that_are_served() {
    let (_, out, made) = demo();
    let rows: usize = std::fs::read_dir(out.join("tables"))
        .unwrap()
        .map(|entry| {
            let file = std::fs::File::open(entry.unwrap().path()).unwrap();
            let reader = SerializedFileReader::new(file).unwrap();
            reader.metadata().file_metadata().num_rows() as usize
        })
        .sum();
    assert_eq!(rows as u64, made.rows);
}
