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

use super::gathered::Gathered;
use super::joined::{Joined, Pieces};
use super::member_name::{Kind, MemberName, Names};
use super::redacting::spool_all;
use super::{Container, Opening, Redacting, Surveying};
use crate::item::{ArchivePath, Reason};
use crate::redact::database::Companion;
use crate::redact::decode::Stream;
use crate::redact::error::RedactError;
use crate::redact::rules::Rules;

use self::directory::Directory;
use self::record::Record;
use self::writer::Writer;

pub(crate) struct Zip;

impl Container for Zip {
    fn recognises(&self, head: &[u8]) -> bool {
        head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
    }

    fn survey(&self, input: Stream<'_>, inside: &mut Surveying<'_>) -> Result<(), RedactError> {
        let mut members = Members { directory: open(input, &inside.opening)?, ahead: None };
        while let Some(record) = members.next()? {
            match (record.kind(), MemberName::parse(&record.name)) {
                (Kind::File, Some(MemberName::Path { path, .. })) if !record.is_encrypted() => {
                    let rules = &inside.survey.rules;
                    if let Some(content) = members.content(&record, &path, rules, &inside.opening, &mut |_, _| {})? {
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
        let members = Members { directory: open(input, &inside.opening)?, ahead: None };
        let writer = Some(Writer::new(inside.opening.spool()));
        let packer = Packer { members, inside: inside.clone(), names: Names::default(), writer, left_out: 0 };
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

/// The members of an archive.
struct Members {
    directory: Directory,
    /// What stands behind a database, when that was looked for.
    ahead: Option<Record>,
}

impl Members {
    /// The next member; `None` after the last.
    fn next(&mut self) -> Result<Option<Record>, RedactError> {
        match self.ahead.take() {
            Some(record) => Ok(Some(record)),
            None => self.directory.next(),
        }
    }

    /// The content of the member that was given last, a database with what belongs to it; `heard` hears of that. `None` where
    /// the member's method is not known.
    fn content(
        &mut self,
        record: &Record,
        path: &ArchivePath,
        rules: &Rules,
        opening: &Arc<Opening>,
        heard: &mut dyn FnMut(&ArchivePath, Reason),
    ) -> Result<Option<Stream<'static>>, RedactError> {
        let open = |record: &Record| content::open(&self.directory, record, opening);
        let Some(content) = open(record)? else { return Ok(None) };
        if rules.leaves_out(path.as_str()).is_some() {
            return Ok(Some(content));
        }
        let mut database = match Gathered::of(content, opening) {
            Ok(Ok(database)) => database,
            // What is wrong with the member itself shows again where it is read.
            Ok(Err(_)) => return open(record),
            Err(error) if error.of_member().is_some() => return open(record),
            Err(error) => return Err(error),
        };
        while let Some(next) = self.directory.next()? {
            let companion = match (next.kind(), MemberName::parse(&next.name)) {
                (Kind::File, Some(MemberName::Path { path: name, .. })) if !next.is_encrypted() => {
                    Companion::of(path.as_str(), name.as_str()).map(|companion| (companion, name))
                }
                _ => None,
            };
            let companion = companion.filter(|(_, name)| rules.leaves_out(name.as_str()).is_none());
            let content = companion.as_ref().map(|_| content::open(&self.directory, &next, opening)).transpose()?;
            let (Some((companion, name)), Some(Some(content))) = (companion, content) else {
                self.ahead = Some(next);
                break;
            };
            heard(&name, database.take(companion, content)?);
        }
        Ok(Some(database.finish()))
    }
}

/// Reads one archive and writes the other, member by member.
struct Packer<'a> {
    members: Members,
    inside: Redacting<'a>,
    names: Names,
    /// `None` after the end.
    writer: Option<Writer>,
    left_out: u64,
}

impl Pieces for Packer<'_> {
    fn next_piece(&mut self) -> Result<Option<Stream<'static>>, RedactError> {
        let Some(mut writer) = self.writer.take() else { return Ok(None) };
        while let Some(record) = self.members.next()? {
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
                let inside = &self.inside;
                let mut heard = |name: &ArchivePath, reason| inside.leave_out(name.as_str(), reason);
                match self.members.content(record, &path, &inside.engine.rules, &inside.opening, &mut heard)? {
                    None => Reason::NotReadable,
                    Some(content) => {
                        let mut packed = writer.pack(inside.opening.spool(), record);
                        if !inside.member(&path, content, &mut packed)? {
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
