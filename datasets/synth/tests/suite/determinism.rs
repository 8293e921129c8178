use std::collections::BTreeMap;
use std::path::Path;

use haetae_synth::{Options, generate};

use crate::dataset::options;

fn bytes(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for folder in ["tables", "truth"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            files.insert(format!("{folder}/{}", path.file_name().unwrap().display()), std::fs::read(&path).unwrap());
        }
    }
    files
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let home = tempfile::tempdir().unwrap();
    let make = |name: &str, seed, threads| {
        let out = home.path().join(name);
        generate(&Options { threads, ..options(&out, seed, 12_345) }, &|_| {}).unwrap();
        bytes(&out)
    };
    let (one, three, other) = (make("one", 7, 1), make("three", 7, 3), make("other", 8, 1));
    assert_eq!(one.keys().collect::<Vec<_>>(), three.keys().collect::<Vec<_>>());
    for (name, content) in &one {
        assert!(*content == three[name], "{name} differs between one thread and three");
    }
    assert!(one["tables/fact_item.parquet"] != other["tables/fact_item.parquet"], "the seed changes nothing");
}

#[test]
fn files_do_not_name_the_writer_version() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("small");
    generate(&options(&out, 1, 100), &|_| {}).unwrap();
    for (name, content) in bytes(&out) {
        let text = String::from_utf8_lossy(&content);
        assert!(text.contains("haetae-synth") && !text.contains("parquet-rs"), "{name}");
    }
}
