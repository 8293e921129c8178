//! Variables of the notebook -> files beside the worker, and back, so that a worker which was ended does not
//! take all of them with it.
//!
//! The worker calls [`haetae_cell_keep`] after each cell. Variables that the cell may have changed, and whose
//! type is one of [`kinds`], are written: small ones at once, others on a thread of their own. A file is
//! removed before its variable's new value is written, so what is there is never out of date. The kernel
//! brings them back with [`brought_back`](crate::cell::brought_back).

mod file;
mod kinds;
mod models;
mod plain;
mod writer;

pub(crate) use file::read;

use crate::Result;
use crate::display::kept;
use kinds::{Kind, Seen};
use polars::frame::DataFrame;
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::c_void;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use writer::Writer;

/// Environment variable with the megabytes that the files may have together; 0 keeps nothing but the results of
/// SQL cells, which are in files anyhow.
pub const BUDGET_VARIABLE: &str = "HAETAE_KEEP_MB";
const DEFAULT_BUDGET_MB: usize = 2048;

/// What evcxr hands from cell to cell: a structure whose one field is this map.
type Variables = HashMap<String, Box<dyn Any>>;

struct Keeper {
    folder: PathBuf,
    budget: usize,
    known: BTreeMap<String, Known>,
    writer: Writer,
}

/// A variable whose value has been written, or is being written.
struct Known {
    seen: Seen,
    bytes: usize,
}

fn keeper() -> MutexGuard<'static, Option<Keeper>> {
    static KEEPER: Mutex<Option<Keeper>> = Mutex::new(None);
    static START: std::sync::Once = std::sync::Once::new();
    let mut keeper = KEEPER.lock().unwrap_or_else(PoisonError::into_inner);
    START.call_once(|| *keeper = Keeper::start());
    keeper
}

/// Called by the worker after each cell with what the cell returned.
///
/// # Safety
/// `variables` is null or the store of evcxr's cells, which nobody else uses during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn haetae_cell_keep(variables: *const c_void) {
    if variables.is_null() {
        return;
    }
    // SAFETY: a structure with one field has that field at its beginning. Map and values are of std's types,
    // which the cells and this library take from the same `libstd`.
    let variables = unsafe { &*variables.cast::<Variables>() };
    // A value that cannot be written must not end the worker.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        if let Some(keeper) = keeper().as_mut() {
            keeper.look(variables);
        }
    }));
}

/// The frame in a file that the kernel left for the variable `name`.
pub(crate) fn receive(name: &str, path: &Path) -> Result<DataFrame> {
    let mut keeper = keeper();
    let Some(keeper) = keeper.as_mut() else {
        let frame = read(path)?.0;
        // The mapping holds the rows; the name is needed no longer.
        let _ = std::fs::remove_file(path);
        return Ok(frame);
    };
    let own = keeper.file(name);
    keeper.writer.supersede(name, &own);
    let frame = if std::fs::rename(path, &own).is_ok() { read(&own)?.0 } else { read(path)?.0 };
    // Not counted: the file is there in any case.
    keeper.known.insert(name.to_owned(), Known { seen: Seen::of_frame(&frame), bytes: 0 });
    Ok(frame)
}

/// The value of a variable as it was written last.
pub(crate) fn bring_back<T: 'static>(name: &str) -> Result<T> {
    let gone = || crate::Error::NotKept { name: name.to_owned() };
    let mut keeper = keeper();
    let keeper = keeper.as_mut().ok_or_else(gone)?;
    let kind = kinds::of(std::any::TypeId::of::<T>()).ok_or_else(gone)?;
    let path = keeper.file(name);
    let bytes = std::fs::metadata(&path).map_or(0, |file| usize::try_from(file.len()).unwrap_or(usize::MAX));
    let (frame, note) = read(&path)?;
    let value = (kind.load)(frame, &note)?;
    let value = value.downcast::<T>().map_err(|_| gone())?;
    let seen = (kind.see)(&*value);
    keeper.known.insert(name.to_owned(), Known { seen, bytes });
    Ok(*value)
}

impl Keeper {
    fn start() -> Option<Self> {
        let folder = PathBuf::from(std::env::var_os(kept::FOLDER_VARIABLE)?);
        let megabytes = std::env::var(BUDGET_VARIABLE).ok().and_then(|text| text.parse().ok());
        let budget = megabytes.unwrap_or(DEFAULT_BUDGET_MB).saturating_mul(1 << 20);
        Some(Self { folder, budget, known: BTreeMap::new(), writer: Writer::start() })
    }

    fn file(&self, name: &str) -> PathBuf {
        kept::file(&self.folder, name)
    }

    fn look(&mut self, variables: &Variables) {
        let words = std::fs::read_to_string(kept::words(&self.folder)).unwrap_or_default();
        let words: BTreeSet<&str> = words.lines().collect();
        let gone: Vec<String> = self.known.keys().filter(|name| !variables.contains_key(*name)).cloned().collect();
        for name in gone {
            self.forget(&name);
        }
        // In the order of their names, so that the budget is spent the same way each time.
        for (name, value) in variables.iter().collect::<BTreeMap<_, _>>() {
            // A cell changes only what it names; a name like `r#type` is two words.
            if self.known.contains_key(name) && !words.contains(name.trim_start_matches("r#")) {
                continue;
            }
            let Some(kind) = kinds::of((**value).type_id()) else {
                self.forget(name);
                continue;
            };
            if self.known.get(name).is_none_or(|known| !(kind.same)(&**value, &known.seen)) {
                self.forget(name);
                self.keep(name, &kind, &**value);
            }
        }
    }

    /// Removes what has been written of a variable.
    fn forget(&mut self, name: &str) {
        if self.known.remove(name).is_some() {
            self.writer.supersede(name, &self.file(name));
        }
    }

    fn keep(&mut self, name: &str, kind: &Kind, value: &dyn Any) {
        let others: usize = self.known.values().map(|known| known.bytes).sum();
        let fits = |bytes: usize| others.saturating_add(bytes) <= self.budget;
        if !fits((kind.bytes)(value)) {
            return;
        }
        let Ok((frame, note)) = (kind.save)(value) else { return };
        let bytes = frame.estimated_size();
        if !fits(bytes) {
            return;
        }
        self.known.insert(name.to_owned(), Known { seen: (kind.see)(value), bytes });
        self.writer.write(name, self.file(name), frame, note, bytes);
    }
}
