//! What goes in: shapes and texts. What comes out: SVG elements, well formed whatever the texts are.

use std::fmt::Write;

/// Grows from background to foreground.
pub(super) struct Canvas {
    out: String,
    class: &'static str,
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A text's looks.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub(super) anchor: Anchor,
    /// In pixels.
    pub(super) size: f64,
    pub(super) bold: bool,
    /// Degrees, clockwise.
    pub(super) turn: f64,
    /// `None`: the colour of text on the background.
    pub(super) color: Option<&'static str>,
}

/// Size of most texts, in pixels.
pub(super) const TEXT: f64 = 12.0;

impl Look {
    pub(super) fn of(anchor: Anchor) -> Self {
        Self { anchor, size: TEXT, bold: false, turn: 0.0, color: None }
    }
}

/// Attributes speak for a light page, and for viewers that drop style sheets; the style sheet
/// speaks for a dark one. The picture has a ground of its own, so that it reads on any page.
const STYLE: &str = "@media (prefers-color-scheme: dark) {\
    .haetae-chart .ground { fill: #15181c } .haetae-chart .text { fill: #d9dde2 } \
    .haetae-chart .grid { stroke: #343a41 } .haetae-chart .axis { stroke: #7d858e } }";

impl Canvas {
    pub(super) fn new(width: usize, height: usize, description: &str) -> Self {
        let mut canvas = Self { out: String::with_capacity(8192), class: "" };
        let (family, text) = ("system-ui, 'Noto Sans', 'Noto Sans CJK KR', sans-serif", escape(description));
        canvas.push(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"haetae-chart\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"{family}\"><title>{text}</title>\
             <style>{STYLE}</style>\
             <rect class=\"ground\" width=\"{width}\" height=\"{height}\" rx=\"4\" fill=\"#ffffff\"/>"
        ));
        canvas
    }

    pub(super) fn finish(mut self) -> String {
        self.out.push_str("</svg>");
        self.out
    }

    pub(super) fn grid(&mut self, from: (f64, f64), to: (f64, f64)) {
        self.class = "grid";
        self.line(from, to, "#e4e7eb");
    }

    pub(super) fn axis(&mut self, from: (f64, f64), to: (f64, f64)) {
        self.class = "axis";
        self.line(from, to, "#8a929b");
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64), color: &str) {
        let (class, x1, y1, x2, y2) = (self.class, px(from.0), px(from.1), px(to.0), px(to.1));
        self.push(format_args!(
            "<path class=\"{class}\" d=\"M{x1} {y1}L{x2} {y2}\" stroke=\"{color}\" fill=\"none\"/>"
        ));
    }

    pub(super) fn rect(&mut self, at: (f64, f64), size: (f64, f64), color: &str) {
        let (x, y, width, height) = (px(at.0), px(at.1), px(size.0), px(size.1));
        self.push(format_args!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{color}\"/>"));
    }

    /// An outlined rectangle, through which the ground can be seen.
    pub(super) fn pale_rect(&mut self, at: (f64, f64), size: (f64, f64), color: &str) {
        let (x, y, width, height) = (px(at.0), px(at.1), px(size.0), px(size.1));
        self.push(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{color}\" fill-opacity=\"0.3\" \
             stroke=\"{color}\" stroke-width=\"2\"/>"
        ));
    }

    /// A line through the points of each run.
    pub(super) fn polyline(&mut self, runs: &[Vec<(f64, f64)>], color: &str) {
        let mut path = String::new();
        for run in runs {
            for (at, point) in run.iter().enumerate() {
                let _ = write!(path, "{}{} {}", if at == 0 { 'M' } else { 'L' }, px(point.0), px(point.1));
            }
        }
        self.push(format_args!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\" stroke-linejoin=\"round\" \
             stroke-linecap=\"round\"/>"
        ));
    }

    /// Dots; one element for all, as lines without length and with round ends.
    pub(super) fn dots(&mut self, points: impl Iterator<Item = (f64, f64)>, width: f64, opacity: f64, color: &str) {
        let mut path = String::new();
        for point in points {
            let _ = write!(path, "M{} {}h0", px(point.0), px(point.1));
        }
        let width = px(width);
        self.push(format_args!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\" stroke-linecap=\"round\" \
             stroke-opacity=\"{opacity}\"/>"
        ));
    }

    pub(super) fn text(&mut self, at: (f64, f64), text: &str, look: Look) {
        let anchor = match look.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let weight = if look.bold { " font-weight=\"600\"" } else { "" };
        let class = if look.color.is_none() { " class=\"text\"" } else { "" };
        let color = look.color.unwrap_or("#2b3138");
        let (x, y, size) = (px(at.0), px(at.1), px(look.size));
        let turn = match look.turn {
            0.0 => String::new(),
            turn => format!(" transform=\"rotate({} {x} {y})\"", px(turn)),
        };
        let text = escape(text);
        self.push(format_args!(
            "<text{class} x=\"{x}\" y=\"{y}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{color}\"{weight}{turn}>\
             {text}</text>"
        ));
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing into a String cannot fail.
        let _ = self.out.write_fmt(element);
    }
}

/// A coordinate, to a tenth of a pixel.
pub(super) fn px(value: f64) -> f64 {
    if value.is_finite() { (value * 10.0).round() / 10.0 } else { 0.0 }
}

/// Text as XML: marks escaped, and characters that XML does not allow left out.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => {}
            letter if letter.is_control() => {}
            letter => out.push(letter),
        }
    }
    out
}

/// How wide a text is, about, in pixels: no font is at hand, so a little too wide on average.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    text.chars().map(|letter| letter_width(letter) * size).sum()
}

fn letter_width(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | '.' | ',' | ':' | ';' | '|' | '\'' | '(' | ')' | ' ' | '-' => 0.36,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.9,
        'A'..='Z' => 0.68,
        // Hangul, Chinese and Japanese letters are as wide as high.
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}' => 1.0,
        _ => 0.58,
    }
}

/// The text, cut where it would be wider than `most` pixels.
pub(super) fn shortened(text: &str, size: f64, most: f64) -> String {
    if text_width(text, size) <= most {
        return text.to_owned();
    }
    let mut width = letter_width('…') * size;
    let kept = text.chars().take_while(|letter| {
        width += letter_width(*letter) * size;
        width <= most
    });
    kept.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_and_cut() {
        assert_eq!(escape("a<b> & \"c\"\u{0}\n"), "a&lt;b&gt; &amp; &quot;c&quot; ");
        assert_eq!(shortened("short", TEXT, 100.0), "short");
        let cut = shortened("a very long label that nobody reads", TEXT, 60.0);
        assert!(cut.ends_with('…') && text_width(&cut, TEXT) <= 60.0, "{cut}");
        assert!(text_width("한국", TEXT) > text_width("ab", TEXT));
    }

    #[test]
    fn coordinates_are_short_and_finite() {
        assert_eq!([px(1.26), px(f64::NAN), px(f64::INFINITY)].map(|n| n.to_string()), ["1.3", "0", "0"]);
    }
}
