use std::io::Read;
use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;
use crate::item::Content;
use crate::redact::Category;

struct Nothing;

impl Content for Nothing {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(io::empty()))
    }
}

/// Gives some bytes and then the error.
struct Failing(&'static [u8], Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => self.1.take().map_or(Ok(0), Err),
            length => Ok(length),
        }
    }
}

fn added(error: io::Error) -> Result<Result<(Entry, Vec<LeftOut>), Reason>, Stop> {
    let directory = tempfile::tempdir().unwrap();
    let rng = &mut StdRng::seed_from_u64(1);
    let mut packer = Packer::new(Vec::new(), &PackOptions::new(directory.path()), rng).unwrap();
    let path: ArchivePath = "a".parse().unwrap();
    let item = Item { path: path.clone(), size: 4, modified: None, content: Box::new(Nothing) };
    let reader = Box::new(Failing(b"text", Some(error)));
    add(&mut packer, Redacted::new(path, &item, reader, Arc::default(), None), directory.path())
}

#[test]
fn a_hit_of_the_gate_ends_everything_and_other_faults_leave_the_item_out() {
    let value = crate::secret::Secret::new("a@b.example".to_owned());
    let hit = GateHit { path: "a".into(), line: 3, rule: Category::Email, value };
    let stopped = added(RedactError::Gate(hit.clone()).into());
    assert!(matches!(stopped, Err(Stop::Error(CreateError::Gate(found))) if found == hit));
    for (error, reason) in [
        (RedactError::NotReadable.into(), Reason::NotReadable),
        (RedactError::TooLarge.into(), Reason::TooLarge),
        (RedactError::Damaged(io::ErrorKind::UnexpectedEof.into()).into(), Reason::Damaged),
        (io::ErrorKind::NotFound.into(), Reason::Vanished),
        (io::ErrorKind::PermissionDenied.into(), Reason::NotPermitted),
        (RedactError::TooDeep.into(), Reason::TooDeep),
        (io::Error::other("a bad sector"), Reason::ReadError),
        // A full disk of the source is a fault of the source, not of the output.
        (io::ErrorKind::StorageFull.into(), Reason::ReadError),
    ] {
        assert!(matches!(added(error), Ok(Err(found)) if found == reason), "{reason:?}");
    }
}
