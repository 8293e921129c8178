//! The book: `docs/SUMMARY.md` names every page once, by its own title, and `docs/reference/configuration.md` every
//! variable of the environment that the code reads.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn the_summary_names_every_page_once_by_its_title() {
    let docs = root().join("docs");
    let mut expected = BTreeMap::new();
    for path in files(&docs, &["md"]) {
        let name = path.strip_prefix(&docs).unwrap().display().to_string();
        if name != "SUMMARY.md" {
            let text = fs::read_to_string(&path).unwrap();
            let title = text.lines().next().and_then(|line| line.strip_prefix("# "));
            expected.insert(name, title.unwrap_or_else(|| panic!("{path:?} begins with no title")).to_owned());
        }
    }
    let mut named = BTreeMap::new();
    for line in fs::read_to_string(docs.join("SUMMARY.md")).unwrap().lines() {
        let Some((title, rest)) = line.split_once("](") else { continue };
        let (_, title) = title.split_once('[').unwrap();
        let twice = named.insert(rest.trim_end_matches(')').to_owned(), title.to_owned());
        assert_eq!(twice, None, "SUMMARY.md names a page twice: {line}");
    }
    assert!(expected.len() > 20);
    assert_eq!(named, expected, "docs/SUMMARY.md (left), the pages and their titles (right)");
}

#[test]
fn every_variable_of_the_environment_is_explained() {
    let page = fs::read_to_string(root().join("docs/reference/configuration.md")).unwrap();
    let mut read = BTreeSet::new();
    for folder in ["kernel", "flight-server", "datasets", "course-material", "notebooks", "bench", "python", "scripts"]
    {
        for path in files(&root().join(folder), &["rs", "py", "sh", ""]) {
            read.extend(variables(&fs::read_to_string(&path).unwrap_or_default()));
        }
    }
    assert!(read.contains("HAETAE_URL"));
    assert_eq!(variables(&page), read, "docs/reference/configuration.md (left), the code (right)");
}

/// `HAETAE_…` as a whole word, except what is only the beginning of names.
fn variables(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("HAETAE_") && !word.ends_with('_')).map(str::to_owned).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The files below a folder that have one of these extensions; hidden ones, and what is made there, are left out.
fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in folder.read_dir().unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        if name.starts_with('.') || name == "__pycache__" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&path, extensions));
        } else if extensions.contains(&path.extension().and_then(|extension| extension.to_str()).unwrap_or_default()) {
            found.push(path);
        }
    }
    found.sort();
    found
}
