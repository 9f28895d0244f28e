//! tar: old, ustar, pax and GNU archives are read; GNU headers are written.
//!
//! Kept: the order of members, directories, a leading `./`, permissions without set-user-ID and the like, times in seconds.
//! Owners, groups, extended attributes and comments are gone. Links, devices and sparse files are left out and listed.

mod header;
mod reader;

use std::io::{Cursor, Read};

use super::joined::{Joined, Pieces};
use super::member_name::{Kind, MemberName, Names};
use super::{Container, Redacting, Surveying};
use crate::item::Reason;
use crate::redact::decode::Stream;
use crate::redact::error::RedactError;
use crate::spool::SpoolReader;

use self::header::{BLOCK, padding};
use self::reader::{Entry, Reader};

pub(crate) struct Tar;

impl Container for Tar {
    fn recognises(&self, head: &[u8]) -> bool {
        head.get(257..262) == Some(b"ustar") || header::is_header(head)
    }

    fn survey(&self, input: Stream<'_>, inside: &mut Surveying<'_>) -> Result<(), RedactError> {
        let mut reader = Reader::new(input);
        while let Some(entry) = reader.next()? {
            inside.opening.count_member()?;
            match (entry.kind, entry.member()) {
                (Kind::File, Some(MemberName::Path { path, .. })) => {
                    inside.member(&path, Box::new(reader.content()))?;
                }
                (Kind::Directory, Some(MemberName::Path { path, .. })) => inside.name(&path),
                _ => {}
            }
        }
        Ok(())
    }

    fn redact<'a>(&self, input: Stream<'a>, inside: &Redacting<'a>) -> Result<Stream<'a>, RedactError> {
        let packer = Packer {
            reader: Reader::new(input),
            inside: inside.clone(),
            names: Names::default(),
            kept: 0,
            left_out: 0,
            ended: false,
        };
        Ok(Box::new(Joined::new(packer)))
    }

    fn joins_compression(&self) -> bool {
        true
    }
}

/// Reads one archive and writes the other, member by member.
struct Packer<'a> {
    reader: Reader<'a>,
    inside: Redacting<'a>,
    names: Names,
    kept: u64,
    left_out: u64,
    ended: bool,
}

impl Pieces for Packer<'_> {
    fn next_piece(&mut self) -> Result<Option<Stream<'static>>, RedactError> {
        if self.ended {
            return Ok(None);
        }
        while let Some(entry) = self.reader.next()? {
            self.inside.opening.count_member()?;
            if let Some(piece) = self.member(&entry)? {
                return Ok(Some(piece));
            }
        }
        self.ended = true;
        if self.reader.goes_on_after_the_end() {
            self.left_out += 1;
            self.inside.leave_out("what stands after the end of the archive", Reason::NotReadable);
        }
        // An archive of nothing but what had to be left out is left out as a whole.
        if self.kept == 0 && self.left_out > 0 {
            return Err(RedactError::NotReadable);
        }
        Ok(Some(Box::new(Cursor::new([0; 2 * BLOCK]))))
    }
}

impl Packer<'_> {
    fn member(&mut self, entry: &Entry) -> Result<Option<Stream<'static>>, RedactError> {
        let reason = match (entry.kind, entry.member()) {
            (_, None) => Reason::BadName,
            (Kind::Directory, Some(name)) => {
                let name = self.names.directory(&name, self.inside.engine);
                return Ok(Some(Box::new(Cursor::new(header::encode(name.as_bytes(), entry, 0)))));
            }
            (Kind::File, Some(MemberName::Path { dot, path })) => {
                let mut spool = self.inside.opening.spool();
                if !self.inside.member(&path, Box::new(self.reader.content()), &mut spool)? {
                    self.left_out += 1;
                    return Ok(None);
                }
                if let Some(name) = self.names.file(dot, &path, self.inside.engine) {
                    self.kept += 1;
                    let size = spool.length();
                    let header = Cursor::new(header::encode(name.as_bytes(), entry, size));
                    let zeros = std::io::repeat(0).take(padding(size));
                    return Ok(Some(Box::new(header.chain(SpoolReader::new(spool)).chain(zeros))));
                }
                Reason::BadName
            }
            (Kind::File, Some(MemberName::Root)) => Reason::BadName,
            (Kind::Link, _) => Reason::Link,
            (Kind::Device, _) => Reason::NotAFile,
            (Kind::Unknown, _) => Reason::NotReadable,
        };
        self.left_out += 1;
        self.inside.leave_out(&String::from_utf8_lossy(&entry.name), reason);
        Ok(None)
    }
}
