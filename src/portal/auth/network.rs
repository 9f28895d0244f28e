//! Where a request comes from: the other end of the connection or, when that is a trusted proxy, whom the proxy names.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// How many proxies in a row are followed.
const HOPS: usize = 16;

/// The address of whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client(pub(crate) IpAddr);

impl Client {
    /// What is counted as one place: an address of IPv4, a /64 of IPv6.
    pub(crate) fn network(self) -> IpAddr {
        match self.0.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
            address => address,
        }
    }
}

/// The networks whose word on where a request comes from is believed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies(Vec<IpNet>);

/// A text that is neither an address nor a network.
#[derive(Debug, thiserror::Error)]
#[error("\"{}\" is not a network (expected an address, or 192.0.2.0/24)", .0.escape_debug())]
pub(crate) struct NotANetwork(String);

impl Proxies {
    /// Parses addresses and networks.
    pub(crate) fn parse(texts: &[String]) -> Result<Self, NotANetwork> {
        let parse = |text: &String| {
            let network = IpNet::from_str(text).or_else(|_| IpAddr::from_str(text).map(IpNet::from));
            network.map_err(|_| NotANetwork(text.clone()))
        };
        texts.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whoever asks, when `peer` is the other end of the connection. The headers are read from their end, which the nearest
    /// proxy wrote, up to the first address that is not trusted. When `X-Forwarded-For` and `Forwarded` name different
    /// clients, one of them went past a proxy unread and neither is believed.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Client {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return Client(peer);
        }
        let told = [
            self.last_untrusted(peer, headers, &X_FORWARDED_FOR, |line| line.rsplit(',').map(plain).collect()),
            self.last_untrusted(peer, headers, &header::FORWARDED, |line| {
                rfc7239::parse(line).rev().map(node).collect()
            }),
        ];
        match told {
            [Some(one), Some(other)] if one != other => Client(peer),
            [one, other] => Client(one.or(other).unwrap_or(peer)),
        }
    }

    /// Follows the proxies that a header names; `None` without the header.
    fn last_untrusted<'a>(
        &self,
        peer: IpAddr,
        headers: &'a HeaderMap,
        name: &HeaderName,
        addresses: impl Fn(&'a str) -> Vec<Option<IpAddr>>,
    ) -> Option<IpAddr> {
        let lines: Vec<_> = headers.get_all(name).iter().collect();
        let mut reached = peer;
        let mut hops = 0;
        for line in lines.iter().rev() {
            for address in line.to_str().map_or(vec![None], &addresses) {
                hops += 1;
                // What is not an address was written by someone who is not trusted, or by a proxy that does not tell.
                let Some(address) = address.filter(|_| hops <= HOPS) else { return Some(reached) };
                reached = address.to_canonical();
                if !self.trusts(reached) {
                    return Some(reached);
                }
            }
        }
        (!lines.is_empty()).then_some(reached)
    }
}

/// An address as `X-Forwarded-For` has it: some proxies add the port.
fn plain(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

fn node(element: Result<rfc7239::Forwarded<'_>, rfc7239::RfcError>) -> Option<IpAddr> {
    element.ok()?.forwarded_for?.ip().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(proxies: &[&str], peer: &str, headers: &[(&str, &str)]) -> String {
        let proxies = Proxies::parse(&proxies.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        proxies.client(peer.parse().unwrap(), &map).0.to_string()
    }

    #[test]
    fn headers_are_believed_from_trusted_proxies_alone() {
        let told = [("x-forwarded-for", "198.51.100.7")];
        assert_eq!(seen(&[], "127.0.0.1", &told), "127.0.0.1");
        assert_eq!(seen(&["10.0.0.0/8"], "192.0.2.1", &told), "192.0.2.1");
        assert_eq!(seen(&["10.0.0.0/8"], "10.1.2.3", &told), "198.51.100.7");
        assert_eq!(seen(&["10.0.0.0/8"], "::ffff:10.1.2.3", &told), "198.51.100.7");
        assert_eq!(seen(&["10.0.0.0/8"], "10.1.2.3", &[]), "10.1.2.3");
        assert_eq!(seen(&["::1"], "::1", &[("forwarded", "for=\"[2001:db8::7]:4711\";proto=https")]), "2001:db8::7");
    }

    #[test]
    fn what_a_client_writes_in_front_is_not_believed() {
        let proxies = ["10.0.0.0/8"];
        let chain = [("x-forwarded-for", "1.1.1.1, 198.51.100.7, 10.9.9.9")];
        assert_eq!(seen(&proxies, "10.1.2.3", &chain), "198.51.100.7");
        let lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "198.51.100.7")];
        assert_eq!(seen(&proxies, "10.1.2.3", &lines), "198.51.100.7");
        let smuggled = [("x-forwarded-for", "198.51.100.7"), ("forwarded", "for=1.1.1.1")];
        assert_eq!(seen(&proxies, "10.1.2.3", &smuggled), "10.1.2.3");
        let agreeing = [("x-forwarded-for", "198.51.100.7"), ("forwarded", "for=1.1.1.1, for=198.51.100.7")];
        assert_eq!(seen(&proxies, "10.1.2.3", &agreeing), "198.51.100.7");
    }

    #[test]
    fn what_is_no_address_ends_the_walk() {
        let proxies = ["10.0.0.0/8"];
        for text in ["unknown", "_hidden", "", "999.1.1.1", "1.1.1.1, nonsense", "\"1.1.1.1\""] {
            assert_eq!(seen(&proxies, "10.1.2.3", &[("x-forwarded-for", text)]), "10.1.2.3", "{text}");
        }
        for text in ["for=unknown", "for=_hidden", "nonsense", "proto=https", "for=\"a,b\""] {
            assert_eq!(seen(&proxies, "10.1.2.3", &[("forwarded", text)]), "10.1.2.3", "{text}");
        }
        let long = vec!["10.0.0.1"; 10_000].join(",");
        assert_eq!(seen(&proxies, "10.1.2.3", &[("x-forwarded-for", &long)]), "10.0.0.1");
        assert_eq!(seen(&proxies, "10.1.2.3", &[("x-forwarded-for", "198.51.100.7:1234")]), "198.51.100.7");
    }

    #[test]
    fn a_network_of_ipv6_is_64_bits() {
        let network = |text: &str| Client(text.parse().unwrap()).network().to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("192.0.2.1"), "192.0.2.1");
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
        assert!(Proxies::parse(&[String::from("example.org")]).is_err());
    }
}
