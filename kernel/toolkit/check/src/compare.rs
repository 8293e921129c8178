//! An answer and the right one, to the first thing that is wrong, from coarse to fine: columns, rows, values,
//! order. Names in capitals, columns in another order and, where the task does not ask for an order, rows in
//! another order are as good.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::finding::{Difference, Finding};
use crate::sealed::{Check, Order};
use crate::table::{Table, Value};

/// Sums that were added in another order differ by this, relatively.
const TOLERANCE: f64 = 1e-6;

/// What is wrong with `answer`; `None` where it is right.
pub fn compare(check: &Check, answer: &Table, right: &Table) -> Option<Finding> {
    columns(answer, right)
        .or_else(|| kinds(answer, right))
        .or_else(|| rows(check, answer, right))
        .or_else(|| check.order.iter().find_map(|order| out_of_order(order, &check.order, answer)))
}

fn columns(answer: &Table, right: &Table) -> Option<Finding> {
    let lacks = |of: &Table, in_: &Table| -> Vec<String> {
        of.names().filter(|name| in_.column(name).is_none()).map(str::to_owned).collect()
    };
    let missing = lacks(right, answer);
    if !missing.is_empty() {
        return Some(Finding::MissingColumns { missing, found: answer.names().map(str::to_owned).collect() });
    }
    let extra = lacks(answer, right);
    (!extra.is_empty()).then_some(Finding::ExtraColumns { extra })
}

fn kinds(answer: &Table, right: &Table) -> Option<Finding> {
    right.names().find_map(|name| {
        let kind =
            |table: &Table| table.column(name)?.iter().find(|value| !matches!(value, Value::Null)).map(Value::kind);
        let (found, expected) = (kind(answer)?, kind(right)?);
        (found != expected).then(|| Finding::Kind { column: name.to_owned(), found, expected })
    })
}

fn rows(check: &Check, answer: &Table, right: &Table) -> Option<Finding> {
    if answer.rows() == 0 && right.rows() > 0 {
        return Some(Finding::NoRows);
    }
    if check.key.is_empty() { unkeyed(check, answer, right) } else { keyed(check, answer, right) }
}

/// Rows that a key tells apart.
fn keyed(check: &Check, answer: &Table, right: &Table) -> Option<Finding> {
    let key = || check.key.clone();
    let places = match by_key(&check.key, answer) {
        Ok(places) => places,
        Err(example) => return Some(Finding::Repeated { key: key(), example }),
    };
    // A key that is repeated in the right answer fails in the tests, which solve each exercise.
    let expected = by_key(&check.key, right).unwrap_or_default();
    let strangers: Vec<&String> = places.keys().filter(|name| !expected.contains_key(*name)).collect();
    match strangers.first() {
        Some(_) if answer.rows() > right.rows() => {
            return Some(Finding::Rows { found: answer.rows(), too_many: true });
        }
        Some(example) => {
            return Some(Finding::Strangers { key: key(), rows: strangers.len(), example: (*example).clone() });
        }
        None if answer.rows() < right.rows() => {
            return Some(Finding::Rows { found: answer.rows(), too_many: false });
        }
        None => {}
    }
    let pairs: Vec<(usize, usize)> =
        places.iter().filter_map(|(name, row)| Some((*row, *expected.get(name)?))).collect();
    let others = right.names().filter(|name| !check.key.iter().any(|key| key.eq_ignore_ascii_case(name)));
    others.into_iter().find_map(|name| wrong_values(check, name, answer.column(name)?, right.column(name)?, &pairs))
}

/// The rows by the text of their key, or a key that stands there twice.
fn by_key(key: &[String], table: &Table) -> Result<BTreeMap<String, usize>, String> {
    let columns: Vec<&[Value]> = key.iter().filter_map(|name| table.column(name)).collect();
    let mut places = BTreeMap::new();
    for row in 0..table.rows() {
        let name = columns.iter().map(|values| text(&values[row])).collect::<Vec<_>>().join(", ");
        if places.insert(name.clone(), row).is_some() {
            return Err(name);
        }
    }
    Ok(places)
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Number(number) => format!("{number}"),
        Value::Text(text) => text.clone(),
    }
}

fn wrong_values(
    check: &Check,
    name: &str,
    answer: &[Value],
    right: &[Value],
    pairs: &[(usize, usize)],
) -> Option<Finding> {
    let wrong: Vec<(&Value, &Value)> = pairs
        .iter()
        .map(|(a, r)| (&answer[*a], &right[*r]))
        .filter(|(found, expected)| !same(check, found, expected))
        .collect();
    let like = difference(&wrong);
    (!wrong.is_empty()).then(|| Finding::Values { column: name.to_owned(), rows: wrong.len(), of: pairs.len(), like })
}

fn same(check: &Check, found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(a), Value::Number(b)) => {
            let rounded = check.decimals.map_or(1e-9, |decimals| 0.500_001 * 10f64.powi(-i32::from(decimals)));
            (a - b).abs() <= rounded.max(TOLERANCE * a.abs().max(b.abs()))
        }
        _ => found == expected,
    }
}

/// What pairs of a found and an expected value have in common.
fn difference(wrong: &[(&Value, &Value)]) -> Difference {
    if wrong.iter().all(|(found, expected)| *found == &Value::Null && *expected != &Value::Null) {
        return Difference::Nulls;
    }
    if wrong.iter().all(|(found, expected)| *found != &Value::Null && *expected == &Value::Null) {
        return Difference::NotNulls;
    }
    let ratio = |(found, expected): &(&Value, &Value)| match (found, expected) {
        (Value::Number(a), Value::Number(b)) if *b != 0.0 => Some(a / b),
        _ => None,
    };
    let Some(ratios) = wrong.iter().map(ratio).collect::<Option<Vec<f64>>>() else { return Difference::Some };
    let all = |wanted: f64| ratios.iter().all(|ratio| (ratio / wanted - 1.0).abs() < 1e-3);
    if all(100.0) {
        return Difference::Hundredfold;
    }
    if all(0.01) {
        return Difference::Hundredth;
    }
    if all(-1.0) {
        return Difference::Sign;
    }
    if [1e3, 1e-3, 1e6, 1e-6, 10.0, 0.1].into_iter().any(all) { Difference::TimesPower } else { Difference::Some }
}

/// Rows without a key: both sides are put into one order and compared side by side.
fn unkeyed(check: &Check, answer: &Table, right: &Table) -> Option<Finding> {
    match answer.rows().cmp(&right.rows()) {
        Ordering::Greater => return Some(Finding::Rows { found: answer.rows(), too_many: true }),
        Ordering::Less => return Some(Finding::Rows { found: answer.rows(), too_many: false }),
        Ordering::Equal => {}
    }
    let (a, b) = (sorted(answer, right), sorted(right, right));
    let pairs: Vec<(usize, usize)> = a.into_iter().zip(b).collect();
    if let [pair] = pairs.as_slice() {
        let one = [*pair];
        return right
            .names()
            .find_map(|name| wrong_values(check, name, answer.column(name)?, right.column(name)?, &one));
    }
    let equal = |(a, r): &&(usize, usize)| {
        right.names().all(|name| match (answer.column(name), right.column(name)) {
            (Some(found), Some(expected)) => same(check, &found[*a], &expected[*r]),
            _ => false,
        })
    };
    let wrong = pairs.len() - pairs.iter().filter(equal).count();
    (wrong > 0).then_some(Finding::SomeRows { rows: wrong, of: pairs.len() })
}

/// The rows of a table in order of its texts, then of its numbers: numbers may differ in their last digits.
fn sorted(table: &Table, names: &Table) -> Vec<usize> {
    let columns = names.names().filter_map(|name| table.column(name));
    let (numbers, texts): (Vec<&[Value]>, Vec<&[Value]>) =
        columns.partition(|values| values.iter().any(|value| matches!(value, Value::Number(_))));
    let mut rows: Vec<usize> = (0..table.rows()).collect();
    rows.sort_by(|a, b| {
        let by = |values: &&[Value]| values[*a].order(&values[*b]);
        texts.iter().chain(&numbers).map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
    rows
}

/// Whether rows that are equal in all orders before this one are out of order in it.
fn out_of_order(order: &Order, all: &[Order], answer: &Table) -> Option<Finding> {
    let values = answer.column(&order.column)?;
    let before: Vec<&[Value]> =
        all.iter().take_while(|one| one.column != order.column).filter_map(|one| answer.column(&one.column)).collect();
    let wrong = |row: usize| {
        let tied = before.iter().all(|values| values[row].order(&values[row + 1]).is_eq());
        let turned = if order.descending { Ordering::Less } else { Ordering::Greater };
        tied && values[row].order(&values[row + 1]) == turned
    };
    let any = (0..answer.rows().saturating_sub(1)).any(wrong);
    any.then(|| Finding::Order { column: order.column.clone(), descending: order.descending })
}
