//! How a portal is run.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use url::{Host, Url};

use super::error::PortalError;
use super::store::DatabaseUrl;

/// A busy sender makes some hundred requests in a second.
const REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(1000).expect("1000 is not 0");

/// How a portal is run. [`Config::new`] fills in what is seldom changed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where everything is kept. The first start makes it, readable by its owner alone.
    pub data: PathBuf,
    /// The `PostgreSQL` database to use instead of `SQLite` files beneath `data`.
    pub database: Option<DatabaseUrl>,
    /// The `PostgreSQL` database for the shares, when they are to be apart from `database`.
    pub shares_database: Option<DatabaseUrl>,
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where people reach the portal: `https://support.example.org`. Passkeys are bound to it, and there are none without.
    pub url: Option<Url>,
    /// Certificate chain and private key, both PEM files. Without them the portal speaks plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Whether a proxy in front does TLS. Without it and without `tls`, only loopback addresses are listened on.
    pub behind_proxy: bool,
    /// The name in the key that signs receipts, usually the portal's host name. It counts at the first start only.
    pub name: String,
    /// The space in bytes that must stay free on the disk: uploads that would go below are refused.
    pub free_space_floor: u64,
    /// Where sealed files lie, `s3://BUCKET/PREFIX?endpoint=https://…&region=…`; in the data directory when absent.
    pub blobs: Option<String>,
    /// A file that only its owner can read, with the bucket's access key and, in the next line, its secret. Without it they come
    /// from the environment (`AWS_ACCESS_KEY_ID` and the like) or from the machine's role.
    pub blobs_key: Option<PathBuf>,
    /// The longest sealed file in bytes.
    pub max_snapshot_bytes: u64,
    /// Addresses and networks (`192.0.2.0/24`) of proxies that are believed when they say where a request comes from.
    pub trusted_proxies: Vec<String>,
    /// Where to answer `GET /metrics`, in plain HTTP; nowhere when absent.
    pub metrics: Option<SocketAddr>,
    /// How many requests each token and each user may make in a second; five seconds' worth may come at once.
    pub requests_per_second: NonZeroU32,
    /// A TOML file with what people say for the record of processing activities (`docs/RIGHTS.md`).
    pub records: Option<PathBuf>,
    /// A file, or a directory of `*.toml` files, that names the ticket systems to ask. `docs/TICKETS.md` says what is in it.
    pub ticket_systems: Option<PathBuf>,
}

impl Config {
    /// A portal on plain loopback HTTP or behind what is set afterwards.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>, listen: SocketAddr) -> Self {
        Self {
            data: data.into(),
            database: None,
            shares_database: None,
            listen,
            url: None,
            tls: None,
            behind_proxy: false,
            name: String::from("tarseal-portal"),
            free_space_floor: 256 << 20,
            blobs: None,
            blobs_key: None,
            max_snapshot_bytes: 256 << 30,
            trusted_proxies: Vec::new(),
            metrics: None,
            requests_per_second: REQUESTS_PER_SECOND,
            records: None,
            ticket_systems: None,
        }
    }

    /// Refuses to speak plain HTTP where others can listen, and an address that browsers do not trust.
    pub(crate) fn check(&self) -> Result<(), PortalError> {
        if let Some(url) = self.url.as_ref().filter(|url| !is_trusted(url)) {
            return Err(PortalError::Address(url.to_string()));
        }
        if self.listen.ip().is_loopback() || self.tls.is_some() || self.behind_proxy {
            Ok(())
        } else {
            Err(PortalError::Insecure(self.listen))
        }
    }
}

/// Whether it is the address of a whole host by TLS, or of this machine.
fn is_trusted(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    is_bare && url.password().is_none() && (url.scheme() == "https" || url.scheme() == "http" && is_here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_or_a_proxy() {
        let open = |address: &str| Config::new("data", address.parse().unwrap());
        assert!(open("127.0.0.1:0").check().is_ok());
        assert!(open("[::1]:0").check().is_ok());
        for address in ["0.0.0.0:80", "192.0.2.1:80", "[::]:80"] {
            assert!(matches!(open(address).check(), Err(PortalError::Insecure(_))), "{address}");
            assert!(Config { behind_proxy: true, ..open(address) }.check().is_ok());
            assert!(Config { tls: Some(("c".into(), "k".into())), ..open(address) }.check().is_ok());
        }
    }

    #[test]
    fn the_portals_address_is_one_that_browsers_trust() {
        for good in ["https://support.example.org", "https://support.example.org:8443/", "http://localhost:8443"] {
            assert!(is_trusted(&good.parse().unwrap()), "{good}");
        }
        for bad in [
            "http://support.example.org",
            "https://support.example.org/portal",
            "https://support.example.org/?a=b",
            "https://ada@support.example.org",
            "ftp://localhost",
        ] {
            let mut config = Config::new("data", ([127, 0, 0, 1], 0).into());
            config.url = Some(bad.parse().unwrap());
            assert!(matches!(config.check(), Err(PortalError::Address(_))), "{bad}");
        }
    }
}
