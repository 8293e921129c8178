//! `%dep [--online] CRATE [= SPECIFICATION]`, `%dep PATH`: which crate is wanted, and from where.

use super::MagicError;
use super::list::usage;

/// A crate that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Which.
    pub source: Source,
    /// Whether the registry may be asked.
    pub online: bool,
}

/// Where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A name, and what stands behind it in a `Cargo.toml`.
    Named {
        /// The name.
        name: String,
        /// `"1.2"` or `{ version = "1.2", … }`.
        specification: String,
    },
    /// A folder with a `Cargo.toml`.
    Folder(String),
}

/// Understands what stands behind `%dep`.
///
/// # Errors
/// [`MagicError::BadArgument`] with how the command is used.
pub(super) fn dependency(argument: &str) -> Result<Dependency, MagicError> {
    let bad = || MagicError::BadArgument { usage: usage("%dep"), found: argument.to_owned() };
    let (online, rest) = match argument.strip_prefix("--online") {
        Some(rest) => (true, rest.trim_start()),
        None => (false, argument),
    };
    let (name, specification) = match rest.split_once('=') {
        Some((name, specification)) => (name.trim(), specification.trim()),
        None => (rest.trim(), "\"*\""),
    };
    let is_folder = name.starts_with(['.', '/', '~']) && !rest.contains('=');
    if is_folder {
        return Ok(Dependency { source: Source::Folder(name.to_owned()), online });
    }
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    let in_its_marks = |open: char, close: char| {
        specification.len() > 2 && specification.starts_with(open) && specification.ends_with(close)
    };
    if !is_name || specification.contains('\n') || !(in_its_marks('"', '"') || in_its_marks('{', '}')) {
        return Err(bad());
    }
    let (name, specification) = (name.to_owned(), specification.to_owned());
    Ok(Dependency { source: Source::Named { name, specification }, online })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_named_in_the_words_of_a_manifest() {
        let named = |argument: &str| match dependency(argument) {
            Ok(Dependency { source: Source::Named { name, specification }, online }) => (name, specification, online),
            other => panic!("{other:?}"),
        };
        let is = |name: &str, specification: &str, online| (name.to_owned(), specification.to_owned(), online);
        assert_eq!(named("itoa"), is("itoa", "\"*\"", false));
        assert_eq!(named("itoa = \"1.0\""), is("itoa", "\"1.0\"", false));
        assert_eq!(named("--online itoa=\"=1.0.1\""), is("itoa", "\"=1.0.1\"", true));
        let features = "{ version = \"1\", features = [\"a\"] }";
        assert_eq!(named(&format!("my-crate = {features}")), is("my-crate", features, false));
        let folder = dependency("../my crate");
        assert_eq!(folder, Ok(Dependency { source: Source::Folder("../my crate".to_owned()), online: false }));
    }

    #[test]
    fn anything_else_is_refused_with_how_it_is_used() {
        for argument in ["a b", "a = 1", "= \"1\"", "a = \"", "a = {", "--online", "a = \"1\"\n[x]\nb = \"2\""] {
            let error = dependency(argument).unwrap_err();
            assert!(error.to_string().starts_with("expected `%dep [--online] CRATE"), "{argument}: {error}");
        }
    }
}
