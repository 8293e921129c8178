//! Taxes, invoices, payments and amendments follow from the lines.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::sums;
use crate::dataset::Frame;

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
    assert!(pays.contains(&0.0) && relieved.iter().any(|x| *x > 0.0));
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
