//! Models <-> frames of the bytes of their files.

use super::kinds::{Kept, Seen, column, kinds, not_readable, only_column};
use crate::Result;
use crate::models::{
    CnnModel, DateNetModel, DbscanModel, FcnnModel, GaussianMixtureModel, HdbscanModel, IsolationForestModel, Isotonic,
    KMeansModel, LeafLogisticModel, LightGbmModel, LinearSvmModel, LogisticModel, ModelCard, ModelFile,
    MultinomialLogisticModel, NystroemModel, PcaModel, Platt, RandomForestModel, RecurrentModel, SvmModel,
    TruncatedSvdModel,
};
use polars::frame::DataFrame;
use polars::prelude::{NamedFrom, Series};

macro_rules! kept_models {
    ($($of:ty),+ $(,)?) => {
        $(impl Kept for $of {
            fn see(&self) -> Seen {
                Seen::Digest(self.identity())
            }

            fn bytes(&self) -> usize {
                0
            }

            fn save(&self) -> Result<(DataFrame, String)> {
                words(&self.to_bytes(&ModelCard::new()))
            }

            fn load(frame: DataFrame, note: &str) -> Result<Self> {
                Self::from_bytes(&bytes_of(frame, note)?).map_err(|error| not_readable(&error))
            }
        })+

        kinds! { $($of),+ }
    };
}

kept_models! {
    CnnModel, DateNetModel, DbscanModel, FcnnModel, GaussianMixtureModel, HdbscanModel, IsolationForestModel,
    Isotonic, KMeansModel, LeafLogisticModel, LightGbmModel, LinearSvmModel, LogisticModel, MultinomialLogisticModel,
    NystroemModel, PcaModel, Platt, RandomForestModel, RecurrentModel, SvmModel, TruncatedSvdModel,
}

/// Bytes as a column of whole numbers, and their number as the note.
fn words(bytes: &[u8]) -> Result<(DataFrame, String)> {
    let word = |bytes: &[u8]| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(word)
    };
    let words: Vec<u64> = bytes.chunks(8).map(word).collect();
    Ok((column(Series::new("model".into(), words))?, bytes.len().to_string()))
}

fn bytes_of(frame: DataFrame, note: &str) -> Result<Vec<u8>> {
    let words = only_column(frame)?;
    let mut bytes: Vec<u8> = words.u64()?.into_no_null_iter().flat_map(u64::to_le_bytes).collect();
    bytes.truncate(note.parse().map_err(|error| not_readable(&error))?);
    Ok(bytes)
}
