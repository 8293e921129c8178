//! What goes in: files of the store, and the row groups that are looked into. What comes out: the same, from memory
//! where they are asked for often.
//!
//! Files of the store never change, so that nothing here can be out of date. A row group is taken into memory when there
//! is room, and gives its place up only when it has long not been asked for: reads that are scattered over more than
//! fits push out nothing.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{cast, filter_record_batch, take_record_batch};
use arrow::datatypes::{Int32Type, SchemaRef};
use arrow::error::ArrowError;
use parquet::errors::Result;

use super::file::{Opened, ROWS, Wanted, few, having};

/// Of how many files the footers are kept.
const FILES: usize = 1024;

/// A row group that was not asked for in so many look-ups gives its place up.
const IDLE: u64 = 1000;

/// A file, by the order in which they were opened, and a row group in it.
type Place = (u64, usize);

/// What look-ups keep, of all users and versions together.
pub(in crate::query) struct Kept {
    most_bytes: usize,
    state: Mutex<State>,
    answered: AtomicU64,
}

#[derive(Default)]
struct State {
    /// Counts look-ups into row groups.
    clock: u64,
    next_file: u64,
    bytes: usize,
    files: HashMap<String, (u64, Arc<Opened>)>,
    groups: HashMap<Place, Entry>,
    /// What is read at the moment, each with about how many bytes it will take.
    loading: HashMap<Place, usize>,
}

struct Entry {
    group: Arc<Group>,
    bytes: usize,
    used: u64,
}

/// Hash of the text and row, sorted.
type Order = Vec<(u32, u32)>;

/// The rows of a row group in memory.
pub(super) struct Group {
    /// Texts are dictionaries.
    rows: RecordBatch,
    /// By column.
    orders: Mutex<HashMap<usize, Arc<Order>>>,
}

impl Kept {
    pub(in crate::query) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, state: Mutex::default(), answered: AtomicU64::new(0) }
    }

    /// How many statements were answered by a look-up.
    pub(in crate::query) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    pub(super) fn answer(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// A file, and its number; `None` where it has not been opened and may not be.
    pub(super) fn file(
        &self,
        root: &Path,
        path: &str,
        schema: &SchemaRef,
        may_read: bool,
    ) -> Result<Option<(u64, Arc<Opened>)>> {
        if let Some((number, file)) = self.lock().files.get(path) {
            return Ok(Some((*number, Arc::clone(file))));
        }
        if !may_read {
            return Ok(None);
        }
        let file = Arc::new(Opened::new(&root.join(path), schema)?);
        let mut state = self.lock();
        if state.files.len() >= FILES {
            state.files.clear();
            // They will be opened under other numbers.
            state.groups.clear();
            state.bytes = 0;
        }
        let number = state.next_file;
        state.next_file += 1;
        let (number, file) = state.files.entry(path.to_owned()).or_insert((number, file));
        Ok(Some((*number, Arc::clone(file))))
    }

    /// A row group that is in memory.
    pub(super) fn group(&self, place: Place) -> Option<Arc<Group>> {
        let mut state = self.lock();
        state.clock += 1;
        let now = state.clock;
        let entry = state.groups.get_mut(&place)?;
        entry.used = now;
        Some(Arc::clone(&entry.group))
    }

    /// The rows of a row group that is not in memory. It may be from now on.
    pub(super) fn read(&self, place: Place, file: &Opened, wanted: &[Wanted], key: &Wanted) -> Result<RecordBatch> {
        if !self.begin(place, file.estimate(place.1)) {
            return file.read(place.1, wanted);
        }
        let loaded = file.whole(place.1).map(|rows| Arc::new(Group { rows, orders: Mutex::default() }));
        let group = self.keep(place, loaded)?;
        group.find(file.schema(), wanted, key)
    }

    /// Ends what [`Self::begin`] began.
    fn keep(&self, place: Place, loaded: Result<Arc<Group>>) -> Result<Arc<Group>> {
        let mut state = self.lock();
        state.loading.remove(&place);
        let group = loaded?;
        let (bytes, used) = (group.bytes(), state.clock);
        state.bytes += bytes;
        if let Some(before) = state.groups.insert(place, Entry { group: Arc::clone(&group), bytes, used }) {
            state.bytes -= before.bytes;
        }
        Ok(group)
    }

    /// Whether the caller is to take the row group into memory.
    fn begin(&self, place: Place, estimate: usize) -> bool {
        let mut state = self.lock();
        if state.loading.contains_key(&place) {
            return false;
        }
        let promised = state.loading.values().fold(estimate, |sum, bytes| sum.saturating_add(*bytes));
        if state.bytes.saturating_add(promised) > self.most_bytes {
            state.drop_idle();
        }
        let fits = state.bytes.saturating_add(promised) <= self.most_bytes;
        if fits {
            state.loading.insert(place, estimate);
        }
        fits
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whole after every change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("most_bytes", &self.most_bytes).finish_non_exhaustive()
    }
}

impl State {
    fn drop_idle(&mut self) {
        let since = self.clock.saturating_sub(IDLE);
        self.groups.retain(|_, entry| entry.used > since);
        self.bytes = self.groups.values().map(|entry| entry.bytes).sum();
    }
}

impl Group {
    /// The rows that have the values, with the columns of `schema`. `key` is one of the values, a text. More than
    /// [`ROWS`] are an error.
    pub(super) fn find(&self, schema: &SchemaRef, wanted: &[Wanted], key: &Wanted) -> Result<RecordBatch> {
        let order = self.order(key.column)?;
        let hash = hash(key.text().unwrap_or_default());
        let from = order.partition_point(|(known, _)| *known < hash);
        let same = order.iter().skip(from).take_while(|(known, _)| *known == hash).map(|(_, row)| *row);
        let same: Vec<u32> = same.take(ROWS + 1).collect();
        few(same.len())?;
        let rows = take_record_batch(&self.rows, &UInt32Array::from(same))?;
        let plain = |(column, field): (&ArrayRef, &Arc<arrow::datatypes::Field>)| cast(column, field.data_type());
        let columns = rows.columns().iter().zip(schema.fields()).map(plain).collect::<Result<Vec<_>, ArrowError>>()?;
        let rows = RecordBatch::try_new(Arc::clone(schema), columns)?;
        Ok(filter_record_batch(&rows, &having(&rows, schema, wanted)?)?)
    }

    fn order(&self, column: usize) -> Result<Arc<Order>> {
        // Held while it is made: nobody makes it twice.
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(order) = orders.get(&column) {
            return Ok(Arc::clone(order));
        }
        let order = Arc::new(order(self.rows.column(column))?);
        orders.insert(column, Arc::clone(&order));
        Ok(order)
    }

    /// With the orders that there can be, which are few.
    fn bytes(&self) -> usize {
        let orders = 2 * self.rows.num_rows() * size_of::<(u32, u32)>();
        self.rows.get_array_memory_size() + orders
    }
}

fn order(column: &ArrayRef) -> Result<Order> {
    let texts = column.as_any_dictionary_opt();
    let values = texts.and_then(|texts| texts.values().as_string_opt::<i32>());
    let keys = texts.and_then(|texts| texts.keys().as_primitive_opt::<Int32Type>());
    let (Some(values), Some(keys)) = (values, keys) else {
        return Err(ArrowError::SchemaError("expected texts in a dictionary".to_owned()).into());
    };
    let hashes: Vec<u32> = values.iter().map(|text| hash(text.unwrap_or_default())).collect();
    let row = |(row, key): (usize, Option<i32>)| {
        let hash = hashes.get(usize::try_from(key?).ok()?)?;
        Some((*hash, u32::try_from(row).ok()?))
    };
    let mut order: Order = keys.iter().enumerate().filter_map(row).collect();
    order.sort_unstable();
    Ok(order)
}

/// Texts with the same hash are told apart by comparing them.
fn hash(text: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    // The lower half of it is as good as any.
    hasher.finish() as u32
}
