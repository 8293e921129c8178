//! A table that is ready to be read by a person: header, a few rows, the full shape; as HTML in
//! the manner of data-frame libraries and as text.

use crate::Bundle;
use serde_json::Value;

/// How many rows a table shows unless told otherwise; longer tables show the first and last half.
pub const SHOWN_ROWS: usize = 10;

/// Characters after which a cell's text is cut.
const CELL_WIDTH: usize = 60;

/// One column's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// Column name as it is used in code.
    pub name: String,
    /// Type as the analyst knows it, for instance `f64` or `date`.
    pub data_type: String,
    /// Numbers stand to the right.
    pub numeric: bool,
}

/// Rows of already formatted cells. `None` is a null.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Headers, one a column.
    pub columns: Vec<TableColumn>,
    /// The rows to show, from the top.
    pub head: Vec<Vec<Option<String>>>,
    /// The rows to show after a gap; empty where `head` is everything.
    pub tail: Vec<Vec<Option<String>>>,
    /// Rows that the whole value has.
    pub total_rows: usize,
    /// Rows right behind `head`, for paging ([`crate::Pages`]); empty where `head` and `tail` are everything.
    pub more: Vec<Vec<Option<String>>>,
}

impl Table {
    /// A small table of texts, all of it shown.
    pub fn of_texts(names: &[&str], rows: Vec<Vec<Option<String>>>) -> Table {
        let column =
            |name: &&str| TableColumn { name: (*name).to_owned(), data_type: "str".to_owned(), numeric: false };
        let columns = names.iter().map(column).collect();
        Table { columns, total_rows: rows.len(), head: rows, tail: Vec::new(), more: Vec::new() }
    }

    /// Which rows of `total` are shown: `(from the top, from the bottom)`.
    pub fn shown(total: usize, limit: usize) -> (usize, usize) {
        if total <= limit { (total, 0) } else { (limit.div_ceil(2), limit / 2) }
    }

    /// `shape: (rows, columns)`, the line above every table.
    pub fn shape(&self) -> String {
        format!("shape: ({}, {})", grouped(self.total_rows), self.columns.len())
    }

    /// HTML with class `dataframe`, everything escaped; with a script for paging where there are more rows.
    pub fn to_html(&self) -> String {
        let mut html = String::from("<div><small>");
        html.push_str(&escape(&self.shape()));
        html.push_str("</small><table border=\"1\" class=\"dataframe\"><thead><tr>");
        for column in &self.columns {
            push_cell(&mut html, "th", column.numeric, &escape(&column.name));
        }
        html.push_str("</tr><tr>");
        for column in &self.columns {
            let data_type = format!("<small>{}</small>", escape(&column.data_type));
            push_cell(&mut html, "td", column.numeric, &data_type);
        }
        html.push_str("</tr></thead><tbody>");
        self.push_html_rows(&mut html, &self.head);
        if !self.tail.is_empty() {
            html.push_str("<tr>");
            for column in &self.columns {
                push_cell(&mut html, "td", column.numeric, "&hellip;");
            }
            html.push_str("</tr>");
            self.push_html_rows(&mut html, &self.tail);
        }
        html.push_str("</tbody></table>");
        html.push_str(&crate::pages::script(self));
        html.push_str("</div>");
        html
    }

    fn push_html_rows(&self, html: &mut String, rows: &[Vec<Option<String>>]) {
        for row in rows {
            html.push_str("<tr>");
            for (cell, column) in row.iter().zip(&self.columns) {
                let text = match cell {
                    Some(text) => escape(&cut(text)),
                    None => "<i>null</i>".to_owned(),
                };
                push_cell(html, "td", column.numeric, &text);
            }
            html.push_str("</tr>");
        }
    }

    /// The same table in fixed width, two spaces between columns.
    pub fn to_text(&self) -> String {
        let cell = |cell: &Option<String>| cell.as_deref().map_or("null".to_owned(), cut);
        let gap: Vec<String> = self.columns.iter().map(|_| "…".to_owned()).collect();
        let mut lines: Vec<Vec<String>> = vec![
            self.columns.iter().map(|c| c.name.clone()).collect(),
            self.columns.iter().map(|c| c.data_type.clone()).collect(),
        ];
        lines.extend(self.head.iter().map(|row| row.iter().map(cell).collect()));
        if !self.tail.is_empty() {
            lines.push(gap);
            lines.extend(self.tail.iter().map(|row| row.iter().map(cell).collect()));
        }
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|i| lines.iter().map(|line| line[i].chars().count()).max().unwrap_or(0))
            .collect();
        let mut text = self.shape();
        for line in &lines {
            text.push('\n');
            let cells: Vec<String> = line
                .iter()
                .zip(&widths)
                .zip(&self.columns)
                .map(
                    |((cell, &width), column)| {
                        if column.numeric { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
                    },
                )
                .collect();
            text.push_str(cells.join("  ").trim_end());
        }
        text
    }

    /// HTML and text together.
    pub fn bundle(&self) -> Bundle {
        Bundle::text(self.to_text()).with("text/html", Value::String(self.to_html()))
    }
}

fn push_cell(html: &mut String, tag: &str, numeric: bool, content: &str) {
    let align = if numeric { "right" } else { "left" };
    html.push_str(&format!("<{tag} style=\"text-align: {align}\">{content}</{tag}>"));
}

pub(crate) fn cut(text: &str) -> String {
    if text.chars().count() <= CELL_WIDTH {
        return text.replace('\n', "⏎");
    }
    let mut short: String = text.chars().take(CELL_WIDTH - 1).collect();
    short.push('…');
    short.replace('\n', "⏎")
}

/// Thousands set apart, as in `24,700,000`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Text made safe for HTML content and attribute values.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table {
            columns: vec![
                TableColumn { name: "hs6".into(), data_type: "str".into(), numeric: false },
                TableColumn { name: "n".into(), data_type: "u32".into(), numeric: true },
            ],
            head: vec![vec![Some("<b>".into()), Some("1".into())]],
            tail: vec![vec![None, Some("22".into())]],
            total_rows: 1200,
            more: Vec::new(),
        }
    }

    #[test]
    fn html_is_escaped_and_says_the_shape() {
        let html = table().to_html();
        assert!(html.contains("&lt;b&gt;") && !html.contains("<b>"));
        assert!(html.contains("shape: (1,200, 2)") && html.contains("class=\"dataframe\""));
    }

    #[test]
    fn text_is_aligned_and_marks_the_gap() {
        let text = table().to_text();
        assert_eq!(text, "shape: (1,200, 2)\nhs6     n\nstr   u32\n<b>     1\n…       …\nnull   22");
    }

    #[test]
    fn a_long_table_shows_both_ends() {
        assert_eq!(Table::shown(10, 10), (10, 0));
        assert_eq!(Table::shown(11, 10), (5, 5));
        assert_eq!(Table::shown(0, 10), (0, 0));
    }
}
