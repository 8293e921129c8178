//! What goes in: nothing. What comes out: the SQL types that columns can have, as ODBC and JDBC ask for them
//! (`SQLGetTypeInfo`).

use arrow_flight::error::FlightError;
use arrow_flight::sql::metadata::{XdbcTypeInfo, XdbcTypeInfoData, XdbcTypeInfoDataBuilder};
use arrow_flight::sql::{Nullable, Searchable, XdbcDataType, XdbcDatetimeSubcode};

/// Name, type, and size: digits of a number, letters of what is shown.
const TYPES: [(&str, XdbcDataType, Option<i32>); 12] = [
    ("BOOLEAN", XdbcDataType::XdbcBit, Some(1)),
    ("TINYINT", XdbcDataType::XdbcTinyint, Some(3)),
    ("BIGINT", XdbcDataType::XdbcBigint, Some(19)),
    ("BYTEA", XdbcDataType::XdbcVarbinary, None),
    ("DECIMAL", XdbcDataType::XdbcDecimal, Some(38)),
    ("INTEGER", XdbcDataType::XdbcInteger, Some(10)),
    ("SMALLINT", XdbcDataType::XdbcSmallint, Some(5)),
    // Binary digits, as its radix says.
    ("REAL", XdbcDataType::XdbcReal, Some(24)),
    ("DOUBLE", XdbcDataType::XdbcDouble, Some(53)),
    ("VARCHAR", XdbcDataType::XdbcVarchar, None),
    ("DATE", XdbcDataType::XdbcDate, Some(10)),
    ("TIMESTAMP", XdbcDataType::XdbcTimestamp, Some(29)),
];

/// The types, in the order of their numbers.
pub(crate) fn types() -> Result<XdbcTypeInfoData, FlightError> {
    let mut types = XdbcTypeInfoDataBuilder::new();
    for (name, of, size) in TYPES {
        types.append(describe(name, of, size));
    }
    types.build()
}

fn describe(name: &str, data_type: XdbcDataType, column_size: Option<i32>) -> XdbcTypeInfo {
    use XdbcDataType::{
        XdbcBigint, XdbcDate, XdbcDecimal, XdbcDouble, XdbcInteger, XdbcReal, XdbcSmallint, XdbcTimestamp, XdbcTinyint,
        XdbcVarbinary, XdbcVarchar,
    };
    let (prefix, suffix) = match data_type {
        XdbcVarchar => (Some("'"), Some("'")),
        XdbcVarbinary => (Some("X'"), Some("'")),
        XdbcDate => (Some("DATE '"), Some("'")),
        XdbcTimestamp => (Some("TIMESTAMP '"), Some("'")),
        _ => (None, None),
    };
    let whole = matches!(data_type, XdbcTinyint | XdbcSmallint | XdbcInteger | XdbcBigint);
    let num_prec_radix = match data_type {
        XdbcReal | XdbcDouble => Some(2),
        XdbcDecimal => Some(10),
        _ => whole.then_some(10),
    };
    let (sql_data_type, datetime_subcode) = match data_type {
        // Their number is that of a date as well.
        XdbcDate => (XdbcDataType::XdbcDatetime, Some(XdbcDatetimeSubcode::XdbcSubcodeYear)),
        XdbcTimestamp => (XdbcDataType::XdbcDatetime, Some(XdbcDatetimeSubcode::XdbcSubcodeTimestamp)),
        other => (other, None),
    };
    let text = |text: &str| text.to_owned();
    XdbcTypeInfo {
        type_name: text(name),
        data_type,
        column_size,
        literal_prefix: prefix.map(text),
        literal_suffix: suffix.map(text),
        create_params: (data_type == XdbcDecimal).then(|| vec![text("precision"), text("scale")]),
        nullable: Nullable::NullabilityNullable,
        case_sensitive: data_type == XdbcVarchar,
        // LIKE is for texts.
        searchable: if data_type == XdbcVarchar { Searchable::Full } else { Searchable::Basic },
        unsigned_attribute: num_prec_radix.map(|_| false),
        fixed_prec_scale: false,
        auto_increment: num_prec_radix.map(|_| false),
        local_type_name: Some(text(name)),
        minimum_scale: match data_type {
            XdbcDecimal | XdbcTimestamp => Some(0),
            _ => whole.then_some(0),
        },
        maximum_scale: match data_type {
            XdbcDecimal => Some(38),
            XdbcTimestamp => Some(9),
            _ => whole.then_some(0),
        },
        sql_data_type,
        datetime_subcode,
        num_prec_radix,
        interval_precision: None,
    }
}
