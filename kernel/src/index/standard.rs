//! Methods of the standard library's types that cells use most. Its sources are not installed with the
//! compiler, so these are named here; their documentation is at <https://doc.rust-lang.org/std/>.

use super::Entry;

const ITERATOR: &str = "all any by_ref chain cloned collect copied count cycle enumerate filter filter_map find flat_map \
    flatten fold for_each inspect last map map_while max max_by max_by_key min min_by min_by_key next nth partition peekable \
    position product reduce rev skip skip_while step_by sum take take_while unzip zip";
const SLICE: &str = "binary_search chunks concat contains copy_from_slice ends_with fill first get get_mut into_vec is_empty \
    iter iter_mut join last len partition_point repeat reverse sort sort_by sort_by_key sort_unstable split split_at \
    split_first split_last starts_with swap to_vec windows";
const STR: &str = "as_bytes as_str bytes char_indices chars contains ends_with find is_empty len lines parse repeat replace \
    rfind rsplit rsplit_once split split_at split_once split_whitespace starts_with strip_prefix strip_suffix to_lowercase \
    to_owned to_string to_uppercase trim trim_end trim_matches trim_start";
const OPTION: &str = "and and_then as_deref as_mut as_ref cloned copied expect filter flatten get_or_insert_with insert \
    is_none is_none_or is_some is_some_and iter map map_or map_or_else ok_or ok_or_else or or_else replace take unwrap \
    unwrap_or unwrap_or_default unwrap_or_else xor zip";
const RESULT: &str = "and and_then as_mut as_ref err expect expect_err is_err is_err_and is_ok is_ok_and iter map map_err \
    map_or map_or_else ok or or_else unwrap unwrap_err unwrap_or unwrap_or_default unwrap_or_else";
const FLOAT: &str = "abs acos asin atan atan2 cbrt ceil clamp cos exp floor fract hypot is_finite is_infinite is_nan \
    is_sign_negative ln ln_1p log log10 log2 max min mul_add powf powi recip rem_euclid round signum sin sqrt tan tanh \
    to_bits to_string total_cmp trunc";
const INTEGER: &str = "abs abs_diff checked_add checked_div checked_mul checked_sub clamp count_ones div_euclid is_negative \
    is_positive isqrt leading_zeros max min pow rem_euclid saturating_add saturating_mul saturating_sub signum to_string \
    trailing_zeros wrapping_add wrapping_mul wrapping_sub";
const MAP: &str = "clear contains_key entry extend get get_mut insert into_iter into_keys into_values is_empty iter iter_mut \
    keys len remove retain values values_mut";
const SET: &str = "clear contains difference extend get insert intersection into_iter is_empty is_subset iter len remove \
    retain symmetric_difference union";

/// The methods of a type or a trait by its last name, without signatures.
pub fn methods(name: &str) -> Vec<(String, Entry)> {
    let list = match name {
        "Vec" => {
            "append capacity clear dedup drain extend extend_from_slice insert into_iter pop push remove reserve resize \
                  retain split_off swap_remove truncate"
        }
        "slice" => SLICE,
        "String" => "clear insert insert_str pop push push_str remove truncate",
        "str" => STR,
        "Option" => OPTION,
        "Result" => RESULT,
        "f64" | "f32" => FLOAT,
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => INTEGER,
        "Clone" => "clone",
        "Display" => "to_string",
        "HashMap" | "BTreeMap" => MAP,
        "HashSet" | "BTreeSet" => SET,
        "Iterator" | "Iter" | "IntoIter" | "Map" | "Filter" | "Enumerate" | "Zip" | "Rev" | "Range" | "Take"
        | "Skip" | "Chain" | "Cloned" | "Copied" | "FilterMap" | "FlatMap" | "Chars" | "Lines" => ITERATOR,
        _ => "",
    };
    let entry = |method: &str| Entry {
        kind: "function".to_owned(),
        signature: format!("{name}::{method}"),
        doc: String::new(),
    };
    list.split_whitespace().map(|method| (method.to_owned(), entry(method))).collect()
}

/// What a type of the standard library dereferences to.
pub fn target(name: &str) -> Option<&'static str> {
    match name {
        "Vec" | "array" => Some("slice"),
        "String" => Some("str"),
        _ => None,
    }
}
