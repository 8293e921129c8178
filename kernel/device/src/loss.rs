//! Sums of the last layer, targets and weights -> the losses' sum, and the gradient by each sum.

use crate::form::Head;
use crate::layers::sigmoid;
use candle_core::{Result, Tensor};

/// All of one length, or columns of it. The gradient is that of the losses' sum by `of`.
///
/// The logarithmic loss comes from the sum itself: probabilities near 0 and 1 lose no digits.
pub(crate) fn loss(head: Head, sums: &Tensor, target: &Tensor, weights: &Tensor, of: f64) -> Result<(Tensor, Tensor)> {
    let (losses, slopes) = match head {
        Head::Chance => {
            let bent = sums.abs()?.neg()?.exp()?.affine(1.0, 1.0)?.log()?;
            // What is no number must stay none: the rectifier alone would make it 0.
            let straight = (sums.relu()? - (sums * target)?)?;
            ((straight + bent)?, (sigmoid(sums)? - target)?)
        }
        Head::Value => {
            let difference = (sums - target)?;
            (difference.sqr()?, difference.affine(2.0, 0.0)?)
        }
    };
    let gradient = (slopes * weights)?.affine(1.0 / of, 0.0)?;
    Ok(((losses * weights)?.sum_all()?, gradient))
}
