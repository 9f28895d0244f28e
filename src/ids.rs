//! Identifiers that are checked once, at the door, and trusted afterwards.

use std::fmt;
use std::str::FromStr;

use rand::CryptoRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that cannot be the identifier it was given as.
#[derive(Debug, thiserror::Error)]
#[error("\"{}\" is not a {what} ({rule})", text.escape_debug())]
pub struct NotAnId {
    what: &'static str,
    text: String,
    rule: &'static str,
}

macro_rules! name_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The identifier as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if is_name(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(NotAnId {
                        what: $what,
                        text: text.to_owned(),
                        rule: "1 to 64 letters, digits, '-', '_' or '.', the first a letter or digit",
                    })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        text_serde!($name);
    };
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// Draws a new identifier.
            pub fn random(rng: &mut dyn CryptoRng) -> Self {
                let mut bytes = [0; 16];
                rng.fill_bytes(&mut bytes);
                Self(bytes)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let lower = text.bytes().all(|byte| !byte.is_ascii_uppercase());
                let mut bytes = [0; 16];
                match hex::decode_to_slice(text, &mut bytes) {
                    Ok(()) if lower => Ok(Self(bytes)),
                    _ => Err(NotAnId { what: $what, text: text.to_owned(), rule: "32 hexadecimal digits in lower case" }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        text_serde!($name);
    };
}

macro_rules! text_serde {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

name_id! {
    /// The support case a snapshot belongs to, by the name both sides use for it.
    TicketId, "ticket"
}

name_id! {
    /// A customer of the portal; tickets, tokens and snapshots never cross from one tenant to another.
    TenantId, "tenant"
}

name_id! {
    /// A vendor whose key list is pinned, by the name the sender gave it.
    VendorId, "vendor's name"
}

name_id! {
    /// A ticket system, by the name the operator gave it.
    SourceName, "ticket system's name"
}

random_id! {
    /// 16 random bytes in the header of a sealed file; the portal knows the snapshot by the same name.
    FileId, "file id"
}

random_id! {
    /// Names the portal's part of a file key.
    ShareId, "share id"
}

fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_a_short_plain_name() {
        for good in ["4711", "INC-2026.04_1", "a", &"x".repeat(64)] {
            assert_eq!(good.parse::<TicketId>().unwrap().as_str(), good);
        }
        for bad in ["", "-1", ".", "..", "a/b", "a b", "4711\n", "é", &"x".repeat(65)] {
            assert!(bad.parse::<TicketId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_file_id_has_one_spelling() {
        let id = FileId([0xab; 16]);
        assert_eq!(id.to_string().parse::<FileId>().unwrap(), id);
        assert!(id.to_string().to_uppercase().parse::<FileId>().is_err());
        assert!("abcd".parse::<FileId>().is_err());
    }
}
