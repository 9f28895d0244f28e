//! The names in a zip, from the list at its end (APPNOTE 4.3.12, 4.3.16).

use std::io::{self, Read, Seek, SeekFrom};

/// Longest list that is read, in bytes.
const LONGEST: u64 = 32 << 20;
/// How far before its end the end of the list may stand: its own length and the longest comment.
const END: u64 = 22 + 65_535;

/// The names, in the order of the list; not more than it holds. A zip of more than 4 GiB or 65 534 members is an error.
pub(super) fn names(file: &mut (impl Read + Seek), size: u64) -> io::Result<Vec<String>> {
    let damaged = || io::Error::from(io::ErrorKind::InvalidData);
    let tail = bytes(file, size.saturating_sub(END), END)?;
    let end = tail.windows(4).rposition(|window| window == b"PK\x05\x06").ok_or_else(damaged)?;
    let (length, start) = (number(&tail, end + 12, 4), number(&tail, end + 16, 4));
    let (length, start) = length.zip(start).filter(|&(length, _)| length <= LONGEST).ok_or_else(damaged)?;
    let list = bytes(file, start, length)?;
    let mut names = Vec::new();
    let mut at = 0;
    while list.get(at..at + 4) == Some(b"PK\x01\x02") {
        let field = |place, digits| number(&list, at + place, digits).and_then(|number| usize::try_from(number).ok());
        let lengths = field(28, 2).zip(field(30, 2)).zip(field(32, 2));
        let ((name, extra), comment) = lengths.ok_or_else(damaged)?;
        let name_bytes = list.get(at + 46..at + 46 + name).ok_or_else(damaged)?;
        names.push(String::from_utf8_lossy(name_bytes).into_owned());
        at += 46 + name + extra + comment;
    }
    if names.is_empty() { Err(damaged()) } else { Ok(names) }
}

fn bytes(file: &mut (impl Read + Seek), from: u64, most: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A number of so many bytes, the lowest first.
fn number(bytes: &[u8], at: usize, digits: usize) -> Option<u64> {
    Some(bytes.get(at..at + digits)?.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    #[test]
    fn names_are_read_and_damage_is_an_error() {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for name in ["var/log/a.log", "holiday/beach.jpg"] {
            writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(b"text").unwrap();
        }
        writer.set_comment("made by hand").unwrap();
        let whole = writer.finish().unwrap().into_inner();
        let read = |bytes: &[u8]| names(&mut Cursor::new(bytes), bytes.len() as u64);
        assert_eq!(read(&whole).unwrap(), ["var/log/a.log", "holiday/beach.jpg"]);
        for length in [0, 3, 30, whole.len() - 40] {
            assert!(read(&whole[..length]).is_err(), "{length}");
        }
        // Any byte may be another: no panic, whatever comes.
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0xff;
            let _ = read(&changed);
        }
    }
}
