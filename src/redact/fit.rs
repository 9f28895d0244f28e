//! Keys that say what their value is only when the value has the form of it: `pan` is a card's number, and where a camera looks.

use super::category::Category;
use super::common::{is_common, is_service};
use super::text::{DIGIT, HEX, IDENT, SPACE, fold, is, is_uuid};

/// What a value must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fit {
    /// A payment card's number, also with signs for some of its digits.
    Card,
    /// The three or four digits on its back.
    CardCode,
    /// A vehicle's identification number.
    Vehicle,
    /// A number a state gave to a person.
    NationalId,
    /// An IBAN.
    Account,
    /// A bank's code of eight or eleven signs (ISO 9362).
    Bank,
    /// What a browser shows to be known again; a call's or a room's session is only a name for it.
    Session,
    /// Where a database is and who may enter; in mail it is a notice's status.
    Source,
    /// An account that is a person's and not a service's.
    Login,
}

impl Fit {
    /// What a value that fits is.
    pub(crate) const fn category(self) -> Category {
        match self {
            Self::Card | Self::CardCode => Category::Card,
            Self::Vehicle => Category::Vehicle,
            Self::NationalId => Category::NationalId,
            Self::Account | Self::Bank => Category::Bank,
            Self::Session | Self::Source => Category::Secret,
            Self::Login => Category::User,
        }
    }

    /// Whether a whole value has the form. What words behind it say does not count.
    pub(crate) fn holds(self, value: &[u8]) -> bool {
        let number = leading_number(value);
        let digits = number.iter().filter(|&&b| is(b, DIGIT)).count();
        let signs = number.iter().filter(|b| b.is_ascii_alphanumeric()).count();
        let masked = number.iter().filter(|b| matches!(b, b'*' | b'x' | b'X')).count();
        let made_of = |more: &[u8]| number.iter().all(|b| b.is_ascii_alphanumeric() || more.contains(b));
        match self {
            Self::Card => {
                number.iter().all(|&b| is(b, DIGIT) || matches!(b, b' ' | b'-' | b'*' | b'x' | b'X'))
                    && (digits >= 12 || digits >= 4 && digits + masked >= 12)
            }
            Self::CardCode => digits == number.len() && (3..=4).contains(&digits),
            Self::Vehicle => {
                made_of(b"") && (11..=17).contains(&signs) && digits > 0 && digits < signs && !is_stand_in(number)
            }
            Self::NationalId => {
                made_of(b" .-/*")
                    && (signs >= 7 && digits >= 5 || masked >= 3 && digits >= 2)
                    && number.iter().filter(|&&b| b == b'.').count() < 3
                    && !is_stand_in(number)
            }
            Self::Account => made_of(b" -") && signs >= 12 && digits >= 6 && !is_stand_in(number),
            Self::Bank => {
                let word = value.split(|&b| is(b, SPACE)).next().unwrap_or_default();
                matches!(word.len(), 8 | 11)
                    && word[..6].iter().all(u8::is_ascii_uppercase)
                    && word[6..].iter().all(|b| b.is_ascii_uppercase() || is(*b, DIGIT))
            }
            Self::Session => !names_session(value),
            Self::Source => {
                let folded = value.to_ascii_lowercase();
                let says = |word: &[u8]| memchr::memmem::find(&folded, word).is_some();
                says(b"://") || says(b"@") || says(b"pass") || says(b"pwd")
            }
            Self::Login => {
                let plain = |&b: &u8| is(b, IDENT) || matches!(b, b'@' | b'\\' | b'+' | b' ');
                let folded = fold(value);
                value.iter().all(plain) && !is_service(&folded) && !is_common(&folded)
            }
        }
    }
}

/// The words of a value as long as each has a digit or hides some; the first may be up to four letters.
fn leading_number(value: &[u8]) -> &[u8] {
    let mut end = 0;
    for word in value.split_inclusive(|&b| is(b, SPACE)) {
        let letters = end == 0 && word.trim_ascii_end().len() <= 4;
        if !letters && !word.iter().any(|&b| is(b, DIGIT) || b == b'*') {
            break;
        }
        end += word.len();
    }
    let of = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'*' | b'+');
    let (first, last) = (value[..end].iter().position(of), value[..end].iter().rposition(of));
    first.zip(last).map_or(b"", |(first, last)| &value[first..=last])
}

/// Whether a value is a stand-in of another kind, `person-123456`: what stands for a value does not change with its number.
fn is_stand_in(value: &[u8]) -> bool {
    value.windows(2).any(|two| two[0].is_ascii_lowercase() && two[1] == b'-')
}

/// Whether the value of a session's key only names the session of a call or a room: a UUID, a number, what
/// conference servers call their rooms and calls (`RM_x7k2p`), and the pair of numbers of SIP's `Session-ID` (RFC 7989, section 5).
fn names_session(value: &[u8]) -> bool {
    let number = value.strip_prefix(b"+").unwrap_or(value);
    let end = value.iter().position(|&b| !is(b, IDENT)).unwrap_or(value.len());
    let (name, rest) = value.split_at(end);
    let hex = |bytes: &[u8]| bytes.len() == 32 && bytes.iter().all(|&b| is(b, HEX));
    if let Some(remote) = rest.strip_prefix(b";remote=") {
        return hex(name) && remote.get(..32).is_some_and(hex);
    }
    let capitals = value.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let labelled = (2..=3).contains(&capitals)
        && value.get(capitals) == Some(&b'_')
        && (4..=24).contains(&(value.len() - capitals - 1))
        && value[capitals + 1..].iter().all(u8::is_ascii_alphanumeric);
    let twilio = capitals == 2 && !value.starts_with(b"SK") && hex(&value[2..]);
    rest.is_empty() && is_uuid(name) || !number.is_empty() && number.iter().all(|&b| is(b, DIGIT)) || labelled || twilio
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_keys_ask_for_the_form_of_their_value() {
        for (fit, value) in [
            (Fit::Card, "4111 1111 1111 1111"),
            (Fit::Card, "411111******1111"),
            (Fit::CardCode, "737"),
            (Fit::Vehicle, "WVWZZZ1JZXW000001 was read"),
            (Fit::NationalId, "078-05-1120"),
            (Fit::NationalId, "X1234567L"),
            (Fit::NationalId, "***-**-1120"),
            (Fit::NationalId, "AB 12 34 56 C"),
            (Fit::NationalId, "1 85 12 75 108 123 45 known"),
            (Fit::NationalId, "HEGG560427MVZRRL04"),
            (Fit::Account, "BE68 5390 0754 7034"),
            (Fit::Bank, "GEBABEBB"),
            (Fit::Bank, "DEUTDEFF500"),
            (Fit::Session, "Zq81kLm2Nn77"),
            (Fit::Session, "ab30317f1a784dc48ff824d0d3715d86"),
            (Fit::Source, "postgres://app:geh3im@db/x"),
            (Fit::Source, "app:geh3im@tcp(db)/x"),
            (Fit::Source, "host=db password=geh3im"),
            (Fit::Login, "quirin7"),
        ] {
            assert!(fit.holds(value.as_bytes()), "{fit:?} {value}");
        }
        for (fit, value) in [
            (Fit::Card, "120"),
            (Fit::Card, "left"),
            (Fit::Card, "+0012345678901234"),
            (Fit::CardCode, "3"),
            (Fit::CardCode, "12.5"),
            (Fit::Vehicle, "12.1 vout=3.3"),
            (Fit::Vehicle, "device-123456"),
            (Fit::NationalId, "2"),
            (Fit::NationalId, "x"),
            (Fit::NationalId, "12345"),
            (Fit::NationalId, "254.129.124.165"),
            (Fit::NationalId, "person-123456"),
            (Fit::NationalId, "[national-id]"),
            (Fit::Account, "0"),
            (Fit::Bank, "cubic"),
            (Fit::Bank, "standard"),
            (Fit::Session, "3481516"),
            (Fit::Session, "PA_x7k2p"),
            (Fit::Session, "77f0a1b2-0d4a-4c5b-9e6f-aabbccddeeff"),
            (Fit::Session, "ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2"),
            (Fit::Source, "5.1.1"),
            (Fit::Login, "postgres"),
            (Fit::Login, "users[0"),
        ] {
            assert!(!fit.holds(value.as_bytes()), "{fit:?} {value}");
        }
    }
}
