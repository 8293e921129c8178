//! What goes in: a mask and the column that it is for. What comes out: the expression that shows it.
//!
//! A masked column keeps its name and type, so that queries need not know who asks; it may be null.

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion::common::{Column, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Half of a SHA-256, in hexadecimal.
const HASH_DIGITS: usize = 32;

/// How a value is changed before anybody sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mask {
    /// Null instead of the value.
    Null,
    /// 32 hexadecimal digits of HMAC-SHA-256 of a text under the key of the policy: equal values
    /// stay equal, also in other tables, so that they can be counted and joined.
    Hash,
    /// The first letter of a name and the form of the company: see [`partial_name`].
    PartialName,
    /// The first of January of a day's year.
    Year,
    /// One value for every row, written as text.
    Constant(String),
    /// An SQL expression over the columns as they are. It must have the column's type.
    Sql(String),
}

/// The secret of [`Mask::Hash`]. Whoever has it can find out which value a hash stands for, by trying.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MaskKey([u8; 32]);

impl MaskKey {
    /// The key made of `bytes`.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for MaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskKey(secret)")
    }
}

/// The expression of `mask` for the column `field`. `parse` turns SQL into an expression.
pub(super) fn expression(
    mask: &Mask,
    field: &Field,
    key: &MaskKey,
    parse: impl Fn(&str) -> Result<Expr, String>,
) -> Result<Expr, String> {
    let column = Expr::Column(Column::new_unqualified(field.name()));
    let kind = field.data_type();
    let only = |mask: &str, wanted: &DataType| match kind == wanted {
        true => Ok(()),
        false => Err(format!("the mask {mask} is for {wanted}, but the column is {kind}; use null, constant or sql")),
    };
    match mask {
        Mask::Null => {
            let null = ScalarValue::try_new_null(kind).map_err(|error| error.to_string())?;
            Ok(Expr::Literal(null, None))
        }
        Mask::Hash => only("hash", &DataType::Utf8).map(|()| Masked::Hash(key.clone()).call(column)),
        Mask::PartialName => only("partial_name", &DataType::Utf8).map(|()| Masked::PartialName.call(column)),
        Mask::Year => {
            only("year", &DataType::Date32)?;
            parse(&format!("cast(date_trunc('year', \"{}\") as date)", field.name()))
        }
        Mask::Constant(text) => match ScalarValue::try_from_string(text.clone(), kind) {
            Ok(value) => Ok(Expr::Literal(value, None)),
            Err(_) => Err(format!("the constant \"{text}\" is no {kind}, which the column is")),
        },
        Mask::Sql(sql) => parse(sql),
    }
}

/// A text function that only policies can call: it is registered nowhere, so that nobody can hash
/// guesses with the key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Masked {
    Hash(MaskKey),
    PartialName,
}

impl Masked {
    fn call(self, column: Expr) -> Expr {
        let signature = Signature::exact(vec![DataType::Utf8], Volatility::Immutable);
        ScalarUDF::new_from_impl(MaskFunction { masked: self, signature }).call(vec![column])
    }

    fn of(&self, text: &str) -> String {
        match self {
            Self::Hash(key) => hash(key, text),
            Self::PartialName => partial_name(text),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct MaskFunction {
    masked: Masked,
    signature: Signature,
}

impl Hash for MaskFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.masked.hash(state);
    }
}

impl ScalarUDFImpl for MaskFunction {
    fn name(&self) -> &str {
        match self.masked {
            Masked::Hash(_) => "mask_hash",
            Masked::PartialName => "mask_partial_name",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let texts = arrays.iter().flat_map(|array| array.as_string::<i32>().iter());
        // Companies come again and again: each is masked once in a batch.
        let mut known: HashMap<&str, String> = HashMap::new();
        let mut masked = StringBuilder::with_capacity(args.number_rows, args.number_rows * HASH_DIGITS);
        for text in texts {
            let Some(text) = text else {
                masked.append_null();
                continue;
            };
            masked.append_value(known.entry(text).or_insert_with(|| self.masked.of(text)));
        }
        let masked = masked.finish();
        Ok(ColumnarValue::Array(Arc::new(masked) as ArrayRef))
    }
}

fn hash(key: &MaskKey, text: &str) -> String {
    let mut padded = [0; 64];
    padded[..32].copy_from_slice(&key.0);
    let digest = <Hmac<Sha256> as Mac>::new((&padded).into()).chain_update(text).finalize().into_bytes();
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]).take(HASH_DIGITS);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

/// Words that say what form a company has, in lower case without dots, commas and brackets.
const FORMS: [&str; 25] = [
    "co",
    "ltd",
    "inc",
    "corp",
    "llc",
    "llp",
    "plc",
    "gmbh",
    "ag",
    "sa",
    "srl",
    "bv",
    "nv",
    "ab",
    "oy",
    "kk",
    "pte",
    "pty",
    "limited",
    "company",
    "corporation",
    "주식회사",
    "유한회사",
    "ооо",
    "주",
];

/// `K** Co.` for `Kumgang Trading Co.`: the first letter of the first word that is not the form of
/// the company, two stars, and the form where it stands at the end (`Co., Ltd.`) or at the beginning
/// (`(주)한**`). A name of one letter is `**`, so that nothing of it is shown.
pub fn partial_name(name: &str) -> String {
    let (front, rest) = match name.trim().split_once(')') {
        // Korean names carry the form in brackets without a space.
        Some((form, rest)) if is_form(form) => (format!("{form})"), rest.trim()),
        _ => (String::new(), name.trim()),
    };
    let words: Vec<&str> = rest.split_whitespace().collect();
    let first = words.iter().take_while(|word| is_form(word)).count();
    let first = if first == words.len() { 0 } else { first };
    let last = words.iter().rev().take_while(|word| is_form(word)).count().min(words.len().saturating_sub(first + 1));
    let (head, tail) = (&words[..first], &words[words.len() - last..]);
    let core = &words[first..words.len() - last];
    let letters = core.iter().map(|word| word.chars().count()).sum::<usize>();
    let initial = core.first().and_then(|word| word.chars().next()).filter(|_| letters > 1);
    let masked = initial.map(String::from).unwrap_or_default() + "**";
    let parts = head.iter().copied().chain([masked.as_str()]).chain(tail.iter().copied());
    front + &parts.collect::<Vec<_>>().join(" ")
}

fn is_form(word: &str) -> bool {
    let plain: String = word.chars().filter(|letter| letter.is_alphabetic()).flat_map(char::to_lowercase).collect();
    FORMS.contains(&plain.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_an_initial_and_the_form_of_the_company() {
        let cases = [
            ("Kumgang Co.", "K** Co."),
            ("Kumgang Trading Co., Ltd.", "K** Co., Ltd."),
            ("Hanjin", "H**"),
            ("  Park  Min ", "P**"),
            ("X", "**"),
            ("", "**"),
            ("(주)한국무역", "(주)한**"),
            ("주식회사 한국무역", "주식회사 한**"),
            ("한국무역 주식회사", "한** 주식회사"),
            ("ООО Ромашка", "ООО Р**"),
            ("Co.", "C**"),
            ("Co Ltd", "C** Ltd"),
        ];
        for (name, masked) in cases {
            assert_eq!(partial_name(name), masked, "{name}");
        }
    }

    #[test]
    fn a_hash_is_that_of_rfc_4231() {
        // Test case 1 of RFC 4231 has a key of twenty bytes 0x0b; HMAC pads keys with zeros.
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        assert_eq!(hash(&MaskKey::new(key), "Hi There"), "b0344c61d8db38535ca8afceaf0bf12b");
        assert_eq!(format!("{:?}", MaskKey::new(key)), "MaskKey(secret)");
    }
}
