//! What goes in: options that a client sets for its session. What comes out: what holds for the session, or what
//! is wrong with them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use haetae_warehouse::{CATALOG, DEFAULT_SCHEMA};

use crate::Result;
use crate::bounds::Class;
use crate::encode::Compression;
use crate::lock::lock;
use crate::session_messages::{
    ErrorValue, OptionValue, SessionOptionValue, SessionOptions, SetError, SetSessionOptionsResult,
};

/// The catalog and the schema of names without one. They are there because drivers ask for them, and cannot be
/// changed.
const CATALOG_OPTION: &str = "catalog";
const SCHEMA_OPTION: &str = "schema";
/// The longest that a query of the session may run, in seconds.
const SECONDS_OPTION: &str = "query_seconds";

/// How results are compressed on the wire.
const COMPRESSION_OPTION: &str = "ipc_compression";
/// Whether columns that are dictionaries are sent as such.
const DICTIONARIES_OPTION: &str = "dictionaries";
/// How many endpoints a result has that can be divided.
const ENDPOINTS_OPTION: &str = "endpoints";
const MOST_ENDPOINTS: u8 = 32;
/// Among which queries those of the session wait for their turn.
const CLASS_OPTION: &str = "query_class";

/// How many sessions may have options of their own. The oldest ones lose theirs.
const SESSIONS: usize = 1_000;

/// What a session has chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Chosen {
    seconds: Option<i64>,
    compression: Compression,
    dictionaries: bool,
    /// 0 = one.
    endpoints: u8,
    class: Class,
}

/// Sessions and what they have chosen, the latest last.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<VecDeque<(String, Chosen)>>);

impl Sessions {
    /// Sets options; each by itself, so that one that is wrong does not hinder the others.
    pub(crate) fn set(&self, session: &str, asked: SessionOptions) -> SetSessionOptionsResult {
        let errors = asked.session_options.into_iter().filter_map(|(name, value)| {
            let error = self.set_one(session, &name, value.option_value).err()?;
            Some((name, SetError { value: error as i32 }))
        });
        SetSessionOptionsResult { errors: errors.collect() }
    }

    fn set_one(&self, session: &str, name: &str, value: Option<OptionValue>) -> Result<(), ErrorValue> {
        let mut chosen = self.chosen(session);
        let fixed = |right: &str| match &value {
            None => Ok(()),
            Some(OptionValue::Text(text)) if text == right => Ok(()),
            Some(_) => Err(ErrorValue::InvalidValue),
        };
        match name {
            CATALOG_OPTION => return fixed(CATALOG),
            SCHEMA_OPTION => return fixed(DEFAULT_SCHEMA),
            SECONDS_OPTION => chosen.seconds = seconds(value)?,
            COMPRESSION_OPTION => {
                chosen.compression = match value {
                    None => Compression::None,
                    Some(OptionValue::Text(text)) => Compression::of(&text).ok_or(ErrorValue::InvalidValue)?,
                    Some(_) => return Err(ErrorValue::InvalidValue),
                }
            }
            DICTIONARIES_OPTION => chosen.dictionaries = flag(value)?,
            ENDPOINTS_OPTION => {
                let endpoints = seconds(value)?.unwrap_or(0);
                let few = u8::try_from(endpoints).ok().filter(|number| *number <= MOST_ENDPOINTS);
                chosen.endpoints = few.ok_or(ErrorValue::InvalidValue)?;
            }
            CLASS_OPTION => {
                chosen.class = match value {
                    None => Class::default(),
                    Some(OptionValue::Text(text)) => Class::of(&text).ok_or(ErrorValue::InvalidValue)?,
                    Some(_) => return Err(ErrorValue::InvalidValue),
                }
            }
            _ => return Err(ErrorValue::InvalidName),
        }
        self.choose(session, chosen);
        Ok(())
    }

    fn choose(&self, session: &str, chosen: Chosen) {
        let mut all = self.lock();
        all.retain(|(other, _)| other != session);
        if chosen == Chosen::default() {
            return;
        }
        if all.len() == SESSIONS {
            all.pop_front();
        }
        all.push_back((session.to_owned(), chosen));
    }

    /// What holds for a session.
    pub(crate) fn get(&self, session: &str) -> SessionOptions {
        let text = |text: &str| OptionValue::Text(text.to_owned());
        let chosen = self.chosen(session);
        let mut options = vec![
            (CATALOG_OPTION, text(CATALOG)),
            (SCHEMA_OPTION, text(DEFAULT_SCHEMA)),
            (COMPRESSION_OPTION, text(chosen.compression.name())),
            (CLASS_OPTION, text(chosen.class.name())),
            (DICTIONARIES_OPTION, OptionValue::Bool(chosen.dictionaries)),
            (ENDPOINTS_OPTION, OptionValue::Int(i64::from(chosen.endpoints.max(1)))),
        ];
        options.extend(chosen.seconds.map(|seconds| (SECONDS_OPTION, OptionValue::Int(seconds))));
        let options = options
            .into_iter()
            .map(|(name, value)| (name.to_owned(), SessionOptionValue { option_value: Some(value) }));
        SessionOptions { session_options: options.collect() }
    }

    /// How long a query of the session may run; `None` = as long as the server lets it.
    pub(crate) fn life(&self, session: &str) -> Option<Duration> {
        self.chosen(session).seconds.map(|seconds| Duration::from_secs(seconds.unsigned_abs()))
    }

    /// How results of the session are compressed.
    pub(crate) fn compression(&self, session: &str) -> Compression {
        self.chosen(session).compression
    }

    /// Whether columns that are dictionaries stay so in results of the session.
    pub(crate) fn dictionaries(&self, session: &str) -> bool {
        self.chosen(session).dictionaries
    }

    /// How many endpoints a result of the session has, where it can be divided.
    pub(crate) fn endpoints(&self, session: &str) -> usize {
        usize::from(self.chosen(session).endpoints.max(1))
    }

    /// The class of the queries of the session.
    pub(crate) fn class(&self, session: &str) -> Class {
        self.chosen(session).class
    }

    /// How many sessions have options of their own.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Forgets the options of a session.
    pub(crate) fn close(&self, session: &str) {
        self.choose(session, Chosen::default());
    }

    fn chosen(&self, session: &str) -> Chosen {
        self.lock().iter().find(|(other, _)| other == session).map(|(_, chosen)| *chosen).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, Chosen)>> {
        lock(&self.0)
    }
}

// ADBC's generic options are texts.

/// A whole number from 1.
fn seconds(value: Option<OptionValue>) -> Result<Option<i64>, ErrorValue> {
    match value {
        None => Ok(None),
        Some(OptionValue::Int(seconds @ 1..)) => Ok(Some(seconds)),
        Some(OptionValue::Text(text)) => {
            text.parse::<i64>().ok().filter(|seconds| *seconds > 0).map(Some).ok_or(ErrorValue::InvalidValue)
        }
        Some(_) => Err(ErrorValue::InvalidValue),
    }
}

fn flag(value: Option<OptionValue>) -> Result<bool, ErrorValue> {
    match value {
        None => Ok(false),
        Some(OptionValue::Bool(flag)) => Ok(flag),
        Some(OptionValue::Text(text)) => text.parse::<bool>().map_err(|_| ErrorValue::InvalidValue),
        Some(_) => Err(ErrorValue::InvalidValue),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, value: Option<OptionValue>) -> SessionOptions {
        let value = SessionOptionValue { option_value: value };
        SessionOptions { session_options: [(name.to_owned(), value)].into() }
    }

    #[test]
    fn each_option_is_set_or_refused_by_itself() {
        let text = |text: &str| Some(OptionValue::Text(text.to_owned()));
        for (name, value, expected) in [
            ("catalog", text(CATALOG), None),
            ("catalog", text("other"), Some(ErrorValue::InvalidValue)),
            ("schema", text("customs"), None),
            ("schema", None, None),
            ("schema", text("kcs"), Some(ErrorValue::InvalidValue)),
            ("query_seconds", Some(OptionValue::Int(5)), None),
            ("query_seconds", text("7"), None),
            ("query_seconds", text("soon"), Some(ErrorValue::InvalidValue)),
            ("query_seconds", Some(OptionValue::Int(0)), Some(ErrorValue::InvalidValue)),
            ("query_seconds", Some(OptionValue::Double(1.0)), Some(ErrorValue::InvalidValue)),
            ("ipc_compression", text("lz4"), None),
            ("ipc_compression", text("gzip"), Some(ErrorValue::InvalidValue)),
            ("ipc_compression", Some(OptionValue::Int(1)), Some(ErrorValue::InvalidValue)),
            ("dictionaries", Some(OptionValue::Bool(true)), None),
            ("dictionaries", text("false"), None),
            ("endpoints", Some(OptionValue::Int(4)), None),
            ("endpoints", text("32"), None),
            ("endpoints", Some(OptionValue::Int(33)), Some(ErrorValue::InvalidValue)),
            ("endpoints", Some(OptionValue::Int(0)), Some(ErrorValue::InvalidValue)),
            ("dictionaries", text("maybe"), Some(ErrorValue::InvalidValue)),
            ("query_class", text("bulk"), None),
            ("query_class", None, None),
            ("query_class", text("fast"), Some(ErrorValue::InvalidValue)),
            ("query_class", Some(OptionValue::Int(1)), Some(ErrorValue::InvalidValue)),
            ("colour", text("blue"), Some(ErrorValue::InvalidName)),
        ] {
            let errors = Sessions::default().set("s", asked(name, value.clone())).errors;
            let found = errors.get(name).map(|error| error.value);
            assert_eq!(found, expected.map(|error| error as i32), "{name} {value:?}");
        }
    }

    #[test]
    fn a_session_keeps_its_own_until_it_is_closed() {
        let sessions = Sessions::default();
        let five = Some(OptionValue::Int(5));
        sessions.set("a", asked("query_seconds", five.clone()));
        assert_eq!((sessions.life("a"), sessions.life("b")), (Some(Duration::from_secs(5)), None));
        assert_eq!(sessions.get("a").session_options["query_seconds"].option_value, five);
        assert_eq!(sessions.get("b").session_options.len(), 6);
        sessions.set("a", asked("query_seconds", None));
        assert_eq!(sessions.life("a"), None);
        sessions.set("a", asked("query_seconds", five));
        sessions.close("a");
        assert_eq!(sessions.life("a"), None);
    }

    #[test]
    fn the_oldest_sessions_lose_their_options() {
        let sessions = Sessions::default();
        for number in 0..=SESSIONS {
            sessions.choose(&number.to_string(), Chosen { seconds: Some(1), ..Chosen::default() });
        }
        assert_eq!(sessions.lock().len(), SESSIONS);
        assert!(sessions.life("0").is_none() && sessions.life("1").is_some());
    }
}
