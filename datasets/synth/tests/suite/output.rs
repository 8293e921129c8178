use std::fs;
use std::path::Path;
use std::process::Command;

use haetae_synth::{MOST_ITEMS, Options, SynthError, generate};

use crate::dataset::{Frame, options};

fn make(options: &Options) -> Result<u64, SynthError> {
    generate(options, &|_| {}).map(|s| s.items)
}

fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(path).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn few_items_are_no_trouble() {
    let home = tempfile::tempdir().unwrap();
    for items in [1, 10, 999] {
        let out = home.path().join(items.to_string());
        assert_eq!(make(&options(&out, u64::MAX, items)).unwrap(), items);
        assert_eq!(Frame::read(&out.join("tables/fact_item.parquet")).rows() as u64, items);
        assert_eq!(names(&out), ["tables", "truth"]);
    }
    assert_eq!(names(home.path()), ["1", "10", "999"], "a partial folder is left");
}

#[test]
fn no_items_and_too_many_are_refused_before_anything_is_made() {
    let home = tempfile::tempdir().unwrap();
    for items in [0, MOST_ITEMS + 1] {
        let error = make(&options(&home.path().join("x"), 1, items)).unwrap_err();
        assert!(matches!(error, SynthError::Items { items: n, .. } if n == items), "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("{items} items")) && text.contains("1 to 200000000"), "{text}");
    }
    assert!(names(home.path()).is_empty());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let error = make(&options(&file.join("data"), 1, 10)).unwrap_err();
    assert!(error.to_string().contains("file/data"), "{error}");
    assert_eq!(names(home.path()), ["file"]);
}

#[test]
fn a_full_folder_is_replaced_only_when_forced() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("data");
    fs::create_dir(&out).unwrap();
    assert_eq!(make(&options(&out, 1, 10)).unwrap(), 10, "an empty folder is no obstacle");
    let error = make(&options(&out, 1, 20)).unwrap_err();
    assert!(matches!(error, SynthError::NotEmpty { .. }) && error.to_string().contains("--force"), "{error}");
    let forced = Options { force: true, ..options(&out, 1, 20) };
    assert_eq!(make(&forced).unwrap(), 20);
    assert_eq!(Frame::read(&out.join("tables/fact_item.parquet")).rows(), 20);
    assert_eq!(names(home.path()), ["data"]);
}

#[test]
fn a_strange_folder_is_never_touched() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("thesis");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("chapter1.txt"), "years of work").unwrap();
    let error = make(&Options { force: true, ..options(&out, 1, 10) }).unwrap_err();
    assert!(error.to_string().contains("chapter1.txt"), "{error}");
    assert_eq!(names(&out), ["chapter1.txt"]);
    assert_eq!(names(home.path()), ["thesis"]);
}

#[test]
fn an_output_that_can_be_no_folder_is_named() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let error = make(&options(&file, 1, 10)).unwrap_err().to_string();
    assert!(error.contains("is a file; give a folder"), "{error}");
    let error = make(&options(Path::new("/"), 1, 10)).unwrap_err().to_string();
    assert!(error.contains("give a folder"), "{error}");
}

#[test]
fn what_a_broken_run_left_behind_is_cleared() {
    let home = tempfile::tempdir().unwrap();
    let stale = home.path().join("data.partial/tables");
    fs::create_dir_all(&stale).unwrap();
    fs::write(stale.join("fact_item.parquet"), "half").unwrap();
    assert_eq!(make(&options(&home.path().join("data"), 1, 5)).unwrap(), 5);
    assert_eq!(names(home.path()), ["data"]);
}

#[test]
fn the_program_says_what_it_made_and_what_went_wrong() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("data");
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_haetae-synth")).args(arguments).arg("--out").arg(&out).output();
        let output = output.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    let (ok, said, progress) = run(&["--seed", "7", "--items", "500"]);
    assert!(ok && said.contains("500 items"), "{said}");
    assert!(progress.contains("made 500 of 500 items") && progress.contains("items/s"), "{progress}");
    let (ok, said, error) = run(&["--items", "500"]);
    assert!(!ok && said.is_empty() && error.contains("--force"), "{error}");
    let (ok, _, error) = run(&["--items", "-5"]);
    assert!(!ok && error.contains("--items"), "{error}");
    let (ok, said, error) = run(&["--items", "0", "--force"]);
    assert!(!ok && said.is_empty() && error.contains("cannot make 0 items"), "{error}");
    assert_eq!(names(&out), ["tables", "truth"], "a failed run took the old data set away");
}
