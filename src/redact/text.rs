//! Bytes of text: their classes, words, and how words are compared.
//!
//! A word is a run of letters and digits. Words are equal when they are equal in lower case and in NFC; a word that is not
//! UTF-8 is read as Windows-1252, which holds Latin-1's letters.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::simd;

/// Letter or digit of ASCII, or a byte of a longer character.
pub(crate) const WORD: u8 = 1;
/// A byte at which a detector may have something to say.
pub(crate) const ANCHOR: u8 = 2;
/// `0`–`9`.
pub(crate) const DIGIT: u8 = 4;
/// A hexadecimal digit.
pub(crate) const HEX: u8 = 8;
/// A byte of a key, a user name or a host name: letter, digit, `_`, `-`, `.`.
pub(crate) const IDENT: u8 = 16;
/// Blank, tab, carriage return, line feed.
pub(crate) const SPACE: u8 = 32;
/// May stand between the words of one name.
pub(crate) const JOINT: u8 = 64;
/// Part of a character outside ASCII.
pub(crate) const HIGH: u8 = 128;

/// The classes of every byte.
pub(crate) static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    loop {
        let mut class = 0;
        if byte.is_ascii_alphanumeric() {
            class |= WORD | IDENT;
        }
        if byte.is_ascii_digit() {
            class |= DIGIT;
        }
        if byte.is_ascii_hexdigit() {
            class |= HEX;
        }
        if matches!(byte, b'_' | b'-' | b'.') {
            class |= IDENT;
        }
        if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            class |= SPACE;
        }
        if matches!(byte, b' ' | b'\t' | b'_' | b'-' | b'.' | b',' | b'+' | b'\'') {
            class |= JOINT;
        }
        if matches!(byte, b'@' | b':' | b'.' | b'=' | b'-' | b'+' | b'%' | b'\\' | b'&' | b'(' | b'$' | b'~') {
            class |= ANCHOR;
        }
        if byte >= 0x80 {
            class |= WORD | HIGH;
        }
        table[byte as usize] = class;
        if byte == 255 {
            return table;
        }
        byte += 1;
    }
}

/// Whether `byte` has one of the classes.
#[inline]
pub(crate) fn is(byte: u8, classes: u8) -> bool {
    CLASS[byte as usize] & classes != 0
}

/// What a hexadecimal digit says.
#[inline]
pub(crate) const fn hex_value(digit: u8) -> u8 {
    (digit & 15) + 9 * (digit >> 6)
}

/// The byte at `at`, or a line feed beyond the end.
#[inline]
pub(crate) fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(b'\n')
}

/// The byte before `at`, or a line feed at or before `floor`.
#[inline]
pub(crate) fn before(text: &[u8], floor: usize, at: usize) -> u8 {
    if at > floor { text[at - 1] } else { b'\n' }
}

/// Where the run of `classes` that begins at `from` ends.
#[inline]
pub(crate) fn run(text: &[u8], from: usize, classes: u8) -> usize {
    text[from.min(text.len())..].iter().position(|&b| !is(b, classes)).map_or(text.len(), |length| from + length)
}

/// Where the run of `classes` that ends at `to` begins, not before `floor`.
#[inline]
pub(crate) fn run_back(text: &[u8], floor: usize, to: usize, classes: u8) -> usize {
    let Some(before) = text.get(floor..to) else { return to };
    before.iter().rposition(|&b| !is(b, classes)).map_or(floor, |place| floor + place + 1)
}

/// Whether a letter or digit stands right before `at`; other characters outside ASCII are none, although their bytes are
/// [`WORD`].
#[inline]
pub(crate) fn word_before(text: &[u8], at: usize) -> bool {
    let last = before(text, 0, at);
    if last < 0x80 { is(last, WORD) } else { letter_before(text, at) }
}

/// The same for what stands right at `at`.
#[inline]
pub(crate) fn word_after(text: &[u8], at: usize) -> bool {
    let next = byte(text, at);
    if next < 0x80 { is(next, WORD) } else { letter_at(text, at) }
}

#[cold]
fn letter_before(text: &[u8], at: usize) -> bool {
    let bytes = &text[at.saturating_sub(4)..at];
    let first = bytes.iter().rposition(|b| b & 0xc0 != 0x80).unwrap_or(bytes.len() - 1);
    std::str::from_utf8(&bytes[first..]).map_or_else(
        |_| is_windows_letter(bytes[bytes.len() - 1]),
        |character| character.chars().all(char::is_alphanumeric),
    )
}

#[cold]
fn letter_at(text: &[u8], at: usize) -> bool {
    let bytes = &text[at..text.len().min(at + 4)];
    let chunk = bytes.utf8_chunks().next();
    chunk
        .and_then(|chunk| chunk.valid().chars().next())
        .map_or_else(|| is_windows_letter(bytes[0]), char::is_alphanumeric)
}

/// Whether a byte outside ASCII is a letter in Windows-1252: the ones Latin-1 has, and a few below 0xa0.
const fn is_windows_letter(byte: u8) -> bool {
    byte >= 0xc0 && !matches!(byte, 0xd7 | 0xf7) || matches!(byte, 0x8a | 0x8c | 0x8e | 0x9a | 0x9c | 0x9e | 0x9f)
}

/// Unlike in every process, so that nobody can choose words with equal numbers.
static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));

/// A number for a word in which ASCII case makes no difference. Equal words have equal numbers; the reverse is checked by
/// comparing.
#[inline]
pub(crate) fn word_hash(word: &[u8]) -> u64 {
    let length = word.len();
    if length <= 8 {
        let mut first = [0; 8];
        first[..length].copy_from_slice(word);
        return short_hash(u64::from_le_bytes(first), length);
    }
    if length <= 16 {
        return long_hash(eight(word, 0), eight(word, length - 8), length);
    }
    let mut hash = *SEED ^ length as u64;
    for chunk in word.chunks_exact(8) {
        hash = mix(hash, eight(chunk, 0) | CASE);
    }
    mix(hash, eight(word, length - 8) | CASE)
}

/// The same for the word from `start` to `end` of a text.
#[inline]
pub(crate) fn word_hash_in(text: &[u8], start: usize, end: usize) -> u64 {
    let length = end - start;
    if length <= 8 && start + 8 <= text.len() {
        short_hash(eight(text, start), length)
    } else if length <= 16 && length > 8 {
        long_hash(eight(text, start), eight(text, end - 8), length)
    } else {
        word_hash(&text[start..end])
    }
}

/// What [`near_hash_in`] needs.
pub(crate) fn seed() -> u64 {
    *SEED
}

/// The same for a word of up to sixteen bytes with eight bytes of text from its first.
#[inline]
pub(crate) fn near_hash_in(seed: u64, text: &[u8], start: usize, length: usize) -> Option<u64> {
    if length > 16 || length == 0 {
        return None;
    }
    let bytes = u64::from_le_bytes(*text.get(start..)?.first_chunk()?);
    if length > 8 {
        let last = u64::from_le_bytes(*text.get(start + length - 8..)?.first_chunk()?);
        return Some(mix(mix(seed ^ length as u64, bytes | CASE), last | CASE));
    }
    Some(mix(seed ^ length as u64, (bytes | CASE) << (64 - 8 * length)))
}

const CASE: u64 = 0x2020_2020_2020_2020;

#[inline]
fn eight(text: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(text[at..at + 8].try_into().expect("a range of 8 bytes"))
}

#[inline]
fn short_hash(bytes: u64, length: usize) -> u64 {
    // What lies beyond the word does not count.
    let word = if length == 0 { 0 } else { (bytes | CASE) << (64 - 8 * length) };
    mix(*SEED ^ length as u64, word)
}

#[inline]
fn long_hash(first: u64, last: u64, length: usize) -> u64 {
    mix(mix(*SEED ^ length as u64, first | CASE), last | CASE)
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "both halves of the product are taken")]
const fn mix(a: u64, b: u64) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let product = (a ^ b) as u128 * FACTOR as u128;
    product as u64 ^ (product >> 64) as u64
}

/// Tells quickly that a number is not in a set; now and then it says that one may be that is not.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    bits: Vec<u64>,
    shift: u32,
}

impl Filter {
    /// Makes room for `count` numbers.
    pub(crate) fn new(count: usize) -> Self {
        let size = (16 * count).next_power_of_two().clamp(1 << 12, 1 << 24);
        Self { bits: vec![0; size / 64], shift: 64 - size.trailing_zeros() }
    }

    pub(crate) fn add(&mut self, hash: u64) {
        let bit = hash >> self.shift;
        self.bits[(bit >> 6) as usize] |= 1 << (bit & 63);
    }

    /// Whether a number may be in the set.
    #[inline]
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        let bit = hash >> self.shift;
        self.bits[(bit >> 6) as usize] & 1 << (bit & 63) != 0
    }
}

/// Takes a number that is a hash already as its own hash: for tables whose keys nobody from outside chooses.
#[derive(Clone, Copy, Default)]
pub(crate) struct Hashed(u64);

impl std::hash::Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// A table by [`word_hash`] or the like.
pub(crate) type ByHash<V> = std::collections::HashMap<u64, V, std::hash::BuildHasherDefault<Hashed>>;

/// A text in the form in which values are compared; a short one needs no memory of its own.
#[derive(Clone, Debug)]
pub(crate) struct Folded(Kept);

#[derive(Clone, Debug)]
enum Kept {
    Short([u8; SHORT], u8),
    Long(String),
}

const SHORT: usize = 32;

impl Folded {
    #[inline]
    pub(crate) fn as_str(&self) -> &str {
        match &self.0 {
            Kept::Short(text, length) => simd::ascii(&text[..usize::from(*length)]).expect("it is ASCII"),
            Kept::Long(text) => text,
        }
    }
}

impl std::ops::Deref for Folded {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Folded {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Folded {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq for Folded {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl From<Folded> for String {
    fn from(folded: Folded) -> Self {
        match folded.0 {
            Kept::Long(text) => text,
            Kept::Short(..) => folded.as_str().to_owned(),
        }
    }
}

/// Text in the form in which values are compared: decoded, composed, in lower case.
#[inline]
pub(crate) fn fold(bytes: &[u8]) -> Folded {
    if let Some(text) = short(bytes) {
        return text;
    }
    let mut folded = String::with_capacity(bytes.len());
    fold_into(bytes, &mut folded);
    Folded(Kept::Long(folded))
}

/// The same for a short text of ASCII.
fn short(bytes: &[u8]) -> Option<Folded> {
    let mut text = [0; SHORT];
    text.get_mut(..bytes.len())?.copy_from_slice(bytes);
    if !text.is_ascii() {
        return None;
    }
    text.make_ascii_lowercase();
    Some(Folded(Kept::Short(text, u8::try_from(bytes.len()).ok()?)))
}

/// Appends the form in which values are compared.
pub(crate) fn fold_into(bytes: &[u8], folded: &mut String) {
    if bytes.is_ascii() {
        let from = folded.len();
        folded.push_str(simd::ascii(bytes).expect("it is ASCII"));
        folded[from..].make_ascii_lowercase();
        return;
    }
    let decoded = decode(bytes);
    // Below the combining marks every character is composed already.
    if decoded.chars().all(|c| c < '\u{300}') {
        folded.extend(decoded.chars().flat_map(char::to_lowercase));
    } else {
        // Greek writes one letter in another way at the end of a word.
        let lower = decoded.nfc().flat_map(char::to_lowercase);
        folded.extend(lower.map(|c| if c == 'ς' { 'σ' } else { c }));
    }
}

/// UTF-8 if it is that, else Windows-1252.
pub(crate) fn decode(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// Calls `found` with start and end of every word of a run of [`WORD`] bytes from `start` to `end`.
///
/// Most runs are one word; a run with characters outside ASCII may hold quotation marks, dashes or blanks that divide it.
#[inline]
pub(crate) fn words_in_run(text: &[u8], start: usize, end: usize, mut found: impl FnMut(usize, usize)) {
    let bytes = &text[start..end];
    if bytes.is_ascii() {
        found(start, end);
        return;
    }
    let mut word = None;
    let mut at = start;
    let mut step = |width: usize, of_word: bool| {
        match (word, of_word) {
            (None, true) => word = Some(at),
            (Some(from), false) => {
                found(from, at);
                word = None;
            }
            _ => {}
        }
        at += width;
    };
    match std::str::from_utf8(bytes) {
        Ok(decoded) => decoded.chars().for_each(|c| step(c.len_utf8(), c.is_alphanumeric() || is_combining_mark(c))),
        Err(_) => bytes.iter().for_each(|&b| step(1, b.is_ascii() || is_windows_letter(b))),
    }
    step(0, false);
}

/// The words of a text, folded.
pub(crate) fn words(text: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let end = run(text, at, WORD);
        if end > at {
            words_in_run(text, at, end, |from, to| all.push(fold(&text[from..to]).into()));
        }
        at = end + 1;
    }
    all
}

/// Where the UUID or the date with a time (`2026-11-21T14:`) ends that begins at `start`, a word's first byte.
pub(crate) fn date_or_uuid(text: &[u8], start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    if rest.get(4) == Some(&b'-') {
        let shape = rest.get(..14)?;
        let dated = shape.iter().zip(b"0000-00-00T00:").all(|(&b, &s)| if s == b'0' { is(b, DIGIT) } else { b == s });
        return (dated && is(byte(rest, 14), DIGIT)).then(|| start + time_end(rest));
    }
    let uuid = rest.get(8) == Some(&b'-') && rest.get(..36).is_some_and(is_uuid) && !is(byte(rest, 36), WORD | IDENT);
    uuid.then_some(start + 36)
}

/// Where in `2026-11-21T14:20:01.123Z` what surely is the time ends: with the hour, or behind a fraction that nothing is joined
/// to.
fn time_end(text: &[u8]) -> usize {
    let shape = text.get(14..20).unwrap_or_default();
    let timed =
        shape.len() == 6 && shape.iter().zip(b"00:00.").all(|(&b, &s)| if s == b'0' { is(b, DIGIT) } else { b == s });
    let fraction = if timed { run(text, 20, DIGIT) } else { 0 };
    let end = fraction + usize::from(byte(text, fraction) == b'Z');
    let joined = is(byte(text, end), WORD) || matches!(byte(text, end), b'-' | b'.' | b'/');
    if fraction > 20 && !joined { end } else { 13 }
}

/// Whether `bytes` are a UUID in its usual form.
pub(crate) fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, &b)| if matches!(at, 8 | 13 | 18 | 23) { b == b'-' } else { is(b, HEX) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_equal_in_any_case_and_normal_form() {
        assert_eq!(fold("MÜLLER".as_bytes()), fold("mu\u{308}ller".as_bytes()));
        assert_eq!(fold(b"M\xfcller"), "müller");
        assert_eq!(word_hash(b"Habersaat"), word_hash(b"hABERSAAT"));
        assert_ne!(word_hash(b"abc"), word_hash(b"abd"));
    }

    #[test]
    fn a_word_has_the_same_number_alone_and_in_a_text() {
        let text = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        for start in 0..text.len() {
            for end in start..text.len() {
                let (word, whole) = (&text[start..end], text.as_bytes());
                assert_eq!(word_hash(word.to_lowercase().as_bytes()), word_hash_in(whole, start, end), "{word}");
                if let Some(short) = near_hash_in(seed(), whole, start, end - start).filter(|_| start < end) {
                    assert_eq!(short, word_hash(word.as_bytes()));
                }
            }
        }
    }

    #[test]
    fn a_date_with_a_time_and_a_uuid_are_told_from_longer_things() {
        assert_eq!(date_or_uuid(b"x 2026-11-21T14:20:01Z", 2), Some(15));
        assert_eq!(date_or_uuid(b"3f2b8c1e-0d4a-4c5b-9e6f-112233445566,", 0), Some(36));
        for text in
            ["2026-11-21", "2026-11-21T14.", "3f2b8c1e-0d4a-4c5b-9e6f-112233445566-7", "3f2b8c1e-0d4a", "1234-5678"]
        {
            assert_eq!(date_or_uuid(text.as_bytes(), 0), None, "{text}");
        }
    }

    #[test]
    fn only_letters_and_digits_are_of_a_word_outside_ascii_too() {
        for (text, letter) in [("ä", true), ("字", true), ("٣", true), ("„", false), ("😀", false), ("\u{a0}", false)]
        {
            assert_eq!((word_before(text.as_bytes(), text.len()), word_after(text.as_bytes(), 0)), (letter, letter));
        }
        for (text, letter) in [(&b"\xfc"[..], true), (b"\xa0", false), (b"\x80\x80\x80\x80\x80", false)] {
            assert_eq!((word_before(text, text.len()), word_after(text, 0)), (letter, letter));
        }
        assert!(!word_before(b"", 0) && !word_after(b"", 0));
    }

    #[test]
    fn quotation_marks_and_dashes_divide_words() {
        assert_eq!(words("„Anna“ Müller–Lüdenscheid x_1".as_bytes()), ["anna", "müller", "lüdenscheid", "x", "1"]);
        assert_eq!(words(b"M\xfcller\xa0Anna"), ["müller", "anna"]);
    }
}
