//! Each kind of model <-> its file.

use super::{In, ModelCard, Origin, SINCE, Stored, fail, pack, unpack};
use crate::{
    ClearanceModel, CnnModel, DateNetModel, DbscanModel, FcnnModel, GaussianMixtureModel, HdbscanModel,
    IsolationForestModel, Isotonic, KMeansModel, LeafLogisticModel, LightGbmModel, LinearSvmModel, LogisticModel,
    MultinomialLogisticModel, NystroemModel, PcaModel, Platt, RandomForestModel, RecurrentModel, Result, SvmModel,
    TfidfModel, TruncatedSvdModel,
};
use haetae_features::FittedFeatures;
use sha2::{Digest, Sha256};

/// A model that can be written to a file and read from one.
pub trait ModelFile: Sized {
    /// Names the kind in files.
    const KIND: &'static str;

    /// A number that tells this model from every other of its kind in this process, but for copies.
    fn identity(&self) -> u64;

    /// The bytes of a file: the model, and `card` with what it says of itself.
    fn to_bytes(&self, card: &ModelCard) -> Vec<u8>;

    /// The model of a file.
    ///
    /// # Errors
    /// [`crate::Error::ModelFile`] where the bytes are no model file, of a form that is newer or no longer read, cut
    /// off, damaged, or hold another kind of model.
    fn from_bytes(bytes: &[u8]) -> Result<Self>;
}

/// What a model says of itself.
pub(crate) struct About {
    /// Names of the features, and whether each is one of categories.
    pub(crate) features: Vec<(String, bool)>,
    pub(crate) parameters: String,
    /// See [`Origin`]; none for a model that is quickly compared by its bytes.
    number: Option<u64>,
}

impl About {
    pub(crate) fn new(names: &[String], categorical: &dyn Fn(usize) -> bool, origin: &Origin) -> Self {
        let features = names.iter().enumerate().map(|(i, name)| (name.clone(), categorical(i))).collect();
        let (parameters, number) = origin.parts();
        Self { features, parameters: parameters.to_owned(), number: Some(number) }
    }

    /// Of a model that has no parameters of its own, or says them otherwise.
    pub(crate) fn of_bytes(features: Vec<(String, bool)>, parameters: String) -> Self {
        Self { features, parameters, number: None }
    }

    /// Of a model that takes numbers only.
    pub(crate) fn of_numbers(names: &[String], origin: &Origin) -> Self {
        Self::new(names, &|_| false, origin)
    }
}

/// A model as its file needs it.
pub(crate) trait Described: Stored {
    fn about(&self) -> About;

    /// Whether its lists fit each other: what was written is, but a file may have been made by another program.
    fn is_sound(&self) -> bool;
}

fn write(kind: &str, summary: String, about: About, card: &ModelCard, body: &[u8]) -> Vec<u8> {
    let card = ModelCard {
        kind: kind.to_owned(),
        summary,
        features: about.features,
        parameters: about.parameters,
        program: concat!("haetae ", env!("CARGO_PKG_VERSION")).to_owned(),
        ..card.clone()
    };
    pack(&card, body)
}

fn read<T: Described>(kind: &str, bytes: &[u8]) -> Result<T> {
    let (form, card, body) = unpack(bytes)?;
    if card.kind() != kind {
        return fail(format!("it holds a model of the kind `{}`, expected `{kind}`", card.kind()));
    }
    if SINCE.iter().any(|&(changed, since)| changed == kind && form < since) {
        return fail(format!(
            "it is a {kind} model of form {form}, which this version no longer reads; fit and save it again"
        ));
    }
    let mut body = In(body);
    match T::take(&mut body) {
        Ok(model) if body.0.is_empty() && model.is_sound() => Ok(model),
        Ok(_) if body.0.is_empty() => fail("its body does not make a model, though its sum fits".to_owned()),
        Ok(_) => fail(format!("its body is {} bytes longer than its kind says", body.0.len())),
        Err(reason) => fail(format!("its body cannot be read, though its sum fits: {reason}")),
    }
}

fn number_of(body: &[u8]) -> u64 {
    let sum = Sha256::digest(body);
    sum.iter().take(8).fold(0, |number, &byte| number << 8 | u64::from(byte))
}

macro_rules! files {
    ($($of:ty: $kind:literal;)+) => {
        $(impl ModelFile for $of {
            const KIND: &'static str = $kind;

            fn identity(&self) -> u64 {
                self.about().number.unwrap_or_else(|| {
                    let mut body = Vec::new();
                    self.put(&mut body);
                    number_of(&body)
                })
            }

            fn to_bytes(&self, card: &ModelCard) -> Vec<u8> {
                let mut body = Vec::new();
                self.put(&mut body);
                write($kind, format!("{self:?}"), self.about(), card, &body)
            }

            fn from_bytes(bytes: &[u8]) -> Result<Self> {
                read($kind, bytes)
            }
        })+
    };
}

impl Described for FittedFeatures {
    fn about(&self) -> About {
        About::of_bytes(self.schema(), format!("made of {}", self.columns().join(", ")))
    }

    fn is_sound(&self) -> bool {
        FittedFeatures::is_sound(self)
    }
}

files! {
    ClearanceModel: "clearance model";
    CnnModel: "CNN";
    DateNetModel: "DATE";
    DbscanModel: "DBSCAN";
    FcnnModel: "FCNN";
    FittedFeatures: "fitted features";
    GaussianMixtureModel: "Gaussian mixture";
    HdbscanModel: "HDBSCAN";
    IsolationForestModel: "isolation forest";
    Isotonic: "isotonic calibration";
    KMeansModel: "k-means";
    LeafLogisticModel: "GBDT+LR";
    LightGbmModel: "LightGBM";
    LinearSvmModel: "linear SVM";
    LogisticModel: "logistic regression";
    MultinomialLogisticModel: "multinomial logistic regression";
    NystroemModel: "Nystroem";
    PcaModel: "PCA";
    Platt: "Platt calibration";
    RandomForestModel: "random forest";
    RecurrentModel: "recurrent net";
    SvmModel: "SVM";
    TfidfModel: "TF-IDF";
    TruncatedSvdModel: "truncated SVD";
}
