//! Where the portal is: checked once, at the door.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::{Host, Url};

/// The longest address that is taken, in bytes.
const LIMIT: usize = 2048;

/// A text that cannot be the address of a portal. The text itself is not repeated: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not the address of a portal: {0}")]
pub struct NotAPortal(&'static str);

impl NotAPortal {
    /// What is wrong with it, as half a sentence about "it".
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.0
    }
}

/// The address of a portal: `https://…`, or `http://…` when it is this machine.
///
/// It holds no user name, password, query or fragment, so it can be printed and stored anywhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortalAddress(Url);

impl PortalAddress {
    /// The address of something below the portal: each segment is encoded, none can climb out.
    pub(crate) fn below(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        url.path_segments_mut().expect("http and https addresses have a path").pop_if_empty().extend(segments);
        url
    }

    pub(crate) const fn url(&self) -> &Url {
        &self.0
    }

    /// The name or number of the machine, as it is shown to people.
    #[must_use]
    pub fn host(&self) -> &str {
        host(&self.0)
    }

    /// The address as text, always with a `/` at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for PortalAddress {
    type Err = NotAPortal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut url = plain_url(text)?;
        if url.query().is_some() {
            return Err(NotAPortal("it holds a query (?…)"));
        }
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Self(url))
    }
}

impl fmt::Display for PortalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for PortalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for PortalAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for PortalAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The address of one upload, as the portal gave it. It lies at the portal itself, because the token goes there.
#[derive(Clone, PartialEq, Eq)]
pub struct UploadUrl(Url);

impl UploadUrl {
    /// Takes what a portal answered (`Location`, absolute or relative) or what a checkpoint held.
    ///
    /// Another scheme, host or port than the portal's is refused: the token would be sent to a stranger.
    pub fn parse(portal: &PortalAddress, text: &str) -> Result<Self, NotAPortal> {
        let joined = portal.0.join(text).map_err(|_| NotAPortal("the upload's address cannot be read"))?;
        let url = plain_url(joined.as_str())?;
        if url.origin() != portal.0.origin() {
            return Err(NotAPortal("the upload's address is at another place than the portal"));
        }
        Ok(Self(url))
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn url(&self) -> Url {
        self.0.clone()
    }
}

impl fmt::Debug for UploadUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The path of an upload is as good as a ticket for it at some tus servers.
        write!(f, "{}…", self.0.origin().ascii_serialization())
    }
}

/// The address of a text that anyone may read: `https://…`, or `http://…` when it is this machine.
///
/// It holds no user name, password or fragment, so it can be printed and stored anywhere.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicUrl(Url);

impl PublicUrl {
    /// The name or number of the machine, as it is shown to people.
    #[must_use]
    pub fn host(&self) -> &str {
        host(&self.0)
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) const fn url(&self) -> &Url {
        &self.0
    }
}

impl FromStr for PublicUrl {
    type Err = NotAPortal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        plain_url(text).map(Self)
    }
}

impl fmt::Debug for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The address of a sealed file somewhere: `https://…`, or `http://…` when it is this machine.
///
/// It may hold a query, which may be as good as a password, so people and logs are shown its host alone.
#[derive(Clone, PartialEq, Eq)]
pub struct FileUrl(Url);

impl FileUrl {
    /// The name or number of the machine, as it is shown to people.
    #[must_use]
    pub fn host(&self) -> &str {
        host(&self.0)
    }

    /// Whether the file lies at this portal: the same scheme, host and port, and below its path.
    #[must_use]
    pub fn is_at(&self, portal: &PortalAddress) -> bool {
        self.0.origin() == portal.0.origin() && self.0.path().starts_with(portal.0.path())
    }

    /// The place it lies at, without path and query.
    #[must_use]
    pub fn origin(&self) -> PortalAddress {
        let mut url = self.0.clone();
        url.set_path("/");
        url.set_query(None);
        PortalAddress(url)
    }

    pub(crate) fn url(&self) -> Url {
        self.0.clone()
    }
}

impl FromStr for FileUrl {
    type Err = NotAPortal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        plain_url(text).map(Self)
    }
}

impl fmt::Debug for FileUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", self.0.origin().ascii_serialization())
    }
}

/// The host of a URL that was taken.
fn host(url: &Url) -> &str {
    url.host_str().expect("an address without a host was refused")
}

/// Reads a URL that carries no credentials and no fragment, over a channel that may carry a token.
fn plain_url(text: &str) -> Result<Url, NotAPortal> {
    if text.len() > LIMIT {
        return Err(NotAPortal("it is longer than 2048 bytes"));
    }
    let url =
        Url::parse(text).map_err(|_| NotAPortal("it cannot be read (expected https://support.vendor.example)"))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(NotAPortal("it does not begin with https://"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(NotAPortal("it names no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NotAPortal("it holds a user name or password; give the token in a file"));
    }
    if url.fragment().is_some() {
        return Err(NotAPortal("it holds a fragment (#…)"));
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(NotAPortal("plain http:// is for this machine only; use https://"));
    }
    Ok(url)
}

/// True when a URL names this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(number)) => IpAddr::V4(number).is_loopback(),
        Some(Host::Ipv6(number)) => IpAddr::V6(number).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> PortalAddress {
        text.parse().unwrap()
    }

    #[test]
    fn https_and_loopback_http_are_taken() {
        for good in [
            "https://support.vendor.example",
            "https://support.vendor.example:8443/tarseal",
            "https://127.0.0.1:1",
            "http://127.0.0.1:8080",
            "http://127.8.9.1",
            "http://[::1]:8080/",
            "http://localhost:9",
        ] {
            assert!(address(good).as_str().ends_with('/'), "{good}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for bad in [
            "",
            "support.vendor.example",
            "http://support.vendor.example",
            "http://localhost.vendor.example",
            "http://127.0.0.1.vendor.example",
            "http://10.0.0.1",
            "http://[::ffff:10.0.0.1]",
            "ftp://127.0.0.1",
            "file:///etc/passwd",
            "https://",
            "https://ann:swordfish@support.vendor.example",
            "https://ann@support.vendor.example",
            "https://support.vendor.example/?token=swordfish",
            "https://support.vendor.example/#swordfish",
        ] {
            let error = bad.parse::<PortalAddress>().unwrap_err();
            assert!(!error.to_string().contains("swordfish"), "{bad}");
        }
        assert!(format!("https://a/{}", "x".repeat(3000)).parse::<PortalAddress>().is_err());
    }

    #[test]
    fn segments_cannot_climb_out() {
        let portal = address("https://support.vendor.example/base");
        assert_eq!(
            portal.below(&["v1", "tickets", "4711"]).as_str(),
            "https://support.vendor.example/base/v1/tickets/4711"
        );
        assert_eq!(portal.below(&["v1", "a/b?c#d"]).as_str(), "https://support.vendor.example/base/v1/a%2Fb%3Fc%23d");
    }

    #[test]
    fn a_file_is_at_a_portal_only_when_it_is_below_it() {
        let portal = address("https://support.vendor.example/base");
        let at = |text: &str| text.parse::<FileUrl>().unwrap().is_at(&portal);
        assert!(at("https://support.vendor.example/base/v1/snapshots/7/content"));
        assert!(at("https://support.vendor.example:443/base/x?y"));
        for other in [
            "https://support.vendor.example/based/x",
            "https://support.vendor.example/x",
            "https://support.vendor.example/base/../x",
            "https://support.vendor.example:8443/base/x",
            "https://support.vendor.example.evil.example/base/x",
            "http://127.0.0.1/base/x",
        ] {
            assert!(!at(other), "{other}");
        }
        assert_eq!("https://a.example/b?c=d".parse::<FileUrl>().unwrap().origin().as_str(), "https://a.example/");
        let url: FileUrl = "https://a.example/b?signature=swordfish".parse().unwrap();
        assert_eq!((format!("{url:?}").as_str(), url.host()), ("https://a.example…", "a.example"));
        for bad in ["http://a.example/b", "https://ann:pw@a.example/b", "https://a.example/b#c", "ftp://a/b", "b"] {
            assert!(bad.parse::<FileUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_public_text_is_fetched_from_where_a_portal_could_be() {
        for good in ["https://vendor.example/keys.tsl", "https://vendor.example/k?of=1", "http://127.0.0.1:9/k"] {
            assert_eq!(good.parse::<PublicUrl>().unwrap().as_str(), good);
        }
        for bad in ["http://vendor.example/k", "file:///etc/passwd", "https://ann:pw@vendor.example/k", "keys.tsl"] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_upload_lies_at_its_portal() {
        let portal = address("https://support.vendor.example/");
        let url = UploadUrl::parse(&portal, "/v1/uploads/7").unwrap();
        assert_eq!(url.as_str(), "https://support.vendor.example/v1/uploads/7");
        assert_eq!(format!("{url:?}"), "https://support.vendor.example…");
        assert!(UploadUrl::parse(&portal, "https://support.vendor.example:443/v1/uploads/7").is_ok());
        for bad in [
            "https://elsewhere.example/v1/uploads/7",
            "//elsewhere.example/v1/uploads/7",
            "http://support.vendor.example/v1/uploads/7",
            "https://support.vendor.example:8443/v1/uploads/7",
            "https://ann:pw@support.vendor.example/v1/uploads/7",
            "http://127.0.0.1/v1/uploads/7",
            "data:text/plain,x",
        ] {
            assert!(UploadUrl::parse(&portal, bad).is_err(), "{bad}");
        }
    }
}
