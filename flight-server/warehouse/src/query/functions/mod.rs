//! What goes in: SQL that calls a function of scores. What comes out: a statement and a session that plan without it.
//!
//! `risk_score(declaration_id, item_no)` and its like become a subquery over `risk.scores` before the statement is
//! planned, so that they read what the user's own view shows and stand in the plan, and in the audit, as any other
//! table. `risk_score_of(features)` and its like apply a registered model to values that the user gives; they are
//! there for who sees all scores alone. `docs/decisions/0015` has the reasons.

mod applied;
mod rewrite;

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::DataType;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::SessionContext;
use futures::future::BoxFuture;

use self::applied::Applied;
use super::Snapshot;
use super::parameters::number_parameters;
use super::policy::Access;
use super::statement::Asked;
use crate::names::{hint, near};
use crate::{Error, RISK, Result, SqlFault};

/// What is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scored {
    /// Declared items.
    Clearance,
    /// Companies.
    Taxpayer,
}

impl Scored {
    /// As `risk.models` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clearance => "clearance",
            Self::Taxpayer => "taxpayer",
        }
    }
}

/// A registered model, and whether it is the champion of its definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub model: String,
    /// The definition that it was trained by.
    pub definition: String,
    /// As [`Scored::name`] has it.
    pub kind: String,
    /// SHA-256 of its file.
    pub file_sha256: String,
    /// Whether it was promoted last.
    pub champion: bool,
    /// The versions by which champions of its definition have scored, where these alone say which score is meant: no two
    /// have scored the same day, and none has scored as a challenger. `None` where that is not so.
    pub versions: Option<Vec<String>>,
}

/// What a model says of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Output {
    /// Probability of fraud, 0 to 1.
    Probability,
    /// Points of a company, 0 to 1000.
    Points,
    /// Grade of a company, 01 to 10.
    Grade,
}

impl Output {
    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Probability => DataType::Float64,
            Self::Points => DataType::Int64,
            Self::Grade => DataType::Utf8,
        }
    }
}

/// A model that is ready.
pub trait Model: Debug + Send + Sync {
    /// The features that it needs.
    fn features(&self) -> &[String];

    /// What it says of rows that have all features as columns, null where one is not known.
    ///
    /// # Errors
    /// What is wrong with a feature, in words.
    fn call(&self, output: Output, rows: &RecordBatch) -> Result<ArrayRef, String>;
}

/// Where registered models come from.
pub trait Models: Debug + Send + Sync {
    /// All of a version of the warehouse, which `snapshot` shows as it is.
    ///
    /// # Errors
    /// When the warehouse cannot be read.
    fn registered<'a>(&'a self, snapshot: &'a Snapshot) -> BoxFuture<'a, Result<Vec<Named>, String>>;

    /// One of them, read once and kept. It may wait for the disk.
    ///
    /// # Errors
    /// When its file is gone or is another.
    fn load(&self, named: &Named) -> Result<Arc<dyn Model>, String>;
}

/// A function as the rewriting knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) scored: Scored,
    pub(super) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A column of what was kept, by the columns of a key.
    Kept(&'static str, &'static [&'static str]),
    /// A model, applied to features.
    Of(Output),
    /// The name of the champion.
    Version,
}

const ITEM: &[&str] = &["declaration_id", "item_no"];
const COMPANY: &[&str] = &["importer_id"];

pub(super) const FUNCTIONS: [Function; 10] = [
    Function { name: "risk_score", scored: Scored::Clearance, what: What::Kept("probability", ITEM) },
    Function { name: "risk_score_version", scored: Scored::Clearance, what: What::Kept("version", ITEM) },
    Function { name: "risk_score_of", scored: Scored::Clearance, what: What::Of(Output::Probability) },
    Function { name: "risk_model_version", scored: Scored::Clearance, what: What::Version },
    Function { name: "taxpayer_score", scored: Scored::Taxpayer, what: What::Kept("score", COMPANY) },
    Function { name: "taxpayer_grade", scored: Scored::Taxpayer, what: What::Kept("grade", COMPANY) },
    Function { name: "taxpayer_score_version", scored: Scored::Taxpayer, what: What::Kept("version", COMPANY) },
    Function { name: "taxpayer_score_of", scored: Scored::Taxpayer, what: What::Of(Output::Points) },
    Function { name: "taxpayer_grade_of", scored: Scored::Taxpayer, what: What::Of(Output::Grade) },
    Function { name: "taxpayer_model_version", scored: Scored::Taxpayer, what: What::Version },
];

impl Function {
    /// The table of `risk` that has what was kept.
    fn table(self) -> &'static str {
        match self.scored {
            Scored::Clearance => "scores",
            Scored::Taxpayer => "taxpayer_scores",
        }
    }

    /// Columns that say what [`What::Of`] says.
    fn told(self) -> &'static [&'static str] {
        match self.scored {
            Scored::Clearance => &["probability", "log_odds"],
            Scored::Taxpayer => &["score", "grade", "probability"],
        }
    }

    /// Whether the user may call it; what hides scores hides the function that gives them.
    fn permitted(self, access: Option<&Access>) -> Result<()> {
        let Some(access) = access else { return Ok(()) };
        let table = self.table();
        let reason = match self.what {
            _ if access.sees(RISK, table) && access.sees(RISK, "runs") => match self.what {
                What::Of(_) if !access.sees_whole(RISK, table, self.told()) => format!(
                    "it needs all of {RISK}.{table} as it is, of which you see a part; ask for what was kept by {}",
                    self.kept()
                ),
                _ => return Ok(()),
            },
            _ => format!("it reads {RISK}.{table} and {RISK}.runs, which your role does not show"),
        };
        Err(refused(format!("calling {} is not allowed: {reason}", self.name)))
    }

    /// The call that gives what was kept.
    fn kept(self) -> &'static str {
        match self.scored {
            Scored::Clearance => "risk_score(declaration_id, item_no)",
            Scored::Taxpayer => "taxpayer_score(importer_id)",
        }
    }
}

/// The statement without functions of scores, and the session that plans it; `None` where it calls none.
pub(super) async fn without(snapshot: &Snapshot, sql: &str) -> Result<Option<(SessionContext, Asked<'static>)>> {
    let lower = sql.to_ascii_lowercase();
    if !FUNCTIONS.iter().any(|function| lower.contains(function.name)) {
        return Ok(None);
    }
    let Some(mut parsed) = rewrite::Parsed::of(&number_parameters(sql)) else { return Ok(None) };
    let calls = parsed.calls()?;
    if calls.is_empty() {
        return Ok(None);
    }
    for call in &calls {
        call.function.permitted(snapshot.access.as_deref())?;
    }
    let Some(models) = &snapshot.models else {
        return Err(invalid(format!("there are no registered models here, which {} needs", calls[0].function.name)));
    };
    let failed = |message: String| Error::Sql { fault: SqlFault::Failed, message };
    let all = models.registered(&snapshot.whole()).await.map_err(failed)?;
    let mut state = snapshot.context.state();
    let mut meant = Vec::with_capacity(calls.len());
    for call in calls {
        let named = chosen(&all, &call)?;
        if let What::Of(output) = call.function.what {
            let name = format!("{} {}", call.function.name, named.model);
            let model = loaded(models, named).await?;
            let applied = ScalarUDF::from(Applied::new(name.clone(), named, output, model));
            state.register_udf(Arc::new(applied)).map_err(Error::data("register a model"))?;
        }
        meant.push(named.clone());
    }
    let statement = parsed.rewritten(&meant)?;
    Ok(Some((SessionContext::new_with_state(state), Asked::Parsed(Box::new(statement)))))
}

/// A model, read where reading a file holds nobody up.
async fn loaded(models: &Arc<dyn Models>, named: &Named) -> Result<Arc<dyn Model>> {
    let (models, wanted) = (Arc::clone(models), named.clone());
    let loaded = SpawnedTask::spawn_blocking(move || models.load(&wanted)).join().await;
    loaded.map_err(Error::data("read a model"))?.map_err(invalid)
}

/// The model that a call is about: the champion of the definition that it names, or a model by its name, or the only
/// champion that there is.
fn chosen<'a>(all: &'a [Named], call: &rewrite::Call) -> Result<&'a Named> {
    let Function { name, scored, what } = call.function;
    let kind = scored.name();
    let champions: Vec<&Named> = all.iter().filter(|one| one.kind == kind && one.champion).collect();
    let definitions = || champions.iter().map(|one| one.definition.as_str()).collect::<Vec<_>>();
    let Some(wanted) = &call.named else {
        return match champions.as_slice() {
            [one] => Ok(one),
            [] => Err(invalid(format!(
                "{name}: there is no promoted {kind} model; `haetae-server model promote` makes one the champion"
            ))),
            _ => Err(invalid(format!(
                "{name}: there are champions of the definitions {}; name one as the last argument, as in '{}'",
                definitions().join(", "),
                definitions()[0]
            ))),
        };
    };
    if let Some(one) = champions.iter().find(|one| one.definition == *wanted) {
        return Ok(one);
    }
    let by_name = all.iter().find(|one| one.model == *wanted);
    match by_name {
        Some(one) if one.kind != kind => {
            Err(invalid(format!("{name}: expected a {kind} model, found {wanted}, which is a {} model", one.kind)))
        }
        Some(one) if matches!(what, What::Of(_)) => Ok(one),
        Some(one) => {
            Err(invalid(format!("{name}: {wanted} is a model; name its definition, which is '{}'", one.definition)))
        }
        None => {
            let other = all.iter().find(|one| one.definition == *wanted);
            Err(invalid(match other {
                Some(one) if one.kind != kind => {
                    format!("{name}: expected a {kind} definition, found {wanted}, which is of kind {}", one.kind)
                }
                Some(_) => format!(
                    "{name}: there is no promoted model for the definition {wanted}; `haetae-server model promote` makes one \
                     the champion"
                ),
                None => {
                    let meant = hint(&near(wanted, definitions()));
                    format!("{name}: there is no definition {wanted} with a promoted model.{meant}")
                }
            }))
        }
    }
}

fn invalid(message: String) -> Error {
    Error::Sql { fault: SqlFault::Invalid, message }
}

fn refused(message: String) -> Error {
    Error::Sql { fault: SqlFault::ReadOnly, message }
}
