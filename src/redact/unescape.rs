//! Text within text: percent signs, backslashes, HTML references, Base64, characters that cannot be seen.
//!
//! A decoded line remembers where each byte came from, so that what is found in it can be replaced in the line itself.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::text::{self, HEX, WORD, byte, is};

/// A line with its escapes decoded.
#[derive(Debug, Default)]
pub(crate) struct Unescaped {
    pub(crate) text: Vec<u8>,
    /// For each byte of the text, and for its end, the place in the line it came from.
    from: Vec<u32>,
}

/// Decoded lines are at most as long as the pieces long lines are read in, far below this.
const MOST: usize = u32::MAX as usize;

impl Unescaped {
    /// Decodes the escapes of `line`; whether there were any.
    pub(crate) fn decode(&mut self, line: &[u8]) -> bool {
        self.text.clear();
        self.from.clear();
        let (mut at, mut any) = (0, false);
        while at < line.len().min(MOST) {
            let next = memchr::memchr3(b'%', b'\\', b'&', &line[at..]).map_or(line.len(), |offset| at + offset);
            while at < next {
                match hidden(&line[at..next]) {
                    Some((shown, length)) => {
                        shown.into_iter().for_each(|byte| self.push(byte, at));
                        any = true;
                        at += length;
                    }
                    None => {
                        self.push(line[at], at);
                        at += 1;
                    }
                }
            }
            if at == line.len() {
                break;
            }
            if let Some((value, length)) = escape(&line[at..]) {
                let mut utf8 = [0; 4];
                match value {
                    Value::Char(c) => c.encode_utf8(&mut utf8).bytes().for_each(|b| self.push(b, at)),
                    Value::Byte(b) => self.push(b, at),
                }
                any = true;
                at += length;
            } else {
                self.push(line[at], at);
                at += 1;
            }
        }
        self.from.push(u32::try_from(line.len()).unwrap_or(u32::MAX));
        any
    }

    fn push(&mut self, byte: u8, place: usize) {
        self.text.push(byte);
        self.from.push(u32::try_from(place).unwrap_or(u32::MAX));
    }

    /// The place in the line of the byte at `at` of the decoded text.
    pub(crate) fn place(&self, at: usize) -> usize {
        self.from.get(at).map_or(0, |&place| place as usize)
    }
}

enum Value {
    Char(char),
    Byte(u8),
}

/// What a character at the beginning of `text` hides, and its length: nothing for one without width, such as a soft hyphen
/// or a zero-width space; the plain sign for one of full width (U+FF01 to U+FF5E).
fn hidden(text: &[u8]) -> Option<(Option<u8>, usize)> {
    match text {
        [0xc2, 0xad, ..] => Some((None, 2)),
        [0xe2, 0x80, 0x8b..=0x8f, ..] | [0xe2, 0x81, 0xa0..=0xa4, ..] | [0xef, 0xbb, 0xbf, ..] => Some((None, 3)),
        [0xef, 0xbc, last @ 0x81..=0xbf, ..] => Some((Some(last - 0x60), 3)),
        [0xef, 0xbd, last @ 0x80..=0x9e, ..] => Some((Some(last - 0x20), 3)),
        _ => None,
    }
}

/// Whether the character at `at` hides something.
pub(crate) fn may_hide(text: &[u8], at: usize) -> bool {
    matches!(text[at], 0xc2 | 0xe2 | 0xef) && hidden(&text[at..]).is_some()
}

/// What an escape at the beginning of `text` stands for, and its length.
fn escape(text: &[u8]) -> Option<(Value, usize)> {
    match text[0] {
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

/// A value as text: its escapes and its encoding decoded.
pub(crate) fn plain(bytes: &[u8]) -> String {
    if let Some(text) = after_second_colon(bytes) {
        return text;
    }
    if memchr::memchr3(b'%', b'\\', b'&', bytes).is_none() {
        return text::decode(bytes).into_owned();
    }
    let mut unescaped = Unescaped::default();
    unescaped.decode(bytes);
    text::decode(&unescaped.text).into_owned()
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
        assert!(unescaped.decode(line));
        assert_eq!(std::str::from_utf8(&unescaped.text).unwrap(), "q=anna@x \"Müller\" <Müller> \"😀");
        let at = unescaped.text.iter().position(|&b| b == b'@').unwrap();
        assert_eq!(&line[unescaped.place(at)..unescaped.place(at + 1)], b"%40");
        assert_eq!(unescaped.place(unescaped.text.len()), line.len());
        assert!(!unescaped.decode(b"50% of C:\\Windows & co"));
    }

    #[test]
    fn what_cannot_be_seen_is_passed_over_and_full_width_is_plain() {
        let mut unescaped = Unescaped::default();
        let line = "Otti\u{200b}lie Haber\u{ad}saat \u{ff11}\u{ff19}\u{ff18}\u{ff0e}\u{ff21}\u{ff5e} \\303\\274";
        assert!(may_hide(line.as_bytes(), 4) && unescaped.decode(line.as_bytes()));
        assert_eq!(std::str::from_utf8(&unescaped.text).unwrap(), "Ottilie Habersaat 198.A~ \u{fc}");
        assert_eq!(unescaped.place(unescaped.text.len()), line.len());
        let shown = "Jörg \u{20ac} 王小明 \u{ff61}".as_bytes();
        assert!(!(0..shown.len()).any(|at| may_hide(shown, at)));
        assert!(!unescaped.decode("Jörg \u{20ac} \\9 王".as_bytes()));
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
