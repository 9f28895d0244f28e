//! Where a name of several bare words ends: `Thijs van der Beke from 10.1.1.1`, `Annika Lindqvist isHost=1`.

use crate::redact::common::{is_common, is_no_value};
use crate::redact::text::{self, WORD, byte, is};

/// Most words of a name behind its first one, without the particles between them.
const MOST_WORDS: usize = 5;
/// Most particles in a row: "de los", "van der".
const MOST_PARTICLES: usize = 3;

/// How the words of a name are told from those behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// What the key says is a person: every word with a capital belongs to it.
    Person,
    /// What the key says is an account, which mostly is one word: more belong to it where its first has a capital, and
    /// ordinary words at its end do not, unless nothing follows.
    Account,
}

/// Where the name ends whose first word is `text[start..end]`.
pub(crate) fn name_end(text: &[u8], start: usize, end: usize, words: Words) -> usize {
    let first = &text[start..end];
    if words == Words::Account && (!is_plain(first) || !is_capital(first, words) || is_no_value(&text::fold(first))) {
        return end;
    }
    let first_end = end;
    let mut end = end;
    for _ in 0..MOST_WORDS {
        let Some((from, to)) = next_word(text, end).and_then(|next| behind_particles(text, next)) else { break };
        let word = &text[from..to];
        if is_sign(byte(text, to)) || !is_capital(word, words) || words == Words::Account && !is_plain(word) {
            break;
        }
        end = to;
    }
    let common = |word: &[u8]| is_common(&text::fold(word));
    if words == Words::Account && text[start..end].split(|&b| b == b' ').all(common) {
        return first_end;
    }
    if words == Words::Account && byte(text, end) == b' ' {
        while end > first_end {
            let last = text::run_back(text, first_end, end, WORD);
            if !common(&text[last..end]) {
                break;
            }
            end = first_end + text[first_end..last].trim_ascii_end().len();
        }
    }
    end
}

/// Whether a value of several words is a person's name and nothing else: each has a capital or is a particle, and none is an
/// ordinary word, as in "Support Team".
pub(super) fn is_name(value: &[u8]) -> bool {
    let mut words = 0;
    for word in value.split(|&b| b == b' ') {
        let folded = text::fold(word);
        if is_particle(&folded) && words > 0 {
            continue;
        }
        if !is_plain(word) || !is_capital(word, Words::Account) || is_common(&folded) {
            return false;
        }
        words += 1;
    }
    (2..=MOST_WORDS + 1).contains(&words)
}

/// The word behind one blank.
fn next_word(text: &[u8], at: usize) -> Option<(usize, usize)> {
    if byte(text, at) != b' ' {
        return None;
    }
    // "van 't Hooft"
    let from = at + 1;
    let to = if text[from..].starts_with(b"'t ") { from + 2 } else { word_end(text, from) };
    (to > from).then_some((from, to))
}

/// The first word that is no particle, from the word `next` on.
fn behind_particles(text: &[u8], mut next: (usize, usize)) -> Option<(usize, usize)> {
    for _ in 0..MOST_PARTICLES {
        if !is_particle(&text::fold(&text[next.0..next.1])) {
            break;
        }
        next = next_word(text, next.1)?;
    }
    Some(next)
}

/// Where the bare value that begins at `from` ends. An apostrophe between letters is part of it: "O'Hara".
pub(super) fn value_end(text: &[u8], from: usize) -> usize {
    let letter = |b: u8| b.is_ascii_alphabetic() || b >= 0x80;
    let stops = |at: usize| match text[at] {
        b'\'' => !(at > from && letter(text[at - 1]) && letter(byte(text, at + 1))),
        b => is_stop(b),
    };
    (from..text.len()).find(|&at| stops(at)).unwrap_or(text.len())
}

/// Where the word that begins at `from` ends, also before what makes it a key, an address or a path.
fn word_end(text: &[u8], from: usize) -> usize {
    let end = value_end(text, from);
    from + text[from..end].iter().position(|&b| is_sign(b)).unwrap_or(end - from)
}

fn is_sign(b: u8) -> bool {
    matches!(b, b'=' | b':' | b'[' | b'(' | b'/' | b'\\' | b'@' | b'%' | b'$' | b'#')
}

/// Whether a byte ends every bare value.
pub(super) fn is_stop(b: u8) -> bool {
    is(b, text::SPACE)
        || matches!(b, 0 | b',' | b';' | b'&' | b'|' | b'"' | b'\'' | b'<' | b'>' | b')' | b']' | b'}' | b'`')
}

/// Whether a word is made of letters, with an apostrophe, a dash or a full stop.
fn is_plain(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(|&b| b.is_ascii_alphabetic() || b >= 0x80 || matches!(b, b'\'' | b'-' | b'.'))
}

fn is_capital(word: &[u8], words: Words) -> bool {
    match word.first() {
        Some(b) if b.is_ascii() => b.is_ascii_uppercase(),
        Some(_) if words == Words::Person => true,
        Some(_) => !text::decode(word).chars().next().is_some_and(char::is_lowercase),
        None => false,
    }
}

/// Whether a word in lower case stands within names and belongs to the one behind it.
pub(crate) fn is_particle(word: &str) -> bool {
    const PARTICLES: [&str; 44] = [
        "van",
        "von",
        "der",
        "den",
        "de",
        "del",
        "della",
        "di",
        "da",
        "dos",
        "das",
        "do",
        "du",
        "la",
        "le",
        "las",
        "los",
        "ten",
        "ter",
        "zu",
        "zur",
        "zum",
        "vom",
        "af",
        "av",
        "al",
        "el",
        "bin",
        "ibn",
        "ben",
        "bint",
        "des",
        "dei",
        "degli",
        "dal",
        "dalla",
        "lo",
        "op",
        "'t",
        "\u{2019}t",
        "y",
        "e",
        "und",
        "ul",
    ];
    PARTICLES.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str, words: Words) -> &str {
        let end = name_end(text.as_bytes(), 0, word_end(text.as_bytes(), 0), words);
        &text[..end]
    }

    #[test]
    fn a_name_goes_on_over_particles_and_apostrophes() {
        for (text, expected) in [
            ("Thijs van der Beke level=info", "Thijs van der Beke"),
            ("Maria de los Santos", "Maria de los Santos"),
            ("Ahmed bin Rashid, x", "Ahmed bin Rashid"),
            ("Siobhan O'Gallchobhair joined", "Siobhan O'Gallchobhair"),
            ("Jan-Willem van 't Hooft", "Jan-Willem van 't Hooft"),
            ("Gon\u{e7}alo Figueir\u{ea}do isHost=1", "Gon\u{e7}alo Figueir\u{ea}do"),
        ] {
            assert_eq!(name(text, Words::Person), expected);
            assert_eq!(name(text, Words::Account), expected);
        }
    }

    #[test]
    fn a_name_ends_where_a_sentence_or_a_key_begins() {
        for text in ["Ana de facto host", "Ana van", "Ana HTTP/1.1", "Ana Level=INFO", "Ana joined", "Ana' X"] {
            assert_eq!(name(text, Words::Person), "Ana");
            assert_eq!(name(text, Words::Account), "Ana");
        }
        for (text, expected) in [
            ("ana Krol", "ana"),
            ("Ana Logged in", "Ana"),
            ("Ana Krol Logged in", "Ana Krol"),
            ("NULL SID", "NULL"),
            ("Annika Young", "Annika Young"),
        ] {
            assert_eq!(name(text, Words::Account), expected);
        }
    }

    #[test]
    fn a_team_is_no_person() {
        assert!(is_name(b"Thijs van der Beke") && is_name(b"Annika Lindqvist"));
        for value in ["Support Team", "Kubernetes Team", "annika lindqvist", "Annika", "Room 17", "Annika L\u{fc}"] {
            assert_eq!(is_name(value.as_bytes()), value.starts_with("Annika L"), "{value}");
        }
    }
}
