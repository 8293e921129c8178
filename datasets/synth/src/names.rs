//! What goes in: an index and a seed. What comes out: ids and made-up names that say nothing about
//! the index, and so nothing about when or why a company was drawn.

use crate::rng::{Rng, mix};

/// Provinces and cities with their shares of companies, per mille.
const REGIONS: [(&str, u32); 17] = [
    ("Seoul", 330),
    ("Gyeonggi", 270),
    ("Incheon", 90),
    ("Busan", 85),
    ("Gyeongnam", 45),
    ("Chungnam", 28),
    ("Daegu", 27),
    ("Gyeongbuk", 25),
    ("Chungbuk", 22),
    ("Daejeon", 18),
    ("Gwangju", 13),
    ("Ulsan", 12),
    ("Jeonbuk", 10),
    ("Jeonnam", 9),
    ("Gangwon", 7),
    ("Jeju", 5),
    ("Sejong", 4),
];

const FIRST: [&str; 32] = [
    "Han", "Dae", "Sam", "Seo", "Dong", "Shin", "Kum", "Hae", "Mir", "Nara", "Woo", "Jin", "Cheon", "Baek", "Tae",
    "Yu", "Gang", "Hwa", "Se", "In", "Kyung", "Nam", "Buk", "Won", "Myung", "Ji", "Ha", "Bo", "Do", "Eun", "A", "Ga",
];
const SECOND: [&str; 24] = [
    "bit", "sung", "jin", "woo", "han", "il", "mi", "san", "hae", "nam", "won", "do", "kwang", "chang", "hwa", "young",
    "ram", "sol", "byeol", "gyeol", "rim", "ha", "jung", "tech",
];
const TRADE: [&str; 12] = [
    "Trading",
    "International",
    "Industry",
    "Global",
    "Korea",
    "Commerce",
    "Company",
    "Line",
    "Materials",
    "Mall",
    "Systems",
    "World",
];
const ABROAD: [&str; 40] = [
    "Alder", "Bright", "Cedar", "Delta", "East", "Fair", "Golden", "Harbour", "Inter", "Jade", "Key", "Long", "Meri",
    "North", "Orient", "Pacific", "Quay", "River", "Sun", "Tri", "Uni", "Vega", "West", "Yong", "Zen", "Atlas", "Bell",
    "Crown", "Dragon", "Ever", "Fort", "Grand", "High", "Iron", "Lotus", "Moon", "Nova", "Pearl", "Royal", "Star",
];
const ABROAD_LAST: [&str; 20] = [
    "field", "way", "port", "wood", "tech", "mark", "line", "gate", "stone", "land", "crest", "works", "trade", "bay",
    "hill", "ford", "ton", "mill", "craft", "source",
];

/// Name of region number `region`.
pub fn region_name(region: u8) -> &'static str {
    REGIONS.get(region as usize).map_or("Seoul", |r| r.0)
}

/// Draws a region by its share.
pub fn region(rng: &mut Rng) -> u8 {
    let total: u32 = REGIONS.iter().map(|r| r.1).sum();
    let mut left = rng.below(total as usize) as u32;
    let found = REGIONS.iter().position(|&(_, share)| {
        let here = left < share;
        left = left.saturating_sub(share);
        here
    });
    found.unwrap_or(0) as u8
}

/// Number of different ids after the first letter.
const IDS: u64 = 36u64.pow(6);

/// Id number `index` of a kind: the letter and six digits or capitals, no two alike, in no order.
pub fn id(seed: u64, letter: char, index: usize) -> String {
    // A stride without a common divisor with 36 visits each id once.
    let offset = mix(seed, 90, letter as u64, 0) % IDS;
    let mut left = (index as u64 * 1_234_567_891 + offset) % IDS;
    let mut text = [0u8; 7];
    text[0] = letter as u8;
    for slot in text.iter_mut().skip(1) {
        *slot = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(left % 36) as usize];
        left /= 36;
    }
    text.iter().map(|b| char::from(*b)).collect()
}

fn one<'a>(list: &[&'a str], hash: u64, place: u32) -> &'a str {
    list[((hash >> (place * 12)) as usize) % list.len()]
}

/// Name of a company at home.
pub fn company(seed: u64, kind: u64, index: usize) -> String {
    let h = mix(seed, 91, kind, index as u64);
    format!("{}{} {} Co., Ltd.", one(&FIRST, h, 0), one(&SECOND, h, 1), one(&TRADE, h, 2))
}

/// Name of a customs broker.
pub fn broker(seed: u64, index: usize) -> String {
    let h = mix(seed, 92, 0, index as u64);
    format!("{}{} Customs Service", one(&FIRST, h, 0), one(&SECOND, h, 1))
}

/// Name of a courier.
pub fn courier(seed: u64, index: usize) -> String {
    let h = mix(seed, 93, 0, index as u64);
    format!("{}{} Express", one(&ABROAD, h, 0), one(&ABROAD_LAST, h, 1))
}

/// Name of a seller in the country with the ISO code.
pub fn seller(seed: u64, index: usize, country: &str) -> String {
    let h = mix(seed, 94, 0, index as u64);
    let form = match country {
        "DE" | "AT" => "GmbH",
        "CH" => "AG",
        "IT" => "S.p.A.",
        "FR" | "BE" => "S.A.",
        "ES" | "MX" | "CL" | "PE" | "CO" => "S.A. de C.V.",
        "US" | "CA" => "Inc.",
        "NL" => "B.V.",
        "JP" => "K.K.",
        "AU" | "NZ" | "SG" => "Pty. Ltd.",
        "SE" | "FI" => "AB",
        "DK" | "NO" => "A/S",
        "GB" | "IE" | "IN" => "Limited",
        _ => "Co., Ltd.",
    };
    format!("{}{} {} {form}", one(&ABROAD, h, 0), one(&ABROAD_LAST, h, 1), one(&TRADE, h, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_do_not_repeat() {
        let ids: std::collections::BTreeSet<String> = (0..50_000).map(|i| id(7, 'I', i)).collect();
        assert_eq!(ids.len(), 50_000);
        assert!(ids.iter().all(|i| i.len() == 7 && i.starts_with('I')));
    }
}
