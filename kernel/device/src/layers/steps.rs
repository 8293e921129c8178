//! A layer along sequences, whatever its gates, and what it hands from one window of steps to the next.

use super::{Dense, taken};
use crate::place::Place;
use crate::weights::{Feed, Weights};
use candle_core::{Result, Tensor};

/// What is remembered of each sequence that still goes on, the longest first; or the gradients by it.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// What was said last.
    pub(crate) hidden: Tensor,
    /// What goes on without a product.
    pub(crate) cell: Tensor,
}

/// What a kind of gates does at one step.
pub(crate) trait Gates: Send {
    /// How many a layer has. Those of a row stand one behind the other.
    const COUNT: usize;
    /// Whether the product with the hidden state has a bias of its own.
    const BIAS: bool;
    /// What the pass backward needs of one step.
    type Step: Send;

    /// What input and hidden state say to the gates -> the state after the step.
    fn forward(of_input: &Tensor, of_hidden: &Tensor, before: State) -> Result<(State, Self::Step)>;

    /// The gradients by the state after the step -> those by what was said to the gates, and by the cell before.
    fn backward(step: Self::Step, by: State) -> Result<Back>;
}

pub(crate) struct Back {
    pub(crate) of_input: Tensor,
    pub(crate) of_hidden: Tensor,
    pub(crate) cell: Tensor,
}

/// Rows lie step after step; each step has at most as many as the one before.
pub(crate) struct Along<G: Gates> {
    of_input: Dense,
    of_hidden: Weights,
    bias_of_hidden: Option<Weights>,
    /// Of each step the hidden state before it, and what the gates keep.
    kept: Option<Vec<(Tensor, G::Step)>>,
}

impl State {
    /// Of sequences that have not begun.
    pub(crate) fn new(place: &Place, sequences: usize, width: usize) -> Result<Self> {
        let none = place.zeros((sequences, width))?;
        Ok(Self { hidden: none.clone(), cell: none })
    }

    /// Of the first so many sequences.
    fn first(&self, count: usize) -> Result<Self> {
        Ok(Self { hidden: self.hidden.narrow(0, 0, count)?, cell: self.cell.narrow(0, 0, count)? })
    }

    /// Of so many sequences: those that ended at this step get a gradient of 0 from the steps after it.
    fn widened(self, count: usize) -> Result<Self> {
        let more = count - self.hidden.dim(0)?;
        if more == 0 {
            return Ok(self);
        }
        Ok(Self { hidden: self.hidden.pad_with_zeros(0, 0, more)?, cell: self.cell.pad_with_zeros(0, 0, more)? })
    }
}

impl<G: Gates> Along<G> {
    pub(crate) fn new(feed: &mut Feed<'_>, inputs: usize, width: usize) -> Result<Self> {
        let gates = G::COUNT * width;
        let (of_input, of_hidden) = (feed.take(&[inputs, gates])?, feed.take(&[width, gates])?);
        let of_input = Dense::of(of_input, feed.take(&[gates])?);
        let bias_of_hidden = if G::BIAS { Some(feed.take(&[gates])?) } else { None };
        Ok(Self { of_input, of_hidden, bias_of_hidden, kept: None })
    }

    /// What the layer says after each row; the state is moved on. `counts` has the rows of each step.
    pub(crate) fn forward(&mut self, input: Tensor, counts: &[usize], state: &mut State, keep: bool) -> Result<Tensor> {
        let of_input = self.of_input.forward(input, keep)?;
        let (mut said, mut steps, mut from) = (Vec::with_capacity(counts.len()), Vec::new(), 0);
        for &count in counts {
            let before = state.first(count)?;
            let hidden = before.hidden.clone();
            let mut of_hidden = hidden.matmul(&self.of_hidden.values)?;
            if let Some(bias) = &self.bias_of_hidden {
                of_hidden = of_hidden.broadcast_add(&bias.values)?;
            }
            let (after, step) = G::forward(&of_input.narrow(0, from, count)?, &of_hidden, before)?;
            said.push(after.hidden.clone());
            *state = after;
            if keep {
                steps.push((hidden, step));
            }
            from += count;
        }
        self.kept = keep.then_some(steps);
        Tensor::cat(&said, 0)
    }

    /// Nothing goes back beyond the first step of the window.
    pub(crate) fn backward(&mut self, gradient: &Tensor) -> Result<Tensor> {
        let (past, steps): (Vec<Tensor>, Vec<G::Step>) = taken(&mut self.kept)?.into_iter().unzip();
        let back = self.of_hidden.values.t()?.contiguous()?;
        let (mut later, mut from) = (None::<State>, gradient.dim(0)?);
        let (mut of_input, mut of_hidden) = (Vec::with_capacity(steps.len()), Vec::with_capacity(steps.len()));
        for (before, step) in past.iter().zip(steps).rev() {
            let count = before.dim(0)?;
            from -= count;
            let own = gradient.narrow(0, from, count)?;
            let by = match later.take() {
                None => State { cell: own.zeros_like()?, hidden: own },
                Some(later) => {
                    let State { hidden, cell } = later.widened(count)?;
                    State { hidden: (own + hidden)?, cell }
                }
            };
            let by = G::backward(step, by)?;
            later = Some(State { hidden: by.of_hidden.matmul(&back)?, cell: by.cell });
            of_input.push(by.of_input);
            of_hidden.push(by.of_hidden);
        }
        of_input.reverse();
        of_hidden.reverse();
        let of_input = Tensor::cat(&of_input, 0)?;
        let of_hidden = match &mut self.bias_of_hidden {
            // Input and hidden state go into one sum.
            None => of_input.clone(),
            Some(bias) => {
                let of_hidden = Tensor::cat(&of_hidden, 0)?;
                bias.add(of_hidden.sum(0)?)?;
                of_hidden
            }
        };
        self.of_hidden.add(Tensor::cat(&past, 0)?.t()?.matmul(&of_hidden)?)?;
        self.of_input.backward(&of_input)
    }

    pub(crate) fn weights(&mut self) -> Vec<&mut Weights> {
        let [of_input, bias] = self.of_input.weights();
        [of_input, &mut self.of_hidden, bias].into_iter().chain(&mut self.bias_of_hidden).collect()
    }
}
