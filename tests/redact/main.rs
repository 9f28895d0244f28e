//! The door of the redact room, tried as the pipeline tries it and as an enemy would.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../support/logs.rs"]
mod logs;
#[path = "../../fixtures/pexip/mod.rs"]
mod pexip_snapshot;
#[path = "../support/readable.rs"]
mod readable;

mod archive_tools;
mod cases;
mod containers;
mod databases;
mod hostile_containers;
mod pexip;
mod profiles;
mod properties;
mod secrets;
mod shapes;
mod tickets;
mod traps;

use std::io::{self, Read};

use rand::SeedableRng;
use rand::rngs::StdRng;
use tarseal::item::{ArchivePath, Content, Item, LeftOut};
use tarseal::redact::{Counts, Learned, RedactError, Redactor, Rules, Survey, TicketKey, Vault, VaultEntry};

/// An item that lies in memory.
struct Bytes(Vec<u8>);

impl Content for Bytes {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(io::Cursor::new(self.0.clone())))
    }
}

fn item(path: &str, bytes: &[u8]) -> Item {
    Item {
        path: path.parse().unwrap(),
        size: bytes.len() as u64,
        modified: None,
        content: Box::new(Bytes(bytes.to_vec())),
    }
}

fn key() -> TicketKey {
    TicketKey::from_bytes([42; 32])
}

fn survey(rules: &Rules, items: &[Item]) -> Result<Learned, LeftOut> {
    let mut survey = Survey::new(rules);
    for item in items {
        survey.learn_path(&item.path);
        survey.read(item)?;
    }
    Ok(survey.finish())
}

fn read(redactor: &Redactor, item: &Item) -> Result<(Vec<u8>, Counts), RedactError> {
    let mut redacted = redactor.redact(item).unwrap_or_else(|left_out| panic!("{left_out:?}"));
    let mut bytes = Vec::new();
    match redacted.read_to_end(&mut bytes) {
        Ok(_) => Ok((bytes, redacted.finish())),
        Err(error) => {
            assert!(RedactError::from_io(&error).is_some(), "{error}");
            match error.into_inner().map(<dyn std::error::Error + Send + Sync>::downcast::<RedactError>) {
                Some(Ok(error)) => Err(*error),
                other => panic!("{other:?}"),
            }
        }
    }
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

fn vault() -> Vault {
    Vault::new(env!("CARGO_TARGET_TMPDIR").as_ref(), &mut rng())
}

/// What the vault of a redactor holds, by stand-in: it is entered in no particular order.
fn entries(redactor: Redactor) -> Vec<VaultEntry> {
    let vault = redactor.into_vault().unwrap().expect("a vault was kept");
    let mut entries: Vec<_> = Vault::entries(io::BufReader::new(vault.reader())).map(Result::unwrap).collect();
    entries.sort();
    entries
}

/// Surveys and redacts texts, in order.
fn redact(texts: &[&str]) -> Vec<String> {
    let rules = Rules::default();
    let items: Vec<_> = (0..).zip(texts).map(|(n, text)| item(&format!("log.{n}"), text.as_bytes())).collect();
    let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key());
    items.iter().map(|item| String::from_utf8(read(&redactor, item).unwrap().0).unwrap()).collect()
}

fn redact_one(text: &str) -> String {
    redact(&[text]).remove(0)
}

fn path(text: &str) -> ArchivePath {
    text.parse().unwrap()
}
