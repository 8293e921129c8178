//! An Arrow type -> the one in which the toolkit's data frames hold it.
//!
//! Kernel and toolkit share it: rows that the kernel leaves for a cell in these types become a frame
//! without being copied.

use arrow::datatypes::{DataType, TimeUnit};

/// The Arrow type that the frame library takes as it is; `None` where it has no counterpart (lists, maps,
/// unions, binary). It is built without the narrow integers and without decimals, which would each be
/// compiled into every kernel.
pub fn frame_type(data_type: &DataType) -> Option<DataType> {
    use DataType::{
        Boolean, Date32, Date64, Decimal32, Decimal64, Decimal128, Decimal256, Dictionary, Duration, Float16, Float32,
        Float64, Int8, Int16, Int32, Int64, LargeUtf8, Null, Timestamp, UInt8, UInt16, UInt32, UInt64, Utf8, Utf8View,
    };
    Some(match data_type {
        Boolean | Int32 | Int64 | UInt32 | UInt64 | Float32 | Float64 | Date32 => data_type.clone(),
        Null => Boolean,
        Int8 | Int16 | UInt8 | UInt16 => Int32,
        Float16 => Float32,
        Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..) => Float64,
        Utf8 | LargeUtf8 | Utf8View => Utf8View,
        Date64 => Date32,
        // Time zones would need the frame library's zone tables; instants stay what they are.
        Timestamp(unit, _) => Timestamp(timestamp_unit(*unit), None),
        Duration(unit) => Duration(timestamp_unit(*unit)),
        Dictionary(_, value) => frame_type(value)?,
        _ => return None,
    })
}

fn timestamp_unit(unit: TimeUnit) -> TimeUnit {
    match unit {
        TimeUnit::Second => TimeUnit::Millisecond,
        unit => unit,
    }
}
