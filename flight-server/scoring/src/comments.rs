//! What goes in: what officers say of scores. What comes out: rows of `risk.comments`, with what the server knows better:
//! the office of the item, and who says it.

use std::collections::BTreeSet;

use arrow::array::{Array, ArrayRef, RecordBatch};
use haetae_warehouse::names::quoted;
use haetae_warehouse::query::Snapshot;

use crate::registry::version;
use crate::rows::{Rows, small, text};
use crate::{Error, Result, Warehouse, read};

const VERDICTS: [&str; 3] = ["right", "wrong", "unsure"];
/// What a comment may say, in characters.
const LONGEST: usize = 2000;
/// Comments in one statement.
pub const MOST_COMMENTS: usize = 100;
/// What the server fills in.
const OURS: [&str; 3] = ["comment_id", "office_id", "officer"];

/// The columns of `risk.comments` behind its number, for what `officer` says: rows with `declaration_id`, `item_no`,
/// `version`, `verdict` and `comment`. Items are looked up in `snapshot`: an officer comments on scores that they see.
///
/// # Errors
/// When a score does not exist there, or a comment is none.
pub async fn comments(snapshot: &Snapshot, given: &RecordBatch, officer: &str) -> Result<Vec<ArrayRef>> {
    let wrong = |item: &str, reason: String| Error::Comment { item: item.to_owned(), reason };
    let all = "the comments";
    if officer.trim().is_empty() {
        return Err(wrong(all, "it is not said who says it".to_owned()));
    }
    if given.num_rows() == 0 || given.num_rows() > MOST_COMMENTS {
        return Err(wrong(all, format!("expected 1 to {MOST_COMMENTS} in one statement, found {}", given.num_rows())));
    }
    for name in OURS {
        if given.column_by_name(name).is_some_and(|column| column.null_count() < column.len()) {
            return Err(wrong(all, format!("{name} is filled in by the server; leave it out")));
        }
    }
    let column = |name: &str| {
        read::all_texts(given, name).map_err(|_| {
            wrong(all, format!("each needs declaration_id, item_no, version, verdict and comment: {name}"))
        })
    };
    let (ids, lines) = (column("declaration_id")?, column("item_no")?);
    let (versions, verdicts, words) = (column("version")?, column("verdict")?, column("comment")?);
    let lines: Vec<i64> = lines
        .iter()
        .map(|line| line.parse().map_err(|_| wrong(all, format!("item_no: expected a whole number, found {line}"))))
        .collect::<Result<_>>()?;
    let mut seen = BTreeSet::new();
    let mut offices = Vec::with_capacity(ids.len());
    for row in 0..ids.len() {
        let item = format!("{}/{}", ids[row], lines[row]);
        if !VERDICTS.contains(&verdicts[row].as_str()) {
            return Err(wrong(&item, format!("verdict: expected {}, found {}", VERDICTS.join(", "), verdicts[row])));
        }
        let letters = words[row].chars().count();
        if words[row].trim().is_empty() || letters > LONGEST {
            return Err(wrong(&item, format!("comment: expected 1 to {LONGEST} characters, found {letters}")));
        }
        if !seen.insert((&ids[row], lines[row], &versions[row])) {
            return Err(wrong(&item, "it stands twice in one statement".to_owned()));
        }
        let office = format!(
            "select office_id from risk.scores where declaration_id = {} and item_no = {} and version = {}",
            quoted(&ids[row]),
            lines[row],
            quoted(&versions[row])
        );
        let found = read::texts(&read::rows(snapshot, &office).await?, "office_id")?;
        let Some(office) = found.into_iter().next() else {
            let reason = format!("{} has not scored it; risk.scores has the versions of an item", versions[row]);
            return Err(wrong(&item, reason));
        };
        offices.push(office.unwrap_or_default());
    }
    let officers = vec![officer; ids.len()];
    Ok(vec![text(ids), small(lines), text(offices), text(versions), text(verdicts), text(words), text(officers)])
}

/// Keeps what an officer says who writes to the warehouse itself; the version that has it.
///
/// # Errors
/// As [`comments`].
pub async fn comment(warehouse: Warehouse<'_>, given: &RecordBatch, officer: &str) -> Result<u64> {
    let mut transaction = warehouse.store.begin()?;
    let snapshot = crate::registry::base(warehouse, &transaction)?;
    let columns = comments(&snapshot, given, officer).await?;
    let mut rows = Rows::default();
    rows.add_numbered("comments", columns);
    rows.put(&mut transaction)?;
    Ok(version(&transaction.commit()?))
}
