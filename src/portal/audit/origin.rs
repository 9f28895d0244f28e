//! Where a request comes from and with what kind of program.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

/// Where a request comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The address of whoever asks, behind the proxies that are trusted.
    pub(crate) address: Option<IpAddr>,
    pub(crate) tool: Tool,
    /// The name of the person who signed in.
    pub(crate) name: Option<String>,
}

impl Origin {
    /// The same place, with the name of the person who signed in.
    pub(crate) fn by(&self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self.clone() }
    }
}

/// The kind of program that made a request, as it says itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tool {
    Tarseal,
    Browser,
    Curl,
    /// A client of the tus protocol.
    Tus,
    /// `sos report --upload`.
    Sos,
    /// A command on the portal's own host.
    Host,
    /// The portal itself.
    Portal,
    Other,
    /// It does not say.
    #[default]
    Unsaid,
}

impl Tool {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Tarseal => "tarseal",
            Self::Browser => "browser",
            Self::Curl => "curl",
            Self::Tus => "tus",
            Self::Sos => "sos",
            Self::Host => "host",
            Self::Portal => "portal",
            Self::Other => "other",
            Self::Unsaid => "unsaid",
        }
    }

    /// The kind that the User-Agent of a request names (RFC 9110, section 10.1.5): its first product counts.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let Some(agent) = headers.get(header::USER_AGENT) else { return Self::Unsaid };
        let agent = agent.to_str().unwrap_or("?").to_ascii_lowercase();
        let product = agent.split(['/', ' ']).next().unwrap_or_default();
        match product {
            "" => Self::Unsaid,
            "tarseal" => Self::Tarseal,
            "mozilla" | "opera" => Self::Browser,
            "curl" | "libcurl" => Self::Curl,
            "sos" | "sosreport" => Self::Sos,
            _ if product.starts_with("tus") => Self::Tus,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_told_by_its_first_product() {
        let of = |agent: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(agent) = agent {
                headers.insert(header::USER_AGENT, agent.parse().unwrap());
            }
            Tool::of(&headers).word()
        };
        assert_eq!(of(Some("tarseal/0.1.0")), "tarseal");
        assert_eq!(of(Some("Mozilla/5.0 (X11; Linux x86_64) curl/8")), "browser");
        assert_eq!(of(Some("curl/8.5.0")), "curl");
        assert_eq!(of(Some("tus-js-client/4.3")), "tus");
        assert_eq!(of(Some("python-requests/2.32")), "other");
        assert_eq!(of(Some("")), "unsaid");
        assert_eq!(of(None), "unsaid");
    }
}
