//! Guests' names in the addresses with which they join: `/webapp/home?conference=weekly&name=Sini%20Aho&role=guest`.
//!
//! `name` is no key elsewhere: half of what a program says has a name. In a query it is a guest's when it reads like one, or
//! when the address is that of a meeting.

use crate::redact::common::is_common;
use crate::redact::text::{self, HEX, WORD, before, byte, is};

/// Longest value that is looked at.
const LONGEST: usize = 128;
/// How far around the key the address is looked at for what says that it is a meeting's.
const AROUND: usize = 160;

/// Whether the key `text[start..end]` before a `=` is a guest's name.
pub(super) fn is_guest_name(text: &[u8], start: usize, end: usize) -> bool {
    let named = ["name", "display"].iter().any(|key| text[start..end].eq_ignore_ascii_case(key.as_bytes()));
    if !named || byte(text, end) != b'=' {
        return false;
    }
    let from = end + 1;
    let most = text.len().min(from + LONGEST);
    let stops =
        |&b: &u8| is(b, text::SPACE) || matches!(b, b'&' | b';' | b'#' | b'"' | b'\'' | b'<' | b'>' | b',' | b')');
    let Some(length) = text[from..most].iter().position(stops).or((most == text.len()).then_some(most - from)) else {
        return false;
    };
    let first = matches!(before(text, 0, start), b'?' | b'&');
    // Where a log writes the query in a column of its own, its first key has only blanks before it.
    if !first && byte(text, from + length) != b'&' {
        return false;
    }
    let value = &text[from..from + length];
    let Some(name) = Name::of(value) else { return false };
    name.tells || name.words == 1 && of_meeting(text, start, from + length)
}

/// What a value is made of.
struct Name {
    words: usize,
    /// Several words, each with a capital, or letters outside ASCII.
    tells: bool,
}

impl Name {
    /// Nothing for what has signs that names do not have, and for ordinary words.
    fn of(value: &[u8]) -> Option<Self> {
        let mut plain = Vec::with_capacity(value.len());
        let mut at = 0;
        while at < value.len() {
            match value[at] {
                b'%' if is(byte(value, at + 1), HEX) && is(byte(value, at + 2), HEX) => {
                    plain.push(text::hex_value(value[at + 1]) << 4 | text::hex_value(value[at + 2]));
                    at += 2;
                }
                b'+' => plain.push(b' '),
                b => plain.push(b),
            }
            at += 1;
        }
        let of_name = |&b: &u8| b.is_ascii_alphabetic() || b >= 0x80 || matches!(b, b' ' | b'-' | b'\'' | b'.' | b'"');
        if !plain.iter().all(of_name) || !plain.iter().any(|&b| is(b, WORD)) {
            return None;
        }
        let words: Vec<&[u8]> = plain.split(|b| matches!(b, b' ' | b'"')).filter(|word| !word.is_empty()).collect();
        if words.len() > 6 || words.iter().all(|word| is_common(&text::fold(word))) {
            return None;
        }
        let high = plain.iter().any(|&b| b >= 0x80);
        let capitals = words.iter().filter(|word| word[0].is_ascii_uppercase()).count();
        Some(Self { words: words.len(), tells: high || words.len() > 1 && capitals > 0 && plain[0] != b'-' })
    }
}

/// Whether the address around a key is that of a meeting.
fn of_meeting(text: &[u8], start: usize, end: usize) -> bool {
    const TELL: [&[u8]; 9] =
        [b"conference=", b"conference/", b"webapp", b"guest", b"join", b"role=", b"meeting", b"webrtc", b"lobby"];
    let near = [&text[start.saturating_sub(AROUND)..start], &text[end..text.len().min(end + AROUND)]];
    near.iter().any(|near| {
        let near = near.to_ascii_lowercase();
        TELL.iter().any(|word| memchr::memmem::find(&near, word).is_some())
    })
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::found;

    #[test]
    fn a_guest_s_name_in_a_query_is_a_person() {
        for (line, name) in [
            (
                "GET /webapp/home?conference=weekly&name=Gra%C5%BCyna%20Kwasniewska&role=guest HTTP/1.1",
                "Gra%C5%BCyna%20Kwasniewska",
            ),
            ("/join?name=ana HTTP/1.1", "ana"),
            ("/x?name=Sini+Aho&y=1", "Sini+Aho"),
            ("GET /webapp/home name=Sini+Aho&role=guest 443", "Sini+Aho"),
            ("?name=%22Ana%20Krol%22", "%22Ana%20Krol%22"),
        ] {
            let people = found(line).into_iter().filter(|(_, category)| category == "person");
            assert_eq!(people.map(|(text, _)| text).collect::<Vec<_>>(), [name], "{line}");
        }
    }

    #[test]
    fn other_names_in_a_query_stay() {
        for line in [
            "GET /api/v1/query?name=up&step=15 HTTP/1.1",
            "GET /api/nodes?name=eth0 HTTP/1.1",
            "/metrics?name=cpu_load&x=1",
            "/pods?name=Calico HTTP/1.1",
            "/join?name=Default HTTP/1.1",
            "/oauth?display=popup HTTP/1.1",
            "/api?name=CPU%20Load HTTP/1.1",
            "name=Calico Kubernetes",
            "name=x level=info",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
