//! What a file of this machine is called in a snapshot.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use crate::item::is_bidi;

/// Longest escaped name in bytes that is shown.
const SHOWN: usize = 1000;

/// The path as it stands in a snapshot: without root, `.` and `..`; a `..` behind a name takes the name away.
///
/// Bytes that are not UTF-8 stay as they are; whether the path is a good one is for
/// [`ArchivePath`](crate::item::ArchivePath) to say.
pub(super) fn archived(path: &Path) -> Vec<u8> {
    let mut names: Vec<&[u8]> = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name.as_bytes()),
            Component::ParentDir => {
                names.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    names.join(&b'/')
}

/// The path as it stands in a snapshot, where it is UTF-8.
pub(in crate::collect) fn archived_text(path: &Path) -> String {
    String::from_utf8(archived(path)).unwrap_or_default()
}

/// The path for people: what is not printable or changes the direction of text is escaped, `\xff` or `\u{202e}`.
pub(in crate::collect) fn shown(path: &[u8]) -> String {
    let mut text = String::new();
    for chunk in path.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() || is_bidi(c) || c == '\\' {
                text.extend(c.escape_default());
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            write!(text, "\\x{byte:02x}").expect("a string takes whatever is written");
        }
        if text.len() > SHOWN {
            text.truncate(text.floor_char_boundary(SHOWN));
            text.push('\u{2026}');
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_loses_its_root_and_its_dots() {
        for (path, expected) in [
            ("/var/log/syslog", "var/log/syslog"),
            ("logs/", "logs"),
            ("./logs//a", "logs/a"),
            ("../../logs", "logs"),
            ("a/../b", "b"),
            ("..", ""),
            ("/", ""),
            ("/../../etc", "etc"),
        ] {
            assert_eq!(archived(Path::new(path)), expected.as_bytes(), "{path}");
        }
    }

    #[test]
    fn a_name_cannot_speak_to_the_terminal() {
        assert_eq!(shown(b"a\x1b[31m\n\xffb"), r"a\u{1b}[31m\n\xffb");
        assert_eq!(shown("exe\u{202e}gpj.x".as_bytes()), r"exe\u{202e}gpj.x");
        assert_eq!(shown("Zoë/ü".as_bytes()), "Zoë/ü");
        assert!(shown(&[b'x'; 5000]).len() < 1010);
    }
}
