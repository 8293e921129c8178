//! Fitted bins -> frames: the bins, the information values, the weights of evidence of rows.

use super::bins::{Attribute, Bin, Bins, Unseen};
use crate::Result;
use crate::frame::count;
use polars::frame::DataFrame;
use polars::prelude::Column;

impl Bins {
    /// A row for each bin: `attribute`, `bin`, `rows`, `share`, `bad`, `bad_rate`, `woe`, `iv`.
    ///
    /// # Errors
    /// [`crate::Error::Frame`] when the frame library refuses.
    pub fn table(&self) -> Result<DataFrame> {
        let all: Vec<(&Attribute, &Bin)> =
            self.attributes().iter().flat_map(|one| one.bins().iter().map(move |bin| (one, bin))).collect();
        let numbers = |of: &dyn Fn(&(&Attribute, &Bin)) -> f64| all.iter().map(of).collect::<Vec<f64>>();
        let rows = |one: &Attribute| count(one.bins().iter().map(|bin| bin.rows).sum());
        let columns = vec![
            Column::new("attribute".into(), all.iter().map(|pair| pair.0.name()).collect::<Vec<_>>()),
            Column::new("bin".into(), all.iter().map(|pair| pair.1.label.as_str()).collect::<Vec<_>>()),
            Column::new("rows".into(), all.iter().map(|pair| pair.1.rows as u64).collect::<Vec<_>>()),
            Column::new("share".into(), numbers(&|pair| count(pair.1.rows) / rows(pair.0))),
            Column::new("bad".into(), numbers(&|pair| pair.1.bad)),
            Column::new("bad_rate".into(), numbers(&|pair| pair.1.bad / count(pair.1.rows))),
            Column::new("woe".into(), numbers(&|pair| pair.1.woe)),
            Column::new("iv".into(), numbers(&|pair| pair.1.value)),
        ];
        Ok(DataFrame::new(all.len(), columns)?)
    }

    /// A row for each attribute, the most telling first: `attribute`, `iv`, `bins`.
    ///
    /// # Errors
    /// [`crate::Error::Frame`] when the frame library refuses.
    pub fn information(&self) -> Result<DataFrame> {
        let mut sorted: Vec<&Attribute> = self.attributes().iter().collect();
        sorted.sort_by(|a, b| b.information_value().total_cmp(&a.information_value()));
        let columns = vec![
            Column::new("attribute".into(), sorted.iter().map(|one| one.name()).collect::<Vec<_>>()),
            Column::new("iv".into(), sorted.iter().map(|one| one.information_value()).collect::<Vec<_>>()),
            Column::new("bins".into(), sorted.iter().map(|one| one.bins().len() as u64).collect::<Vec<_>>()),
        ];
        Ok(DataFrame::new(sorted.len(), columns)?)
    }

    /// The weight of evidence of every row: a column for each attribute, under its name.
    ///
    /// # Errors
    /// When a column is missing or has changed its type, a number is NaN, or a value was not seen and is to be refused.
    pub fn woe(&self, frame: &DataFrame, unseen: Unseen) -> Result<DataFrame> {
        let column = |one: &Attribute| Ok(Column::new(one.name().into(), one.woe(frame, unseen)?));
        let columns = self.attributes().iter().map(column).collect::<Result<Vec<_>>>()?;
        Ok(DataFrame::new(frame.height(), columns)?)
    }
}
