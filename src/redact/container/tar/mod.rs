//! tar: old, ustar, pax and GNU archives are read; GNU headers are written.
//!
//! Kept: the order of members, directories, a leading `./`, permissions without set-user-ID and the like, times in seconds.
//! Owners, groups, extended attributes and comments are gone. Links, devices and sparse files are left out and listed.

mod header;
mod reader;

use std::io::{Cursor, Read};
use std::sync::Arc;

use super::gathered::Gathered;
use super::joined::{Joined, Pieces};
use super::member_name::{Kind, MemberName, Names};
use super::{Container, Opening, Redacting, Surveying};
use crate::item::{ArchivePath, Reason};
use crate::redact::database::Companion;
use crate::redact::decode::Stream;
use crate::redact::error::RedactError;
use crate::redact::rules::Rules;
use crate::spool::SpoolReader;

use self::header::{BLOCK, padding};
use self::reader::{Entry, Reader};

pub(crate) struct Tar;

impl Container for Tar {
    fn recognises(&self, head: &[u8]) -> bool {
        head.get(257..262) == Some(b"ustar") || header::is_header(head)
    }

    fn survey(&self, input: Stream<'_>, inside: &mut Surveying<'_>) -> Result<(), RedactError> {
        let mut members = Members { reader: Reader::new(input), ahead: None };
        while let Some(entry) = members.next()? {
            inside.opening.count_member()?;
            match (entry.kind, entry.member()) {
                (Kind::File, Some(MemberName::Path { path, .. })) => {
                    let opening = Arc::clone(&inside.opening);
                    inside.member(&path, members.content(&path, &inside.survey.rules, &opening, &mut |_, _| {})?)?;
                }
                (Kind::Directory, Some(MemberName::Path { path, .. })) => inside.name(&path),
                _ => {}
            }
        }
        Ok(())
    }

    fn redact<'a>(&self, input: Stream<'a>, inside: &Redacting<'a>) -> Result<Stream<'a>, RedactError> {
        let packer = Packer {
            members: Members { reader: Reader::new(input), ahead: None },
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

/// The members of an archive.
struct Members<'a> {
    reader: Reader<'a>,
    /// What stands behind a database, when that was looked for; `None` within is the end.
    ahead: Option<Option<Entry>>,
}

impl<'a> Members<'a> {
    /// The next member; `None` after the last.
    fn next(&mut self) -> Result<Option<Entry>, RedactError> {
        self.ahead.take().map_or_else(|| self.reader.next(), Ok)
    }

    /// The content of the member that was given last, a database with what belongs to it; `heard` hears of that.
    fn content(
        &mut self,
        path: &ArchivePath,
        rules: &Rules,
        opening: &Arc<Opening>,
        heard: &mut dyn FnMut(&ArchivePath, Reason),
    ) -> Result<Stream<'_>, RedactError> {
        if rules.leaves_out(path.as_str()).is_some() {
            return Ok(Box::new(self.reader.content()));
        }
        let mut database = match Gathered::of(self.reader.content(), opening)? {
            Ok(database) => database,
            Err(head) => return Ok(Box::new(Cursor::new(head).chain(self.reader.content()))),
        };
        loop {
            let next = self.reader.next()?;
            let companion = next.as_ref().and_then(|entry| match (entry.kind, entry.member()) {
                (Kind::File, Some(MemberName::Path { path: name, .. })) => {
                    Some((Companion::of(path.as_str(), name.as_str())?, name))
                }
                _ => None,
            });
            let Some((companion, name)) = companion.filter(|(_, name)| rules.leaves_out(name.as_str()).is_none())
            else {
                self.ahead = Some(next);
                return Ok(database.finish());
            };
            opening.count_member()?;
            heard(&name, database.take(companion, self.reader.content())?);
        }
    }
}

/// Reads one archive and writes the other, member by member.
struct Packer<'a> {
    members: Members<'a>,
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
        while let Some(entry) = self.members.next()? {
            self.inside.opening.count_member()?;
            if let Some(piece) = self.member(&entry)? {
                return Ok(Some(piece));
            }
        }
        self.ended = true;
        if self.members.reader.goes_on_after_the_end() {
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
                let inside = &self.inside;
                let mut heard = |name: &ArchivePath, reason| inside.leave_out(name.as_str(), reason);
                let content = self.members.content(&path, &inside.engine.rules, &inside.opening, &mut heard)?;
                if !inside.member(&path, content, &mut spool)? {
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
