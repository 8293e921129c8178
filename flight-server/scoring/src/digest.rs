//! What goes in: settings, bytes. What comes out: a sum that layout, comments and the order of settings do not change.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// SHA-256 of settings in one form, which is not that of a program's release: what was scored stays scored.
pub(crate) fn digest(settings: &toml::Table) -> String {
    let mut text = String::new();
    canonical(&toml::Value::Table(settings.clone()), &mut text);
    hex(Sha256::digest(text).as_slice())
}

fn canonical(value: &toml::Value, text: &mut String) {
    match value {
        // With its length, no text looks like what follows it.
        toml::Value::String(value) => text.push_str(&format!("{}:{value}", value.len())),
        toml::Value::Integer(value) => text.push_str(&format!("{value};")),
        toml::Value::Float(value) => text.push_str(&format!("f{value};")),
        toml::Value::Boolean(value) => text.push_str(&format!("{value};")),
        toml::Value::Datetime(value) => text.push_str(&format!("d{value};")),
        toml::Value::Array(values) => {
            text.push('[');
            values.iter().for_each(|value| canonical(value, text));
            text.push(']');
        }
        toml::Value::Table(table) => {
            text.push('{');
            for (name, value) in table.iter().collect::<BTreeMap<_, _>>() {
                text.push_str(&format!("{}:{name}=", name.len()));
                canonical(value, text);
            }
            text.push('}');
        }
    }
}

/// Bytes as hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
