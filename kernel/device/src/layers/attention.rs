//! Tokens of cases -> the same tokens, each with what it takes from all others of its case.

use super::{by_scores, softmax, taken};
use crate::weights::{Feed, Weights};
use candle_core::{Result, Tensor};

/// `input + mixed * out`. A row is a token; those of a case lie one behind the other.
pub(crate) struct SelfAttention {
    tokens: usize,
    heads: usize,
    width: usize,
    /// To queries, keys and values, which stand one behind the other in a row.
    project: Weights,
    out: Weights,
    kept: Option<Kept>,
}

struct Kept {
    input: Tensor,
    /// Queries, keys, values: cases, heads, tokens, numbers of a head.
    parts: [Tensor; 3],
    shares: Tensor,
    mixed: Tensor,
}

impl SelfAttention {
    pub(crate) fn new(feed: &mut Feed<'_>, tokens: usize, width: usize, heads: usize) -> Result<Self> {
        let project = feed.take(&[width, 3 * width])?;
        Ok(Self { tokens, heads, width, project, out: feed.take(&[width, width])?, kept: None })
    }

    fn of_head(&self) -> usize {
        self.width / self.heads
    }

    #[expect(clippy::cast_precision_loss, reason = "widths of layers are small")]
    fn scale(&self) -> f64 {
        1.0 / (self.of_head() as f64).sqrt()
    }

    /// Rows of tokens -> cases, heads, tokens, numbers.
    fn apart(&self, rows: &Tensor, cases: usize) -> Result<Tensor> {
        rows.reshape((cases, self.tokens, self.heads, self.of_head()))?.transpose(1, 2)?.contiguous()
    }

    /// Cases, heads, tokens, numbers -> rows of tokens.
    fn together(&self, parts: &Tensor) -> Result<Tensor> {
        let cases = parts.dim(0)?;
        parts.transpose(1, 2)?.contiguous()?.reshape((cases * self.tokens, self.width))
    }

    pub(crate) fn forward(&mut self, input: Tensor, keep: bool) -> Result<Tensor> {
        let cases = input.dim(0)? / self.tokens;
        let projected = input.matmul(&self.project.values)?;
        let part = |which: usize| self.apart(&projected.narrow(1, which * self.width, self.width)?, cases);
        let parts = [part(0)?, part(1)?, part(2)?];
        let [query, key, value] = &parts;
        let scores = query.matmul(&key.t()?.contiguous()?)?.affine(self.scale(), 0.0)?;
        let shares = softmax(&scores)?;
        let mixed = self.together(&shares.matmul(value)?)?;
        let output = (&input + mixed.matmul(&self.out.values)?)?;
        self.kept = keep.then_some(Kept { input, parts, shares, mixed });
        Ok(output)
    }

    pub(crate) fn backward(&mut self, gradient: &Tensor) -> Result<Tensor> {
        let Kept { input, parts: [query, key, value], shares, mixed } = taken(&mut self.kept)?;
        let cases = query.dim(0)?;
        self.out.add(mixed.t()?.matmul(gradient)?)?;
        let by_mixed = self.apart(&gradient.matmul(&self.out.values.t()?)?, cases)?;
        let by_value = shares.t()?.contiguous()?.matmul(&by_mixed)?;
        let by_shares = by_mixed.matmul(&value.t()?.contiguous()?)?;
        let scores = by_scores(&by_shares, &shares)?.affine(self.scale(), 0.0)?;
        let by_query = scores.matmul(&key)?;
        let by_key = scores.t()?.contiguous()?.matmul(&query)?;
        let rows = [self.together(&by_query)?, self.together(&by_key)?, self.together(&by_value)?];
        let by_projected = Tensor::cat(&rows, 1)?;
        self.project.add(input.t()?.matmul(&by_projected)?)?;
        gradient + by_projected.matmul(&self.project.values.t()?)?
    }

    pub(crate) fn weights(&mut self) -> [&mut Weights; 2] {
        [&mut self.project, &mut self.out]
    }
}
