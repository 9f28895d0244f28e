//! Names that sentences about calls tell: `participant "Anna Muster" joined`, `Peer 'anna' is now Reachable`, `GECOS to 'Anna
//! Muster'`; and numbers behind `Tel.`

use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::common::{is_common, is_nobody, is_service};
use crate::redact::hit::{Form, Group, Hits, rank};
use crate::redact::text::{self, DIGIT, HIGH, SPACE, WORD, before, byte, is};

pub(crate) struct Told;

/// Longest name in bytes.
const LONGEST: usize = 96;
/// What those do who are in a conference, behind `has`, `is` or `was` or without.
const ACTS: [&[u8]; 18] = [
    b"joined",
    b"left",
    b"entered",
    b"exited",
    b"rejoined",
    b"connected",
    b"disconnected",
    b"reconnected",
    b"muted",
    b"unmuted",
    b"removed",
    b"kicked",
    b"admitted",
    b"invited",
    b"dropped",
    b"waiting",
    b"joining",
    b"leaving",
];

impl Detector for Told {
    fn words(&self) -> &'static [&'static str] {
        &["participant", "member", "attendee", "guest", "sip", "peer", "manager", "gecos", "tel", "tél"]
    }

    fn at_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        let text = line.text;
        match text::fold(&text[start..end]).as_str() {
            "participant" | "member" | "attendee" | "guest" => participant(text, end, hits),
            "sip" => {
                if text[..start].ends_with(b"egistered ") {
                    account(text, end, hits);
                }
            }
            "peer" => {
                if quoted(text, end).is_some_and(|(_, to)| text[to + 1..].starts_with(b" is now ")) {
                    account(text, end, hits);
                }
            }
            "manager" => {
                if quoted(text, end).is_some_and(|(_, to)| text[to + 1..].starts_with(b" logged o")) {
                    account(text, end, hits);
                }
            }
            "gecos" => gecos(text, end, hits),
            _ => telephone(line, end, hits),
        }
    }
}

/// The text in quotation marks or brackets behind one blank.
fn quoted(text: &[u8], end: usize) -> Option<(usize, usize)> {
    if byte(text, end) != b' ' {
        return None;
    }
    let slash = usize::from(byte(text, end + 1) == b'\\');
    let close = match byte(text, end + 1 + slash) {
        quote @ (b'"' | b'\'') => quote,
        b'[' if slash == 0 => b']',
        b'<' if slash == 0 => b'>',
        _ => return None,
    };
    let from = end + 2 + slash;
    let rest = &text[from.min(text.len())..text.len().min(from + LONGEST)];
    let closes = |&at: &usize| rest[at] == close && !rest.get(at + 1).is_some_and(|&b| is(b, WORD | HIGH));
    let to = from + (0..rest.len()).find(closes)?;
    let to = to - text[from..to].iter().rev().take(slash).take_while(|&&b| b == b'\\').count();
    (to > from).then_some((from, to))
}

/// `participant "Anna Muster" joined`: what is in quotation marks reads like a name, and what they did is told.
fn participant(text: &[u8], end: usize, hits: &mut Hits) {
    let Some((from, to)) = quoted(text, end) else { return };
    let name = &text[from..to];
    let of_name = |b: &u8| b.is_ascii_alphabetic() || is(*b, HIGH) || matches!(b, b' ' | b'-' | b'\'' | b'.' | b',');
    let capital = name[0].is_ascii_uppercase() || is(name[0], HIGH);
    let shouted = name.iter().all(|b| b.is_ascii_uppercase() || matches!(b, b' ' | b'-' | b'_'));
    if !capital || shouted || !name.iter().all(of_name) || text::fold(name).split_whitespace().all(is_common) {
        return;
    }
    let mut words = text[to..].trim_ascii_start().split(|&b| is(b, SPACE)).skip(1).take(3);
    let helping = |word: &&[u8]| matches!(*word, b"has" | b"is" | b"was" | b"been" | b"have");
    let told = words.find(|word| !helping(word)).is_some_and(|word| {
        let word = &word[..word.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(word.len())];
        ACTS.contains(&word)
    });
    if told {
        hits.push(from, to, Category::Person, Form::Text(Group::Person), rank::USER);
    }
}

/// `Registered SIP 'anna'`: a login that is no number.
fn account(text: &[u8], end: usize, hits: &mut Hits) {
    let Some((from, to)) = quoted(text, end) else { return };
    let name = &text[from..to];
    let name = name.strip_prefix(b"SIP/").unwrap_or(name);
    let from = to - name.len();
    let folded = text::fold(name);
    let of_name = |b: &u8| is(*b, WORD | HIGH) || matches!(b, b'.' | b'_' | b'-');
    let letters = name.iter().any(|b| b.is_ascii_alphabetic() || is(*b, HIGH));
    if letters && name.iter().all(of_name) && !is_common(&folded) && !is_service(&folded) && !is_nobody(&folded) {
        hits.push(from, to, Category::User, Form::Text(Group::User), rank::USER);
    }
}

/// `change user 'anna' GECOS from 'Anna Muster' to 'Anna Muster-Meier'`
fn gecos(text: &[u8], end: usize, hits: &mut Hits) {
    let mut at = end;
    for joint in [&b" from"[..], b" to"] {
        if text[at..].starts_with(joint)
            && let Some((from, to)) = quoted(text, at + joint.len())
        {
            if text[from..to].iter().any(|&b| is(b, WORD | HIGH)) {
                hits.push(from, to, Category::Person, Form::Text(Group::Person), rank::USER);
            }
            at = to + 1;
        }
    }
}

/// `Tel. 02 555 01 42`
fn telephone(line: &Line<'_>, end: usize, hits: &mut Hits) {
    let text = line.text;
    if byte(text, end) != b'.' {
        return;
    }
    let colon = usize::from(byte(text, end + 1) == b':');
    let from = text::run(text, end + 1 + colon, SPACE);
    if from == end + 1 || !matches!(byte(text, from), b'0'..=b'9' | b'+' | b'(') {
        return;
    }
    // One sign or two between groups of digits.
    let of = |b: u8| is(b, DIGIT) || matches!(b, b' ' | b'-' | b'.' | b'/' | b'(' | b')' | b'+');
    let rest = &text[from..text.len().min(from + 32)];
    let length = rest.iter().position(|&b| !of(b)).unwrap_or(rest.len());
    line.reached(from + length);
    let digits = |bytes: &[u8]| bytes.iter().filter(|&&b| is(b, DIGIT)).count();
    let Some(last) = rest[..length].iter().rposition(|&b| is(b, DIGIT)) else { return };
    let number = &rest[..=last];
    // A number or time that follows is none of it.
    let apart = !is(byte(text, from + length), WORD) && byte(text, from + length) != b':'
        || before(text, from, from + length) == b' ';
    if (6..=15).contains(&digits(number)) && apart {
        hits.push(from, from + last + 1, Category::Phone, Form::Phone, rank::KEYED);
    }
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn sentences_tell_who_joined() {
        let hoa = [("Nguyễn Thị Hoa", "person")];
        finds("participant \"Nguyễn Thị Hoa\" joined", &hoa);
        finds("Participant 'Nguyễn Thị Hoa' has left", &hoa);
        finds("Member [Nguyễn Thị Hoa] was muted", &hoa);
        finds("{\"m\":\"participant \\\"Nguyễn Thị Hoa\\\" joined.\"}", &hoa);
        finds("Registered SIP 'hpetursdottir' at 198.51.100.7", &[("hpetursdottir", "user"), ("198.51.100.7", "ip")]);
        finds("Peer 'hpetursdottir' is now Reachable. (7ms / 2000ms)", &[("hpetursdottir", "user")]);
        finds("Manager 'hpetursdottir' logged on", &[("hpetursdottir", "user")]);
        finds("GECOS from 'Bo Ek' to 'Björn Gustafsson'", &[("Bo Ek", "person"), ("Björn Gustafsson", "person")]);
        finds("Tel. 02 555 01 42, Room 7", &[("02 555 01 42", "phone")]);
    }

    #[test]
    fn sentences_about_something_else_stay() {
        for line in [
            "participant [3fa2bc11] joined",
            "Participant \"Nguyễn\" codec Opus",
            "member 'etcd-1' joined the cluster",
            "Member [Primary] joined",
            "Registered SIP '7041'",
            "Peer '7041' is now Reachable",
            "Peer 'Nguyen' closed the connection",
            "Manager 'admin' logged on",
            "GECOS field to check",
            "Tel. 7 and tel.py 123456",
            "guest [OFF] joined",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
