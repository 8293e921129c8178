//! What goes in: the rows of one part of a query. What comes out: for each of their groups one row of keys and states,
//! more than one where memory is short.

use std::mem::size_of;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_plan::metrics::BaselineMetrics;
use futures::{Stream, StreamExt, stream};

use super::keys::{Groups, Keys};

/// So many groups are handed on, so that there is a number for each row of the next batch.
const MOST_GROUPS: usize = 1 << 31;

/// One aggregate over all groups.
pub(super) struct Aggregate {
    function: Arc<AggregateFunctionExpr>,
    arguments: Vec<Arc<dyn PhysicalExpr>>,
    filter: Option<Arc<dyn PhysicalExpr>>,
    states: Box<dyn GroupsAccumulator>,
}

/// What to group and how.
pub(super) struct Work {
    pub(super) input: SendableRecordBatchStream,
    pub(super) keys: Vec<Arc<dyn PhysicalExpr>>,
    pub(super) aggregates: Vec<Aggregate>,
    /// That of the rows which come out.
    pub(super) schema: SchemaRef,
    pub(super) batch_rows: usize,
    pub(super) reservation: MemoryReservation,
    pub(super) metrics: BaselineMetrics,
    pub(super) few: Few,
}

/// When grouping is given up: after so many rows, with more groups for each row than that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Few {
    pub(super) rows: usize,
    pub(super) groups: f64,
}

struct Running {
    work: Work,
    groups: Groups,
    places: Vec<usize>,
    rows: usize,
    /// Groups that were handed on before: a group counts as often as it was begun.
    handed: usize,
    handing: Option<Handing>,
    ended: bool,
    /// Whether each row is handed on as a group of its own.
    given_up: bool,
}

/// Groups on their way out. Their keys are made batch by batch: numbers are small, and the texts for all of them
/// together may be more than one array can hold.
struct Handing {
    keys: Keys,
    states: Vec<ArrayRef>,
    left: Range<usize>,
}

impl Aggregate {
    pub(super) fn new(function: &Arc<AggregateFunctionExpr>, filter: Option<Arc<dyn PhysicalExpr>>) -> Result<Self> {
        let (arguments, states) = (function.expressions(), function.create_groups_accumulator()?);
        Ok(Self { function: Arc::clone(function), arguments, filter, states })
    }

    fn arguments(&self, batch: &RecordBatch) -> Result<(Vec<ArrayRef>, Option<ArrayRef>)> {
        let column = |expr: &Arc<dyn PhysicalExpr>| expr.evaluate(batch)?.into_array(batch.num_rows());
        let arguments = self.arguments.iter().map(column).collect::<Result<Vec<_>>>()?;
        Ok((arguments, self.filter.as_ref().map(column).transpose()?))
    }

    fn add(&mut self, batch: &RecordBatch, places: &[usize], groups: usize) -> Result<()> {
        let (arguments, filter) = self.arguments(batch)?;
        self.states.update_batch(&arguments, places, filter.as_ref().map(|filter| filter.as_boolean()), groups)
    }

    fn each(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        let (arguments, filter) = self.arguments(batch)?;
        self.states.convert_to_state(&arguments, filter.as_ref().map(|filter| filter.as_boolean()))
    }
}

impl Handing {
    fn size(&self) -> usize {
        self.keys.size() + self.states.iter().map(|state| state.get_array_memory_size()).sum::<usize>()
    }
}

/// Runs it.
pub(super) fn run(work: Work) -> Result<impl Stream<Item = Result<RecordBatch>> + Send> {
    let groups = Groups::new(&work.keys, &work.input.schema())?;
    let begun =
        Running { work, groups, places: Vec::new(), rows: 0, handed: 0, handing: None, ended: false, given_up: false };
    Ok(stream::try_unfold(begun, Running::next))
}

impl Running {
    async fn next(mut self) -> Result<Option<(RecordBatch, Self)>> {
        loop {
            if let Some(batch) = self.handed_on()? {
                self.work.metrics.record_output(batch.num_rows());
                return Ok(Some((batch, self)));
            }
            if self.ended {
                return Ok(None);
            }
            let batch = self.work.input.next().await.transpose()?;
            let time = self.work.metrics.elapsed_compute().clone();
            let _timer = time.timer();
            match batch {
                None => {
                    self.ended = true;
                    self.hand_on()?;
                }
                Some(batch) if self.given_up => {
                    let batch = self.each(&batch)?;
                    self.work.metrics.record_output(batch.num_rows());
                    return Ok(Some((batch, self)));
                }
                Some(batch) => self.add(&batch)?,
            }
        }
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        self.groups.number(batch, &mut self.places)?;
        let groups = self.groups.len();
        for aggregate in &mut self.work.aggregates {
            aggregate.add(batch, &self.places, groups)?;
        }
        self.rows += batch.num_rows();
        let few = self.work.few;
        if self.rows >= few.rows && (self.handed + groups) as f64 > few.groups * self.rows as f64 {
            self.given_up = true;
            return self.hand_on();
        }
        match self.work.reservation.try_resize(self.size()) {
            Err(DataFusionError::ResourcesExhausted(_)) => self.hand_on(),
            Ok(()) if groups > MOST_GROUPS => self.hand_on(),
            done => done,
        }
    }

    fn size(&self) -> usize {
        let states: usize = self.work.aggregates.iter().map(|aggregate| aggregate.states.size()).sum();
        states + self.groups.size() + self.places.capacity() * size_of::<usize>()
    }

    /// Hands all groups on, and begins with none.
    fn hand_on(&mut self) -> Result<()> {
        let fresh = Groups::new(&self.work.keys, &self.work.input.schema())?;
        let groups = std::mem::replace(&mut self.groups, fresh);
        let count = groups.len();
        self.places = Vec::new();
        let mut states = Vec::new();
        for aggregate in &mut self.work.aggregates {
            if count > 0 {
                states.extend(aggregate.states.state(EmitTo::All)?);
            }
            aggregate.states = aggregate.function.create_groups_accumulator()?;
        }
        self.handed += count;
        let handing = Handing { keys: groups.into_keys(), states, left: 0..count };
        // It is there already, so that it is not asked whether there is room for it.
        self.work.reservation.resize(self.size() + handing.size());
        self.handing = Some(handing);
        Ok(())
    }

    /// The next groups of those that are being handed on.
    fn handed_on(&mut self) -> Result<Option<RecordBatch>> {
        let Some(handing) = &mut self.handing else { return Ok(None) };
        if handing.left.is_empty() {
            self.handing = None;
            self.work.reservation.resize(self.size());
            return Ok(None);
        }
        let (begin, rows) = (handing.left.start, self.work.batch_rows.min(handing.left.len()));
        handing.left.start += rows;
        let mut columns = handing.keys.of(begin..begin + rows)?;
        columns.extend(handing.states.iter().map(|state| state.slice(begin, rows)));
        Ok(Some(RecordBatch::try_new(Arc::clone(&self.work.schema), columns)?))
    }

    fn each(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let column = |expr: &Arc<dyn PhysicalExpr>| expr.evaluate(batch)?.into_array(batch.num_rows());
        let mut columns = self.work.keys.iter().map(column).collect::<Result<Vec<_>>>()?;
        for aggregate in &self.work.aggregates {
            columns.extend(aggregate.each(batch)?);
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.work.schema), columns)?)
    }
}
