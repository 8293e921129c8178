//! Findings of a generated administration, to a data project: a folder for trainees, and the part that is kept apart; and a
//! project's predictions, to how good they are.

mod frame;
mod make;
mod score;
mod template;

pub use make::{Made, Order, make};
pub use score::{Scored, score};
pub use template::Template;
