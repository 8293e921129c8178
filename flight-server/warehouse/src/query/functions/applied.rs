//! What goes in: a model and rows of named features. What comes out: a function of SQL that gives what the model says.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, new_empty_array};
use arrow::compute::{is_not_null, not, nullif};
use arrow::datatypes::{DataType, Fields, Schema};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use super::{Model, Named, Output};
use crate::names::{hint, near};

/// A model as a function. The model was read when the statement was planned, once for all statements.
#[derive(Debug)]
pub(super) struct Applied {
    /// With the model's, so that a plan names it.
    name: String,
    named: Named,
    output: Output,
    model: Arc<dyn Model>,
    signature: Signature,
}

impl Applied {
    pub(super) fn new(name: String, named: &Named, output: Output, model: Arc<dyn Model>) -> Self {
        // The same features give the same score by the same file.
        Self { name, named: named.clone(), output, model, signature: Signature::any(1, Volatility::Immutable) }
    }

    /// The fields of the argument, if they are the model's features.
    fn features<'a>(&self, found: &'a DataType) -> Result<&'a Fields, String> {
        let (model, features) = (&self.named.model, self.model.features());
        let DataType::Struct(fields) = found else {
            return Err(format!(
                "expected the features of the model {model} by their names, as in named_struct('{}', ...), found {found}",
                features.first().map_or("feature", String::as_str)
            ));
        };
        if let Some(unknown) = fields.iter().find(|field| !features.contains(field.name())) {
            let meant = hint(&near(unknown.name(), features.iter().map(String::as_str)));
            return Err(format!(
                "the model {model} has no feature \"{}\".{meant} Its features are {}",
                unknown.name(),
                features.join(", ")
            ));
        }
        let missing: Vec<&str> =
            features.iter().map(String::as_str).filter(|name| fields.find(name).is_none()).collect();
        match missing.as_slice() {
            [] => Ok(fields),
            some => Err(format!("the model {model} needs {} too; give null where it is not known", some.join(", "))),
        }
    }
}

impl PartialEq for Applied {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.named, self.output) == (&other.name, &other.named, other.output)
    }
}

impl Eq for Applied {}

impl Hash for Applied {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.name, &self.named.file_sha256, self.output).hash(state);
    }
}

impl ScalarUDFImpl for Applied {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let found = types.first().unwrap_or(&DataType::Null);
        self.features(found).map_err(DataFusionError::Plan)?;
        Ok(self.output.data_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let Some(given) = arrays.first().filter(|given| !given.is_empty()) else {
            return Ok(ColumnarValue::Array(new_empty_array(&self.output.data_type())));
        };
        let fields = self.features(given.data_type()).map_err(DataFusionError::Execution)?;
        let given: &ArrayRef = given;
        let columns = given.as_struct().columns().to_vec();
        let rows = RecordBatch::try_new(Arc::new(Schema::new(nullable(fields))), columns)?;
        let said = self.model.call(self.output, &rows).map_err(DataFusionError::Execution)?;
        // No features at all are not features that are not known.
        let said = match given.null_count() {
            0 => said,
            _ => nullif(&said, &not(&is_not_null(given)?)?)?,
        };
        Ok(ColumnarValue::Array(said))
    }
}

/// A struct that is null has children that may be null, whatever their fields say.
fn nullable(fields: &Fields) -> Vec<arrow::datatypes::Field> {
    fields.iter().map(|field| field.as_ref().clone().with_nullable(true)).collect()
}
