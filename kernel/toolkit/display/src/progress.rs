//! How far a piece of work has come, as a picture: the same for a cell's own bars and for the kernel's.

use crate::Bundle;
use crate::table::{escape, grouped};

/// What the names of all bars begin with. By it the kernel knows a bar, where the analyst wants none.
pub const NAMES: &str = "haetae-progress-";

/// A bar with `done` of `total` steps.
pub fn bar(label: &str, done: usize, total: usize) -> Bundle {
    let percent = (100 * done).checked_div(total).unwrap_or(100);
    let text = format!("{label}: {percent} % ({} of {})", grouped(done), grouped(total));
    let html = format!("<div><progress value=\"{done}\" max=\"{}\"></progress> {}</div>", total.max(1), escape(&text));
    Bundle::text(text).with("text/html", html.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_says_how_far_it_is() {
        let json = bar("<files>", 300, 1200).into_json();
        assert_eq!(json["text/plain"], "<files>: 25 % (300 of 1,200)");
        assert!(json["text/html"].as_str().unwrap().contains("&lt;files&gt;"));
        assert_eq!(bar("nothing", 0, 0).plain(), "nothing: 100 % (0 of 0)");
    }
}
