//! Text within text: percent signs, backslashes, HTML references, Base64, characters that cannot be seen.
//!
//! A decoded line remembers where each byte came from, so that what is found in it can be replaced in the line itself.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::text::{self, HEX, SPACE, WORD, byte, is};

/// A line with its escapes decoded.
#[derive(Debug, Default)]
pub(crate) struct Unescaped {
    pub(crate) text: Vec<u8>,
    /// For each byte of the text, and for its end, the place in the line it came from.
    from: Vec<u32>,
    /// For each byte of the text, where in the line ends what it came from.
    to: Vec<u32>,
}

/// Decoded lines are at most as long as the pieces long lines are read in, far below this.
const MOST: usize = u32::MAX as usize;

impl Unescaped {
    /// Decodes the escapes of `line`; whether there were any. Quoted-printable text is decoded by itself: what looks like an
    /// escape there may be a key's value elsewhere.
    pub(crate) fn decode(&mut self, line: &[u8], coding: Coding) -> bool {
        self.text.clear();
        self.from.clear();
        self.to.clear();
        if coding == Coding::QuotedPrintable && !holds_quoted(line) {
            return false;
        }
        let (mut at, mut any) = (0, false);
        while at < line.len().min(MOST) {
            let Some((value, length)) = coding.escape(&line[at..]) else {
                self.push(line[at], at, at + 1);
                at += 1;
                continue;
            };
            let end = at + length;
            match value {
                Value::Nothing => {}
                Value::Char(c) => {
                    let mut utf8 = [0; 4];
                    c.encode_utf8(&mut utf8).bytes().for_each(|byte| self.push(byte, at, end));
                }
                Value::Byte(byte) => self.push(byte, at, end),
                Value::Text(text) => {
                    text.bytes().for_each(|byte| self.push(byte, at, end));
                    any = true;
                    at = next_encoded_word(line, end);
                    continue;
                }
            }
            any = true;
            at = end;
        }
        self.from.push(u32::try_from(line.len()).unwrap_or(u32::MAX));
        any
    }

    fn push(&mut self, byte: u8, from: usize, to: usize) {
        self.text.push(byte);
        self.from.push(u32::try_from(from).unwrap_or(u32::MAX));
        self.to.push(u32::try_from(to).unwrap_or(u32::MAX));
    }

    /// The place in the line of the byte at `at` of the decoded text.
    pub(crate) fn place(&self, at: usize) -> usize {
        self.from.get(at).map_or(0, |&place| place as usize)
    }

    /// The place in the line at which a piece of the decoded text ends that ends at `at`: behind its last byte, before what
    /// shows nothing.
    pub(crate) fn end(&self, at: usize) -> usize {
        at.checked_sub(1).and_then(|last| self.to.get(last)).map_or_else(|| self.place(at), |&place| place as usize)
    }
}

/// How text is written within text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Escapes that show what they are.
    Escapes,
    /// `=C3=B6`, in lines that hold such numbers of letters (RFC 2045, section 6.7).
    QuotedPrintable,
}

impl Coding {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Escapes, Self::QuotedPrintable];

    fn escape(self, text: &[u8]) -> Option<(Value, usize)> {
        match self {
            Self::Escapes => escape(text),
            Self::QuotedPrintable => match text[0] {
                b'=' => quoted_byte(text).map(|byte| (Value::Byte(byte), 3)),
                0xc2 | 0xe2 | 0xef => hidden(text),
                _ => None,
            },
        }
    }
}

enum Value {
    /// Nothing that can be seen.
    Nothing,
    Char(char),
    Byte(u8),
    Text(String),
}

/// What a character at the beginning of `text` hides, and its length: nothing for one without width, such as a soft hyphen
/// or a zero-width space; the plain sign for one of full width (U+FF01 to U+FF5E).
fn hidden(text: &[u8]) -> Option<(Value, usize)> {
    match text {
        [0xc2, 0xad, ..] => Some((Value::Nothing, 2)),
        [0xe2, 0x80, 0x8b..=0x8f, ..] | [0xe2, 0x81, 0xa0..=0xa4, ..] | [0xef, 0xbb, 0xbf, ..] => {
            Some((Value::Nothing, 3))
        }
        [0xef, 0xbc, last @ 0x81..=0xbf, ..] => Some((Value::Byte(last - 0x60), 3)),
        [0xef, 0xbd, last @ 0x80..=0x9e, ..] => Some((Value::Byte(last - 0x20), 3)),
        _ => None,
    }
}

/// Whether the character at `at` hides something.
pub(crate) fn may_hide(text: &[u8], at: usize) -> bool {
    matches!(text[at], 0xc2 | 0xe2 | 0xef) && hidden(&text[at..]).is_some()
}

/// The length of what sets a terminal's colours at the beginning of `text`: `ESC [ 1 ; 31 m`, `ESC [ K`, `ESC ( B`
/// (ECMA-48, sections 8.3.41 and 8.3.117).
fn colour(text: &[u8]) -> Option<usize> {
    match text.get(1)? {
        b'[' => {
            let numbers = text[2..].iter().take(24).take_while(|b| matches!(b, b'0'..=b'9' | b';' | b':')).count();
            matches!(text.get(2 + numbers), Some(b'm' | b'K')).then_some(3 + numbers)
        }
        b'(' => (text.get(2) == Some(&b'B')).then_some(3),
        _ => None,
    }
}

/// The byte that `=C3` at the beginning of `text` stands for.
fn quoted_byte(text: &[u8]) -> Option<u8> {
    let digits = text.get(1..3).filter(|_| text[0] == b'=')?;
    let of = |b: &u8| matches!(b, b'0'..=b'9' | b'A'..=b'F');
    digits.iter().all(of).then(|| hex_number(digits, 0, 2))?.map(|number| number.to_le_bytes()[0])
}

/// Whether a line holds numbers that are nothing else than quoted-printable text: the equals sign's own, a character of
/// UTF-8, a letter of Latin-1 between letters.
fn holds_quoted(line: &[u8]) -> bool {
    memchr::memchr_iter(b'=', line).any(|at| is_quoted(line, at))
}

fn is_quoted(line: &[u8], at: usize) -> bool {
    let number = |place: usize| line.get(place..).filter(|rest| !rest.is_empty()).and_then(quoted_byte);
    let more = |count: usize| (1..=count).all(|n| number(at + 3 * n).is_some_and(|byte| (0x80..0xc0).contains(&byte)));
    let in_word = || {
        let next = byte(line, at + 3);
        at > 0 && line[at - 1].is_ascii_alphabetic() && next.is_ascii_lowercase()
    };
    match number(at) {
        Some(b'=') => true,
        Some(first @ 0xc0..) => {
            let utf8 = match first {
                0xc2..=0xdf => more(1),
                0xe0..=0xef => more(2),
                0xf0..=0xf4 => more(3),
                _ => false,
            };
            utf8 || in_word()
        }
        _ => false,
    }
}

/// Longest encoded word; the standard allows 75 bytes.
const LONGEST_WORD: usize = 1024;

/// The text of an encoded word at the beginning of `text`, and its length: `=?ISO-8859-1?Q?J=F6rg?=` (RFC 2047, section 2).
fn encoded_word(text: &[u8]) -> Option<(String, usize)> {
    let rest = text.strip_prefix(b"=?")?;
    let charset_end = rest.iter().take(40).position(|&b| b == b'?')?;
    // A language may stand behind the charset (RFC 2231, section 5).
    let charset = rest[..charset_end].split(|&b| b == b'*').next()?;
    let charset = encoding_rs::Encoding::for_label(charset)?;
    let (encoding, rest) = rest[charset_end + 1..].split_first_chunk::<2>()?;
    let end = rest.iter().take(LONGEST_WORD).position(|&b| b == b'?' || b == b' ')?;
    if encoding[1] != b'?' || rest.get(end..end + 2) != Some(b"?=") {
        return None;
    }
    let word = &rest[..end];
    let bytes = match encoding[0] {
        b'Q' | b'q' => {
            let mut bytes = Vec::with_capacity(end);
            let mut at = 0;
            while at < end {
                let number = (word[at] == b'=').then(|| hex_number(word, at + 1, 2)).flatten();
                bytes.push(match (number, word[at]) {
                    (Some(number), _) => number.to_le_bytes()[0],
                    (None, b'_') => b' ',
                    (None, byte) => byte,
                });
                at += if number.is_some() { 3 } else { 1 };
            }
            bytes
        }
        b'B' | b'b' => STANDARD.decode(word).ok()?,
        _ => return None,
    };
    let shown = charset.decode_without_bom_handling(&bytes).0;
    let shown = shown.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    Some((shown, text.len() - rest.len() + end + 2))
}

/// Where to go on behind an encoded word that ends at `end`: blanks between two of them are not shown.
fn next_encoded_word(line: &[u8], end: usize) -> usize {
    let next = text::run(line, end, SPACE);
    if next > end && encoded_word(&line[next..]).is_some() { next } else { end }
}

/// Whether a line holds escapes that [`may_begin`] and [`may_hide`] are not asked about: quoted-printable text, encoded words,
/// a terminal's colours.
pub(crate) fn may_hold_more(line: &[u8]) -> bool {
    memchr::memchr2_iter(b'=', 0x1b, line).any(|at| holds_more(line, at))
}

/// Whether quoted-printable text, an encoded word or a terminal's colour stands at `at`, a `=` or an escape of terminals.
pub(crate) fn holds_more(line: &[u8], at: usize) -> bool {
    match line[at] {
        b'=' if byte(line, at + 1) == b'?' => encoded_word(&line[at..]).is_some(),
        b'=' => is_quoted(line, at),
        _ => colour(&line[at..]).is_some(),
    }
}

/// What an escape at the beginning of `text` stands for, and its length.
fn escape(text: &[u8]) -> Option<(Value, usize)> {
    match text[0] {
        b'=' => encoded_word(text).map(|(word, length)| (Value::Text(word), length)),
        0x1b => Some((Value::Nothing, colour(text)?)),
        0xc2 | 0xe2 | 0xef => hidden(text),
        b'%' => Some((Value::Byte(hex_number(text, 1, 2)?.to_le_bytes()[0]), 3)),
        b'\\' => match byte(text, 1) {
            b'u' => {
                let first = hex_number(text, 2, 4)?;
                if let Some(c) = char::from_u32(first) {
                    return Some((Value::Char(c), 6));
                }
                let second = (text.get(6..8) == Some(b"\\u")).then(|| hex_number(text, 8, 4)).flatten()?;
                let pair = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
                Some((Value::Char(char::decode_utf16(pair).next()?.ok()?), 12))
            }
            b'x' => Some((Value::Byte(hex_number(text, 2, 2)?.to_le_bytes()[0]), 4)),
            quote @ (b'"' | b'\\' | b'/' | b'\'') => Some((Value::Byte(quote), 2)),
            b'n' | b'r' | b't' => Some((Value::Byte(b' '), 2)),
            b'0'..=b'3' => Some((Value::Byte(octal(text)?), 4)),
            _ => None,
        },
        b'&' => {
            let end = text.iter().take(12).position(|&b| b == b';')?;
            let name = std::str::from_utf8(&text[1..end]).ok()?;
            let c = if let Some(number) = name.strip_prefix('#') {
                let number = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(number)?
            } else {
                named(name)?
            };
            Some((Value::Char(c), end + 1))
        }
        _ => None,
    }
}

/// The byte of `\303` and the like, as shells, git and resolvers write what is outside ASCII.
fn octal(text: &[u8]) -> Option<u8> {
    let digits = text.get(1..4).filter(|digits| digits.iter().all(|b| (b'0'..=b'7').contains(b)))?;
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

fn hex_number(text: &[u8], from: usize, length: usize) -> Option<u32> {
    let digits = text.get(from..from + length)?;
    if !digits.iter().all(|&b| is(b, HEX)) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// The characters of HTML that names and addresses hold.
fn named(name: &str) -> Option<char> {
    const NAMED: [(&str, char); 36] = [
        ("quot", '"'),
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("apos", '\''),
        ("nbsp", ' '),
        ("commat", '@'),
        ("period", '.'),
        ("auml", 'ä'),
        ("ouml", 'ö'),
        ("uuml", 'ü'),
        ("Auml", 'Ä'),
        ("Ouml", 'Ö'),
        ("Uuml", 'Ü'),
        ("szlig", 'ß'),
        ("eacute", 'é'),
        ("egrave", 'è'),
        ("ecirc", 'ê'),
        ("euml", 'ë'),
        ("agrave", 'à'),
        ("aacute", 'á'),
        ("acirc", 'â'),
        ("atilde", 'ã'),
        ("aring", 'å'),
        ("aelig", 'æ'),
        ("ccedil", 'ç'),
        ("iacute", 'í'),
        ("icirc", 'î'),
        ("iuml", 'ï'),
        ("ntilde", 'ñ'),
        ("oacute", 'ó'),
        ("ocirc", 'ô'),
        ("otilde", 'õ'),
        ("oslash", 'ø'),
        ("uacute", 'ú'),
        ("ugrave", 'ù'),
    ];
    NAMED.iter().find(|(known, _)| *known == name).map(|&(_, c)| c)
}

/// Whether an escape may begin at `at`: cheap, for every such byte of a log.
#[inline]
pub(crate) fn may_begin(text: &[u8], at: usize) -> bool {
    let next = byte(text, at + 1);
    match text[at] {
        b'%' => is(next, HEX) && is(byte(text, at + 2), HEX),
        b'\\' => matches!(next, b'u' | b'x' | b'"' | b'\\' | b'/' | b'\'' | b'n' | b'r' | b't' | b'0'..=b'3'),
        b'&' => next == b'#' || is(next, WORD) && text[at..].iter().take(12).any(|&b| b == b';'),
        _ => false,
    }
}

/// The text of a value of LDIF in Base64, which begins at its second colon (RFC 2849).
pub(crate) fn after_second_colon(bytes: &[u8]) -> Option<String> {
    let text = STANDARD.decode(bytes.strip_prefix(b":")?.trim_ascii()).ok()?;
    String::from_utf8(text).ok()
}

/// Whether a value may hold escapes; what cannot be seen does not count.
pub(crate) fn may_be_escaped(bytes: &[u8]) -> bool {
    memchr::memchr3(b'%', b'\\', b'&', bytes).is_some() || may_hold_more(bytes)
}

/// A value as text: its escapes and its encoding decoded.
pub(crate) fn plain(bytes: &[u8]) -> String {
    if let Some(text) = after_second_colon(bytes) {
        return text;
    }
    if !may_be_escaped(bytes) {
        return text::decode(bytes).into_owned();
    }
    let mut text = bytes.to_vec();
    for coding in Coding::ALL {
        let mut unescaped = Unescaped::default();
        if unescaped.decode(&text, coding) {
            text = unescaped.text;
        }
    }
    text::decode(&text).into_owned()
}

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Where the Base64 text that begins at `start` ends.
pub(crate) fn base64_end(line: &[u8], start: usize) -> usize {
    let of = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_');
    let end = line[start..].iter().position(|&b| !of(b)).map_or(line.len(), |length| start + length);
    (end..end + 2).take_while(|&at| byte(line, at) == b'=').last().map_or(end, |at| at + 1)
}

/// Whether a word may be the beginning of text in Base64: letters of both cases, and not a row of like ones.
pub(crate) fn may_be_base64(word: &[u8]) -> bool {
    let (mut upper, mut lower) = (0, 0);
    for byte in word {
        upper += u32::from(byte.is_ascii_uppercase());
        lower += u32::from(byte.is_ascii_lowercase());
    }
    upper >= 2 && lower >= 2
}

/// The text that `token` holds in Base64, if it holds text.
pub(crate) fn base64_text(token: &[u8]) -> Option<Vec<u8>> {
    let count = |test: fn(&u8) -> bool| token.iter().filter(|b| test(b)).count();
    if token.len() < 16 || count(u8::is_ascii_uppercase) == 0 || count(u8::is_ascii_lowercase) == 0 {
        return None;
    }
    let url_safe = token.iter().any(|b| matches!(b, b'-' | b'_'));
    // Four letters are three bytes; what is left of a cut text is forgotten.
    let whole = if token.ends_with(b"=") { token } else { &token[..token.len() - usize::from(token.len() % 4 == 1)] };
    let bytes = if url_safe { URL_SAFE.decode(whole) } else { STANDARD.decode(whole) }.ok()?;
    if let Some(text) = from_utf16(&bytes) {
        return Some(text);
    }
    let Ok(text) = std::str::from_utf8(&bytes) else { return from_latin1(&bytes) };
    let odd = text.chars().filter(|c| c.is_control() && !c.is_whitespace()).count();
    (odd == 0).then_some(bytes)
}

/// What `powershell -EncodedCommand` takes: UTF-16, low byte first, mostly of ASCII.
fn from_utf16(bytes: &[u8]) -> Option<Vec<u8>> {
    let zeros = bytes.iter().skip(1).step_by(2).filter(|&&b| b == 0).count();
    if bytes.len() % 2 == 1 || bytes.len() < 8 || zeros * 4 < bytes.len() {
        return None;
    }
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text: String = char::decode_utf16(units).collect::<Result<_, _>>().ok()?;
    let odd = text.chars().any(|c| c.is_control() && !c.is_whitespace());
    (!odd).then(|| text.into_bytes())
}

/// Latin-1, if it is mostly ASCII: chance seldom gives that.
fn from_latin1(bytes: &[u8]) -> Option<Vec<u8>> {
    let high = bytes.iter().filter(|&&b| b >= 0xa0).count();
    let shown = bytes.iter().all(|&b| (0x20..0x7f).contains(&b) || b.is_ascii_whitespace() || b >= 0xa0);
    (shown && high * 4 <= bytes.len()).then(|| bytes.iter().map(|&b| char::from(b)).collect::<String>().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_their_place_is_known() {
        let line = br#"q=anna%40x "M\u00fcller" &lt;M&#252;ller&gt; \"\ud83d\ude00"#;
        let mut unescaped = Unescaped::default();
        assert!(unescaped.decode(line, Coding::Escapes));
        assert_eq!(std::str::from_utf8(&unescaped.text).unwrap(), "q=anna@x \"Müller\" <Müller> \"😀");
        let at = unescaped.text.iter().position(|&b| b == b'@').unwrap();
        assert_eq!(&line[unescaped.place(at)..unescaped.place(at + 1)], b"%40");
        assert_eq!(unescaped.place(unescaped.text.len()), line.len());
        assert!(!unescaped.decode(b"50% of C:\\Windows & co", Coding::Escapes));
    }

    #[test]
    fn what_cannot_be_seen_is_passed_over_and_full_width_is_plain() {
        let mut unescaped = Unescaped::default();
        let line = "Otti\u{200b}lie Haber\u{ad}saat \u{ff11}\u{ff19}\u{ff18}\u{ff0e}\u{ff21}\u{ff5e} \\303\\274";
        assert!(may_hide(line.as_bytes(), 4) && unescaped.decode(line.as_bytes(), Coding::Escapes));
        assert_eq!(std::str::from_utf8(&unescaped.text).unwrap(), "Ottilie Habersaat 198.A~ \u{fc}");
        assert_eq!(unescaped.place(unescaped.text.len()), line.len());
        let shown = "Jörg \u{20ac} 王小明 \u{ff61}".as_bytes();
        assert!(!(0..shown.len()).any(|at| may_hide(shown, at)));
        assert!(!unescaped.decode("Jörg \u{20ac} \\9 王".as_bytes(), Coding::Escapes));
    }

    #[test]
    fn encoded_words_and_quoted_printable_text_are_decoded() {
        let decoded = |line: &str| {
            let mut unescaped = Unescaped::default();
            let coding = Coding::ALL.into_iter().find(|&coding| unescaped.decode(line.as_bytes(), coding));
            assert_eq!(coding.is_some(), may_hold_more(line.as_bytes()), "{line}");
            coding.map(|_| text::decode(&unescaped.text).into_owned())
        };
        for (line, shown) in [
            ("From: =?UTF-8?Q?J=C3=B6rg_M=C3=BChlenkamp?= <x>", "From: Jörg Mühlenkamp <x>"),
            ("Subject: =?iso-8859-1?B?SvZyZyBN/GhsZW5rYW1w?=", "Subject: Jörg Mühlenkamp"),
            ("=?utf-8?q?J=C3=B6?= =?utf-8?q?rg?= x", "Jörg x"),
            ("=?ISO-8859-1*de?Q?J=F6rg?=", "Jörg"),
            ("J=F6rg", "Jörg"),
            ("J=C3=B6rg =F0=9F=98=80 class=3D\"x\"", "Jörg 😀 class=\"x\""),
            ("\u{1b}[1;31mOtti\u{1b}[0mlie", "Ottilie"),
        ] {
            assert_eq!(decoded(line).as_deref(), Some(shown), "{line}");
        }
        for line in [
            "n=80 x=41 id=C3AB y=F612 q=CASE",
            "a=?b c=?utf-8?X?x?= =?nocharset?Q?x?=",
            "\u{1b}[2J \u{1b}x",
            "k=C3=1",
            "=E9t=E9",
        ] {
            assert_eq!(decoded(line), None, "{line}");
        }
        let line = "<\u{1b}[1mAnna\u{1b}[0m =?utf-8?q?Bo?= >";
        let mut unescaped = Unescaped::default();
        unescaped.decode(line.as_bytes(), Coding::Escapes);
        assert_eq!(unescaped.text, b"<Anna Bo >");
        assert_eq!(&line[unescaped.place(1)..unescaped.end(5)], "Anna");
        assert_eq!(&line[unescaped.place(7)..unescaped.end(8)], "=?utf-8?q?Bo?=");
    }

    #[test]
    fn base64_of_other_encodings_is_text() {
        assert_eq!(base64_text(b"TwB0AHQAaQBsAGkAZQAgAEgA").as_deref(), Some(b"Ottilie H".as_slice()));
        assert_eq!(base64_text(b"SvZyZyBN/GhsZW5rYW1w").as_deref(), Some("Jörg Mühlenkamp".as_bytes()));
    }

    #[test]
    fn only_text_is_taken_for_base64() {
        assert_eq!(base64_text(b"T3R0aWxpZSBIYWJlcnNhYXQ=").as_deref(), Some(b"Ottilie Habersaat".as_slice()));
        assert_eq!(base64_text(b"T3R0aWxpZSBIYWJlcnNhYXQ").as_deref(), Some(b"Ottilie Habersaat".as_slice()));
        assert!(base64_text(b"d41d8cd98f00b204e9800998ecf8427e").is_none());
        assert!(base64_text(b"kzfjfps/WFgXAdNgzvHBLuI072Y+f+91rpinXJAAvkM").is_none());
    }
}
