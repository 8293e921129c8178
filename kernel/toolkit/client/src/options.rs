//! What goes in: address, user, where the password is. What comes out: what a session needs.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tonic::transport::{Endpoint, Uri};

use crate::error::innermost;
use crate::{Error, Result};

/// Environment variable with the server's address.
pub const URL_VARIABLE: &str = "HAETAE_URL";
/// Environment variable with the user's name; [`USER`] where it is not set.
pub const USER_VARIABLE: &str = "HAETAE_USER";
/// Environment variable with the path of the file that holds the password.
pub const SECRET_FILE_VARIABLE: &str = "HAETAE_SECRET_FILE";
/// The user's name where none is given.
pub const USER: &str = "haetae";

/// HTTP/2 allows 64 KiB on the way by default, which throttles a fast stream.
const STREAM_WINDOW: u32 = 8 << 20;
const CONNECTION_WINDOW: u32 = 32 << 20;

/// Where the server is and how to log in. Plain HTTP: meant for the same machine, or for a port
/// forwarded by ssh.
///
/// ```
/// let options = haetae_client::ConnectOptions::new("http://127.0.0.1:50051").secret_file("warehouse/server.secret");
/// assert_eq!(options.url(), "http://127.0.0.1:50051");
/// ```
#[derive(Clone)]
pub struct ConnectOptions {
    url: String,
    user: String,
    secret: Secret,
    timeout: Duration,
}

#[derive(Clone)]
enum Secret {
    None,
    Password(String),
    File(PathBuf),
}

impl ConnectOptions {
    /// A server at `url` (`http://host:port`), user `haetae`, no login until a password or a secret
    /// file is given.
    pub fn new(url: &str) -> Self {
        let timeout = Duration::from_secs(10);
        Self { url: url.to_owned(), user: USER.to_owned(), secret: Secret::None, timeout }
    }

    /// What the lab has set: `HAETAE_URL`, `HAETAE_USER` (default `haetae`), `HAETAE_SECRET_FILE`.
    /// An empty variable counts as unset.
    ///
    /// # Errors
    /// [`Error::Unset`] without `HAETAE_URL`.
    pub fn from_env() -> Result<Self> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let url = get(URL_VARIABLE).ok_or(Error::Unset {
            variable: URL_VARIABLE,
            expected: "the server's address, such as http://127.0.0.1:50051",
        })?;
        let mut options = Self::new(&url);
        if let Some(user) = get(USER_VARIABLE) {
            options = options.user(&user);
        }
        if let Some(path) = get(SECRET_FILE_VARIABLE) {
            options = options.secret_file(path);
        }
        Ok(options)
    }

    /// Another user than `haetae`.
    #[must_use]
    pub fn user(mut self, user: &str) -> Self {
        user.clone_into(&mut self.user);
        self
    }

    /// Log in with this password.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.secret = Secret::Password(password.to_owned());
        self
    }

    /// Log in with the first line of this file, which is read at each login.
    #[must_use]
    pub fn secret_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.secret = Secret::File(path.into());
        self
    }

    /// How long connecting and logging in may take together; 10 s unless told. Queries have no limit.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The server's address as it was given.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn user_name(&self) -> &str {
        &self.user
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The password, if there is to be a login.
    pub(crate) fn read_password(&self) -> Result<Option<String>> {
        let path = match &self.secret {
            Secret::None => return Ok(None),
            Secret::Password(password) => return Ok(Some(password.clone())),
            Secret::File(path) => path,
        };
        let text = std::fs::read_to_string(path).map_err(|source| Error::SecretFile { path: path.clone(), source })?;
        match text.lines().next().map(str::trim) {
            Some(password) if !password.is_empty() => Ok(Some(password.to_owned())),
            _ => Err(Error::SecretEmpty { path: path.clone() }),
        }
    }

    /// Where the password comes from, in words.
    pub(crate) fn password_from(&self) -> String {
        match &self.secret {
            Secret::File(path) => path.display().to_string(),
            Secret::Password(_) | Secret::None => "the program".to_owned(),
        }
    }

    pub(crate) fn endpoint(&self) -> Result<Endpoint> {
        let refuse = |reason: String| Error::Url { url: without_userinfo(&self.url), reason };
        // The scheme that other Flight clients use for plain HTTP/2.
        let url = match self.url.split_once("://") {
            Some(("grpc" | "grpc+tcp", rest)) => format!("http://{rest}"),
            _ => self.url.clone(),
        };
        let uri: Uri = url.parse().map_err(|error| refuse(innermost(&error)))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(refuse("this release has no TLS".to_owned())),
            Some(other) => return Err(refuse(format!("{other}:// is not a known scheme"))),
            None => return Err(refuse("it has no scheme (http://)".to_owned())),
        }
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(refuse("user and password do not belong into the address; set them as options".to_owned()));
        }
        if uri.port().is_none() {
            return Err(refuse("it has no port".to_owned()));
        }
        // No HTTP/2 pings: other servers end connections that ping often.
        Ok(Endpoint::from(uri)
            .connect_timeout(self.timeout)
            .tcp_nodelay(true)
            .tcp_keepalive(Some(Duration::from_secs(30)))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW))
    }
}

/// The address with whatever stands before `@` removed: it may be a password.
fn without_userinfo(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        (None, Some((_, host))) => format!("…@{host}"),
        _ => url.to_owned(),
    }
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = match &self.secret {
            Secret::None => "none".to_owned(),
            Secret::Password(_) => "a password".to_owned(),
            Secret::File(path) => path.display().to_string(),
        };
        f.debug_struct("ConnectOptions")
            .field("url", &without_userinfo(&self.url))
            .field("user", &self.user)
            .field("secret", &secret)
            .field("timeout", &self.timeout)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<ConnectOptions> {
        ConnectOptions::from_lookup(|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_gives_address_user_and_file() {
        let options = from(&[(URL_VARIABLE, "http://h:1"), (SECRET_FILE_VARIABLE, "/s"), (USER_VARIABLE, "")]).unwrap();
        assert_eq!(
            (options.url(), options.user_name(), options.password_from().as_str()),
            ("http://h:1", "haetae", "/s")
        );
        assert_eq!(from(&[(URL_VARIABLE, "http://h:1"), (USER_VARIABLE, "me")]).unwrap().user_name(), "me");
        let message = from(&[(URL_VARIABLE, "")]).unwrap_err().to_string();
        assert!(message.contains("HAETAE_URL is not set") && message.contains("make lab"), "{message}");
    }

    #[test]
    fn unfit_addresses_are_explained() {
        for (url, reason) in [
            ("https://h:1", "no TLS"),
            ("http://h", "no port"),
            ("h:1", "no scheme"),
            ("ftp://h:1", "ftp://"),
            ("http://me:pw@h:1", "do not belong"),
            ("http://me:pw@h h:1", "invalid"),
            ("", "empty"),
        ] {
            let message = ConnectOptions::new(url).endpoint().unwrap_err().to_string();
            assert!(message.contains(reason), "{url}: {message}");
            assert!(!message.contains("pw"), "{message}");
        }
        for url in ["http://127.0.0.1:50051", "grpc://localhost:1", "grpc+tcp://[::1]:1"] {
            assert!(ConnectOptions::new(url).endpoint().is_ok(), "{url}");
        }
    }

    #[test]
    fn a_password_is_read_but_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.secret");
        let options = ConnectOptions::new("http://h:1").secret_file(&path);
        let message = options.read_password().unwrap_err().to_string();
        assert!(message.contains("server.secret") && message.contains("make lab"), "{message}");
        std::fs::write(&path, "\n").unwrap();
        assert!(matches!(options.read_password(), Err(Error::SecretEmpty { .. })));
        std::fs::write(&path, " pass word \nrest").unwrap();
        assert_eq!(options.read_password().unwrap().as_deref(), Some("pass word"));

        assert_eq!(ConnectOptions::new("http://h:1").read_password().unwrap(), None);
        let given = ConnectOptions::new("http://h:1").password("hush");
        assert_eq!(given.read_password().unwrap().as_deref(), Some("hush"));
        assert!(!format!("{given:?}").contains("hush"));
    }
}
