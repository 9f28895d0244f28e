//! From items to a sealed file.

use std::io;
use std::path::{Path, PathBuf};

use rand::CryptoRng;

use super::filter::{Filter, reason};
use super::meter::{Meter, Metered};
use super::output::{PartialFile, parent};
use crate::clock::Timestamp;
use crate::format::{Recipient, SealError, SealOptions, SealWriter, SenderKey, Share, ShareField};
use crate::ids::{FileId, TicketId};
use crate::item::{ArchivePath, CollectReport, Item, LeftOut, Reason};
use crate::pack::{AddError, Digest, Entry, Manifest, ManifestVersion, PackOptions, Packer};
use crate::progress::{Progress, Step, count};
use crate::redact::{
    Consent, Counts, GateHit, Given, RedactError, Redacted, Redactor, Rules, Sample, SetAside, Survey, TicketKey,
    Vault, unite_databases,
};
use crate::spool::Spools;

/// What is to be made.
pub struct Plan<'a> {
    /// What was collected.
    pub items: Vec<Item>,
    /// What was found and not collected; goes into the manifest.
    pub left_out: Vec<LeftOut>,
    /// What came of each source, for the manifest.
    pub collected: Option<CollectReport>,
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
    /// How hard it is compressed: a zstd level of [`PackOptions::LEVELS`]; 1 is the quickest, and enough for logs.
    pub level: i32,
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
        /// What the ticket has given out before.
        given: Given,
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
    /// What the ticket has given out, for its next snapshot; stays with the sender. Nothing without redaction.
    pub given: Given,
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
    let begin = || PartialFile::new(output).map_err(|error| local(output, error));
    let file = begin()?;
    // A database and the log beside it are one.
    let (items, mut left_out) = match &plan.redaction {
        Redaction::Rules { rules, .. } => unite_databases(plan.items, &rules.limits),
        Redaction::None(_) => (plan.items, Vec::new()),
    };
    let (meter, mut items) = Meter::new(items);
    let mut set_aside = Vec::new();

    let filter = match plan.redaction {
        Redaction::None(consent) => Filter::Nothing(consent),
        Redaction::Rules { rules, key, given } => {
            let spools = Spools::new(parent(output), rng);
            let survey = || {
                let mut survey = Survey::new(&rules).with_spools(spools.clone());
                items.retain(|metered| learn(&mut survey, metered, &mut left_out));
                let summary = format!("{} read", count(items.len() as u64, "file"));
                Ok::<_, CreateError>((survey.finish(), summary))
            };
            let learned = meter.pass(Step::Survey, progress, survey)?;
            set_aside = learned.set_aside();
            let vault = Vault::new(parent(output), rng);
            let redactor = Redactor::new(rules, learned, key).after(given);
            Filter::Redactor(Box::new(redactor.keeping(vault).sampling().with_spools(spools)))
        }
    };
    left_out.extend(plan.left_out);
    let collected = plan.collected.map(|report| filter.report(report));
    let left_out = left_out.into_iter().map(|left_out| filter.left_out(left_out)).collect();

    let mut order: Vec<(ArchivePath, Metered)> =
        items.into_iter().map(|metered| (filter.path(&metered.item.path), metered)).collect();
    order.sort_by(|(one, _), (other, _)| one.cmp(other));

    let packing = Packing {
        order,
        filter,
        left_out,
        collected,
        seal: SealOptions { created: plan.created, recipients: plan.recipients, share: plan.share },
        pack: PackOptions { level: plan.level, ..PackOptions::new(parent(output)) },
        sender: plan.sender,
        ticket: plan.ticket,
        output,
        meter,
        progress,
    };
    let (file, file_id, manifest) = match packing.run(file, false, rng) {
        // An item changed while it was read. What was begun is given up, keys and all; now every item waits until it was
        // read to its end.
        Err(Stop::Torn) => packing.run(begin()?, true, rng),
        other => other,
    }
    .map_err(|stop| match stop {
        Stop::Error(error) => error,
        Stop::Torn => local(output, io::Error::other("an item that was held was torn")),
    })?;
    let (vault, samples, given) = match packing.filter {
        Filter::Redactor(redactor) => {
            let (samples, given) = (redactor.samples(), redactor.given().clone());
            (redactor.into_vault().map_err(|error| local(output, error))?, samples, given)
        }
        Filter::Nothing(_) => (None, Vec::new(), Given::default()),
    };
    let (size, sha256) = file.keep().map_err(|error| local(output, error))?;
    Ok(Created { file_id, size, sha256, manifest, vault, given, samples, set_aside })
}

/// All that is needed to pack and seal what was found.
struct Packing<'a> {
    /// The items in the archive's order, by their redacted paths.
    order: Vec<(ArchivePath, Metered)>,
    filter: Filter,
    left_out: Vec<LeftOut>,
    collected: Option<CollectReport>,
    seal: SealOptions<'a>,
    pack: PackOptions,
    /// Signs what is sealed.
    sender: Option<&'a SenderKey>,
    ticket: Option<TicketId>,
    output: &'a Path,
    meter: Meter,
    progress: &'a dyn Progress,
}

/// Why packing ended early.
enum Stop {
    /// For good.
    Error(CreateError),
    /// An item failed after its beginning was sealed. It can be done again with every item held.
    Torn,
}

impl From<CreateError> for Stop {
    fn from(error: CreateError) -> Self {
        Self::Error(error)
    }
}

impl Packing<'_> {
    /// Packs and seals into `file`, under fresh keys. Gives it back with its id and its manifest.
    fn run(
        &self,
        file: PartialFile,
        hold: bool,
        rng: &mut dyn CryptoRng,
    ) -> Result<(PartialFile, FileId, Manifest), Stop> {
        let local = |error: io::Error| Stop::Error(local(self.output, error));
        let seal = match self.sender {
            Some(key) => SealWriter::signed(file, &self.seal, key.sender(), rng),
            None => SealWriter::new(file, &self.seal, rng),
        };
        let seal = seal.map_err(|error| match error {
            SealError::Write(source) => local(source),
            other => Stop::Error(CreateError::Seal(other)),
        })?;
        let (file_id, header) = (seal.header().file_id, seal.header().digest());
        let options = PackOptions { hold, ..self.pack.clone() };
        let mut packer = Packer::new(seal, &options, rng).map_err(local)?;
        let mut manifest = self.empty_manifest();
        let pack = || {
            for (_, metered) in &self.order {
                self.pack_one(metered, &mut packer, &mut manifest)?;
            }
            if manifest.entries.iter().all(|entry| entry.size == 0) {
                return Err(Stop::Error(CreateError::Empty { left_out: std::mem::take(&mut manifest.left_out) }));
            }
            manifest.left_out.sort_by(|one, other| (&one.path, one.reason).cmp(&(&other.path, other.reason)));
            let findings: u64 = manifest.findings.values().sum();
            let (files, values) = (count(manifest.entries.len() as u64, "file"), count(findings, "value"));
            let summary = format!("{files}, {values} replaced, {} left out", manifest.left_out.len());
            Ok(((), summary))
        };
        self.meter.pass(Step::Redact, self.progress, pack)?;
        let packed = match self.sender {
            Some(key) => packer.finish_signed(&manifest, &|digest| key.sign(&header, &digest.0)),
            None => packer.finish(&manifest),
        };
        let file = packed.and_then(SealWriter::finish).map_err(local)?;
        Ok((file, file_id, manifest))
    }

    fn empty_manifest(&self) -> Manifest {
        Manifest {
            version: ManifestVersion,
            tool: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
            created: self.seal.created,
            ticket: self.ticket.clone(),
            redacted: matches!(self.filter, Filter::Redactor(_)),
            entries: Vec::with_capacity(self.order.len()),
            left_out: self.left_out.clone(),
            findings: Counts::new(),
            collected: self.collected.clone(),
        }
    }

    /// Packs one item, or lists it among those that were left out.
    fn pack_one<W: io::Write>(
        &self,
        metered: &Metered,
        packer: &mut Packer<W>,
        manifest: &mut Manifest,
    ) -> Result<(), Stop> {
        metered.rewind();
        let packed = match self.filter.open(&metered.item) {
            Ok(redacted) => add(packer, redacted, self.output)?,
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
                manifest.left_out.push(self.filter.left_out(LeftOut { path, reason }));
            }
        }
        metered.settle();
        Ok(())
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
) -> Result<Result<(Entry, Vec<LeftOut>), Reason>, Stop> {
    match packer.add(&mut redacted) {
        Ok(entry) => {
            let members = redacted.take_left_out();
            Ok(Ok((Entry { findings: redacted.finish(), ..entry }, members)))
        }
        Err(AddError::Source(error)) => match RedactError::from_io(&error) {
            Some(RedactError::Gate(hit)) => Err(Stop::Error(CreateError::Gate(hit.clone()))),
            // A spool beside the output could not be written.
            Some(RedactError::Write(_)) => Err(Stop::Error(local(output, error))),
            _ => Ok(Err(reason(&error))),
        },
        Err(AddError::Torn(_)) => Err(Stop::Torn),
        Err(AddError::NoPlace(_)) => Ok(Err(Reason::BadName)),
        Err(AddError::TooLarge(what)) => Err(Stop::Error(CreateError::TooLarge(what))),
        Err(AddError::Output(error)) => Err(Stop::Error(local(output, error))),
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
mod tests;
