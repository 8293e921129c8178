//! Tokens of cases, and a row of numbers for each case -> one row a case: the tokens weighed by how they suit the row.

use super::dense::above;
use super::{by_scores, softmax, taken};
use crate::weights::{Feed, Weights};
use candle_core::{Result, Tensor};

/// The score of a token is `score * relu(token * of_token + context * of_context + bias)`; shares are its softmax.
pub(crate) struct Focus {
    tokens: usize,
    width: usize,
    hidden: usize,
    of_token: Weights,
    of_context: Weights,
    bias: Weights,
    score: Weights,
    kept: Option<Kept>,
}

struct Kept {
    tokens: Tensor,
    context: Tensor,
    hidden: Tensor,
    /// Where `hidden` is above 0.
    above: Tensor,
    shares: Tensor,
}

impl Focus {
    pub(crate) fn new(feed: &mut Feed<'_>, tokens: usize, width: usize, context: usize, hidden: usize) -> Result<Self> {
        Ok(Self {
            tokens,
            width,
            hidden,
            of_token: feed.take(&[width, hidden])?,
            of_context: feed.take(&[context, hidden])?,
            bias: feed.take(&[hidden])?,
            score: feed.take(&[hidden, 1])?,
            kept: None,
        })
    }

    pub(crate) fn forward(&mut self, tokens: Tensor, context: &Tensor, keep: bool) -> Result<Tensor> {
        let cases = context.dim(0)?;
        let of_case = context.matmul(&self.of_context.values)?.broadcast_add(&self.bias.values)?;
        let sums = tokens.matmul(&self.of_token.values)?.reshape((cases, self.tokens, self.hidden))?;
        let sums = sums.broadcast_add(&of_case.reshape((cases, 1, self.hidden))?)?;
        let above = above(&sums)?;
        let flat = (cases * self.tokens, self.hidden);
        let (hidden, above) = ((sums * &above)?.reshape(flat)?, above.reshape(flat)?);
        let shares = softmax(&hidden.matmul(&self.score.values)?.reshape((cases, self.tokens))?)?;
        let of_case = tokens.reshape((cases, self.tokens, self.width))?;
        let result = of_case.broadcast_mul(&shares.reshape((cases, self.tokens, 1))?)?.sum(1)?;
        self.kept = keep.then_some(Kept { tokens, context: context.clone(), hidden, above, shares });
        Ok(result)
    }

    /// The gradient by the rows of the cases -> those by tokens and by contexts.
    pub(crate) fn backward(&mut self, gradient: &Tensor) -> Result<(Tensor, Tensor)> {
        let Kept { tokens, context, hidden, above, shares } = taken(&mut self.kept)?;
        let cases = context.dim(0)?;
        let (all, flat) = (cases * self.tokens, (cases * self.tokens, self.width));
        let gradient = gradient.reshape((cases, 1, self.width))?;
        let by_tokens = gradient.broadcast_mul(&shares.reshape((cases, self.tokens, 1))?)?.reshape(flat)?;
        let along = tokens.reshape((cases, self.tokens, self.width))?.broadcast_mul(&gradient)?;
        let scores = by_scores(&along.sum(2)?, &shares)?.reshape((all, 1))?;
        self.score.add(hidden.t()?.matmul(&scores)?)?;
        let by_hidden = (scores.matmul(&self.score.values.t()?)? * above)?;
        let of_case = by_hidden.reshape((cases, self.tokens, self.hidden))?.sum(1)?;
        self.of_token.add(tokens.t()?.matmul(&by_hidden)?)?;
        self.of_context.add(context.t()?.matmul(&of_case)?)?;
        self.bias.add(of_case.sum(0)?)?;
        let by_tokens = (by_tokens + by_hidden.matmul(&self.of_token.values.t()?)?)?;
        Ok((by_tokens, of_case.matmul(&self.of_context.values.t()?)?))
    }

    pub(crate) fn weights(&mut self) -> [&mut Weights; 4] {
        [&mut self.of_token, &mut self.of_context, &mut self.bias, &mut self.score]
    }
}
