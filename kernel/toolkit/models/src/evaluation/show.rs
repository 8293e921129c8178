//! An evaluation as a text table and as HTML.

use super::{Evaluation, RATES, Score};
use haetae_display::table::escape;
use std::fmt;

/// Shares with three digits; a dash where there is none.
fn share(value: f64) -> String {
    if value.is_nan() { "-".to_owned() } else { format!("{value:.3}") }
}

impl Evaluation {
    fn head(&self) -> Vec<String> {
        let mut head: Vec<String> = ["protocol", "model", "rows", "base", "AUC", "AP"].map(str::to_owned).to_vec();
        head.extend(RATES.iter().map(|rate| format!("P@{}%", rate * 100.0)));
        head.extend([0.05, 0.1].iter().map(|rate| format!("R@{}%", rate * 100.0)));
        if self.with_revenue() {
            head.extend([0.05, 0.1].iter().map(|rate| format!("Rev@{}%", rate * 100.0)));
        }
        head
    }

    pub(super) fn with_revenue(&self) -> bool {
        self.scores.iter().any(|score| score.revenue.is_some())
    }

    fn cells(&self, score: &Score) -> Vec<String> {
        let mut cells = vec![
            score.protocol.name().to_owned(),
            score.model.clone(),
            score.rows.to_string(),
            share(score.base_rate()),
            share(score.auc),
            share(score.average_precision),
        ];
        cells.extend(score.precision.iter().map(|&value| share(value)));
        // 5 and 10 percent, the rates that published tables give.
        cells.extend(score.recall[2..4].iter().map(|&value| share(value)));
        if self.with_revenue() {
            let revenue = score.revenue.unwrap_or([f64::NAN; 5]);
            cells.extend(revenue[2..4].iter().map(|&value| share(value)));
        }
        cells
    }

    /// The table as HTML, with the audit and the notes under it. Names are escaped.
    pub fn html(&self) -> String {
        let mut html = String::from("<table class=\"haetae-evaluation\">\n<thead><tr>");
        for cell in self.head() {
            html.push_str(&format!("<th>{}</th>", escape(&cell)));
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        for score in &self.scores {
            html.push_str("<tr>");
            for (i, cell) in self.cells(score).iter().enumerate() {
                let align = if i < 2 { "left" } else { "right" };
                html.push_str(&format!("<td style=\"text-align:{align}\">{}</td>", escape(cell)));
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table>\n");
        for line in std::iter::once(self.audit.to_string()).chain(self.notes.iter().cloned()) {
            html.push_str(&format!("<p>{}</p>\n", escape(&line)));
        }
        html
    }
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![self.head()];
        lines.extend(self.scores.iter().map(|score| self.cells(score)));
        let widths: Vec<usize> =
            (0..lines[0].len()).map(|i| lines.iter().map(|line| line[i].chars().count()).max().unwrap_or(0)).collect();
        let mut protocol = "";
        for (number, line) in lines.iter().enumerate() {
            // A line of air between protocols.
            if number > 1 && line[0] != protocol {
                writeln!(f)?;
            }
            protocol = &line[0];
            let cells = line.iter().zip(&widths).enumerate().map(|(i, (cell, &width))| match i {
                0 | 1 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        write!(f, "\n{}", self.audit)?;
        self.notes.iter().try_for_each(|note| write!(f, "\n{note}"))
    }
}
