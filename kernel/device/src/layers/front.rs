//! Places -> the learnt rows that stand there: embeddings, beside numbers where there are some.

use super::taken;
use crate::place::Place;
use crate::weights::{Feed, Weights};
use candle_core::{Result, Tensor, bail};

/// A learnt row for each place.
pub(crate) struct Table {
    places: usize,
    width: usize,
    rows: Weights,
    chosen: Option<Tensor>,
}

impl Table {
    pub(crate) fn new(feed: &mut Feed<'_>, places: usize, width: usize) -> Result<Self> {
        Ok(Self { places, width, rows: feed.take(&[places, width])?, chosen: None })
    }

    pub(crate) fn forward(&mut self, places: &[u32], place: &Place, keep: bool) -> Result<Tensor> {
        // A device does not say which place was not there; it may read beyond its memory.
        if let Some(beyond) = places.iter().find(|&&one| one as usize >= self.places) {
            bail!("a table of {} rows has no row {beyond}", self.places);
        }
        let chosen = place.codes(places)?;
        let output = self.rows.values.index_select(&chosen, 0)?;
        self.chosen = keep.then_some(chosen);
        Ok(output)
    }

    pub(crate) fn backward(&mut self, gradient: &Tensor) -> Result<()> {
        let chosen = taken(&mut self.chosen)?;
        let onto = self.rows.values.zeros_like()?;
        let few = self.places.saturating_mul(chosen.elem_count()) <= MOST_MARKS;
        let add = if few && !gradient.device().is_cpu() { by_product } else { by_index };
        self.rows.add(add(&onto, &chosen, &gradient.contiguous()?)?)
    }

    pub(crate) fn weights(&mut self) -> [&mut Weights; 1] {
        [&mut self.rows]
    }
}

/// Numbers of a matrix of marks (a quarter of a gigabyte) beyond which it is not worth making.
const MOST_MARKS: usize = 1 << 26;

/// Rows of `gradient` added up by place, row after row.
pub(crate) fn by_index(onto: &Tensor, chosen: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    onto.index_add(chosen, gradient, 0)
}

/// The same as a product with marks of which row goes where: candle's kernel for CUDA goes through all rows one after the
/// other in each of as few threads as a row has numbers.
pub(crate) fn by_product(onto: &Tensor, chosen: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    let (places, rows) = (onto.dim(0)?, chosen.elem_count());
    let marks = Tensor::zeros((places, rows), gradient.dtype(), gradient.device())?;
    let ones = Tensor::ones((1, rows), gradient.dtype(), gradient.device())?;
    marks.scatter_add(&chosen.reshape((1, rows))?, &ones, 0)?.matmul(gradient)
}

/// Numbers, and behind them the rows of each table.
pub(crate) struct Front {
    numbers: usize,
    tables: Vec<Table>,
}

impl Front {
    /// `tables` has places and width of each.
    pub(crate) fn new(feed: &mut Feed<'_>, numbers: usize, tables: &[(usize, usize)]) -> Result<Self> {
        let tables = tables.iter().map(|&(places, width)| Table::new(feed, places, width)).collect::<Result<_>>()?;
        Ok(Self { numbers, tables })
    }

    pub(crate) fn width(&self) -> usize {
        self.numbers + self.tables.iter().map(|table| table.width).sum::<usize>()
    }

    /// Whether anything here is learnt.
    pub(crate) fn learns(&self) -> bool {
        !self.tables.is_empty()
    }

    /// Numbers and codes of `rows` rows, one row behind the other.
    pub(crate) fn forward(
        &mut self,
        (numbers, codes): (&[f32], &[u32]),
        rows: usize,
        place: &Place,
        keep: bool,
    ) -> Result<Tensor> {
        let each = self.tables.len();
        if numbers.len() != rows * self.numbers || codes.len() != rows * each {
            bail!(
                "{rows} rows: expected {} numbers and {each} codes of each, found {} and {} of all",
                self.numbers,
                numbers.len(),
                codes.len()
            );
        }
        let mut parts = Vec::with_capacity(each + 1);
        if self.numbers > 0 {
            parts.push(place.floats(numbers, (rows, self.numbers))?);
        }
        for (i, table) in self.tables.iter_mut().enumerate() {
            let places: Vec<u32> = codes.iter().skip(i).step_by(each).copied().collect();
            parts.push(table.forward(&places, place, keep)?);
        }
        if parts.len() == 1 { Ok(parts.remove(0)) } else { Tensor::cat(&parts, 1) }
    }

    pub(crate) fn backward(&mut self, gradient: &Tensor) -> Result<()> {
        let mut from = self.numbers;
        for table in &mut self.tables {
            table.backward(&gradient.narrow(1, from, table.width)?)?;
            from += table.width;
        }
        Ok(())
    }

    pub(crate) fn weights(&mut self) -> Vec<&mut Weights> {
        self.tables.iter_mut().flat_map(Table::weights).collect()
    }
}
