//! What goes in: an expression of a policy as SQL, and the attributes of a user. What comes out: the same as a plan has it,
//! with the attributes in the place of `$name`.

use std::collections::BTreeMap;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::{BinaryExpr, Expr, Like, Operator};

/// What an attribute may be in such an expression.
const IN_LIKE: &str = "in a pattern of LIKE a $name stands alone or beside ||, so that it means its own letters: \
                       write column LIKE $name || '%', or starts_with(column, $name)";
const AFTER_ESCAPE: &str = "in a pattern of LIKE the text before a $name must not end in a \\ that escapes what follows, or \
                            letters of the attribute become wildcards: write \\\\ for the letter \\ itself";
const AFTER_UNKNOWN: &str = "in a pattern of LIKE only text in quotes or another $name may stand directly before a $name: \
                             other text may end in a \\ that escapes what follows, and letters of the attribute become \
                             wildcards; write column = other || $name, or starts_with(column, other || $name)";
const OTHER_ESCAPE: &str = "LIKE has no ESCAPE but \\: leave ESCAPE out, and write \\% and \\_ for the letters % and _";
const ESCAPE_SIMILAR: &str = "SIMILAR TO has no ESCAPE: leave it out, and write \\ before a letter that means itself";
const IN_OTHERS: &str = "a $name cannot be in a regular expression, where its letters could mean others: compare with =, \
                         LIKE, starts_with or ends_with";

/// Fails, with the reason, when the SQL cannot be read, when the user lacks an attribute, and when it asks for more than
/// one row.
pub(super) fn expression(
    state: &SessionState,
    columns: &DFSchema,
    sql: &str,
    attributes: &BTreeMap<String, String>,
) -> std::result::Result<Expr, String> {
    let reason = |error: DataFusionError| error.find_root().message().into_owned();
    let parsed = state.create_logical_expr(sql, columns).map_err(reason)?;
    let bound = parsed.transform_down(|expr| bind(expr, attributes)).map_err(reason)?.data;
    if bound.is_volatile() {
        return Err("an expression of a policy must give the same each time".to_owned());
    }
    Ok(bound)
}

/// From above, because what an attribute means depends on what it stands in.
fn bind(expr: Expr, attributes: &BTreeMap<String, String>) -> Result<Transformed<Expr>> {
    Ok(match expr {
        Expr::Placeholder(placeholder) => Transformed::yes(text(value(&placeholder, attributes)?)),
        // The planner of queries refuses them too, but only where the pattern has a wildcard.
        Expr::Like(like) if like.escape_char.is_some_and(|letter| letter != '\\') => return refused(OTHER_ESCAPE),
        Expr::SimilarTo(like) if like.escape_char.is_some() => return refused(ESCAPE_SIMILAR),
        Expr::Like(like) if has_attribute(&like.pattern) => {
            let pattern = Box::new(by_letter(*like.pattern, attributes)?);
            Transformed::yes(Expr::Like(Like { pattern, ..like }))
        }
        Expr::SimilarTo(like) if has_attribute(&like.pattern) => return refused(IN_OTHERS),
        Expr::BinaryExpr(binary) if is_pattern(binary.op) && has_attribute(&binary.right) => return refused(IN_OTHERS),
        Expr::ScalarFunction(call) if call.name().starts_with("regexp_") && call.args.iter().any(has_attribute) => {
            return refused(IN_OTHERS);
        }
        Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_) => {
            return refused("an expression of a policy can have no subquery");
        }
        Expr::AggregateFunction(_) | Expr::WindowFunction(_) | Expr::Unnest(_) => {
            return refused("an expression of a policy is about one row: no aggregates, no windows");
        }
        other => Transformed::no(other),
    })
}

/// A pattern of LIKE in which `%`, `_` and `\` of an attribute are letters: who chooses an attribute, as a claim of a
/// token, must not choose what it fits.
fn by_letter(pattern: Expr, attributes: &BTreeMap<String, String>) -> Result<Expr> {
    let mut parts = Vec::new();
    flatten(pattern, &mut parts);
    let mut before = Some(false);
    let mut whole = None;
    for part in parts {
        let part = match part {
            Expr::Placeholder(placeholder) => {
                match before {
                    Some(false) => {}
                    Some(true) => return refused(AFTER_ESCAPE),
                    None => return refused(AFTER_UNKNOWN),
                }
                // Leaves `before` as it is: in what this gives each `\` of the attribute stands twice, and one that was
                // added for `%` or `_` has that letter behind it, so no `\` is left over at the end for the next part.
                let escaped = |text: String, letter: &str| text.replace(letter, &format!("\\{letter}"));
                text(["\\", "%", "_"].into_iter().fold(value(&placeholder, attributes)?, escaped))
            }
            other if has_attribute(&other) => return refused(IN_LIKE),
            other => {
                before = escapes(before, &other);
                other
            }
        };
        whole = Some(match whole {
            None => part,
            Some(whole) => Expr::BinaryExpr(BinaryExpr::new(Box::new(whole), Operator::StringConcat, Box::new(part))),
        });
    }
    whole.map_or_else(|| refused(IN_LIKE), Ok)
}

/// The parts of a chain of `||`, from left to right.
fn flatten(expr: Expr, parts: &mut Vec<Expr>) {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::StringConcat, right }) => {
            flatten(*left, parts);
            flatten(*right, parts);
        }
        part => parts.push(part),
    }
}

/// Whether a pattern ends, after one more part without attributes, in a `\` that escapes what follows; `None` where that
/// depends on the row. `before` says so of the pattern until there, on which a part of nothing but `\`, or of nothing,
/// goes on.
fn escapes(before: Option<bool>, part: &Expr) -> Option<bool> {
    let Expr::Literal(value, _) = part else { return None };
    let text = value.try_as_str().flatten()?;
    let letters = text.trim_end_matches('\\').len();
    let odd = (text.len() - letters) % 2 == 1;
    if letters == 0 { before.map(|before| before != odd) } else { Some(odd) }
}

fn refused<T>(reason: &str) -> Result<T> {
    Err(DataFusionError::Plan(reason.to_owned()))
}

fn value(placeholder: &Placeholder, attributes: &BTreeMap<String, String>) -> Result<String> {
    // DataFusion's word for what is written `$name` in SQL.
    let found = attributes.get(placeholder.id.trim_start_matches('$'));
    let missing = || DataFusionError::Plan(format!("the user has no attribute for {}", placeholder.id));
    found.cloned().ok_or_else(missing)
}

fn text(value: String) -> Expr {
    Expr::Literal(ScalarValue::Utf8(Some(value)), None)
}

fn has_attribute(expr: &Expr) -> bool {
    !matches!(expr.exists(|expr| Ok(matches!(expr, Expr::Placeholder(_)))), Ok(false))
}

/// Whether its right side is a pattern. LIKE has an expression of its own; what SQL writes as `~~` is the same.
fn is_pattern(operator: Operator) -> bool {
    use Operator::{ILikeMatch, LikeMatch, NotILikeMatch, NotLikeMatch};
    use Operator::{RegexIMatch, RegexMatch, RegexNotIMatch, RegexNotMatch};
    matches!(
        operator,
        LikeMatch
            | ILikeMatch
            | NotLikeMatch
            | NotILikeMatch
            | RegexMatch
            | RegexIMatch
            | RegexNotMatch
            | RegexNotIMatch
    )
}
