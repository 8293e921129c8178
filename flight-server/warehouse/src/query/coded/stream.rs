//! What goes in: the rows of one part of a query. What comes out: for each of their groups one row of keys and states,
//! more than one where memory is short.

use std::collections::VecDeque;
use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_plan::metrics::BaselineMetrics;
use futures::{Stream, StreamExt, stream};

use super::keys::Groups;

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
    ready: VecDeque<RecordBatch>,
    ended: bool,
    /// Whether each row is handed on as a group of its own.
    given_up: bool,
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

/// Runs it.
pub(super) fn run(work: Work) -> Result<impl Stream<Item = Result<RecordBatch>> + Send> {
    let groups = Groups::new(&work.keys, &work.input.schema())?;
    let begun =
        Running { work, groups, places: Vec::new(), rows: 0, ready: VecDeque::new(), ended: false, given_up: false };
    Ok(stream::try_unfold(begun, Running::next))
}

impl Running {
    async fn next(mut self) -> Result<Option<(RecordBatch, Self)>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
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
                    self.ready.push_back(batch);
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
        if self.rows >= few.rows && groups as f64 > few.groups * self.rows as f64 {
            self.given_up = true;
            return self.hand_on();
        }
        match self.work.reservation.try_resize(self.size()) {
            Err(DataFusionError::ResourcesExhausted(_)) => self.hand_on(),
            done => done,
        }
    }

    fn size(&self) -> usize {
        let states: usize = self.work.aggregates.iter().map(|aggregate| aggregate.states.size()).sum();
        states + self.groups.size() + self.places.capacity() * size_of::<usize>()
    }

    /// Hands all groups on, and begins with none.
    fn hand_on(&mut self) -> Result<()> {
        if self.groups.len() > 0 {
            let mut columns = self.groups.keys()?;
            for aggregate in &mut self.work.aggregates {
                columns.extend(aggregate.states.state(EmitTo::All)?);
            }
            let groups = RecordBatch::try_new(Arc::clone(&self.work.schema), columns)?;
            for begin in (0..groups.num_rows()).step_by(self.work.batch_rows) {
                let rows = self.work.batch_rows.min(groups.num_rows() - begin);
                self.ready.push_back(groups.slice(begin, rows));
            }
        }
        self.groups = Groups::new(&self.work.keys, &self.work.input.schema())?;
        self.places = Vec::new();
        for aggregate in &mut self.work.aggregates {
            aggregate.states = aggregate.function.create_groups_accumulator()?;
        }
        self.work.reservation.try_resize(self.size())
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
