//! Rows behind those that a table shows -> a script that lets the reader page and sort, in the table's own
//! HTML. Where scripts do not run (GitHub, nbviewer, a notebook that is not trusted) the table stands as it is.

use crate::Table;
use crate::table::cut;
use serde_json::{Value, json};

/// Most rows that a table carries.
pub const MOST_ROWS: usize = 1_000;
/// Most bytes of text that they may have: a notebook with a dozen of tables should stay light.
pub const MOST_BYTES: usize = 48_000;

/// What is written around a cell.
const MARKS_OF_A_CELL: usize = 3;

const SCRIPT: &str = include_str!("pages.js");

/// Rows for paging, as long as they are few and short enough.
#[derive(Debug, Default)]
pub struct Pages {
    rows: Vec<Vec<Option<String>>>,
    number: usize,
    bytes: usize,
    full: bool,
}

impl Pages {
    /// Begins behind the rows that the table shows at its top.
    pub fn behind(head: &[Vec<Option<String>>]) -> Self {
        let mut pages = Self::default();
        for row in head {
            pages.count(row);
        }
        pages
    }

    /// Whether another row may be taken. Once one was not, none is any more: there are no gaps.
    pub fn is_full(&self) -> bool {
        self.full || self.number >= MOST_ROWS
    }

    /// Takes the next row, where there is room for it.
    pub fn take(&mut self, row: Vec<Option<String>>) {
        if self.is_full() {
            return;
        }
        self.count(&row);
        if self.full {
            return;
        }
        self.rows.push(row);
    }

    /// The rows that were taken.
    pub fn into_rows(self) -> Vec<Vec<Option<String>>> {
        self.rows
    }

    fn count(&mut self, row: &[Option<String>]) {
        self.number += 1;
        let length = |cell: &Option<String>| MARKS_OF_A_CELL + cell.as_deref().map_or(4, |text| cut(text).len());
        self.bytes += row.iter().map(length).sum::<usize>();
        self.full |= self.bytes > MOST_BYTES;
    }
}

/// The script of a table; empty where all its rows are shown.
pub(crate) fn script(table: &Table) -> String {
    if table.more.is_empty() {
        return String::new();
    }
    let rows: Vec<Value> = table.head.iter().chain(&table.more).map(|row| texts(row)).collect();
    let numeric: Vec<bool> = table.columns.iter().map(|column| column.numeric).collect();
    let size = table.head.len() + table.tail.len();
    let data = json!({"rows": rows, "numeric": numeric, "total": table.total_rows, "size": size});
    // Nothing in it can end the script or begin a comment of the page.
    let data = data.to_string().replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    let lines = SCRIPT.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    format!("<script>{code}({data})</script>")
}

fn texts(row: &[Option<String>]) -> Value {
    row.iter().map(|cell| cell.as_deref().map_or(Value::Null, |text| Value::String(cut(text)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TableColumn;

    fn row(text: &str, number: usize) -> Vec<Option<String>> {
        vec![Some(text.to_owned()), Some(number.to_string())]
    }

    fn table(more: Vec<Vec<Option<String>>>) -> Table {
        let column = |name: &str, numeric| TableColumn { name: name.to_owned(), data_type: "x".to_owned(), numeric };
        Table {
            columns: vec![column("name", false), column("n", true)],
            head: vec![row("first", 1)],
            tail: vec![row("last", 9)],
            total_rows: 5_000,
            more,
        }
    }

    #[test]
    fn a_table_that_shows_all_has_no_script() {
        assert!(!table(Vec::new()).to_html().contains("<script"));
    }

    #[test]
    fn a_script_comes_behind_the_static_table_and_holds_the_first_rows() {
        let html = table(vec![row("second", 2), vec![None, None]]).to_html();
        let still = table(Vec::new()).to_html();
        let (before, script) = html.split_once("<script>").unwrap();
        assert!(still.starts_with(before), "the static part is the same");
        assert!(script.contains(r#""rows":[["first","1"],["second","2"],[null,null]]"#), "{script}");
        assert!(script.contains(r#""numeric":[false,true],"total":5000,"size":2"#));
        assert!(script.ends_with("</script></div>") && !script.contains("// "));
        assert_eq!(html, table(vec![row("second", 2), vec![None, None]]).to_html());
    }

    #[test]
    fn no_text_leaves_the_script() {
        let evil = "</script><script>alert(1)</script><!-- \u{2028} \"'\\";
        let html = table(vec![row(evil, 1)]).to_html();
        assert_eq!(html.matches("</script>").count(), 1);
        assert!(!html.contains("<!--") && !html.contains('\u{2028}'));
        let data = html.split_once("(function (data)").unwrap().1;
        let data = &data[data.rfind("({\"rows\"").unwrap() + 1..data.rfind(")</script>").unwrap()];
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["rows"][1][0], evil);
    }

    #[test]
    fn rows_are_few_and_short() {
        let mut pages = Pages::behind(&[row("first", 1)]);
        (0..5_000).for_each(|n| pages.take(row("a", n)));
        assert!(pages.is_full());
        assert_eq!(pages.into_rows().len(), MOST_ROWS - 1);
        let mut pages = Pages::behind(&[]);
        (0..5_000).for_each(|n| pages.take(row(&"x".repeat(200), n)));
        let rows = pages.into_rows();
        assert!(rows.len() > 100 && rows.len() < MOST_BYTES / 60, "{}", rows.len());
        let html = Table { more: rows, ..table(Vec::new()) }.to_html();
        assert!(html.len() < MOST_BYTES + 10_000, "{}", html.len());
    }
}
