//! A condition that officers set points for.

use polars::prelude::Expr;

/// A business factor: what officers know and the data do not say, as points. They are added to the score of every company
/// on which the condition holds; a null counts as no.
#[derive(Debug, Clone, PartialEq)]
pub struct Factor {
    pub(crate) name: String,
    pub(crate) condition: Expr,
    pub(crate) points: i64,
    pub(crate) owner: String,
}

impl Factor {
    /// A factor with its points; above 0 is riskier. `name` is what a reason says.
    pub fn new(name: &str, condition: Expr, points: i64) -> Self {
        Self { name: name.to_owned(), condition, points, owner: String::new() }
    }

    /// Who answers for it; reasons name it.
    #[must_use]
    pub fn owner(mut self, owner: &str) -> Self {
        self.owner = owner.to_owned();
        self
    }
}
