//! The portal's part of a file key, and the header field that says who holds it.

use rand::CryptoRng;
use url::{Host, Url};

use crate::clock::Timestamp;
use crate::ids::ShareId;
use crate::item::is_bidi;
use crate::secret::Secret;

/// The portal's part of a file key: 32 random bytes. Destroying it makes every copy of the sealed file unreadable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share(Secret<[u8; Self::LENGTH]>);

impl Share {
    /// Length in bytes.
    pub const LENGTH: usize = 32;

    /// Draws a new share.
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        let mut share = Secret::new([0; Self::LENGTH]);
        rng.fill_bytes(share.expose_mut());
        Self(share)
    }

    /// Takes in a share that was drawn before. The caller must not keep another copy.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(Secret::new(bytes))
    }

    /// Takes in a share by a copy in its own place; `None` unless there are 32 bytes.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut share = Secret::new([0; Self::LENGTH]);
        let fits = bytes.len() == Self::LENGTH;
        fits.then(|| share.expose_mut().copy_from_slice(bytes))?;
        Some(Self(share))
    }

    /// Shows the bytes to code that needs them.
    #[must_use]
    pub const fn expose(&self) -> &[u8; Self::LENGTH] {
        self.0.expose()
    }
}

/// What the header says about the share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareField {
    /// The portal knows the share by this name.
    pub id: ShareId,
    /// The instant after which the sender wants no one to get it.
    pub not_after: Timestamp,
    /// The portal's address: `https`, or `http` to this machine alone; at most 512 bytes of UTF-8.
    pub portal: String,
}

/// Longest portal address in bytes.
pub(crate) const MAX_PORTAL_LENGTH: usize = 512;

/// Refuses an address that a reader of the header must not trust, and says why.
pub(crate) fn check_portal(portal: &str) -> Result<(), &'static str> {
    if portal.len() > MAX_PORTAL_LENGTH {
        return Err("the portal's address is longer than 512 bytes");
    }
    // The URL parser drops these silently; two texts would then name one portal.
    if portal.chars().any(|c| c.is_control() || c.is_whitespace() || is_bidi(c)) {
        return Err("the portal's address holds a space or a control character");
    }
    // It takes these for slashes, and other parsers for part of a name.
    if portal.contains('\\') {
        return Err("the portal's address holds a backslash");
    }
    // It would also pass over missing or additional slashes, capitals and other spellings of a number.
    let (https, rest) = match (portal.strip_prefix("https://"), portal.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err("the portal's address is not https"),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("the portal's address holds a user name or password");
    }
    let Some(url) = Url::parse(portal).ok().filter(|_| !authority.is_empty()) else {
        return Err("the portal's address is not a URL");
    };
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let rest = url.host_str().and_then(|host| authority.strip_prefix(host));
    let as_written = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
    let this_machine = loopback && as_written;
    if !https && !this_machine {
        return Err("the portal's address is not https");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("the portal's address holds a query or fragment");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_https_portal_or_this_machine_is_named() {
        for good in [
            "https://support.vendor.example",
            "https://support.vendor.example:8443/eu/",
            "http://localhost:8080",
            "http://127.0.0.1:8080/",
            "http://[::1]:8080",
        ] {
            assert_eq!(check_portal(good), Ok(()), "{good}");
        }
        let long = format!("https://vendor.example/{}", "x".repeat(512));
        for bad in [
            "",
            "vendor.example",
            "http://vendor.example",
            "http://localhost.vendor.example",
            "http://127.0.0.1.vendor.example",
            "ftp://vendor.example",
            "file:///etc/passwd",
            "https://clerk@vendor.example",
            "https://:secret@vendor.example",
            "https://@vendor.example",
            "https://vendor.example\\@elsewhere.example",
            "HTTPS://vendor.example",
            "https:vendor.example",
            "https:///vendor.example",
            "http://127.1",
            "http://0x7f.0.0.1",
            "http://[0:0:0:0:0:0:0:1]",
            "http://LOCALHOST:8080",
            "https://vendor.example/?a",
            "https://vendor.example/#a",
            "https://vendor.exa\tmple",
            " https://vendor.example",
            "https://vendor.example/\u{202e}x",
            &long,
        ] {
            assert!(check_portal(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_share_is_not_printed() {
        assert_eq!(format!("{:?}", Share::from_bytes([7; 32])), "Share(***)");
    }
}
