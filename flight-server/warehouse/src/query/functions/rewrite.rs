//! What goes in: SQL. What comes out: its calls of functions of scores, and the statement with other expressions in their
//! place.
//!
//! The statement is planned as it was parsed, never written as text and parsed again: sqlparser leaves two quotes within
//! a literal as they are, for it cannot tell whether they stand for one, and what a user has quoted would become SQL.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast::{
    Expr, Function as Written, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, ObjectNamePart,
    Select, SelectItem, Value, VisitMut, VisitorMut, visit_expressions,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::{FUNCTIONS, Function, Named, What, invalid};
use crate::names::quoted;
use crate::{CATALOG, Error, RISK, Result};

/// One call, in the order in which they end.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) function: Function,
    /// The definition, or the model, that it names.
    pub(super) named: Option<String>,
}

/// A statement that may call functions of scores.
pub(super) struct Parsed(Statement);

impl Parsed {
    /// `None` for what is no one statement; the planner says what is wrong with it.
    pub(super) fn of(sql: &str) -> Option<Self> {
        let mut found = DFParser::parse_sql(sql).ok()?;
        let statement = found.pop_front()?;
        found.is_empty().then_some(Self(statement))
    }

    pub(super) fn calls(&mut self) -> Result<Vec<Call>> {
        let mut visitor = Visitor { meant: None, calls: Vec::new() };
        visit(&mut self.0, &mut visitor)?;
        Ok(visitor.calls)
    }

    /// The statement, each call being about the model of its place.
    pub(super) fn rewritten(mut self, meant: &[Named]) -> Result<Statement> {
        let mut visitor = Visitor { meant: Some(meant), calls: Vec::new() };
        visit(&mut self.0, &mut visitor)?;
        Ok(self.0)
    }
}

fn visit(statement: &mut Statement, visitor: &mut Visitor<'_>) -> Result<()> {
    match statement {
        Statement::Statement(inner) => match inner.visit(visitor) {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(()),
        },
        Statement::Explain(explain) => visit(&mut explain.statement, visitor),
        _ => Ok(()),
    }
}

/// Whether a function is called somewhere in an expression.
fn calls(expr: &Expr) -> bool {
    visit_expressions(
        expr,
        |part| if called(part).is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) },
    )
    .is_break()
}

struct Visitor<'a> {
    /// What to put in the place of each call; `None` only looks for them.
    meant: Option<&'a [Named]>,
    calls: Vec<Call>,
}

impl VisitorMut for Visitor<'_> {
    type Break = Error;

    /// A column is called by the function, not by what takes its place.
    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        if self.meant.is_none() {
            return ControlFlow::Continue(());
        }
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for item in &mut select.projection {
            let SelectItem::UnnamedExpr(expr) = &*item else { continue };
            let Some(function) = called(expr) else {
                // The engine would call each of them by the same name.
                if calls(expr) {
                    let alias = Ident::with_quote('"', expr.to_string());
                    *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
                }
                continue;
            };
            let number = seen.entry(function.name).or_default();
            *number += 1;
            let name = if *number == 1 { function.name.to_owned() } else { format!("{}_{number}", function.name) };
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::with_quote('"', name) };
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let Some(function) = called(expr) else { return ControlFlow::Continue(()) };
        let Expr::Function(written) = &*expr else { return ControlFlow::Continue(()) };
        let replaced = parts(function, written).and_then(|(arguments, named)| {
            self.calls.push(Call { function, named });
            match self.meant {
                None => Ok(None),
                Some(meant) => match meant.get(self.calls.len() - 1) {
                    Some(named) => replacement(function, written, arguments, named).map(Some),
                    None => Err(invalid(format!("{} cannot be used here", function.name))),
                },
            }
        });
        match replaced {
            Ok(None) => ControlFlow::Continue(()),
            Ok(Some(new)) => {
                *expr = new;
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// The function of scores that an expression calls.
fn called(expr: &Expr) -> Option<Function> {
    let Expr::Function(written) = expr else { return None };
    let [ObjectNamePart::Identifier(name)] = written.name.0.as_slice() else { return None };
    let same = |known: &str| match name.quote_style {
        None => name.value.eq_ignore_ascii_case(known),
        Some(_) => name.value == known,
    };
    FUNCTIONS.into_iter().find(|function| same(function.name))
}

/// The arguments without the name of a definition, and that name.
fn parts(function: Function, written: &Written) -> Result<(Vec<Expr>, Option<String>)> {
    let usage = || {
        invalid(format!(
            "expected {}, with the name of a definition as a last argument where there are several, found {written}",
            usage(function)
        ))
    };
    let plain = written.over.is_none()
        && written.filter.is_none()
        && written.null_treatment.is_none()
        && written.within_group.is_empty()
        && matches!(written.parameters, FunctionArguments::None);
    let FunctionArguments::List(list) = &written.args else { return Err(usage()) };
    if !plain || list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
        return Err(usage());
    }
    let mut arguments = Vec::with_capacity(list.args.len());
    for argument in &list.args {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = argument else { return Err(usage()) };
        arguments.push(expr.clone());
    }
    let wanted = match function.what {
        What::Kept(_, keys) => keys.len(),
        What::Of(_) => 1,
        What::Version => 0,
    };
    let named = match arguments.len().checked_sub(wanted) {
        Some(0) => None,
        Some(1) => match arguments.pop() {
            Some(Expr::Value(value)) => match value.value {
                Value::SingleQuotedString(name) => Some(name),
                _ => return Err(usage()),
            },
            _ => return Err(usage()),
        },
        _ => return Err(usage()),
    };
    Ok((arguments, named))
}

fn usage(function: Function) -> String {
    let arguments = match function.what {
        What::Kept(_, keys) => keys.join(", "),
        What::Of(_) => "named_struct('feature', value, ...)".to_owned(),
        What::Version => String::new(),
    };
    format!("{}({arguments})", function.name)
}

fn replacement(function: Function, written: &Written, arguments: Vec<Expr>, named: &Named) -> Result<Expr> {
    match function.what {
        What::Version => Ok(Expr::Value(Value::SingleQuotedString(named.model.clone()).with_empty_span())),
        What::Of(_) => {
            let name = Ident::with_quote('"', format!("{} {}", function.name, named.model));
            let mut of = written.clone();
            of.name = ObjectName(vec![ObjectNamePart::Identifier(name)]);
            if let FunctionArguments::List(list) = &mut of.args {
                list.args.truncate(arguments.len());
            }
            Ok(Expr::Function(of))
        }
        What::Kept(column, keys) => {
            let text = kept(function.table(), column, keys, named);
            let dialect = GenericDialect {};
            let parsed = Parser::new(&dialect).try_with_sql(&text).and_then(|mut parser| parser.parse_expr());
            let mut expr =
                parsed.map_err(|error| invalid(format!("{} cannot be used here: {error}", function.name)))?;
            let _: ControlFlow<()> = expr.visit(&mut Filled(arguments));
            Ok(expr)
        }
    }
}

/// The name that stands for an argument until it is filled in.
fn argument(place: usize) -> String {
    format!("risk__argument_{place}")
}

/// Puts arguments in the place of their names.
struct Filled(Vec<Expr>);

impl VisitorMut for Filled {
    type Break = ();

    /// What is filled in is not looked at: a column of the user's may be called as an argument is.
    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let Expr::Identifier(name) = &*expr else { return ControlFlow::Continue(()) };
        if let Some(given) = (0..self.0.len()).find(|place| name.value == argument(*place)) {
            *expr = self.0[given].clone();
        }
        ControlFlow::Continue(())
    }
}

/// What the champion of its day has said last. Nothing of the user's stands where a name of the tables could be meant:
/// the columns beside the arguments have names that nobody writes.
fn kept(table: &str, column: &str, keys: &[&str], named: &Named) -> String {
    let columns: String =
        keys.iter().enumerate().map(|(place, key)| format!("s.{key} as risk__key_{place}, ")).collect();
    let equal: Vec<String> =
        (0..keys.len()).map(|place| format!("risk__kept.risk__key_{place} = ({})", argument(place))).collect();
    let columns = format!("{columns}s.{column} as risk__value, s.day as risk__day");
    let scores = format!("{CATALOG}.{RISK}.{table} s");
    let (order, rows) = match &named.versions {
        // The runs need not be read: each day has one of these.
        Some(versions) => {
            let chosen = match versions.as_slice() {
                [] => "false".to_owned(),
                some => format!("s.version in ({})", some.iter().map(|one| quoted(one)).collect::<Vec<_>>().join(", ")),
            };
            ("risk__kept.risk__day", format!("select {columns} from {scores} where {chosen}"))
        }
        None => (
            "risk__kept.risk__day, risk__kept.risk__run",
            format!(
                "select {columns}, r.run_id as risk__run from {scores} join {CATALOG}.{RISK}.runs r \
                 on r.day = s.day and r.version = s.version where r.role = 'champion' and r.definition = {}",
                quoted(&named.definition)
            ),
        ),
    };
    format!(
        "(select last_value(risk__kept.risk__value order by {order}) from ({rows}) risk__kept where {})",
        equal.join(" and ")
    )
}
