//! The crate map in `docs/architecture.md` against what `cargo metadata` says: folders, edges, owners.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

type Names = BTreeSet<String>;

/// One workspace crate, as the page or as cargo has it.
#[derive(Debug, PartialEq, Eq)]
struct Crate {
    folder: String,
    /// Workspace crates that it uses.
    uses: Names,
    /// Workspace crates that only its tests use.
    tests_use: Names,
}

#[test]
fn every_crate_and_edge_is_on_the_page_and_none_is_missing() {
    let page: BTreeMap<_, _> = crates_of_page().into_iter().collect();
    let cargo: BTreeMap<_, _> = packages().iter().map(|package| (name(package), crate_of(package))).collect();
    assert_eq!(page.keys().collect::<Vec<_>>(), cargo.keys().collect::<Vec<_>>(), "crates: page (left), cargo (right)");
    for (name, expected) in &page {
        assert_eq!(expected, &cargo[name], "{name}: docs/architecture.md (left) and its Cargo.toml (right) differ");
    }
}

#[test]
fn edges_lead_downwards_only() {
    let mut below = Names::new();
    for (name, entry) in crates_of_page() {
        for used in entry.uses.union(&entry.tests_use) {
            assert!(below.contains(used), "{name} uses {used}, which does not stand above it in the table");
        }
        below.insert(name);
    }
    assert!(below.len() > 1, "the table of crates was not found");
}

#[test]
fn heavy_things_have_the_owners_that_the_page_names() {
    let owners = owners_of_page();
    let mut found: BTreeMap<String, Names> = BTreeMap::new();
    for package in packages() {
        for dependency in package["dependencies"].as_array().unwrap() {
            let family = family(&name(dependency), owners.keys());
            if let Some(family) = family {
                found.entry(family).or_default().insert(name(&package));
            }
        }
    }
    assert_eq!(owners, found, "owners: docs/architecture.md (left), Cargo.toml files (right)");
}

#[test]
fn the_top_level_folders_are_those_of_the_page() {
    let page: Names = table("Folders").into_iter().map(|row| code(&row[0]).remove(0)).collect();
    let ignored = std::fs::read_to_string(root().join(".gitignore")).unwrap();
    let ignored: Names = ignored.lines().map(|line| line.trim_matches('/').to_owned()).collect();
    for entry in root().read_dir().unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let counts = entry.path().is_dir() && !name.starts_with('.') && !ignored.contains(&name);
        assert!(!counts || page.contains(&name), "the folder {name}/ is not in docs/architecture.md");
    }
    assert!(page.iter().filter(|name| root().join(name).is_dir()).count() >= 6, "most folders of the page exist");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The packages of the workspace, as `cargo metadata` has them.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version=1", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn name(of: &Value) -> String {
    of["name"].as_str().unwrap().to_owned()
}

fn crate_of(package: &Value) -> Crate {
    let folder = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap();
    let folder = folder.strip_prefix(root().canonicalize().unwrap()).unwrap().display().to_string();
    let edges = |tests: bool| -> Names {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        dependencies.filter(|d| d["path"].is_string() && (d["kind"] == "dev") == tests).map(name).collect()
    };
    let uses = edges(false);
    let tests_use = edges(true).difference(&uses).cloned().collect();
    Crate { folder, uses, tests_use }
}

/// The crates of the page, in its order.
fn crates_of_page() -> Vec<(String, Crate)> {
    let row = |row: Vec<String>| {
        let names = |cell: &str| -> Names { code(cell).into_iter().collect() };
        let entry = Crate { folder: code(&row[1]).remove(0), uses: names(&row[2]), tests_use: names(&row[3]) };
        (code(&row[0]).remove(0), entry)
    };
    table("Crates").into_iter().map(row).collect()
}

/// Outside crate, or family of crates with a common prefix -> the workspace crates that may name it.
fn owners_of_page() -> BTreeMap<String, Names> {
    let mut owners = BTreeMap::new();
    for row in table("Owners") {
        for outside in code(&row[0]) {
            owners.insert(outside, code(&row[1]).into_iter().collect());
        }
    }
    owners
}

/// `datafusion` is the family of `datafusion-common`; `polars` that of `polars-arrow`.
fn family<'a>(dependency: &str, mut families: impl Iterator<Item = &'a String>) -> Option<String> {
    let is_of = |family: &&String| {
        dependency.strip_prefix(family.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    families.find(is_of).cloned()
}

/// The rows of the first table below a heading of the page, as cells.
fn table(heading: &str) -> Vec<Vec<String>> {
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).expect("the heading is on the page");
    let lines = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    lines.skip(2).map(cells).collect()
}

/// The words in backquotes.
fn code(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(|word| word.trim_end_matches('/').to_owned()).collect()
}
