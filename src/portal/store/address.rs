//! The address of a database.

use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::secret::Secret;

/// The address of a `PostgreSQL` database: `postgres://USER[:PASSWORD]@HOST[:PORT]/NAME[?sslmode=verify-full&…]`.
///
/// It is shown without its password. What it leaves out comes from the variables that every `PostgreSQL` client knows
/// (`PGPASSWORD`, `PGPASSFILE`, `PGSSLROOTCERT`, …).
#[derive(Clone)]
pub struct DatabaseUrl {
    whole: Secret<String>,
    shown: String,
}

/// A text that is no address of a database. It is not repeated: it may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("the address of a database is postgres://USER@HOST/NAME")]
pub struct NotADatabaseUrl;

impl DatabaseUrl {
    /// The address with everything in it.
    pub(crate) const fn whole(&self) -> &Secret<String> {
        &self.whole
    }

    /// The same server, port and database, whoever comes and however.
    pub(crate) fn is_same_place(&self, other: &Self) -> bool {
        let place = |text: &str| {
            let url = Url::parse(text).ok()?;
            Some((url.host_str().map(str::to_owned), url.port().unwrap_or(5432), url.path().to_owned()))
        };
        place(&self.shown) == place(&other.shown)
    }
}

impl FromStr for DatabaseUrl {
    type Err = NotADatabaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut url = Url::parse(text).map_err(|_| NotADatabaseUrl)?;
        let known = matches!(url.scheme(), "postgres" | "postgresql");
        if !known || url.path().trim_matches('/').is_empty() {
            return Err(NotADatabaseUrl);
        }
        let whole = Secret::new(text.to_owned());
        if url.password().is_some() {
            url.set_password(None).map_err(|()| NotADatabaseUrl)?;
        }
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| !name.contains("password"))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        url.set_query(None);
        if !kept.is_empty() {
            url.query_pairs_mut().extend_pairs(kept);
        }
        Ok(Self { whole, shown: url.into() })
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let plain = "postgres://tarseal@db.example.org/portal";
        for text in [
            "postgres://tarseal:hunter2@db.example.org/portal",
            "postgres://tarseal@db.example.org/portal?password=hunter2",
            plain,
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!((url.to_string(), format!("{url:?}")), (plain.to_owned(), plain.to_owned()));
            assert_eq!(url.whole().expose(), text);
        }
        let url: DatabaseUrl = "postgres://a:b@h/n?sslmode=require&password=b".parse().unwrap();
        assert_eq!(url.to_string(), "postgres://a@h/n?sslmode=require");
    }

    #[test]
    fn what_is_no_address_is_refused_and_not_repeated() {
        for text in ["", "portal.db", "sqlite:///x", "mysql://a:hunter2@h/n", "postgres://a:hunter2@h", "postgres://h/"]
        {
            let fault = text.parse::<DatabaseUrl>().unwrap_err();
            assert!(!fault.to_string().contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn a_place_is_server_port_and_name() {
        let url = |text: &str| text.parse::<DatabaseUrl>().unwrap();
        assert!(url("postgres://a:b@h/n").is_same_place(&url("postgresql://c@h:5432/n?sslmode=require")));
        for other in ["postgres://a:b@h/m", "postgres://a:b@i/n", "postgres://a:b@h:5433/n"] {
            assert!(!url("postgres://a:b@h/n").is_same_place(&url(other)), "{other}");
        }
    }
}
