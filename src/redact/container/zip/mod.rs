//! zip: stored and deflated members, and those of the codecs that stand beside this; written stored or deflated.
//!
//! The central directory is the truth. Where it contradicts itself or the members, where members overlap or have one name
//! twice, the archive is damaged: tools differ in what they would unpack then, and some of it would have passed unread.
//!
//! Kept: the order of members, directories, permissions, times. Comments, extra fields and whatever stands between members
//! are gone. Encrypted members and links are left out and listed.

mod content;
mod directory;
mod record;
mod writer;

use std::io::Cursor;
use std::sync::Arc;

use super::joined::{Joined, Pieces};
use super::member_name::{Kind, MemberName, Names};
use super::redacting::spool_all;
use super::{Container, Opening, Redacting, Surveying};
use crate::item::Reason;
use crate::redact::decode::Stream;
use crate::redact::error::RedactError;

use self::directory::Directory;
use self::record::Record;
use self::writer::Writer;

pub(crate) struct Zip;

impl Container for Zip {
    fn recognises(&self, head: &[u8]) -> bool {
        head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
    }

    fn survey(&self, input: Stream<'_>, inside: &mut Surveying<'_>) -> Result<(), RedactError> {
        let mut directory = open(input, &inside.opening)?;
        while let Some(record) = directory.next()? {
            match (record.kind(), MemberName::parse(&record.name)) {
                (Kind::File, Some(MemberName::Path { path, .. })) if !record.is_encrypted() => {
                    if let Some(content) = content::open(&directory, &record, &inside.opening)? {
                        inside.member(&path, content)?;
                    }
                }
                (Kind::Directory, Some(MemberName::Path { path, .. })) => inside.name(&path),
                _ => {}
            }
        }
        Ok(())
    }

    fn redact<'a>(&self, input: Stream<'a>, inside: &Redacting<'a>) -> Result<Stream<'a>, RedactError> {
        let directory = open(input, &inside.opening)?;
        let writer = Writer::new(inside.opening.spool());
        let packer =
            Packer { directory, inside: inside.clone(), names: Names::default(), writer: Some(writer), left_out: 0 };
        Ok(Box::new(Joined::new(packer)))
    }
}

/// Reads all of an archive, since what is in it stands at its end.
fn open(mut input: Stream<'_>, opening: &Opening) -> Result<Directory, RedactError> {
    let mut spool = opening.spool();
    spool_all(&mut input, &mut spool)?;
    let mut grown = 0_u64;
    Directory::read(Arc::new(spool), |record| {
        opening.count_member()?;
        // What is wrong with these numbers shows when the members are read.
        if content::grows(record) {
            grown = grown.saturating_add(record.plain);
        }
        opening.foresee(grown)
    })
}

/// Reads one archive and writes the other, member by member.
struct Packer<'a> {
    directory: Directory,
    inside: Redacting<'a>,
    names: Names,
    /// `None` after the end.
    writer: Option<Writer>,
    left_out: u64,
}

impl Pieces for Packer<'_> {
    fn next_piece(&mut self) -> Result<Option<Stream<'static>>, RedactError> {
        let Some(mut writer) = self.writer.take() else { return Ok(None) };
        while let Some(record) = self.directory.next()? {
            if let Some(piece) = self.member(&record, &mut writer)? {
                self.writer = Some(writer);
                return Ok(Some(piece));
            }
        }
        // An archive of nothing but what had to be left out is left out as a whole.
        if !writer.has_files() && self.left_out > 0 {
            return Err(RedactError::NotReadable);
        }
        writer.finish().map(Some)
    }
}

impl Packer<'_> {
    fn member(&mut self, record: &Record, writer: &mut Writer) -> Result<Option<Stream<'static>>, RedactError> {
        let reason = match (record.kind(), MemberName::parse(&record.name)) {
            (_, None) => Reason::BadName,
            (Kind::Directory, Some(name)) => {
                let name = self.names.directory(&name, self.inside.engine);
                return Ok(Some(Box::new(Cursor::new(writer.directory(&name, record)?))));
            }
            (Kind::File, _) if record.is_encrypted() => Reason::NotReadable,
            (Kind::File, Some(MemberName::Path { dot, path })) => {
                match content::open(&self.directory, record, &self.inside.opening)? {
                    None => Reason::NotReadable,
                    Some(content) => {
                        let mut packed = writer.pack(self.inside.opening.spool(), record);
                        if !self.inside.member(&path, content, &mut packed)? {
                            self.left_out += 1;
                            return Ok(None);
                        }
                        match self.names.file(dot, &path, self.inside.engine) {
                            Some(name) => return writer.file(&name, record, packed).map(Some),
                            None => Reason::BadName,
                        }
                    }
                }
            }
            (Kind::File, Some(MemberName::Root)) => Reason::BadName,
            (Kind::Link, _) => Reason::Link,
            (Kind::Device, _) => Reason::NotAFile,
            (Kind::Unknown, _) => Reason::NotReadable,
        };
        self.left_out += 1;
        self.inside.leave_out(&String::from_utf8_lossy(&record.name), reason);
        Ok(None)
    }
}
