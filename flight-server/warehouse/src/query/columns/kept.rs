//! What goes in: columns of row groups that were read whole. What comes out: the same again, as long as there is room.
//!
//! A column is put in when it is asked for a second time, so that what is read once takes no room. When it is full, it
//! takes the place of those that nobody has asked for the longest, but only where it was asked for more often than they:
//! a scan of more than there is room for keeps a part of its columns there instead of washing out each before it is asked
//! for again. Queries come first: what they take of the memory is taken from here.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::ArrayRef;
use datafusion::execution::memory_pool::MemoryPool;

use super::gathered::Part;
use super::place::Place;

/// A column is put in at so many readings.
const WANTED: u8 = 2;
/// Readings are counted so far.
const OFTEN: u8 = 7;
/// Of so many columns is counted how often they were read. Then all counts are halved, and those at zero forgotten.
const COUNTED: usize = 1 << 16;
/// A column that nobody has asked for, while so many times as many columns as there are were asked for, gives its place to
/// any other.
const STALE: u64 = 4;

/// The batches of a column of a row group.
pub(super) type Batches = Arc<[ArrayRef]>;

/// What is kept of the files of a warehouse.
pub struct Columns {
    /// The most bytes.
    most: usize,
    /// The most together with what queries have reserved.
    together: usize,
    queries: Arc<dyn MemoryPool>,
    state: Mutex<State>,
    bytes: AtomicUsize,
    /// Bytes of columns that are on their way from files.
    gathered: AtomicUsize,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// What there is of decoded columns, and how often they were asked for since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnsUsage {
    /// Bytes of memory, with those of columns that are on their way from files.
    pub bytes: usize,
    /// Columns of row groups that were answered from memory.
    pub hits: u64,
    /// Columns of row groups that were read from files.
    pub misses: u64,
}

#[derive(Default)]
struct State {
    entries: HashMap<Place, Entry>,
    /// The places by when they were last asked for.
    order: BTreeMap<u64, Place>,
    now: u64,
    bytes: usize,
    counts: HashMap<Place, u8>,
}

struct Entry {
    batches: Batches,
    bytes: usize,
    asked: u64,
}

/// Where the columns of a row group come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Memory,
    /// From the file, to be put in.
    Wanted,
    File,
}

impl Columns {
    /// Room for `most` bytes, and with what is reserved of `queries` for no more than `together`.
    pub(in crate::query) fn new(most: usize, together: usize, queries: Arc<dyn MemoryPool>) -> Self {
        let (state, bytes, gathered, hits, misses) = Default::default();
        Self { most, together: together.max(most), queries, state, bytes, gathered, hits, misses }
    }

    pub(super) fn is_on(&self) -> bool {
        self.most > 0
    }

    pub(in crate::query) fn usage(&self) -> ColumnsUsage {
        ColumnsUsage {
            bytes: self.bytes.load(Ordering::Relaxed) + self.gathered.load(Ordering::Relaxed),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }

    /// Counts that the columns of a row group are asked for, which take about so many bytes.
    pub(super) fn ask(&self, places: &[Place], bytes: usize) -> Origin {
        let mut state = self.lock();
        if state.counts.len() >= COUNTED {
            state.counts.values_mut().for_each(|count| *count /= 2);
            state.counts.retain(|_, count| *count > 0);
        }
        let (mut held, mut wanted) = (true, true);
        for place in places {
            let count = state.counts.entry(place.clone()).or_default();
            *count = (*count + 1).min(OFTEN);
            let often = *count >= WANTED;
            let here = state.touch(place).is_some();
            held &= here;
            wanted &= here || often;
        }
        match (held, wanted && bytes <= self.room()) {
            (true, _) => Origin::Memory,
            (false, true) => Origin::Wanted,
            (false, false) => Origin::File,
        }
    }

    /// The columns of a row group, if all are there.
    pub(super) fn get(&self, places: &[Place]) -> Option<Vec<Batches>> {
        let state = self.lock();
        let found: Option<Vec<Batches>> =
            places.iter().map(|place| state.entries.get(place).map(|entry| Arc::clone(&entry.batches))).collect();
        // Two readers with other sizes of batches have read them.
        found.filter(|columns| {
            let lengths = |column: &Batches| column.iter().map(|batch| batch.len()).collect::<Vec<_>>();
            columns.windows(2).all(|pair| matches!(pair, [a, b] if lengths(a) == lengths(b)))
        })
    }

    pub(super) fn answered(&self, columns: usize) {
        self.hits.fetch_add(columns as u64, Ordering::Relaxed);
    }

    pub(super) fn read(&self, columns: usize) {
        self.misses.fetch_add(columns as u64, Ordering::Relaxed);
    }

    /// Whether there is room for so many bytes more of columns that are on their way. They count until they are given back.
    pub(super) fn gather<'a>(&self, places: impl Iterator<Item = &'a Place>, bytes: usize) -> bool {
        let mut state = self.lock();
        let often = state.often(places);
        let fits = state.make_room(often, bytes, 0, self.room());
        if fits {
            self.gathered.fetch_add(bytes, Ordering::Relaxed);
        }
        self.leave(state);
        fits
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.gathered.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Puts the columns of a row group in, all or none: a part of them answers nobody.
    pub(super) fn put(&self, columns: Vec<Part>) {
        let mut state = self.lock();
        let often = state.often(columns.iter().map(|column| &column.place));
        let replaced = columns.iter().filter_map(|column| state.touch(&column.place)).sum();
        if state.make_room(often, columns.iter().map(|column| column.bytes).sum(), replaced, self.room()) {
            for Part { place, batches, bytes, .. } in columns {
                state.remove(&place);
                let asked = state.tick();
                state.bytes += bytes;
                state.order.insert(asked, place.clone());
                state.entries.insert(place, Entry { batches: batches.into(), bytes, asked });
            }
        }
        self.leave(state);
    }

    /// Afterwards a query may have less than it has reserved meanwhile.
    fn leave(&self, state: MutexGuard<'_, State>) {
        self.bytes.store(state.bytes, Ordering::Relaxed);
        drop(state);
        self.give_way();
    }

    /// Gives up what queries need by now.
    pub(in crate::query) fn give_way(&self) {
        let bytes = self.bytes.load(Ordering::Relaxed);
        if bytes > 0 && bytes > self.room() {
            let mut state = self.lock();
            let room = self.room();
            while state.bytes > room && state.drop_first() {}
            self.bytes.store(state.bytes, Ordering::Relaxed);
        }
    }

    /// Gives up the columns of all files but these, and how often they were asked for.
    pub(in crate::query) fn keep_only(&self, files: &HashSet<&str>) {
        let mut state = self.lock();
        let stays = |place: &Place| files.contains(place.file.path());
        let gone: Vec<Place> = state.entries.keys().filter(|place| !stays(place)).cloned().collect();
        gone.iter().for_each(|place| state.remove(place));
        state.counts.retain(|place, _| stays(place));
        self.bytes.store(state.bytes, Ordering::Relaxed);
    }

    /// For what is kept, and for what is on its way beside what is there of that.
    fn room(&self) -> usize {
        let most = self.together.saturating_sub(self.queries.reserved()).min(self.most);
        most.saturating_sub(self.gathered.load(Ordering::Relaxed))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves at most a column that is not counted among those in order.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tick(&mut self) -> u64 {
        self.now += 1;
        self.now
    }

    /// How often all of the columns were asked for.
    fn often<'a>(&self, places: impl Iterator<Item = &'a Place>) -> u8 {
        places.filter_map(|place| self.counts.get(place).copied()).min().unwrap_or_default()
    }

    /// The bytes of the column, if it is there; then it is the last one that was asked for.
    fn touch(&mut self, place: &Place) -> Option<usize> {
        let now = self.tick();
        let entry = self.entries.get_mut(place)?;
        if let Some(place) = self.order.remove(&entry.asked) {
            self.order.insert(now, place);
        }
        entry.asked = now;
        Some(entry.bytes)
    }

    fn remove(&mut self, place: &Place) {
        if let Some(entry) = self.entries.remove(place) {
            self.order.remove(&entry.asked);
            self.bytes -= entry.bytes;
        }
    }

    fn drop_first(&mut self) -> bool {
        let Some((_, place)) = self.order.pop_first() else { return false };
        if let Some(entry) = self.entries.remove(&place) {
            self.bytes -= entry.bytes;
        }
        true
    }

    /// Whether there is room for what was asked for so often, after others have gone that were asked for less often. None
    /// goes where there is not. So many bytes are replaced, of those columns that were asked for last.
    fn make_room(&mut self, often: u8, bytes: usize, replaced: usize, room: usize) -> bool {
        if bytes > room {
            return false;
        }
        let stale = self.now.saturating_sub(STALE * self.entries.len() as u64);
        let (mut left, mut gone) = (self.bytes - replaced, 0);
        for (asked, other) in &self.order {
            if left + bytes <= room {
                break;
            }
            if *asked > stale && self.counts.get(other).copied().unwrap_or_default() >= often {
                return false;
            }
            left -= self.entries.get(other).map_or(0, |entry| entry.bytes);
            gone += 1;
        }
        for _ in 0..gone {
            self.drop_first();
        }
        self.bytes - replaced + bytes <= room
    }
}

impl std::fmt::Debug for Columns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Columns").field("most", &self.most).field("usage", &self.usage()).finish_non_exhaustive()
    }
}
