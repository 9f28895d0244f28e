//! The eight characters that a technician reads over the telephone.

use std::fmt;
use std::str::FromStr;

use rand::CryptoRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Crockford's alphabet: no `I`, `L`, `O` and `U`. Who types one of the first three means the digit that looks like it.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters that are drawn: 35 bits.
const DRAWN: usize = 7;
/// x^5 + x^2 + 1, the polynomial of the field of 32 elements.
const POLYNOMIAL: u8 = 0b10_0101;

/// Names a request for as long as it waits: seven characters of five random bits and one that checks them, `K7QF-2M4P`.
///
/// Whoever has it may send for the request's ticket once, so it is a secret and not printed by `Debug`.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct RequestCode([u8; DRAWN]);

/// A text that is no request code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotACode {
    /// Not eight letters and digits.
    #[error("a request code has eight letters and digits, such as K7QF-2M4P")]
    Shape,
    /// Eight, but one of them is wrong or two stand in each other's place.
    #[error("one of its characters was misheard or mistyped")]
    Check,
}

impl RequestCode {
    /// Draws a new code.
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        let mut drawn = [0; DRAWN];
        rng.fill_bytes(&mut drawn);
        Self(drawn.map(|byte| byte & 31))
    }

    /// Whether a text has the shape of a code, right or misheard: `XXXX-XXXX`, as codes are shown.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        text.trim().split_once(|character| is_gap(character) || character == '.').is_some_and(|(one, two)| {
            let half = |part: &str| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
            half(one) && half(two)
        })
    }

    /// Whether a text may be a code of which a few characters are missing or too many: six to ten letters and digits.
    #[must_use]
    pub fn may_be_meant(text: &str) -> bool {
        let typed = || text.chars().filter(|character| !is_gap(*character) && *character != '.');
        (DRAWN - 1..=DRAWN + 3).contains(&typed().take(DRAWN + 4).count()) && typed().all(|c| c.is_ascii_alphanumeric())
    }

    /// The eight characters without a hyphen, for hashing and for names of files.
    #[must_use]
    pub fn plain(&self) -> zeroize::Zeroizing<String> {
        let check = check(&self.0);
        self.0.iter().chain([&check]).map(|value| char::from(ALPHABET[usize::from(*value)])).collect::<String>().into()
    }
}

/// The character that makes the whole a word of the code: Σ value(i) · α^-i = 0 over i = 0 (the check) to 7. All eight weights
/// differ, so any one wrong character and any two exchanged ones show.
fn check(drawn: &[u8; DRAWN]) -> u8 {
    drawn.iter().rev().fold(0, |sum, value| divided_by_alpha(sum ^ value))
}

const fn divided_by_alpha(value: u8) -> u8 {
    (if value & 1 == 1 { value ^ POLYNOMIAL } else { value }) >> 1
}

/// What may stand between the characters: a mail program makes a long dash of a hyphen, or a space of another kind of a space.
fn is_gap(character: char) -> bool {
    character == '-' || character.is_whitespace() || matches!(character, '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn value(character: char) -> Option<u8> {
    let digit = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    ALPHABET.iter().position(|known| char::from(*known) == digit).and_then(|at| u8::try_from(at).ok())
}

impl FromStr for RequestCode {
    type Err = NotACode;

    /// Reads a code in capitals or not, with hyphens, dashes and spaces wherever they stand, and a dot in its middle.
    fn from_str(text: &str) -> Result<Self, NotACode> {
        let mut typed = Vec::with_capacity(DRAWN + 2);
        for character in text.chars() {
            let between = is_gap(character) || (character == '.' && typed.len() == DRAWN.div_ceil(2));
            if !between {
                typed.push(character);
            }
            if typed.len() > DRAWN + 1 {
                break;
            }
        }
        if typed.len() != DRAWN + 1 || !typed.iter().all(char::is_ascii_alphanumeric) {
            return Err(NotACode::Shape);
        }
        let mut values = [0; DRAWN + 1];
        for (value_at, character) in values.iter_mut().zip(&typed) {
            *value_at = value(*character).ok_or(NotACode::Check)?;
        }
        let (drawn, last) = values.split_first_chunk::<DRAWN>().expect("eight are seven and one");
        if *last == [check(drawn)] { Ok(Self(*drawn)) } else { Err(NotACode::Check) }
    }
}

impl fmt::Display for RequestCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.plain();
        write!(f, "{}-{}", &plain[..4], &plain[4..])
    }
}

impl fmt::Debug for RequestCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestCode(***)")
    }
}

impl Serialize for RequestCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RequestCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    fn codes(count: usize) -> Vec<String> {
        let mut rng = StdRng::seed_from_u64(7);
        (0..count).map(|_| RequestCode::random(&mut rng).to_string()).collect()
    }

    #[test]
    fn a_code_comes_back_however_it_is_typed() {
        let typed = ["K7QF-2M4P", "k7qf2m4p", " K7QF 2M4P ", "K-7-Q-F-2-M-4-P", "K7QF.2M4P", "K7QF . 2M4P"];
        let pasted = "\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2212}\u{a0}\u{202f}".chars();
        let pasted = pasted.map(|between| format!("K7QF{between}2M4P"));
        for text in typed.map(str::to_owned).into_iter().chain(pasted) {
            assert_eq!(text.parse::<RequestCode>().unwrap().to_string(), "K7QF-2M4P", "{text}");
        }
        let with_digits = codes(1000).into_iter().find(|code| code.contains('0') && code.contains('1')).unwrap();
        let misread = with_digits.replacen('0', "o", 1).replacen('1', "l", 1);
        assert_eq!(misread.parse::<RequestCode>().unwrap().to_string(), with_digits);
        assert_eq!(misread.replace('l', "I").parse::<RequestCode>().unwrap().to_string(), with_digits);
    }

    #[test]
    fn one_misheard_character_and_any_two_exchanged_ones_show() {
        for code in codes(50) {
            let letters: Vec<char> = code.replace('-', "").chars().collect();
            for at in 0..8 {
                for other in ALPHABET.iter().map(|byte| char::from(*byte)).filter(|other| *other != letters[at]) {
                    let mut wrong = letters.clone();
                    wrong[at] = other;
                    let wrong: String = wrong.into_iter().collect();
                    assert_eq!(wrong.parse::<RequestCode>().unwrap_err(), NotACode::Check, "{code} {wrong}");
                }
                for with in (0..8).filter(|with| letters[*with] != letters[at]) {
                    let mut wrong = letters.clone();
                    wrong.swap(at, with);
                    let wrong: String = wrong.into_iter().collect();
                    assert_eq!(wrong.parse::<RequestCode>().unwrap_err(), NotACode::Check, "{code} {wrong}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_code_is_refused_and_a_code_is_not_printed() {
        for text in ["", "K7QF", "K7QF-2M4PP", "K7QF_2M4P", "K7QF-2M4é", "a/b-c/d/", "K7Q.F2M4P"] {
            assert_eq!(text.parse::<RequestCode>().unwrap_err(), NotACode::Shape, "{text}");
        }
        assert_eq!("U7QF-2M4P".parse::<RequestCode>().unwrap_err(), NotACode::Check);
        assert!(
            RequestCode::is_meant("k7qf-2m4q")
                && !RequestCode::is_meant("log-2026")
                && !RequestCode::is_meant("K7QF2M4P")
        );
        assert!(RequestCode::is_meant("k7qf\u{2013}2m4q") && RequestCode::is_meant(" K7QF.2M4Q"));
        for text in ["K7QF-2M4", "K7QFF-2M4P", "K7QF\u{2014}2M4", "K7QF2M4Q", "K7QF-2M"] {
            assert!(RequestCode::may_be_meant(text), "{text}");
        }
        for text in ["", "logs", "./K7QF-2M", "K7QF-2M4é", "meeting-logs-2026", "unified_support"] {
            assert!(!RequestCode::may_be_meant(text), "{text}");
        }
        assert_eq!(format!("{:?}", "K7QF-2M4P".parse::<RequestCode>().unwrap()), "RequestCode(***)");
    }

    #[test]
    fn codes_are_drawn_from_all_of_them() {
        let drawn = codes(2000);
        assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), drawn.len());
        let used: HashSet<char> = drawn.iter().flat_map(|code| code.chars()).collect();
        assert_eq!(used.len(), 33, "every character and the hyphen");
    }
}
