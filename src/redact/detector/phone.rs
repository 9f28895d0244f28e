//! Telephone numbers: international ones with `+` or `00`, national ones with the trunk's 0 and joints or in the shape that a
//! country writes them, and those in angle brackets behind a name. Others are found beside a key.
//!
//! A number without joints is one only with the 0 and the digits that mobile numbers begin with in their countries: SSRCs,
//! time stamps and counters do not begin with 0.

use super::email::display_name;
use super::number::Number;
use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::masks::Shape;
use crate::redact::text::{self, DIGIT, WORD, before, byte, is, run_back, word_after, word_before};

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
            "clid",
            "callerid",
            "cid",
        ]
    }

    fn reads_numbers(&self) -> bool {
        true
    }

    fn at_number(&self, line: &Line<'_>, number: &Number, hits: &mut Hits) {
        let text = line.text;
        if !number.is_digits() || number.digits > 15 {
            return;
        }
        let bracketed = before(text, 0, number.start) == b'<' && byte(text, number.end) == b'>';
        if bracketed {
            behind_name(text, number.start - 1, hits);
        } else if (national(number) || dialled(text, number))
            && number.stands_alone(text)
            && !(number.is_plain() && (number.is_json_number(text) || number.is_measure(text)))
        {
            let end = with_extension(text, number.end);
            hits.push(number.start, end, Category::Phone, Form::Phone, rank::NUMBER);
        }
    }

    fn at_anchor(&self, line: &Line<'_>, at: usize, _skip: &mut usize, hits: &mut Hits) {
        let text = line.text;
        let last = before(text, 0, at);
        if text[at] == b'+' {
            if is(byte(text, at + 1), DIGIT) && (!is(last, WORD) || last >= 0x80) && last != b'+' {
                international(text, at, hits);
            }
        } else if !word_before(text, at) {
            in_brackets(text, at, hits);
        }
    }

    fn at_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        // "callback number: 030 123456", "call me on 030 123456", "030 123456 office"; keys are the keyed detector's.
        let text = line.text;
        let word = text::fold(&text[start..end]);
        if matches!(word.as_bytes(), b"clid" | b"callerid" | b"cid") {
            // CLID "Anna" <1234>
            let reach = &text[end..text.len().min(end + 80)];
            if let Some(at) = memchr::memchr(b'<', reach) {
                behind_name(text, end + at, hits);
            }
            return;
        }
        if matches!(word.as_bytes(), b"office" | b"fax" | b"mobile" | b"cell") {
            before_word(text, start, hits);
        }
        let reach = if matches!(word.as_bytes(), b"call" | b"answering" | b"messages" | b"number") { 18 } else { 3 };
        let plain = |b: u8| b.is_ascii_lowercase() || matches!(b, b' ' | b':' | b'=' | b'"' | b'\'' | b'#');
        let mut at = end;
        while at < text.len() && at < end + reach && plain(text[at]) {
            at += 1;
        }
        if at == end || !matches!(byte(text, at), b'0'..=b'9' | b'(') || is(before(text, 0, at), WORD) {
            return;
        }
        let between = &text[end..at];
        if *word == *"number" && !between.starts_with(b" is ") {
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
        if reach > 3 && *word != *"number" && !sentence.iter().any(|known| between == known.as_bytes()) {
            return;
        }
        let stop = national_end(text, at);
        let digits = text[at..stop].iter().filter(|&&b| is(b, DIGIT)).count();
        if (7..=15).contains(&digits) && !word_after(text, stop) {
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
    if from == 0 || !word_before(text, from) && text[from - 1] != b'+' {
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
    let extended = with_extension(text, end);
    if digits < 6 || extended == end && is(byte(text, end), WORD) && byte(text, end) < 0x80 {
        return;
    }
    hits.push(at, extended, Category::Phone, Form::Phone, rank::NUMBER);
}

fn follows_date(rest: &[u8]) -> bool {
    let shape = |pattern: &[u8]| {
        rest.len() >= pattern.len()
            && pattern.iter().zip(rest).all(|(&p, &b)| if p == b'0' { is(b, DIGIT) } else { p == b })
    };
    shape(b"0000-00-00") || shape(b"00:00") || shape(b"00/")
}

/// Where a number ends that has an extension: `x123`, ` ext. 123`, `;ext=123` (RFC 3966, section 5.3).
pub(super) fn with_extension(text: &[u8], end: usize) -> usize {
    let rest = &text[end..text.len().min(end + 8)];
    let blank = usize::from(rest.first() == Some(&b' '));
    let rest = &rest[blank..];
    let marks: [&[u8]; 6] = [b";ext=", b"ext. ", b"ext.", b"ext ", b"ext", b"x"];
    let Some(mark) =
        marks.iter().find(|mark| rest.len() >= mark.len() && rest[..mark.len()].eq_ignore_ascii_case(mark))
    else {
        return end;
    };
    let from = end + blank + mark.len();
    let digits = text[from..].iter().take(8).take_while(|b| b.is_ascii_digit()).count();
    let apart = !word_after(text, from + digits);
    if (1..=7).contains(&digits) && apart { from + digits } else { end }
}

/// Whether a number without joints begins with 00 and a country's code and stands near a word about telephones, or a number
/// with a plus: `0049301234567`. Elsewhere zeros are padding.
fn dialled(text: &[u8], number: &Number) -> bool {
    const WORDS: [&[u8]; 18] = [
        b"tel:",
        b"tel.",
        b"tel",
        b"phone",
        b"mobile",
        b"fax",
        b"dial",
        b"dialed",
        b"dialled",
        b"dialing",
        b"dialling",
        b"call",
        b"called",
        b"caller",
        b"calling",
        b"callee",
        b"sip",
        b"isdn",
    ];
    let (first, second) = (number.digit(0), number.digit(1));
    if !number.is_plain() || !(11..=15).contains(&number.digits) || first + second > 0 || !begins_country(number) {
        return false;
    }
    let around = &text[number.start.saturating_sub(NEAR)..text.len().min(number.end + NEAR)];
    let plus = |at: usize| is(byte(around, at + 1), DIGIT) && !word_before(around, at);
    memchr::memchr_iter(b'+', around).any(plus)
        || around.split(|&b| !is(b, WORD)).any(|word| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

/// How far from a number a word about telephones may stand, in bytes.
const NEAR: usize = 80;

/// Whether a country's code follows the two zeros (ITU-T E.164); of the numbers with two digits most are given away.
fn begins_country(number: &Number) -> bool {
    match (number.digit(2), number.digit(3)) {
        (0, _) | (2, 8) | (8, 3 | 9) => false,
        (3..=6 | 8 | 9, _) | (1 | 2 | 7, _) => true,
        _ => false,
    }
}

/// Whether the groups of a number are a telephone number's in some country.
fn national(number: &Number) -> bool {
    let digit = |place| number.digit(place);
    let groups = number.groups();
    let same = number.joints().windows(2).all(|pair| pair[0] == pair[1]);
    let joint = number.joints().first().copied();
    if digit(0) == 0 {
        return match joint {
            // Mobile: United Kingdom 07, Philippines 09, Germany 015 to 017, Korea 010.
            None => match number.digits {
                11 => matches!((digit(1), digit(2), digit(3)), (7 | 9, _, _) | (1, 5..=7, _) | (1, 0, 2..)),
                12 => matches!((digit(1), digit(2)), (1, 5..=7)),
                _ => false,
            },
            // 0049 30 1234567
            Some(_) if digit(1) == 0 => {
                same && (10..=15).contains(&number.digits) && matches!(groups[0], 4..=5) && digit(2) > 0
            }
            // 030-1234567, 089/12 34 56, 01 23 45 67 89, 0 532 123 45 67
            Some(first) => {
                // Dates, and identifiers that states write so: 078-05-1126, 010160-0102.
                let date = matches!(groups, [2, 2, 4] | [2, 2, 2])
                    || first == b'-' && (groups == [3, 2, 4] || groups == [6, 4] && number.value(2, 2) <= 12);
                let rest = number.joints()[1..].iter().all(|&b| b == first || first == b'/');
                let shape = match groups[0] {
                    1 => matches!(groups, [1, 3, 3, 2, 2] | [1, 3, 7] | [1, 3, 3, 4]),
                    2 => matches!(groups, [2, 2, 2, 2, 2] | [2, 6..=8] | [2, 3..=4, 3..=5]),
                    3..=6 => groups.len() <= 5 && groups[1..].iter().all(|&group| group >= 2),
                    _ => false,
                };
                shape && rest && first != b'.' && !date && (8..=12).contains(&number.digits)
            }
        };
    }
    let exchange = (2..=9).contains(&digit(0)) && (2..=9).contains(&digit(3));
    match joint {
        // 415-555-0132, 415.555.0132, 1-415-555-0132 (NANP); 532 123 45 67 (Türkiye)
        Some(b'-' | b'.') if same && groups == [3, 3, 4] => exchange,
        Some(b'-') if same && groups == [1, 3, 3, 4] => digit(0) == 1 && digit(1) >= 2 && digit(4) >= 2,
        Some(b'-' | b' ') if same && groups == [3, 3, 2, 2] => (2..=5).contains(&digit(0)),
        _ => false,
    }
}

/// `"Anna" <0301234567>`: the number in the brackets that open at `bracket`, and the name before them.
fn behind_name(text: &[u8], bracket: usize, hits: &mut Hits) {
    let from = bracket + 1;
    let end =
        from + text[from..].iter().take(24).take_while(|&&b| is(b, DIGIT) || matches!(b, b'+' | b'-' | b' ')).count();
    let digits = text[from..end].iter().filter(|&&b| is(b, DIGIT)).count();
    if byte(text, end) == b'>' && (2..=15).contains(&digits) {
        let named = matches!(before(text, 0, bracket), b'"' | b' ');
        if named {
            display_name(text, bracket, hits);
        }
        // A process's number stands in angle brackets as well: <12345>.
        if digits >= 7 || text[..bracket].trim_ascii_end().ends_with(b"\"") {
            hits.push(from, end, Category::Phone, Form::Phone, rank::ADDRESS);
        }
    }
}

/// `(415) 555-0132`, `(030) 123456`, `0 (532) 1234567`: the area code in brackets.
fn in_brackets(text: &[u8], at: usize, hits: &mut Hits) {
    let code = text[at + 1..].iter().take(6).take_while(|b| b.is_ascii_digit()).count();
    let close = at + 1 + code;
    if byte(text, close) != b')' {
        return;
    }
    let from = close + 1 + usize::from(byte(text, close + 1) == b' ');
    let end = national_end(text, from);
    let digits = text[from..end].iter().filter(|&&b| is(b, DIGIT)).count();
    let rest = &text[from..end];
    let plain = rest.iter().all(|&b| is(b, DIGIT) || matches!(b, b' ' | b'-' | b'.'));
    let trunk = text[..at].ends_with(b"0 ") && !is(before(text, 0, at.saturating_sub(2)), WORD);
    let begins = rest.first().is_some_and(|&b| is(b, DIGIT));
    let american = code == 3 && matches!(text[at + 1], b'2'..=b'9') && digits == 7 && (trunk || shape_american(rest));
    let national =
        code >= 2 && text[at + 1] == b'0' && matches!(text[at + 2], b'1'..=b'9') && (6..=9).contains(&digits);
    if begins && plain && (american || national) && !word_after(text, end) {
        let start = if trunk { at - 2 } else { at };
        hits.push(start, with_extension(text, end), Category::Phone, Form::Phone, rank::NUMBER);
    }
}

/// `555-0132`
fn shape_american(rest: &[u8]) -> bool {
    rest.len() == 8
        && rest[..3].iter().chain(&rest[4..]).all(|&b| is(b, DIGIT))
        && matches!(rest[3], b'-' | b'.' | b' ')
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn a_number_is_found_in_the_ways_people_write_it() {
        finds("dialled +49301184730 (gateway)", &[("+49301184730", "phone")]);
        finds("call +49 (0)30 / 123 45 67 now", &[("+49 (0)30 / 123 45 67", "phone")]);
        finds("at (415) 555-0187.", &[("(415) 555-0187", "phone")]);
        finds("+49 30 1184730 2026-11-21", &[("+49 30 1184730", "phone")]);
        finds("callback number: 030 123456 now", &[("030 123456", "phone")]);
        finds(
            "+49 30 1184730 ext. 12, +493011847308x9",
            &[("+49 30 1184730 ext. 12", "phone"), ("+493011847308x9", "phone")],
        );
        for number in [
            "0049 30 1184730",
            "030-1184730",
            "030/118 47 30",
            "01 23 45 67 89",
            "0 537 218 40 67",
            "0413 218 40 67",
            "07700900123",
            "015111847308",
            "415-555-0187",
            "1-415-555-0187",
            "(030) 123456",
            "0 (532) 1184730",
        ] {
            finds(&format!("reach {number}, now"), &[(number, "phone")]);
        }
    }

    #[test]
    fn a_number_behind_a_name_is_found_with_the_name() {
        finds("CLID \"Ottilie Habersaat\" <1234>", &[("Ottilie Habersaat", "person"), ("1234", "phone")]);
        finds("from \"Otti\" <0301184730>", &[("Otti", "person"), ("0301184730", "phone")]);
        finds("Caller-Caller-ID-Number: 0301184730", &[("0301184730", "phone")]);
    }

    #[test]
    fn time_zones_sums_and_counters_stay() {
        for line in [
            "14:20:01+00:00",
            "2026-11-21T14:20:01.123+0100",
            "+1",
            "a+11847308",
            "+0000]",
            "number: 11847308",
            "size +100 ms",
            "f(123) 4",
            "ssrc 3735928559 rtptime 2869123456 seq 41234",
            "1732199999 1732199999123 0000012345 000000000012",
            " 1 0 0 803116 94432 5919 0 0 12 943 476 59 19 7",
            "078-05-0000 010160-0102 01-02-2026 01/02/2026 2026-11-21 01.02.2026",
            "<0.17329.12> <12345> [387348]",
            "port 0305 (030) 12",
            "build 0.123.456 415-155-0132 0-1-2",
            "id 3f2b8c1e-0412-1234-9e6f-112233445566",
            "a=rtpmap:96 opus/48000/2 m=audio 50600 RTP/AVP 96 0 8",
            "00000000  7f 45 4c 46 02 01 01 00  00 00 00 00 00 00 00 00",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
