//! Telephone numbers: international ones with `+`, and North American ones with the area code in brackets. Others are found
//! beside a key.

use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::masks::Shape;
use crate::redact::text::{DIGIT, WORD, before, byte, is, run_back};

pub(crate) struct Phone;

impl Detector for Phone {
    fn anchors(&self) -> &'static [u8] {
        b"+("
    }

    fn shape(&self, _anchor: u8) -> Shape {
        Shape::BeforeDigit
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "number",
            "phone",
            "telephone",
            "mobile",
            "fax",
            "dialled",
            "dialed",
            "called",
            "calling",
            "caller",
            "call",
            "answering",
            "messages",
            "office",
            "cell",
        ]
    }

    fn at_anchor(&self, line: &Line<'_>, at: usize, _skip: &mut usize, hits: &mut Hits) {
        let text = line.text;
        let last = before(text, 0, at);
        if text[at] == b'+' {
            if is(byte(text, at + 1), DIGIT) && (!is(last, WORD) || last >= 0x80) && last != b'+' {
                international(text, at, hits);
            }
        } else if !is(last, WORD) {
            north_american(text, at, hits);
        }
    }

    fn at_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        // "callback number: 030 123456", "call me on 030 123456", "030 123456 office"; keys are the keyed detector's.
        let text = line.text;
        let word = text[start..end].to_ascii_lowercase();
        if matches!(word.as_slice(), b"office" | b"fax" | b"mobile" | b"cell") {
            before_word(text, start, hits);
        }
        let reach = if matches!(word.as_slice(), b"call" | b"answering" | b"messages" | b"number") { 18 } else { 3 };
        let plain = |b: u8| b.is_ascii_lowercase() || matches!(b, b' ' | b':' | b'=' | b'"' | b'\'' | b'#');
        let mut at = end;
        while at < text.len() && at < end + reach && plain(text[at]) {
            at += 1;
        }
        if at == end || !matches!(byte(text, at), b'0'..=b'9' | b'(') || is(before(text, 0, at), WORD) {
            return;
        }
        let between = &text[end..at];
        if word == b"number" && !between.starts_with(b" is ") {
            let before_word = run_back(text, start.saturating_sub(13), start.saturating_sub(1), WORD);
            let context = text[before_word..start.saturating_sub(1)].to_ascii_lowercase();
            let known = [
                "callback",
                "phone",
                "telephone",
                "mobile",
                "cell",
                "fax",
                "contact",
                "dialled",
                "dialed",
                "caller",
                "called",
            ];
            if !known.iter().any(|known| context == known.as_bytes()) {
                return;
            }
        }
        let sentence = [" me on ", " me at ", " at ", " to ", " on ", " is "];
        if reach > 3 && word != b"number" && !sentence.iter().any(|known| between == known.as_bytes()) {
            return;
        }
        let stop = national_end(text, at);
        let digits = text[at..stop].iter().filter(|&&b| is(b, DIGIT)).count();
        if (7..=15).contains(&digits) && !is(byte(text, stop), WORD) {
            hits.push(at, stop, Category::Phone, Form::Phone, rank::NUMBER);
        }
    }
}

/// `030 123456 office`, `030 123456-Fax`
fn before_word(text: &[u8], start: usize, hits: &mut Hits) {
    if !matches!(before(text, 0, start), b' ' | b'-') {
        return;
    }
    let end = start - 1;
    let of = |b: u8| is(b, DIGIT) || matches!(b, b' ' | b'-' | b'.' | b'(' | b')' | b'/');
    let mut from = end;
    while from > end.saturating_sub(22) && of(text[from - 1]) {
        from -= 1;
    }
    if from == 0 || !is(text[from - 1], WORD) && text[from - 1] != b'+' {
        while from < end && !matches!(text[from], b'0'..=b'9' | b'(') {
            from += 1;
        }
        let number = &text[from..end];
        let digits = number.iter().filter(|&&b| is(b, DIGIT)).count();
        if (7..=15).contains(&digits) && number.last().is_some_and(|&b| is(b, DIGIT)) {
            hits.push(from, end, Category::Phone, Form::Phone, rank::NUMBER);
        }
    }
}

/// Where the digits end that begin at `from`: groups with one or two joints between them, at most 15 digits.
fn national_end(text: &[u8], from: usize) -> usize {
    let (mut at, mut end, mut digits, mut joints) = (from, from, 0, 0);
    while at < text.len() {
        let b = text[at];
        if is(b, DIGIT) {
            digits += 1;
            joints = 0;
            if digits > 15 {
                break;
            }
            end = at + 1;
        } else if matches!(b, b' ' | b'-' | b'.' | b'(' | b')' | b'/') && joints < 3 {
            joints += 1;
        } else {
            break;
        }
        at += 1;
    }
    end
}

fn international(text: &[u8], at: usize, hits: &mut Hits) {
    let mut end = at + 1;
    let (mut digits, mut joints, mut place) = (0, 0, at + 1);
    while place < text.len() {
        let b = text[place];
        if is(b, DIGIT) {
            digits += 1;
            joints = 0;
            if digits > 15 {
                break;
            }
            end = place + 1;
        } else if matches!(b, b' ' | b'-' | b'.' | b'(' | b')' | b'/') && joints < 3 {
            if digits >= 7 && b == b' ' && follows_date(&text[place + 1..]) {
                break;
            }
            joints += 1;
        } else {
            break;
        }
        place += 1;
    }
    if digits > 15 {
        // The last group began something else.
        end = at + 1 + text[at + 1..end].iter().rposition(|&b| !is(b, DIGIT)).unwrap_or(0);
        while end > at && !is(text[end - 1], DIGIT) {
            end -= 1;
        }
        digits = text[at..end].iter().filter(|&&b| is(b, DIGIT)).count();
    }
    // A letter right after it makes it a part of an identifier; a colon, of a time zone: +00:00.
    if digits < 6 || is(byte(text, end), WORD) && byte(text, end) < 0x80 {
        return;
    }
    hits.push(at, end, Category::Phone, Form::Phone, rank::NUMBER);
}

fn follows_date(rest: &[u8]) -> bool {
    let shape = |pattern: &[u8]| {
        rest.len() >= pattern.len()
            && pattern.iter().zip(rest).all(|(&p, &b)| if p == b'0' { is(b, DIGIT) } else { p == b })
    };
    shape(b"0000-00-00") || shape(b"00:00") || shape(b"00/")
}

/// `(415) 555-0132`
fn north_american(text: &[u8], at: usize, hits: &mut Hits) {
    let mut end = at;
    for &pattern in b"(000) 000-0000" {
        let b = byte(text, end);
        match pattern {
            b'0' if is(b, DIGIT) => end += 1,
            b' ' if b == b' ' => end += 1,
            b' ' => {}
            b'-' if matches!(b, b'-' | b'.' | b' ') => end += 1,
            other if other == b => end += 1,
            _ => return,
        }
    }
    if !is(byte(text, end), WORD) {
        hits.push(at, end, Category::Phone, Form::Phone, rank::NUMBER);
    }
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn a_number_is_found_in_the_ways_people_write_it() {
        finds("dialled +49301234567 (gateway)", &[("+49301234567", "phone")]);
        finds("call +49 (0)30 / 123 45 67 now", &[("+49 (0)30 / 123 45 67", "phone")]);
        finds("at (415) 555-0132.", &[("(415) 555-0132", "phone")]);
        finds("+49 30 1234567 2026-11-21", &[("+49 30 1234567", "phone")]);
        finds("callback number: 030 123456 now", &[("030 123456", "phone")]);
    }

    #[test]
    fn time_zones_sums_and_counters_stay() {
        for line in [
            "14:20:01+00:00",
            "2026-11-21T14:20:01.123+0100",
            "+1",
            "a+12345678",
            "+0000]",
            "number: 12345678",
            "size +100 ms",
            "f(123) 4",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
