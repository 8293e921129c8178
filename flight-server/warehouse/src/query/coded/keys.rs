//! What goes in: batches of rows, and what they are grouped by. What comes out: for each row the number of its group,
//! from 0 without gaps, and at the end the keys of the groups.

use std::mem::size_of;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr_common::physical_expr::is_volatile;

use super::pairs::Pairs;
use super::pieces::Pieces;
use super::values::Values;

/// A function of a column with more values than this is computed for each row.
const MOST_REMEMBERED: usize = 1 << 16;

/// The groups that were met.
#[derive(Debug)]
pub(super) struct Groups {
    keys: Vec<Key>,
    /// Of all keys up to the second, the third and so on.
    pairs: Vec<Pairs>,
    numbers: Vec<u32>,
    others: Vec<u32>,
}

/// One of the expressions that rows are grouped by.
#[derive(Debug)]
struct Key {
    expr: Arc<dyn PhysicalExpr>,
    values: Kept,
    /// For a function of one column.
    known: Option<Known>,
}

/// Values that are wanted back.
#[derive(Debug)]
struct Kept {
    numbered: Values,
    pieces: Pieces,
}

/// The keys of groups that are complete.
pub(super) struct Keys {
    values: Vec<Pieces>,
    /// As [`Groups`] has them.
    pairs: Vec<Vec<(u32, u32)>>,
}

/// What a function has given for the values of its column, so that it is asked once for each of them.
#[derive(Debug)]
struct Known {
    column: usize,
    inputs: Values,
    /// The function over a batch of that column alone.
    function: Arc<dyn PhysicalExpr>,
    schema: SchemaRef,
    /// Number of the input -> number of the output.
    outputs: Vec<u32>,
}

impl Groups {
    pub(super) fn new(exprs: &[Arc<dyn PhysicalExpr>], schema: &SchemaRef) -> Result<Self> {
        let keys = exprs.iter().map(|expr| Key::new(expr, schema)).collect::<Result<Vec<_>>>()?;
        let pairs = keys.iter().skip(1).map(|_| Pairs::default()).collect();
        Ok(Self { keys, pairs, numbers: Vec::new(), others: Vec::new() })
    }

    pub(super) fn len(&self) -> usize {
        match self.pairs.last() {
            Some(pairs) => pairs.len(),
            None => self.keys.first().map_or(0, |key| key.values.numbered.len()),
        }
    }

    /// Bytes of memory.
    pub(super) fn size(&self) -> usize {
        let keys: usize = self.keys.iter().map(Key::size).sum();
        let pairs: usize = self.pairs.iter().map(Pairs::size).sum();
        keys + pairs + (self.numbers.capacity() + self.others.capacity()) * size_of::<u32>()
    }

    /// Makes `groups` the number of each row's group.
    pub(super) fn number(&mut self, batch: &RecordBatch, groups: &mut Vec<usize>) -> Result<()> {
        self.numbers.clear();
        let Some((first, others)) = self.keys.split_first_mut() else { return Ok(()) };
        first.number(batch, &mut self.numbers)?;
        for (key, pairs) in others.iter_mut().zip(&mut self.pairs) {
            self.others.clear();
            key.number(batch, &mut self.others)?;
            for (number, other) in self.numbers.iter_mut().zip(&self.others) {
                *number = pairs.number(*number, *other);
            }
        }
        groups.clear();
        groups.extend(self.numbers.iter().map(|number| *number as usize));
        Ok(())
    }

    pub(super) fn into_keys(self) -> Keys {
        Keys {
            values: self.keys.into_iter().map(|key| key.values.pieces).collect(),
            pairs: self.pairs.into_iter().map(Pairs::into_pairs).collect(),
        }
    }
}

impl Keys {
    /// Bytes of memory.
    pub(super) fn size(&self) -> usize {
        let pairs: usize = self.pairs.iter().map(|pairs| pairs.capacity() * size_of::<(u32, u32)>()).sum();
        pairs + self.values.iter().map(Pieces::size).sum::<usize>()
    }

    /// The keys of some groups, in the order of their numbers.
    pub(super) fn of(&self, groups: Range<usize>) -> Result<Vec<ArrayRef>> {
        let mut numbers: Vec<u32> = (groups.start as u32..groups.end as u32).collect();
        let mut columns = Vec::with_capacity(self.values.len());
        for (values, pairs) in self.values.iter().skip(1).zip(&self.pairs).rev() {
            let (firsts, seconds) = numbers.iter().map(|number| pairs[*number as usize]).unzip();
            numbers = firsts;
            columns.push(values.values(seconds)?);
        }
        if let Some(values) = self.values.first() {
            columns.push(values.values(numbers)?);
        }
        columns.reverse();
        Ok(columns)
    }
}

impl Key {
    fn new(expr: &Arc<dyn PhysicalExpr>, schema: &SchemaRef) -> Result<Self> {
        let data_type = expr.data_type(schema)?;
        let values = Kept { numbered: Values::new(data_type.clone()), pieces: Pieces::new(data_type) };
        Ok(Self { expr: Arc::clone(expr), values, known: Known::new(expr, schema)? })
    }

    fn size(&self) -> usize {
        let known =
            self.known.as_ref().map_or(0, |known| known.inputs.size() + known.outputs.capacity() * size_of::<u32>());
        self.values.numbered.size() + self.values.pieces.size() + known
    }

    /// Puts the number of each row's value at the end of `numbers`.
    fn number(&mut self, batch: &RecordBatch, numbers: &mut Vec<u32>) -> Result<()> {
        if let Some(known) = &mut self.known {
            let begin = numbers.len();
            let found = known.number(batch, &mut self.values, numbers)?;
            if !found || known.inputs.len() > MOST_REMEMBERED {
                self.known = None;
            }
            if found {
                return Ok(());
            }
            numbers.truncate(begin);
        }
        let column = self.expr.evaluate(batch)?.into_array(batch.num_rows())?;
        self.values.number(&column, numbers)
    }
}

impl Kept {
    fn number(&mut self, column: &dyn Array, numbers: &mut Vec<u32>) -> Result<()> {
        let fresh = self.numbered.number(column, numbers)?;
        self.pieces.keep(column, fresh)
    }
}

impl Known {
    /// `None` where the expression is no function of one column.
    fn new(expr: &Arc<dyn PhysicalExpr>, schema: &SchemaRef) -> Result<Option<Self>> {
        let columns: Vec<Column> = collect_columns(expr).into_iter().collect();
        let [column] = columns.as_slice() else { return Ok(None) };
        let field = schema.field(column.index());
        if expr.is::<Column>() || is_volatile(expr) || !Values::can(field.data_type()) {
            return Ok(None);
        }
        let alone = Arc::clone(expr).transform(|part| {
            Ok(match part.downcast_ref::<Column>() {
                Some(column) => Transformed::yes(Arc::new(Column::new(column.name(), 0)) as Arc<dyn PhysicalExpr>),
                None => Transformed::no(part),
            })
        });
        Ok(Some(Self {
            column: column.index(),
            inputs: Values::new(field.data_type().clone()),
            function: alone?.data,
            schema: Arc::new(Schema::new(vec![field.clone()])),
            outputs: Vec::new(),
        }))
    }

    /// Whether the function could be asked. Where it fails for values, it may not for the rows: `and` and `or` look at
    /// how many rows are true before they ask their other side for all of them.
    fn number(&mut self, batch: &RecordBatch, values: &mut Kept, numbers: &mut Vec<u32>) -> Result<bool> {
        let (column, begin) = (batch.column(self.column), numbers.len());
        let fresh = self.inputs.number(column, numbers)?;
        if !fresh.is_empty() {
            let inputs = take(column, &UInt32Array::from(fresh), None)?;
            let inputs = RecordBatch::try_new(Arc::clone(&self.schema), vec![inputs])?;
            let Ok(outputs) = self.function.evaluate(&inputs) else { return Ok(false) };
            values.number(&outputs.into_array(inputs.num_rows())?, &mut self.outputs)?;
        }
        for number in numbers.iter_mut().skip(begin) {
            *number = self.outputs[*number as usize];
        }
        Ok(true)
    }
}
