//! A value that can be printed -> its text, no longer than a reader takes in.

use crate::display::table::grouped;
use std::fmt::{self, Debug, Write};

/// Bytes of a list that are shown: the rest is more of the same.
const LIST: usize = 2_000;

/// Bytes of anything else.
const OTHER: usize = 20_000;

/// What `{:?}` prints; of a long text the beginning, and a line that says how much there is.
pub(crate) fn shortened(value: &dyn Debug) -> String {
    let mut text = Text { shown: String::new(), bytes: 0 };
    // A value that fails to print has said what it could.
    let _ = write!(text, "{value:?}");
    let (shown, all) = (text.shown.len(), text.bytes);
    if shown < all {
        let (shown, all) = (grouped(shown), grouped(all));
        text.shown.push_str(&format!("…\n(the first {shown} of {all} bytes; println!(\"{{:?}}\", …) prints all)"));
    }
    text.shown
}

struct Text {
    shown: String,
    bytes: usize,
}

impl Write for Text {
    /// Takes all, whatever is kept: printers may take an error for a defect.
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let most = if self.shown.starts_with('[') { LIST } else { OTHER };
        if self.shown.len() == self.bytes {
            let room = most.saturating_sub(self.bytes);
            self.shown.push_str(&part[..part.floor_char_boundary(room)]);
        }
        self.bytes += part.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut_and_says_how_long_it_is() {
        assert_eq!(shortened(&vec![1, 2]), "[1, 2]");
        let numbers: Vec<usize> = (0..10_000).collect();
        let text = shortened(&numbers);
        assert!(text.starts_with("[0, 1, 2, ") && text.len() < 2_200, "{text}");
        let said = "(the first 2,000 of 58,890 bytes; println!(\"{:?}\", …) prints all)";
        assert!(text.ends_with(said), "{text}");
        assert_eq!(format!("{numbers:?}").len(), 58_890);
    }

    #[test]
    fn other_texts_have_more_room_and_letters_stay_whole() {
        assert_eq!(shortened(&"가".repeat(6_000)).chars().count(), 6_002);
        let text = shortened(&"가".repeat(9_000));
        assert!(text.contains("가…\n(the first 19,999 of 27,002 bytes"), "{}", &text[text.len() - 100..]);
    }
}
