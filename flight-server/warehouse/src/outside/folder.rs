//! What goes in: a folder of Parquet files, perhaps in folders `name=value`. What comes out: its columns, and its files
//! with what their folders say of them.

use std::fs;
use std::path::{Path, PathBuf};

use arrow::datatypes::{DataType, Field, Schema};

use super::names::decoded;
use super::{OutsideFile, PartitionType, footer, place, wrong};
use crate::store::OutsideKind;
use crate::{Error, Result};

/// What a folder is called whose value is null.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";
/// More files are better loaded.
const MOST_FILES: usize = 100_000;
/// Files and folders of any kind: to walk more takes longer than anybody waits.
const MOST_ENTRIES: usize = 400_000;
/// Folders within folders.
const DEEPEST: usize = 32;

/// The columns of the first file, and behind them those of the folders; the names of the latter.
pub(super) fn columns(folder: &Path, types: &[(String, PartitionType)]) -> Result<(Schema, Vec<String>)> {
    let Listed { found, other } = list(folder)?;
    if let Some(other) = other {
        let expected =
            "files that end in .parquet, or begin with _ or . as those do that programs write for themselves";
        return Err(wrong(other, expected, "another file, whose rows would be left out; rename it or move it away"));
    }
    let Some((_, first)) = found.first() else {
        return Err(wrong(folder, "at least one file that ends in .parquet", "none"));
    };
    let keys: Vec<String> = keys(folder, first)?.into_iter().map(|(name, _)| name).collect();
    if let Some((unknown, _)) = types.iter().find(|(name, _)| !keys.contains(name)) {
        let known = if keys.is_empty() { "none".to_owned() } else { keys.join(", ") };
        return Err(wrong(folder, format!("folders {unknown}=…"), format!("partition columns: {known}")));
    }
    let path = place::inside(folder, first)?;
    let schema = footer::columns(OutsideKind::Parquet, &path)?;
    let mut fields: Vec<Field> = schema.fields().iter().map(|field| field.as_ref().clone()).collect();
    for key in &keys {
        if fields.iter().any(|field| field.name() == key) {
            return Err(wrong(first, format!("no column {key}, which the folders have"), "one"));
        }
        let kind = types.iter().find(|(name, _)| name == key).map_or(DataType::Utf8, |(_, kind)| kind.data_type());
        fields.push(Field::new(key, kind, true));
    }
    Ok((Schema::new(fields), keys))
}

/// The files. Fails where one is not in folders of these partition columns.
pub(super) fn files(folder: &Path, partitions: &[String]) -> Result<Vec<OutsideFile>> {
    let mut files = Vec::new();
    for (text, path) in list(folder)?.found {
        let keys = keys(folder, &path)?;
        if !keys.iter().map(|(name, _)| name).eq(partitions) {
            let expected = match partitions {
                [] => "a file that is in no folder name=value".to_owned(),
                some => format!("a file in folders {}=…", some.join("=…/")),
            };
            return Err(wrong(&path, expected, text));
        }
        let path = place::inside(folder, &path)?;
        let about = fs::metadata(&path).map_err(Error::io("read", &path))?;
        let modified = about.modified().map_err(Error::io("read", &path))?;
        let partitions = keys.into_iter().map(|(_, value)| value).collect();
        files.push(OutsideFile { path, bytes: about.len(), modified, partitions, statistics: None });
    }
    Ok(files)
}

/// What lies in a folder. Names that begin with . or _ are what programs write for themselves.
struct Listed {
    /// (path below the folder, path) of all Parquet files, in the order of the former.
    found: Vec<(String, PathBuf)>,
    /// One of the files that are none. It may be one that is being written, so that a query passes it over.
    other: Option<PathBuf>,
}

fn list(folder: &Path) -> Result<Listed> {
    let (mut found, mut other, mut entries) = (Vec::new(), None, 0);
    let mut open = vec![(folder.to_path_buf(), 0)];
    while let Some((directory, depth)) = open.pop() {
        if depth > DEEPEST {
            return Err(wrong(&directory, format!("folders within folders, {DEEPEST} at most"), "more"));
        }
        for entry in fs::read_dir(&directory).map_err(Error::io("list", &directory))? {
            let entry = entry.map_err(Error::io("list", &directory))?;
            entries += 1;
            if entries > MOST_ENTRIES {
                return Err(wrong(folder, format!("at most {MOST_ENTRIES} files and folders"), "more"));
            }
            let (path, name) = (entry.path(), entry.file_name());
            let Some(name) = name.to_str() else { return Err(wrong(&path, "a name in UTF-8", "another one")) };
            if name.starts_with(['.', '_']) {
                continue;
            }
            let kind = entry.file_type().map_err(Error::io("read", &path))?;
            if kind.is_symlink() {
                return Err(wrong(&path, "files and folders", "a symbolic link, which is not followed"));
            }
            if kind.is_dir() {
                open.push((path, depth + 1));
            } else if name.ends_with(".parquet") {
                let below = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
                found.push((below, path));
            } else {
                other = other.or(Some(path));
            }
            if found.len() > MOST_FILES {
                return Err(wrong(folder, format!("at most {MOST_FILES} files"), "more"));
            }
        }
    }
    found.sort();
    Ok(Listed { found, other })
}

/// (name, value) of the folders `name=value` that a file is in, the outermost first.
fn keys(folder: &Path, file: &Path) -> Result<Vec<(String, Option<String>)>> {
    let below = file.strip_prefix(folder).ok().and_then(Path::parent).unwrap_or(Path::new(""));
    let mut keys: Vec<(String, Option<String>)> = Vec::new();
    for part in below.components() {
        let text = part.as_os_str().to_string_lossy();
        let Some((name, value)) = text.split_once('=') else { continue };
        let bad = || wrong(file, "folders name=value in UTF-8, with percent signs before two digits", text.to_string());
        let name = decoded(name).filter(|name| !name.is_empty()).ok_or_else(bad)?;
        if keys.iter().any(|(known, _)| *known == name) {
            return Err(wrong(file, "each partition column once", format!("{name} twice")));
        }
        let value = if value == NULL { None } else { Some(decoded(value).ok_or_else(bad)?) };
        keys.push((name, value));
    }
    Ok(keys)
}
