//! What goes in: what Flight says of a session, its options and its end. What comes out: the same as messages on the wire.
//!
//! arrow-flight has no types for them yet; the numbers are those of Flight.proto.

use std::collections::BTreeMap;

use prost::{Message, Oneof};

/// A value of an option; none = the option's default.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SessionOptionValue {
    #[prost(oneof = "OptionValue", tags = "1, 2, 3, 4, 5")]
    pub(crate) option_value: Option<OptionValue>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum OptionValue {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(bool, tag = "2")]
    Bool(bool),
    #[prost(sfixed64, tag = "3")]
    Int(i64),
    #[prost(double, tag = "4")]
    Double(f64),
    #[prost(message, tag = "5")]
    Texts(StringListValue),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct StringListValue {
    #[prost(string, repeated, tag = "1")]
    pub(crate) values: Vec<String>,
}

/// Request of SetSessionOptions, and result of GetSessionOptions: they look the same.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SessionOptions {
    #[prost(btree_map = "string, message", tag = "1")]
    pub(crate) session_options: BTreeMap<String, SessionOptionValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct SetSessionOptionsResult {
    /// The options that were not set, and why.
    #[prost(btree_map = "string, message", tag = "1")]
    pub(crate) errors: BTreeMap<String, SetError>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct SetError {
    #[prost(enumeration = "ErrorValue", tag = "1")]
    pub(crate) value: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum ErrorValue {
    Unspecified = 0,
    InvalidName = 1,
    InvalidValue = 2,
    Error = 3,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CloseSessionResult {
    /// 1 = closed.
    #[prost(int32, tag = "1")]
    pub(crate) status: i32,
}

impl CloseSessionResult {
    pub(crate) const CLOSED: Self = Self { status: 1 };
}
