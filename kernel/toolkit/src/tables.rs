//! Matrices of features and names with numbers -> tables.

use crate::display::table::SHOWN_ROWS;
use crate::display::{Bundle, Table};
use crate::shortened::shortened;
use crate::show::{Show, frame_or_text, frame_table};
use haetae_features::FeatureMatrix;
use polars::frame::DataFrame;
use polars::prelude::Column;

/// The first and last rows; features of categories are named as such.
impl Show for FeatureMatrix {
    fn to_bundle(&self) -> Bundle {
        let (head, tail) = Table::shown(self.rows(), SHOWN_ROWS);
        let ends: Vec<usize> = (0..head).chain(self.rows() - tail..self.rows()).collect();
        let Ok(frame) = self.select_rows(&ends).to_frame() else { return Bundle::text(shortened(self)) };
        let mut table = frame_table(&frame);
        table.tail = table.head.split_off(head);
        table.total_rows = self.rows();
        for (_, column) in table.columns.iter_mut().enumerate().filter(|(i, _)| self.is_categorical(*i)) {
            column.data_type = "category".to_owned();
        }
        table.bundle()
    }
}

/// Names with a number each, such as features by importance.
pub(crate) fn of_pairs(pairs: &[(String, f64)]) -> Bundle {
    let names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    let values: Vec<f64> = pairs.iter().map(|(_, value)| *value).collect();
    let columns = vec![Column::new("name".into(), names), Column::new("value".into(), values)];
    frame_or_text(DataFrame::new(pairs.len(), columns).map_err(Into::into), &pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle_of;

    #[test]
    fn a_matrix_is_a_table_of_its_ends() {
        let columns = vec![(0..30).map(f64::from).collect(), (0..30).map(|row| f64::from(row % 2)).collect()];
        let names = ["mass", "code"].map(str::to_owned).to_vec();
        let matrix = FeatureMatrix::new(names, columns, vec![false, true]).unwrap();
        let text = bundle_of(&matrix).unwrap().plain().to_owned();
        assert!(text.starts_with("shape: (30, 2)\n") && text.contains("category"), "{text}");
        assert!(text.contains("4.0") && text.contains("25.0") && !text.contains("15.0"), "{text}");
        assert_eq!(text.lines().filter(|line| line.contains('…')).count(), 1, "{text}");
        let pairs = vec![("mass".to_owned(), 0.75), ("code".to_owned(), 0.25)];
        let text = bundle_of(&pairs).unwrap().plain().to_owned();
        assert!(text.starts_with("shape: (2, 2)\n") && text.contains("0.75"), "{text}");
        let none = FeatureMatrix::new(Vec::new(), Vec::new(), Vec::new()).unwrap();
        assert!(bundle_of(&none).unwrap().plain().starts_with("shape: (0, 0)"));
    }
}
