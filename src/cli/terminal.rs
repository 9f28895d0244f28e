//! Shows bytes that came from outside so that nothing in them acts on a terminal.

use std::io::{self, Write};

use crate::item::is_bidi;

/// The bytes as text: control and direction characters and what is not UTF-8 are escaped, tabs stay.
#[must_use]
pub fn shown_bytes(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    put(bytes, |c| c == '\t', &mut shown);
    shown
}

/// Writes text so that it is only shown: line ends and tabs stay, every other control character, direction characters and
/// what is not UTF-8 are escaped.
pub struct Escaping<W: Write> {
    inner: W,
    /// The beginning of a character whose end has not come yet; at most 3 bytes.
    begun: Vec<u8>,
    shown: String,
}

impl<W: Write> Escaping<W> {
    /// Shows what is written to it on `inner`.
    pub const fn new(inner: W) -> Self {
        Self { inner, begun: Vec::new(), shown: String::new() }
    }

    /// Ends a text: a character that was only begun is escaped.
    pub fn end(&mut self) -> io::Result<()> {
        let begun = std::mem::take(&mut self.begun);
        self.show(&begun)?;
        self.inner.flush()
    }

    fn show(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.shown.clear();
        put(bytes, |c| matches!(c, '\n' | '\t'), &mut self.shown);
        self.inner.write_all(self.shown.as_bytes())
    }
}

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.extend_from_slice(bytes);
        let mut text = std::mem::take(&mut self.begun);
        self.begun = text.split_off(text.len() - begun_at_end(&text));
        self.show(&text)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn put(bytes: &[u8], stays: impl Fn(char) -> bool, shown: &mut String) {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if (c.is_control() || is_bidi(c)) && !stays(c) {
                shown.extend(c.escape_default());
            } else {
                shown.push(c);
            }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
}

/// How many of the last bytes are a character that may still go on.
fn begun_at_end(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let length = match bytes[bytes.len() - back] {
            0x80..=0xbf => continue,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 0,
        };
        return if length > back { back } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(pieces: &[&[u8]]) -> String {
        let mut writer = Escaping::new(Vec::new());
        pieces.iter().for_each(|piece| writer.write_all(piece).unwrap());
        writer.end().unwrap();
        String::from_utf8(writer.inner).unwrap()
    }

    #[test]
    fn nothing_acts_on_the_terminal_and_text_stays_text() {
        let text = "Zo\u{eb} \u{20ac}\u{1f980}\n\tcolumn\n";
        assert_eq!(escaped(&[text.as_bytes()]), text);
        assert_eq!(escaped(&[b"a\x1b[2Jb\r\x07\0\x7f"]), "a\\u{1b}[2Jb\\r\\u{7}\\u{0}\\u{7f}");
        assert_eq!(escaped(&["a\u{9b}2J\u{202e}b".as_bytes()]), "a\\u{9b}2J\\u{202e}b");
        assert_eq!(escaped(&[b"\xff\xfe\xc3"]), "\\xff\\xfe\\xc3");
        assert_eq!(shown_bytes(b"a\tb\nc\xe4"), "a\tb\\nc\\xe4");
    }

    #[test]
    fn a_text_that_is_cut_anywhere_is_shown_the_same() {
        let text = "\u{20ac}\u{1f980}\x1b\u{202e}\u{eb}\u{85}x".as_bytes();
        let broken = [text, b"\xf0\x9f\xa6", text, b"\xe2\x82\xe2\x82", b"\xc0\xaf\xf8\x80\xed\xa0\x80"].concat();
        for whole in [text, &broken] {
            let once = escaped(&[whole]);
            let bytes: Vec<&[u8]> = whole.chunks(1).collect();
            assert_eq!(escaped(&bytes), once);
            for cut in 0..whole.len() {
                assert_eq!(escaped(&[&whole[..cut], &whole[cut..]]), once, "{cut}");
            }
        }
    }
}
