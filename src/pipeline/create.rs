//! From items to a sealed file.

use std::io;
use std::path::{Path, PathBuf};

use rand::CryptoRng;

use super::meter::{Meter, Metered};
use super::output::{PartialFile, parent};
use crate::clock::Timestamp;
use crate::format::{Recipient, SealError, SealOptions, SealWriter, SenderKey, Share, ShareField};
use crate::ids::{FileId, TicketId};
use crate::item::{ArchivePath, Item, LeftOut, Reason};
use crate::pack::{AddError, Digest, Entry, Manifest, ManifestVersion, PackOptions, Packer};
use crate::progress::{Progress, Step};
use crate::redact::{
    Consent, Counts, GateHit, RedactError, Redacted, Redactor, Rules, Sample, SetAside, Survey, TicketKey, Vault,
    unite_databases,
};
use crate::spool::Spools;

/// What is to be made.
pub struct Plan<'a> {
    /// What was collected.
    pub items: Vec<Item>,
    /// What was found and not collected; goes into the manifest.
    pub left_out: Vec<LeftOut>,
    /// What happens to personal values.
    pub redaction: Redaction,
    /// Who may open the file.
    pub recipients: &'a [Recipient],
    /// Who signs it; `None` leaves it unsigned.
    pub sender: Option<&'a SenderKey>,
    /// The portal's part of the file key, if there is a portal.
    pub share: Option<(ShareField, &'a Share)>,
    /// The ticket it belongs to.
    pub ticket: Option<TicketId>,
    /// The present instant.
    pub created: Timestamp,
}

/// What happens to personal values.
#[expect(clippy::large_enum_variant, reason = "there is one for each run")]
pub enum Redaction {
    /// They are replaced by these rules, with stand-ins from this key.
    Rules {
        /// What to do with each category.
        rules: Rules,
        /// Makes stand-ins the same for the whole ticket.
        key: TicketKey,
    },
    /// Nothing, and the manifest says so.
    None(Consent),
}

/// A sealed file that is there, whole and on the disk.
pub struct Created {
    /// Names it, in its header and on the portal.
    pub file_id: FileId,
    /// Its length in bytes.
    pub size: u64,
    /// The digest of its bytes.
    pub sha256: Digest,
    /// What is in it.
    pub manifest: Manifest,
    /// The way back from stand-ins to values; stays with the sender. `None` without redaction.
    pub vault: Option<Vault>,
    /// The first findings of each category, for the review on this computer: they hold values.
    pub samples: Vec<Sample>,
    /// What was learned and is hidden only beside a key, for the same review.
    pub set_aside: Vec<SetAside>,
}

/// Why nothing was made. There is no file and no part of one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// There is nothing to send: no item, or none that could be redacted, or all of them empty.
    #[error("there is nothing to send")]
    Empty {
        /// What was left out and why; paths are redacted.
        left_out: Vec<LeftOut>,
    },
    /// Personal data was found in what was about to be sealed.
    #[error("the gate found personal data that is left: {0}")]
    Gate(GateHit),
    /// More than a snapshot can hold.
    #[error("the snapshot would become too large: {0}")]
    TooLarge(&'static str),
    /// It cannot be sealed like this: no recipient, too many, an unusable portal address.
    #[error("it could not be sealed")]
    Seal(#[source] SealError),
    /// There is something at the output's path already.
    #[error("{} is there already", .0.display())]
    OutputExists(PathBuf),
    /// The disk of the output is full, or a quota is used up.
    #[error("there is no room left for {}", .0.display())]
    DiskFull(PathBuf),
    /// The output could not be written.
    #[error("{} could not be written", path.display())]
    Output {
        /// The output.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Surveys, redacts, packs and seals in two passes over the items, and puts the sealed file at `output`.
///
/// While it is written it is called `OUTPUT.partial-…`; after any error nothing is left. Items that cannot be read or
/// redacted are left out and listed in the manifest; a hit of the gate stops everything. `rng` gives all keys.
pub fn create(
    plan: Plan<'_>,
    output: &Path,
    rng: &mut dyn CryptoRng,
    progress: &dyn Progress,
) -> Result<Created, CreateError> {
    let local = |error: io::Error| local(output, error);
    let file = PartialFile::new(output).map_err(local)?;
    // A database and the log beside it are one.
    let (items, mut left_out) = match &plan.redaction {
        Redaction::Rules { rules, .. } => unite_databases(plan.items, &rules.limits),
        Redaction::None(_) => (plan.items, Vec::new()),
    };
    let (meter, mut items) = Meter::new(items);
    let mut set_aside = Vec::new();

    let spools = Spools::new(parent(output), rng);
    let filter = match plan.redaction {
        Redaction::None(consent) => Filter::Nothing(consent),
        Redaction::Rules { rules, key } => {
            let survey = || {
                let mut survey = Survey::new(&rules).with_spools(spools.clone());
                items.retain(|metered| learn(&mut survey, metered, &mut left_out));
                let summary = format!("{} files read", items.len());
                Ok::<_, CreateError>((survey.finish(), summary))
            };
            let learned = meter.pass(Step::Survey, progress, survey)?;
            set_aside = learned.set_aside();
            let vault = Vault::new(parent(output), rng);
            Filter::Redactor(Box::new(Redactor::new(rules, learned, key).keeping(vault).sampling().with_spools(spools)))
        }
    };
    left_out.extend(plan.left_out);
    let left_out = left_out.into_iter().map(|left_out| filter.left_out(left_out)).collect();

    let mut order: Vec<(ArchivePath, Metered)> =
        items.into_iter().map(|metered| (filter.path(&metered.item.path), metered)).collect();
    order.sort_by(|(one, _), (other, _)| one.cmp(other));

    let options = SealOptions { created: plan.created, recipients: plan.recipients, share: plan.share };
    let seal = match plan.sender {
        Some(key) => SealWriter::signed(file, &options, key.sender(), rng),
        None => SealWriter::new(file, &options, rng),
    };
    let seal = seal.map_err(|error| match error {
        SealError::Write(source) => local(source),
        other => CreateError::Seal(other),
    })?;
    let (file_id, header) = (seal.header().file_id, seal.header().digest());
    let packer = Packer::new(seal, &PackOptions::new(parent(output)), rng).map_err(local)?;

    let mut manifest = Manifest {
        version: ManifestVersion,
        tool: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
        created: plan.created,
        ticket: plan.ticket,
        redacted: matches!(filter, Filter::Redactor(_)),
        entries: Vec::with_capacity(order.len()),
        left_out,
        findings: Counts::new(),
    };
    let pack = || {
        let mut packer = packer;
        for (_, metered) in &order {
            metered.rewind();
            let packed = match filter.open(&metered.item) {
                Ok(redacted) => add(&mut packer, redacted, output)?,
                Err(reason) => Err(reason),
            };
            match packed {
                Ok((entry, members)) => {
                    manifest.left_out.extend(members);
                    for (category, count) in &entry.findings {
                        *manifest.findings.entry(*category).or_default() += count;
                    }
                    manifest.entries.push(entry);
                }
                Err(reason) => {
                    let path = metered.item.path.as_str().to_owned();
                    manifest.left_out.push(filter.left_out(LeftOut { path, reason }));
                }
            }
            metered.settle();
        }
        if manifest.entries.iter().all(|entry| entry.size == 0) {
            return Err(CreateError::Empty { left_out: std::mem::take(&mut manifest.left_out) });
        }
        manifest.left_out.sort_by(|one, other| (&one.path, one.reason).cmp(&(&other.path, other.reason)));
        let findings: u64 = manifest.findings.values().sum();
        let summary = format!(
            "{} files, {findings} values replaced, {} left out",
            manifest.entries.len(),
            manifest.left_out.len()
        );
        Ok((packer, summary))
    };
    let packer = meter.pass(Step::Redact, progress, pack)?;

    let packed = match plan.sender {
        Some(key) => packer.finish_signed(&manifest, &|digest| key.sign(&header, &digest.0)),
        None => packer.finish(&manifest),
    };
    let file = packed.and_then(SealWriter::finish).map_err(local)?;
    let (vault, samples) = match filter {
        Filter::Redactor(redactor) => {
            let samples = redactor.samples();
            (redactor.into_vault().map_err(local)?, samples)
        }
        Filter::Nothing(_) => (None, Vec::new()),
    };
    let (size, sha256) = file.keep().map_err(local)?;
    Ok(Created { file_id, size, sha256, manifest, vault, samples, set_aside })
}

/// What items go through on their way to the packer.
enum Filter {
    Redactor(Box<Redactor>),
    Nothing(Consent),
}

impl Filter {
    fn path(&self, path: &ArchivePath) -> ArchivePath {
        match self {
            Self::Redactor(redactor) => redactor.path(path),
            Self::Nothing(_) => path.clone(),
        }
    }

    fn left_out(&self, left_out: LeftOut) -> LeftOut {
        match self {
            Self::Redactor(redactor) => redactor.left_out(left_out),
            Self::Nothing(_) => left_out,
        }
    }

    fn open<'a>(&'a self, item: &'a Item) -> Result<Redacted<'a>, Reason> {
        match self {
            Self::Redactor(redactor) => redactor.redact(item).map_err(|left_out| left_out.reason),
            Self::Nothing(consent) => Redacted::unredacted(item, *consent).map_err(|error| reason(&error)),
        }
    }
}

/// Shows an item to the survey; false when it has to be left out.
fn learn(survey: &mut Survey, metered: &Metered, left_out: &mut Vec<LeftOut>) -> bool {
    let item = &metered.item;
    survey.learn_path(&item.path);
    let learned = survey.read(item);
    metered.settle();
    match learned {
        Ok(()) => true,
        Err(LeftOut { reason, .. }) => {
            left_out.push(LeftOut { path: item.path.as_str().to_owned(), reason });
            false
        }
    }
}

/// Packs one item, and tells which members of an archive are not in it. The inner error leaves it out, the outer one ends everything.
fn add<W: io::Write>(
    packer: &mut Packer<W>,
    mut redacted: Redacted<'_>,
    output: &Path,
) -> Result<Result<(Entry, Vec<LeftOut>), Reason>, CreateError> {
    match packer.add(&mut redacted) {
        Ok(entry) => {
            let members = redacted.take_left_out();
            Ok(Ok((Entry { findings: redacted.finish(), ..entry }, members)))
        }
        Err(AddError::Source(error)) => match RedactError::from_io(&error) {
            Some(RedactError::Gate(hit)) => Err(CreateError::Gate(hit.clone())),
            // A spool beside the output could not be written.
            Some(RedactError::Write(_)) => Err(local(output, error)),
            _ => Ok(Err(reason(&error))),
        },
        Err(AddError::NoPlace(_)) => Ok(Err(Reason::BadName)),
        Err(AddError::TooLarge(what)) => Err(CreateError::TooLarge(what)),
        Err(AddError::Output(error)) => Err(local(output, error)),
    }
}

/// What an error while reading an item means for the snapshot.
fn reason(error: &io::Error) -> Reason {
    match RedactError::from_io(error).and_then(RedactError::reason) {
        Some(reason) => reason,
        None => match error.kind() {
            io::ErrorKind::NotFound => Reason::Vanished,
            io::ErrorKind::PermissionDenied => Reason::NotPermitted,
            _ => Reason::ReadError,
        },
    }
}

/// What an error of this machine's disk means.
fn local(output: &Path, error: io::Error) -> CreateError {
    let path = output.to_owned();
    match error.kind() {
        io::ErrorKind::AlreadyExists => CreateError::OutputExists(path),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => CreateError::DiskFull(path),
        _ => CreateError::Output { path, source: error },
    }
}

#[cfg(test)]
mod tests {
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

    fn added(error: io::Error) -> Result<Result<(Entry, Vec<LeftOut>), Reason>, CreateError> {
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
        assert!(matches!(added(RedactError::Gate(hit.clone()).into()), Err(CreateError::Gate(found)) if found == hit));
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
}
