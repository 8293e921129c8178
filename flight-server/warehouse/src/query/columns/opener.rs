//! What goes in: a file of the warehouse. What comes out: the rows of those of its row groups that statistics do not rule
//! out, in their order: from memory where all columns are there, else as DataFusion reads them.
//!
//! A row group that is wanted is read by itself, and kept if all its rows came and have room: where pages were ruled out,
//! not all came. The others are read together, as many as lie one after another.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileOpenFuture, FileOpener, FileScanConfig, FileSource, ParquetFileReaderFactory,
};
use datafusion::error::Result;
use datafusion::object_store::ObjectStore;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::projection::{ProjectionExprs, Projector};
use datafusion::physical_expr::utils::reassign_expr_columns;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, TryStreamExt};

use super::super::plain::plain;
use super::gathered::Gathered;
use super::kept::{Batches, Columns, Origin};
use super::needed::{Footer, Needed, only};
use super::place::{Place, expected};

type Rows = BoxStream<'static, Result<RecordBatch>>;

/// Reads a file as DataFusion does.
pub(super) type Reader = Arc<dyn Fn(PartitionedFile) -> BoxFuture<'static, Result<Rows>> + Send + Sync>;

pub(super) fn reader(
    source: &dyn FileSource,
    store: Arc<dyn ObjectStore>,
    config: &FileScanConfig,
    partition: usize,
) -> Result<Reader> {
    let morsels = source.create_morselizer(store, config, partition)?;
    Ok(Arc::new(move |file| {
        let planner = morsels.plan_file(file);
        async move {
            let (mut planners, mut found) = (VecDeque::from([planner?]), Vec::new());
            while let Some(planner) = planners.pop_front() {
                let Some(mut plan) = planner.plan()? else { continue };
                found.extend(plan.take_morsels().into_iter().map(|morsel| morsel.into_stream()));
                planners.extend(plan.take_ready_planners());
                if let Some(pending) = plan.take_pending_planner() {
                    planners.push_back(pending.await?);
                }
            }
            Ok(stream::iter(found).flatten().boxed())
        }
        .boxed()
    }))
}

/// Opens files as DataFusion does.
pub(super) struct AsToday(pub(super) Reader);

impl FileOpener for AsToday {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        Ok((self.0)(file))
    }
}

/// The columns of a projection that computes nothing.
pub(super) fn plain_columns(projection: &ProjectionExprs) -> Option<Vec<usize>> {
    projection.expr_iter().map(|expr| expr.downcast_ref::<Column>().map(Column::index)).collect()
}

/// Opens files by way of what is kept.
pub(super) struct KeptOpener(Arc<Opened>);

struct Opened {
    reader: Reader,
    columns: Arc<Columns>,
    /// The columns that are kept, in the order in which they come from a file.
    kept: SchemaRef,
    output: Output,
    needed: Needed,
}

/// What becomes of those columns.
enum Output {
    Projected(Projector),
    /// These, of this schema.
    Chosen(Vec<usize>, SchemaRef),
}

/// Row groups that come from the same place.
#[derive(Clone)]
enum Step {
    Memory(usize),
    Wanted(usize),
    File(Vec<usize>),
}

impl KeptOpener {
    /// `columns`: those of the table that are read, and whether texts are to come out as they are sent.
    pub(super) fn new(
        (reader, factory): (Reader, Arc<dyn ParquetFileReaderFactory>),
        columns: Arc<Columns>,
        (read, sent): (SchemaRef, bool),
        projection: &ProjectionExprs,
        (predicate, file_schema): (Option<Arc<dyn PhysicalExpr>>, SchemaRef),
    ) -> Result<Self> {
        let projection = projection.clone().try_map_exprs(|expr| reassign_expr_columns(expr, &read))?;
        let chosen = plain_columns(&projection).filter(|_| sent);
        let kept = if chosen.is_some() { Arc::new(written(&read)) } else { read };
        let output = match chosen {
            None => Output::Projected(projection.make_projector(&kept)?),
            Some(chosen) => {
                let named = projection.project_schema(&kept)?;
                Output::Chosen(chosen, Arc::new(named))
            }
        };
        let needed = Needed::new(predicate, file_schema, factory);
        Ok(Self(Arc::new(Opened { reader, columns, kept, output, needed })))
    }
}

/// The same columns with texts as they are sent.
fn written(columns: &Schema) -> Schema {
    let field = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8View => field.as_ref().clone().with_data_type(DataType::Utf8),
        _ => field.as_ref().clone(),
    };
    Schema::new(columns.fields().iter().map(field).collect::<Vec<_>>())
}

impl FileOpener for KeptOpener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        Ok(Arc::clone(&self.0).opened(file).boxed())
    }
}

impl Opened {
    async fn opened(self: Arc<Self>, file: PartitionedFile) -> Result<Rows> {
        let footer = Arc::new(self.needed.footer(file).await?);
        let mut steps = Vec::new();
        for group in self.needed.at_first(&footer).await? {
            let bytes = expected(footer.about.row_group(group), &self.kept);
            match (self.columns.ask(&self.places(&footer, group), bytes), steps.last_mut()) {
                (Origin::Memory, _) => steps.push(Step::Memory(group)),
                (Origin::Wanted, _) => steps.push(Step::Wanted(group)),
                (Origin::File, Some(Step::File(groups))) => groups.push(group),
                (Origin::File, _) => steps.push(Step::File(vec![group])),
            }
        }
        let rows = stream::iter(steps).then(move |step| Arc::clone(&self).rows(Arc::clone(&footer), step));
        Ok(rows.try_flatten().boxed())
    }

    fn places(&self, footer: &Footer, group: usize) -> Vec<Place> {
        let place = |field: &Arc<Field>| Place {
            file: Arc::clone(&footer.name),
            group,
            column: field.name().as_str().into(),
            data_type: field.data_type().clone(),
        };
        self.kept.fields().iter().map(place).collect()
    }

    async fn rows(self: Arc<Self>, footer: Arc<Footer>, step: Step) -> Result<Rows> {
        let (groups, wanted) = match step {
            Step::Memory(group) => {
                if self.needed.changing && !self.needed.still(&footer, group) {
                    return Ok(stream::empty().boxed());
                }
                if let Some(columns) = self.columns.get(&self.places(&footer, group)) {
                    return Ok(self.remembered(columns));
                }
                // They have gone, or do not fit together.
                (vec![group], Some(group))
            }
            Step::Wanted(group) => (vec![group], Some(group)),
            Step::File(groups) => (groups, None),
        };
        self.columns.read(groups.len() * self.kept.fields().len());
        let part = PartitionedFile { range: None, ..footer.file.clone() };
        let rows = (self.reader)(part.with_extension(only(&footer.about, &groups))).await?;
        let gathered = wanted.map(|group| {
            Gathered::new(&self.columns, self.places(&footer, group), footer.about.row_group(group).num_rows())
        });
        let rows = Reading { gathered, opened: self, rows };
        let batches =
            stream::try_unfold(
                rows,
                |mut reading| async move { Ok(reading.next().await?.map(|batch| (batch, reading))) },
            );
        Ok(batches.boxed())
    }

    fn remembered(self: Arc<Self>, columns: Vec<Batches>) -> Rows {
        self.columns.answered(columns.len());
        let count = columns.first().map_or(0, |batches| batches.len());
        let batches = (0..count)
            .map(move |place| self.batch(columns.iter().filter_map(|batches| batches.get(place).cloned()).collect()));
        stream::iter(batches).boxed()
    }

    /// What comes out of a batch of the columns that are kept.
    fn batch(&self, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
        Ok(match &self.output {
            Output::Projected(projector) => {
                projector.project_batch(&RecordBatch::try_new(Arc::clone(&self.kept), columns)?)?
            }
            Output::Chosen(chosen, schema) => {
                let chosen = chosen.iter().filter_map(|place| columns.get(*place).cloned()).collect();
                RecordBatch::try_new(Arc::clone(schema), chosen)?
            }
        })
    }
}

/// Rows on their way from a file.
struct Reading {
    opened: Arc<Opened>,
    rows: Rows,
    gathered: Option<Gathered>,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some(batch) = self.rows.try_next().await? else { return Ok(None) };
        let fields = self.opened.kept.fields().iter();
        let columns = batch.columns().iter().zip(fields).map(|(column, field)| plain(column, field.data_type()));
        let columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
        self.gathered = self.gathered.take().and_then(|gathered| gathered.with(&columns));
        self.opened.batch(columns).map(Some)
    }
}
