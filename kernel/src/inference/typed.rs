//! A cell and the types of its new variables -> the code that the evaluator gets.

use super::cell::{Cell, NewVariable};
use super::places::Code;

/// What rustc says of a variable's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Code can name it.
    Named(String),
    /// It has a type that no other cell can hold; in the compiler's words.
    Bound(String),
    /// Its value has gone elsewhere before the cell ends.
    Moved,
    /// The check did not get as far: the cell has an error, which the evaluator will report.
    Unknown,
}

/// A cell as the evaluator gets it.
pub struct Typed {
    /// Its code, with types, and with its last expression shown.
    pub code: Code,
    /// The same without the latter.
    pub plain: Option<Code>,
    /// Variables that end with the cell, and their types.
    pub not_kept: Vec<(String, String)>,
}

/// The variable of `use of moved value: …`, where a compiler's message is one.
pub fn moved_variable(message: &str) -> Option<&str> {
    let (what, name) = message.split_once(": `")?;
    (what.contains("moved value")).then(|| name.trim_end_matches('`'))
}

/// `this expression has type `T`` -> `T`, where `T` can be written in code.
pub(super) fn label_type(label: &str) -> Option<Found> {
    let label = label.strip_prefix("this expression has type `")?.strip_suffix('`')?;
    let type_name = super::own_names(label);
    // Literals without a suffix fall back to these two.
    let type_name = match type_name.as_str() {
        "integer" => "i32".to_owned(),
        "floating-point number" => "f64".to_owned(),
        other => other.replace("{integer}", "i32").replace("{float}", "f64"),
    };
    // Closures, `impl Trait` and unknown parts have no name that code could use.
    if type_name.replace("'static", "").contains('\'') {
        return Some(Found::Bound(label.to_owned()));
    }
    let Ok(parsed) = syn::parse_str::<syn::Type>(&type_name) else { return Some(Found::Bound(label.to_owned())) };
    if has_hole(&type_name) {
        return None;
    }
    // A text of the program's own is for ever; any other reference ends with what it refers to.
    let refers = type_name.replace("&str", "").contains('&') || matches!(parsed, syn::Type::ImplTrait(_));
    let bound = refers || type_name.contains("impl ") || type_name.contains("{closure");
    Some(if bound { Found::Bound(label.to_owned()) } else { Found::Named(type_name) })
}

/// True where a type has a part that is only `_`.
pub(super) fn has_hole(type_name: &str) -> bool {
    type_name.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == "_")
}

/// The cell with `bindings` in front of its last expression, and that expression shown. Left to itself the
/// evaluator shows it too, but falls back to its text as soon as anything else in the cell needs a second try.
pub(super) fn shown(bindings: &str, code: &str, cell: &Cell) -> Typed {
    let (before, last) = code.split_at(cell.end);
    let typed = Code::default().author(before, 0).own(bindings);
    let plain = typed.clone().author(last, cell.end);
    match display(last, cell) {
        Some(display) => Typed { code: typed.code(&display), plain: Some(plain), not_kept: Vec::new() },
        None => Typed { code: plain, plain: None, not_kept: Vec::new() },
    }
}

/// A call that shows the last expression of a cell, where it has one with a value.
fn display(last: &str, cell: &Cell) -> Option<Code> {
    cell.has_value.then(|| Code::default().own("(").author(last, cell.end).own("\n).evcxr_display();"))
}

/// The cell's statements as a block, out of which come the variables that can be kept. Items stay in
/// front of it, where the evaluator finds them.
pub(super) fn in_a_block(code: &str, cell: &Cell, types: &[Found], moved: &[String]) -> Typed {
    let mut statements = code.to_owned();
    for range in &cell.item_ranges {
        // Lines stay where they are.
        let blank: String = code[range.clone()].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        let bytes = range.len() - blank.len();
        statements.replace_range(range.clone(), &(blank + &" ".repeat(bytes)));
    }
    let (before, last) = statements.split_at(cell.end);
    let typed = cell.typed.iter().filter(|(variable, _)| !moved.contains(&variable.name));
    let mut kept: Vec<(&NewVariable, &str)> = typed.map(|(variable, of)| (variable, of.as_str())).collect();
    let mut not_kept = Vec::new();
    for (variable, found) in cell.new.iter().zip(types) {
        match found {
            Found::Named(of) => kept.push((variable, of)),
            Found::Bound(of) => not_kept.push((variable.name.clone(), of.clone())),
            Found::Moved | Found::Unknown => {}
        }
    }
    let list = |part: &dyn Fn(&NewVariable, &str) -> String| -> String {
        kept.iter().map(|(variable, of)| format!("{},", part(variable, of))).collect()
    };
    // The evaluator's analyzer reads a type beside a name, and not one within a tuple of types.
    let bindings: String =
        kept.iter().map(|(new, of)| format!("let {}{}: {of} = {};\n", new.mutability(), new.name, new.name)).collect();
    let names = list(&|variable, _| variable.name.clone());
    let show = display(last, cell).unwrap_or_else(|| Code::default().author(last, cell.end));
    // The error of a failed `?` is the evaluator's; its cells always have that type.
    let (open, close) = if cell.waits {
        ("::haetae::cell::wait(async {", format!("Ok::<_, EvcxrUserCodeError>(({names})) }})?"))
    } else {
        ("{", format!("({names}) }}"))
    };
    // A statement may end without a semicolon, so there is always one behind it, of which nobody need hear.
    let begin = format!("#[allow(redundant_semicolons)] let ({names}) = {open} ");
    let mut code = Code::default().own(&begin).author(before, 0).own("\n;").code(&show);
    code = code.own(&format!("\n;{close};\n{bindings}"));
    for ((_, text), range) in cell.items.iter().zip(&cell.item_ranges) {
        code = code.author(text, range.start).own("\n");
    }
    Typed { code, plain: None, not_kept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::cell::parse;

    #[test]
    fn a_label_is_taken_only_where_code_could_say_it() {
        let label = |of: &str| label_type(&format!("this expression has type `{of}`"));
        let named = |of: &str| Some(Found::Named(of.to_owned()));
        let bound = |of: &str| Some(Found::Bound(of.to_owned()));
        assert_eq!(label("haetae::prelude::DataFrame"), named("haetae::prelude::DataFrame"));
        assert_eq!(label("Result<f64, haetae::haetae_models::Error>"), named("Result<f64, haetae::models::Error>"));
        assert_eq!(label("integer"), named("i32"));
        assert_eq!(label("std::vec::Vec<{float}>"), named("std::vec::Vec<f64>"));
        assert_eq!(label("&str"), named("&str"));
        assert_eq!(label("Vec<_>"), None);
        assert_eq!(label("{closure@cell.rs:3:9: 3:12}"), bound("{closure@cell.rs:3:9: 3:12}"));
        assert_eq!(label("&haetae::prelude::DataFrame"), bound("&haetae::prelude::DataFrame"));
        assert_eq!(label("std::slice::Iter<'_, f64>"), bound("std::slice::Iter<'_, f64>"));
        assert_eq!(label("my_crate::my_type"), named("my_crate::my_type"));
        assert_eq!(label("Vec<haetae_checked_cell::haetae_checked_cell::Lane>"), named("Vec<Lane>"));
    }

    #[test]
    fn what_cannot_be_kept_stays_in_a_block() {
        let code = "fn two() -> i32 { 2 }\nlet f = |x: i32| x + two();\nlet mut n = f(1);\nlet m: i32 = 4;\nn + m";
        let cell = parse(code).unwrap();
        let types = [Found::Bound("{closure}".to_owned()), Found::Named("i32".to_owned())];
        let typed = in_a_block(code, &cell, &types, &[]);
        assert!(typed.code.text().contains(" let (m,n,) = {"), "{}", typed.code.text());
        assert!(
            typed.code.text().contains(
                "(n + m\n).evcxr_display();\n;(m,n,) };\nlet m: i32 = m;\nlet mut n: i32 = n;\nfn two() -> i32 { 2 }"
            ),
            "{}",
            typed.code.text()
        );
        assert!(syn::parse_str::<syn::Block>(&format!("{{{}}}", typed.code.text())).is_ok());
        assert_eq!(typed.not_kept, [("f".to_owned(), "{closure}".to_owned())]);
        // The line of each statement is what it was.
        assert_eq!(typed.code.text().lines().nth(2), Some("let mut n = f(1);"));
    }

    #[test]
    fn a_moved_variable_is_named_by_the_compiler() {
        assert_eq!(moved_variable("use of moved value: `scores`"), Some("scores"));
        assert_eq!(moved_variable("borrow of moved value: `run`"), Some("run"));
        assert_eq!(moved_variable("cannot find value `x` in this scope"), None);
    }
}
