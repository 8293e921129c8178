//! A probability of being bad -> a grade of a fixed master scale.

use crate::Result;
use crate::error::refuse;

/// Grades by bands of the bad rate that do not move with the data: 01 is the riskiest.
#[derive(Debug, Clone, PartialEq)]
pub struct MasterScale {
    /// Where grades begin, from grade 01 on; the last grade begins at 0.
    bounds: Vec<f64>,
}

impl Default for MasterScale {
    /// Ten grades; from 50, 35, 25, 17, 12, 8, 5, 3 and 1.5 % bad companies on, and below.
    fn default() -> Self {
        Self { bounds: vec![0.5, 0.35, 0.25, 0.17, 0.12, 0.08, 0.05, 0.03, 0.015] }
    }
}

impl MasterScale {
    /// Grades that begin at these probabilities, the riskiest first; one more holds what lies below them all.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] when there are none or more than 98, or they are not between 0 and 1 and falling.
    pub fn new(bounds: &[f64]) -> Result<Self> {
        if !(1..=98).contains(&bounds.len()) {
            return refuse("master scale", "1 to 98 bounds", bounds.len());
        }
        if let Some(bound) = bounds.iter().find(|bound| !(**bound > 0.0 && **bound < 1.0)) {
            return refuse("master scale", "bounds above 0 and below 1", bound);
        }
        if let Some(pair) = bounds.windows(2).find(|pair| pair[0] <= pair[1]) {
            return refuse(
                "master scale",
                "bounds that fall, the riskiest grade first",
                format!("{} before {}", pair[0], pair[1]),
            );
        }
        Ok(Self { bounds: bounds.to_vec() })
    }

    /// Number of grades.
    pub fn grades(&self) -> usize {
        self.bounds.len() + 1
    }

    /// Grade of a probability, from 1, the riskiest.
    pub fn grade(&self, probability: f64) -> usize {
        1 + self.bounds.iter().take_while(|bound| probability < **bound).count()
    }
}

/// A grade as it is written: `01`.
pub(crate) fn written(grade: usize) -> String {
    format!("{grade:02}")
}
