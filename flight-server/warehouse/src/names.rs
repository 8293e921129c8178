//! What goes in: a name that does not exist and the names that do. What comes out: the names that
//! were probably meant. And a text, as SQL writes it.

/// Up to three of `known` that are close to `wanted`, the closest first; empty when none is close.
pub fn near<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let mut scored: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let distance = edits(&wanted, &lower);
            // A part of the name ("item" for "fact_item") is a likely slip whatever the distance.
            let part = wanted.len() >= 3 && (lower.contains(&wanted) || wanted.contains(&lower));
            // Of a short word more than a third is another word: "fact_itm" is not "fact_tax".
            let letters = wanted.chars().count();
            (part || distance <= (1 + letters / 4).min((letters / 3).max(1))).then_some((distance, name))
        })
        .collect();
    scored.sort();
    scored.dedup();
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Levenshtein distance over characters.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// `" Did you mean a, b?"`, or nothing when there is no candidate.
pub fn hint(candidates: &[&str]) -> String {
    if candidates.is_empty() { String::new() } else { format!(" Did you mean {}?", candidates.join(" or ")) }
}

/// A text literal of SQL: `it's` -> `'it''s'`.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised() {
        let tables = ["fact_item", "fact_inspection", "dim_hs"];
        assert_eq!(near("fact_itm", tables), ["fact_item"]);
        assert_eq!(near("item", tables), ["fact_item"]);
        assert_eq!(near("fact_itm", ["fact_item", "fact_tax"]), ["fact_item"]);
        assert_eq!(near("customers", tables), Vec::<&str>::new());
        assert_eq!(edits("kitten", "sitting"), 3);
    }
}
