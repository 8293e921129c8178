//! What goes in: a world and a number of items. What comes out: the Parquet files: those of what lasts at once, those of
//! the days while the days are made.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, sync_channel};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use rayon::prelude::*;

use crate::columns::served_schema;
use crate::error::SynthError;
use crate::mirror::{self, Months, Trade};
use crate::rows::{self, Day, FILES, Ids};
use crate::star::{self, Star};
use crate::world::World;
use crate::write::{Output, TableWriter};
use crate::{Options, Summary, calendar, defects, dims, inventors, items, truth};

/// Lines made at a time, before they are handed to the writer: this bounds the memory.
const WINDOW: u64 = 65_536;

/// What lasts, and where it is written.
pub struct Made<'a> {
    /// The companies, goods and rules.
    pub world: &'a World,
    /// Ids of all companies.
    pub ids: &'a Ids,
    /// What stands around the lines, unless it is left out.
    pub star: Option<&'a Star>,
    /// The folder that is written.
    pub output: &'a Output,
}

impl Made<'_> {
    /// Writes the tables of what lasts, and counts the rows of those that are served.
    pub fn registers(&self, rows: &mut u64) -> Result<(), SynthError> {
        dims::write(self.world, self.ids, &mut self.sink(rows))?;
        self.star.map_or(Ok(()), |star| star.write(self.world, self.ids, &mut self.sink(rows)))
    }

    /// What writes a table that is made at once.
    fn sink(
        &self,
        rows: &mut u64,
    ) -> impl FnMut(
        &'static str,
        &'static str,
        SchemaRef,
        &mut dyn Iterator<Item = Result<RecordBatch, SynthError>>,
    ) -> Result<(), SynthError> {
        |folder, table, schema, batches| {
            let mut writer = TableWriter::create(&self.output.folder(folder), table, schema)?;
            for batch in batches {
                let batch = batch?;
                *rows += if folder == "tables" { batch.num_rows() as u64 } else { 0 };
                writer.write(&batch)?;
            }
            writer.finish()
        }
    }
}

/// One day, as the pool has made it.
struct MadeDay {
    lines: Day,
    star: Option<star::Day>,
}

/// Makes days on the pool while another thread writes those that are done.
pub fn days(
    options: &Options,
    made: &Made<'_>,
    pool: &rayon::ThreadPool,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Summary, SynthError> {
    let &Made { world, ids, star, .. } = made;
    let (sender, receiver) = sync_channel::<Result<Vec<MadeDay>, SynthError>>(1);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for window in windows(&calendar::allocate(options.items)) {
                let make = |&(day, items): &(usize, u64)| {
                    let mut lines = items::day(world, day, items as usize);
                    let trade = Trade::left(world, &lines);
                    let star = star.map(|star| star.day(world, ids, day, &lines)).transpose()?;
                    defects::plant(world, day, world.defects, &mut lines);
                    let made = rows::day(world, ids, &lines)?;
                    Ok(MadeDay { lines: Day { trade: trade.declared(&lines), ..made }, star })
                };
                let made: Result<Vec<MadeDay>, SynthError> = pool.install(|| window.par_iter().map(make).collect());
                // The writer hangs up when it has failed; its own error is the one to report.
                if sender.send(made).is_err() {
                    return;
                }
            }
        });
        write_days(receiver, made, progress)
    })
}

/// Days in a row that together have about `WINDOW` lines.
fn windows(allocation: &[u64]) -> Vec<Vec<(usize, u64)>> {
    let mut windows = vec![Vec::new()];
    let mut size = 0;
    for (day, &items) in allocation.iter().enumerate() {
        if size > 0 && size + items > WINDOW {
            windows.push(Vec::new());
            size = 0;
        }
        size += items;
        if let Some(window) = windows.last_mut() {
            window.push((day, items));
        }
    }
    windows
}

/// The files of the lines, while they are being written.
struct Writers {
    days: Vec<TableWriter>,
    exports: TableWriter,
    mirror: TableWriter,
    defects: Option<TableWriter>,
    star: Vec<TableWriter>,
    /// Rows of served tables.
    rows: u64,
}

impl Writers {
    fn create(&Made { output, world, star, .. }: &Made<'_>) -> Result<Self, SynthError> {
        let schemas = [
            served_schema("fact_item"),
            served_schema("fact_inspection"),
            truth::fraud_schema(),
            truth::errors_schema(),
        ];
        let open = |folder: &str, table: &str, schema| TableWriter::create(&output.folder(folder), table, schema);
        let days = FILES.iter().zip(schemas).map(|((folder, table), schema)| open(folder, table, schema));
        let spoilt = world.defects > 0.0;
        let star = star.map_or(&[][..], |_| &star::TABLES[..]).iter();
        let star = star.map(|&table| open("tables", table, served_schema(table)));
        Ok(Self {
            star: star.collect::<Result<_, _>>()?,
            rows: 0,
            days: days.collect::<Result<_, _>>()?,
            exports: open("tables", "fact_partner_export", served_schema("fact_partner_export"))?,
            mirror: open("truth", "mirror", mirror::truth_schema())?,
            defects: spoilt.then(|| open("truth", "defects", truth::defects_schema())).transpose()?,
        })
    }

    fn write(&mut self, day: &Day, star: Option<&star::Day>) -> Result<(), SynthError> {
        for (writer, batch) in self.days.iter_mut().zip(&day.batches).filter(|(_, b)| b.num_rows() > 0) {
            writer.write(batch)?;
        }
        let star = star.map_or(&[][..], |star| &star.batches);
        for (writer, batch) in self.star.iter_mut().zip(star).filter(|(_, b)| b.num_rows() > 0) {
            writer.write(batch)?;
        }
        let rows = |batch: &RecordBatch| batch.num_rows() as u64;
        self.rows += day.items + day.inspected + star.iter().map(rows).sum::<u64>();
        self.planted(&day.defects)
    }

    fn planted(&mut self, defects: &RecordBatch) -> Result<(), SynthError> {
        match self.defects.as_mut().filter(|_| defects.num_rows() > 0) {
            Some(writer) => writer.write(defects),
            None => Ok(()),
        }
    }

    fn report(&mut self, months: &mut Months, world: &World, day: Option<usize>) -> Result<(), SynthError> {
        if let Some(reported) = months.complete(world, day)? {
            self.rows += reported.exports.num_rows() as u64;
            self.exports.write(&reported.exports)?;
            self.mirror.write(&reported.truth)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<(), SynthError> {
        let others = [self.exports, self.mirror].into_iter().chain(self.defects).chain(self.star);
        self.days.into_iter().chain(others).try_for_each(TableWriter::finish)
    }
}

fn write_days(
    receiver: Receiver<Result<Vec<MadeDay>, SynthError>>,
    made: &Made<'_>,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Summary, SynthError> {
    let &Made { world, ids, star, .. } = made;
    let mut writers = Writers::create(made)?;
    let mut summary = Summary::default();
    let (mut months, mut invented) = (Months::default(), BTreeMap::<u32, u64>::new());
    let mut sums = star::Sums::default();
    let vague = dims::planted(world, ids);
    writers.planted(&truth::defects(&vague)?)?;
    for (number, day) in receiver.into_iter().flat_map(each).enumerate() {
        let MadeDay { lines: day, star: around } = day?;
        writers.report(&mut months, world, Some(number))?;
        writers.write(&day, around.as_ref())?;
        months.add(&day.trade);
        day.invented.iter().for_each(|importer| *invented.entry(*importer).or_default() += 1);
        summary.defects += day.defects.num_rows() as u64;
        summary.items += day.items;
        summary.inspected += day.inspected;
        summary.found += day.found;
        summary.frauds += day.frauds;
        if let (Some(star), Some(around)) = (star, around) {
            star.add(&mut sums, around);
        }
        progress(summary.items, writers.rows);
    }
    writers.report(&mut months, world, None)?;
    let invented = inventors::inventors(&invented, ids);
    writers.planted(&truth::defects(&invented)?)?;
    summary.defects += (vague.len() + invented.len()) as u64;
    summary.rows = writers.rows;
    writers.finish()?;
    if let Some(star) = star {
        star.end(world, ids, &sums, &mut made.sink(&mut summary.rows))?;
    }
    Ok(summary)
}

/// The days of a window one by one, or its error.
fn each(window: Result<Vec<MadeDay>, SynthError>) -> Vec<Result<MadeDay, SynthError>> {
    match window {
        Ok(days) => days.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    }
}
