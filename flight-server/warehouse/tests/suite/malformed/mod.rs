//! Files that are wrong in more than two hundred ways: each is an error or refused rows, with the words that
//! `rejects.golden` has, in a process of little memory. `HAETAE_UPDATE_SNAPSHOTS=1` writes the golden file anew.

mod columnar;
mod mutated;
mod texts;

use std::env;
use std::fmt::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use arrow::util::display::array_value_to_string;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::durability::quiet;
use crate::files::{Place, item, items};

/// Set in the child, which has [`MEMORY`] and no more.
const CHILD: &str = "HAETAE_TEST_MALFORMED_CHILD";
/// Address space in bytes: the program, its libraries and the largest piece that may be unpacked.
const MEMORY: u64 = 3 << 30;

/// A file for a table.
pub struct Case {
    pub name: String,
    pub table: &'static str,
    pub bytes: Vec<u8>,
}

pub fn case(name: impl Into<String>, table: &'static str, bytes: impl Into<Vec<u8>>) -> Case {
    Case { name: name.into(), table, bytes: bytes.into() }
}

/// Runs this test alone in a process that cannot have more memory; true in that process.
fn in_little_memory(test: &str) -> bool {
    if env::var_os(CHILD).is_some() {
        return true;
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(CHILD, "1");
    let limit = || {
        let most = libc::rlimit { rlim_cur: MEMORY, rlim_max: MEMORY };
        // SAFETY: between fork and exec; the call gets a pointer to a value that lives.
        if unsafe { libc::setrlimit(libc::RLIMIT_AS, &most) } == 0 {
            Ok(())
        } else {
            Err(std::io::Error::last_os_error())
        }
    };
    // SAFETY: after the fork it only makes one call to the system.
    unsafe { command.pre_exec(limit) };
    let done = command.output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(done.status.success(), "{}\n{}\n{}", done.status, said(&done.stdout), said(&done.stderr));
    false
}

/// A warehouse that is not synced: what a file is worth does not hang on it, and there are many.
fn place() -> Place {
    let mut place = Place::new();
    place.store = quiet(place.store.root());
    place
}

fn short(text: &str) -> String {
    let shown: String = text.chars().take(60).flat_map(char::escape_default).collect();
    if text.chars().count() > 60 { format!("{shown}… of {}", text.len()) } else { shown }
}

/// What became of a file: one line, and one for each refused row.
fn outcome(case: &Case) -> String {
    let place = place();
    let path = place.file("in", &case.bytes);
    let mut told = String::new();
    match place.load(case.table, &path) {
        Err(error) => {
            assert_eq!(place.store.current_version().unwrap(), 0, "{}: a refused file changes nothing", case.name);
            let message = error.to_string().replace(path.to_str().unwrap(), "FILE");
            assert!(message.contains("FILE"), "{}: {message}", case.name);
            writeln!(told, "{}: error: {}", case.name, message.replace('\n', " ")).unwrap();
        }
        Ok(done) => {
            writeln!(told, "{}: {} accepted, {} refused", case.name, done.accepted, done.rejected).unwrap();
            let rejects = rejects(&place);
            assert_eq!(rejects.len() as u64, done.rejected, "{}", case.name);
            for [file, line, column, reason, raw] in &rejects {
                assert_eq!(Path::new(file), path, "{}", case.name);
                writeln!(told, "    {line} [{column}] {reason} | {}", short(raw)).unwrap();
            }
        }
    }
    told
}

fn rejects(place: &Place) -> Vec<[String; 5]> {
    let current = place.store.current().unwrap();
    let mut found = Vec::new();
    for file in current.files("customs", "rejects") {
        let file = std::fs::File::open(place.store.root().join(&file.path)).unwrap();
        for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
            let batch = batch.unwrap();
            let cell =
                |row: usize, name: &str| array_value_to_string(batch.column_by_name(name).unwrap(), row).unwrap();
            let names = ["file", "line_number", "column_name", "reason", "raw_text"];
            found.extend((0..batch.num_rows()).map(|row| names.map(|name| cell(row, name))));
        }
    }
    found
}

#[test]
fn each_malformed_file_is_an_error_or_refused_rows() {
    if !in_little_memory("malformed::each_malformed_file_is_an_error_or_refused_rows") {
        return;
    }
    let mut cases = texts::cases();
    cases.extend(columnar::cases());
    let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases.len(), "a name stands for one case");
    assert!(cases.len() >= 200, "only {} files", cases.len());
    // So that each line of the golden file is one also for tools that know more line breaks.
    let told = cases.iter().map(outcome).collect::<String>().replace('\r', "\\r");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/malformed/rejects.golden");
    if env::var_os("HAETAE_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&golden, &told).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap();
    for (told, expected) in told.lines().zip(expected.lines()) {
        assert_eq!(told, expected);
    }
    assert_eq!(told.len(), expected.len());
}

/// Damage that nobody thought of: every so many bytes one is changed. What a file says then may be right or
/// wrong; it must not end the process, and rows must be accounted for.
#[test]
fn no_changed_byte_ends_the_process() {
    if !in_little_memory("malformed::no_changed_byte_ends_the_process") {
        return;
    }
    let mut errors = 0;
    for (name, bytes) in columnar::good_files() {
        let step = (bytes.len() / 100).max(1);
        for at in (0..bytes.len()).step_by(step) {
            for flip in [0x01, 0x80, 0xFF] {
                let mut bytes = bytes.clone();
                bytes[at] ^= flip;
                let place = place();
                match place.load("dim_importer", &place.file("in", bytes)) {
                    Err(_) => errors += 1,
                    Ok(done) => assert_eq!(rejects(&place).len() as u64, done.rejected, "{name} at {at} ^ {flip}"),
                }
            }
        }
    }
    assert!(errors >= 100, "only {errors} of the changes were noticed");
}

/// Of each good file; as many as fit into a few seconds.
const MUTATIONS: u64 = 600;

/// Damage by the thousand: texts put in, parts left out, doubled, moved and cut off. Nothing ends the process; a file
/// is an error that changes nothing, or its rows are in the table or among those refused, each once.
#[test]
fn no_mutation_ends_the_process() {
    if !in_little_memory("malformed::no_mutation_ends_the_process") {
        return;
    }
    let lines: Vec<String> =
        (0..5).map(|n| item(&format!("d{n}"), &[("quantity", "3"), ("quantity_unit", "U")])).collect();
    let mut good = vec![("fact_item", "CSV", items(&lines).into_bytes())];
    good.extend(columnar::good_files().into_iter().map(|(name, bytes)| ("dim_importer", name, bytes)));
    assert!(good.len() as u64 * MUTATIONS >= 2_000);
    for (table, name, bytes) in good {
        let (mut errors, mut loaded) = (0, 0);
        for seed in 0..MUTATIONS {
            let place = place();
            let path = place.file("in", mutated::mutated(&bytes, seed));
            match place.load(table, &path) {
                Err(error) => {
                    errors += 1;
                    assert_eq!(place.store.current_version().unwrap(), 0, "{name}, seed {seed}");
                    assert!(error.to_string().contains(path.to_str().unwrap()), "{name}, seed {seed}: {error}");
                }
                Ok(done) => {
                    loaded += 1;
                    let rows = place.store.current().unwrap().rows("customs", table);
                    assert_eq!(rows, done.accepted, "{name}, seed {seed}");
                    assert_eq!(rejects(&place).len() as u64, done.rejected, "{name}, seed {seed}");
                }
            }
        }
        println!("{name}: {errors} errors, {loaded} loaded");
        assert!(errors + loaded == MUTATIONS && errors > MUTATIONS / 20, "{name}: {errors} errors, {loaded} loaded");
    }
}
