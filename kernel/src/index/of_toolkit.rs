//! What the index knows of the toolkit's own sources.

use super::Index;
use super::build::types;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("toolkit")
}

/// The index of the toolkit and its models, and the traits that the prelude brings in without a name.
fn index() -> (Index, BTreeSet<String>) {
    let crates = [("haetae", ""), ("haetae-models", "models"), ("haetae-features", "features")];
    let messages = crates.map(|(name, below)| {
        let root = folder().join(below).join("src/lib.rs");
        let target = serde_json::json!({"name": name, "kind": ["lib"], "src_path": root});
        serde_json::json!({"reason": "compiler-artifact", "features": [], "target": target}).to_string()
    });
    types(&messages.join("\n"))
}

/// The names between `before` and `after` on the lines of a file of the toolkit.
fn names(file: &Path, before: &str, after: char) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let found = text.lines().filter_map(|line| line.strip_prefix(before)?.split_once(after));
    found.map(|(name, _)| name.to_owned()).filter(|name| name.chars().all(char::is_alphanumeric)).collect()
}

#[test]
fn every_model_can_be_saved_and_loaded_every_net_has_the_shared_parameters_and_what_has_no_name_is_left_out() {
    let (mut index, nameless) = index();
    assert!(nameless.contains("SaveModel") && nameless.contains("Judged"), "{nameless:?}");
    let hidden = ["SaveModel", "ModelFile", "Stored"].map(str::to_owned);
    index.restrict(&hidden.into(), &nameless);

    let kinds = folder().join("models/src/file/kinds.rs");
    let models = names(&kinds, "    ", ':');
    let models: Vec<&String> =
        models.iter().filter(|name| name.chars().next().is_some_and(char::is_uppercase)).collect();
    assert!(models.len() > 20, "{models:?}");
    for model in models {
        let methods = index.methods(model);
        let save = methods.get("save").map(|entry| entry.signature.as_str());
        assert_eq!(save, Some("fn save(&self, path: &str, card: &ModelCard) -> Result<()>"), "{model}");
        assert!(index.associated(model).contains_key("load"), "{model}");
        assert!(!methods.contains_key("to_bytes") && !methods.contains_key("put"), "no cell sees these: {model}");
    }

    let nets = folder().join("models/src/nets");
    let shared: Vec<String> = std::fs::read_to_string(nets.join("methods.rs"))
        .unwrap()
        .lines()
        .filter_map(|line| Some(line.trim().strip_prefix("pub fn ")?.split_once('(')?.0.to_owned()))
        .collect();
    assert!(shared.len() > 8 && shared.iter().any(|name| name == "seed"), "{shared:?}");
    let mut calls = Vec::new();
    for net in std::fs::read_dir(&nets).unwrap() {
        let file = net.unwrap().path().join("params.rs");
        if file.is_file() {
            calls.extend(names(&file, "training_methods!(", ','));
        }
    }
    assert!(calls.len() >= 4, "{calls:?}");
    for params in calls {
        let known = index.methods(&params);
        let missing: Vec<&String> = shared.iter().filter(|name| !known.contains_key(*name)).collect();
        assert!(missing.is_empty(), "{params} has {missing:?}, too");
        assert_eq!(known["seed"].signature, "fn seed(mut self, seed: u64) -> Self");
        assert!(known["batch"].doc.contains(" of a batch, 1 to 1048576"), "{}", known["batch"].doc);
    }
    assert!(index.methods("Evaluation").contains_key("clone") && index.methods("Evaluation").contains_key("chart"));
}
