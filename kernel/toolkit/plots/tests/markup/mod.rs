//! Is a text a well-formed XML document? Only what the pictures use: elements, attributes in double
//! quotes, the five named entities.

/// What is wrong, if anything.
pub fn check(text: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    let mut roots = 0;
    while let Some(start) = rest.find('<') {
        content(&rest[..start])?;
        if open.is_empty() && !rest[..start].trim().is_empty() {
            return Err(format!("text outside of the root: {}", &rest[..start]));
        }
        let end = rest[start..].find('>').ok_or("a tag without an end")? + start;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            match open.pop() {
                Some(opened) if opened == name => {}
                other => return Err(format!("</{name}> closes {other:?}")),
            }
            continue;
        }
        let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric()) {
            return Err(format!("{name:?} is no name of an element"));
        }
        roots += usize::from(open.is_empty());
        attributes_of(attributes)?;
        if !empty {
            open.push(name);
        }
    }
    match (open.is_empty(), roots, rest.is_empty()) {
        (true, 1, true) => Ok(()),
        _ => Err(format!("{roots} roots, {open:?} left open, {rest:?} at the end")),
    }
}

/// How many elements of this name there are.
pub fn elements(text: &str, name: &str) -> usize {
    text.matches(&format!("<{name} ")).count()
}

fn attributes_of(mut text: &str) -> Result<(), String> {
    let mut seen = Vec::new();
    while !text.trim_start().is_empty() {
        let (name, after) = text.trim_start().split_once("=\"").ok_or(format!("no attribute: {text}"))?;
        let (value, after) = after.split_once('"').ok_or(format!("the value of {name} has no end"))?;
        if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-') {
            return Err(format!("{name:?} is no name of an attribute"));
        }
        if seen.contains(&name) {
            return Err(format!("{name} stands twice"));
        }
        content(value)?;
        seen.push(name);
        text = after;
    }
    Ok(())
}

fn content(text: &str) -> Result<(), String> {
    if let Some(letter) = text.chars().find(|letter| letter.is_control()) {
        return Err(format!("the character {letter:?}"));
    }
    text.split('&').skip(1).try_for_each(|entity| match entity.split_once(';') {
        Some(("amp" | "lt" | "gt" | "quot" | "apos", _)) => Ok(()),
        _ => Err(format!("a bare & before {entity:?}")),
    })
}
