//! Requests on the sender's side: a code or a file becomes what is asked, if somebody vouches for who signed it.
//!
//! A code is redeemed at the portal once. What came of it is kept, 0600, so that a run that ended before anything was sent can
//! begin again with the same code; the token goes when nothing of the ticket is left at the portal.

mod kept;
mod signers;
mod words;

pub use kept::{forget, kept_token, spent};
pub use words::{day, wanted, when};

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use self::kept::{keep_token, redeemed};
use self::signers::{know, known_since};
use self::words::shortest;
use super::Desk;
use super::args::SnapshotArguments;
use super::command::remote::{self, sentence};
use super::exit::{Exit, Failure};
use super::output::{count, shown, size as in_words};
use super::settings::{Set, Settings};
use super::vendors::{self, Vendor};
use crate::clock::Timestamp;
use crate::format::request::{Asked, ClaimedRequest, MAX_LENGTH, RequestError, Signer};
use crate::ids::TicketId;
use crate::send::PortalAddress;
use crate::track::RetentionPolicy;
use crate::wire::{NotACode, RequestCode};

/// What is true until something is collected.
const NOTHING_YET: &str = "Nothing was collected, nothing has left this computer.";
/// The ending of a request's file.
const ENDING: &str = "tsreq";

/// A request as a file: the code and the signed note. Whoever has it can send for the ticket.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestFile {
    edition: u32,
    code: RequestCode,
    request: String,
}

impl RequestFile {
    /// The file of a request.
    pub const fn new(code: RequestCode, request: String) -> Self {
        Self { edition: 1, code, request }
    }

    /// Its text.
    pub fn to_text(&self) -> Zeroizing<String> {
        (serde_json::to_string_pretty(self).expect("plain values are JSON") + "\n").into()
    }
}

/// What somebody named as a request.
pub enum Named {
    /// By its code.
    Code(RequestCode),
    /// By its file.
    File(RequestFile),
}

/// What is asked, and by whom.
pub struct Requested {
    /// What is asked.
    pub asked: Asked,
    /// The portal to send to.
    pub portal: PortalAddress,
    /// The code, as it is shown.
    code: RequestCode,
    voucher: Voucher,
    keeping: Option<(u16, u16)>,
}

/// Why the signer is believed.
enum Voucher {
    /// A vendor that was pinned.
    Vendor { name: String, vendor: String },
    /// Its words were typed.
    Known { since: Timestamp },
}

/// What an argument names, if it names a request: a code, or a file that ends in `.tsreq`. What lies there as another file is
/// a path like any other.
pub fn named(argument: &std::ffi::OsStr) -> Result<Option<Named>, Failure> {
    let path = Path::new(argument);
    if path.extension().is_some_and(|ending| ending == ENDING) {
        return read_file(path).map(Named::File).map(Some);
    }
    let Some(text) = argument.to_str().filter(|_| path.symlink_metadata().is_err()) else { return Ok(None) };
    match text.parse() {
        Ok(code) => Ok(Some(Named::Code(code))),
        Err(NotACode::Check) if RequestCode::is_meant(text) => Err(Failure::usage(format_args!(
            "{} is not a request code: {}.",
            text.to_ascii_uppercase(),
            NotACode::Check
        ))
        .left(NOTHING_YET)
        .next("Ask the technician to read it again.")),
        Err(_) => Ok(None),
    }
}

/// What is to be said of an argument that names no file and may be a code with a few characters too many or too few.
pub fn mistyped(argument: &std::ffi::OsStr) -> Option<Failure> {
    let text = argument.to_str().filter(|_| Path::new(argument).symlink_metadata().is_err())?;
    let error = text.parse::<RequestCode>().err().filter(|_| RequestCode::may_be_meant(text))?;
    let failure =
        Failure::usage(format_args!("{text} is no file here, and no request code: {error}.")).left(NOTHING_YET);
    Some(
        failure
            .next("Ask the technician to read the code again.")
            .next("To send files, name the ticket:  --ticket 4711"),
    )
}

fn read_file(path: &Path) -> Result<RequestFile, Failure> {
    let shown = shown(&path.display().to_string()).into_owned();
    let damaged = |what: &str| Failure::new(Exit::Damaged, format_args!("{shown} is not a request: {what}."));
    let length = path.metadata().map_err(|error| Failure::local(format_args!("The request {shown}"), &error))?.len();
    if length > 2 * MAX_LENGTH as u64 {
        return Err(damaged("it is too large"));
    }
    let bytes = fs::read(path).map_err(|error| Failure::local(format_args!("The request {shown}"), &error))?;
    let file: RequestFile = serde_json::from_slice(&bytes).map_err(|_| damaged("it cannot be read"))?;
    if file.edition == 1 { Ok(file) } else { Err(damaged("it is of an edition this version does not know")) }
}

impl Named {
    /// Reads what a file asks, and believes it if somebody vouches for it, without a network: of a pinned vendor the key list
    /// that is kept here counts.
    pub fn open_offline(
        self,
        signer: Option<&str>,
        settings: &Settings,
        desk: &mut Desk<'_>,
    ) -> Result<Requested, Failure> {
        let Self::File(file) = self else {
            return Err(Failure::usage("A code is asked for at the portal, and sealing uses no network.")
                .left(NOTHING_YET)
                .next("Ask the technician for the request as a file:  tarseal request --ticket 4711 -o 4711.tsreq")
                .next("Where there is a network:  tarseal send CODE"));
        };
        let claimed = claimed(&file.request)?;
        let address = address_of(claimed.asked(), settings)?;
        vouched(claimed, &file.code, address, signer, None, desk)
    }

    /// Reads what is asked, from the portal for a code, and believes it if somebody vouches for it. Nothing is collected yet.
    ///
    /// `signer` are the words that were given for the key that signs.
    pub fn open(self, signer: Option<&str>, settings: &Settings, desk: &mut Desk<'_>) -> Result<Requested, Failure> {
        match self {
            Self::Code(code) => {
                let address = remote::address(settings)?;
                let redeemed = redeemed(&code, &address, settings, desk)?;
                let claimed = claimed(&redeemed.request)?;
                if claimed.asked().portal != address.as_str() {
                    let place = shown(&claimed.asked().portal).into_owned();
                    return Err(Failure::new(
                        Exit::Refused,
                        format_args!("The request is for another portal, {place}."),
                    )
                    .left(NOTHING_YET)
                    .next("Tell the technician."));
                }
                let requested = vouched(claimed, &code, address, signer, Some(settings), desk)?;
                keep_token(&requested.asked.ticket, &requested.portal, &redeemed, desk)?;
                Ok(Requested { keeping: Some((redeemed.after_close_days, redeemed.hard_cap_days)), ..requested })
            }
            Self::File(file) => {
                let claimed = claimed(&file.request)?;
                let address = address_of(claimed.asked(), settings)?;
                vouched(claimed, &file.code, address, signer, Some(settings), desk)
            }
        }
    }
}

impl Requested {
    /// Fills in what the request asks and the arguments leave open.
    pub fn fill_in(&self, arguments: &mut SnapshotArguments) {
        let asked = &self.asked;
        if arguments.to.is_empty() {
            arguments.to = asked.recipients.iter().map(ToString::to_string).collect();
        }
        if arguments.rules.profile.is_none() {
            arguments.rules.profile.clone_from(&asked.profile);
        }
        let window = &mut arguments.window;
        if window.last.is_none() && window.since.is_none() && window.until.is_none() {
            window.last = asked.last_seconds.and_then(|seconds| i64::try_from(seconds).ok());
            window.since = asked.since.map(|since| since.to_string());
            window.until = asked.until.map(|until| until.to_string());
        }
    }

    /// The request's ticket; a failure when another one was named.
    pub fn ticket(&self, named: Option<&TicketId>) -> Result<TicketId, Failure> {
        match named {
            Some(named) if *named != self.asked.ticket => {
                Err(Failure::usage(format_args!("The request is for ticket {}, not for {named}.", self.asked.ticket))
                    .left(NOTHING_YET)
                    .next("Leave  --ticket  out: the request says which ticket it is."))
            }
            _ => Ok(self.asked.ticket.clone()),
        }
    }

    /// Refuses a sealed file that is larger than the request allows.
    pub fn allows(&self, size: u64) -> Result<(), Failure> {
        match self.asked.max_bytes {
            Some(most) if size > most => Err(Failure::new(
                Exit::NotApproved,
                format_args!("It would be {}; the request allows {}.", in_words(size), in_words(most)),
            )
            .left("The sealed file was removed; nothing has left this computer.")
            .next("Leave something out, or ask the technician for a new request.")),
            _ => Ok(()),
        }
    }

    /// Makes sure that there is a token to send with: a request that came as a file is redeemed only now.
    pub fn redeem(&mut self, settings: &Settings, desk: &mut Desk<'_>) -> Result<(), Failure> {
        if self.keeping.is_some() {
            return Ok(());
        }
        let redeemed = redeemed(&self.code, &self.portal, settings, desk)?;
        if claimed(&redeemed.request)?.asked() != &self.asked {
            return Err(Failure::new(
                Exit::Damaged,
                "The portal has another request under this code than the file holds.",
            )
            .left(NOTHING_YET)
            .next("Tell the technician."));
        }
        keep_token(&self.asked.ticket, &self.portal, &redeemed, desk)?;
        self.keeping = Some((redeemed.after_close_days, redeemed.hard_cap_days));
        Ok(())
    }

    /// Shows what is asked, by whom, who will read it and how long it is kept.
    pub fn tell(&self, desk: &Desk<'_>) {
        let asked = &self.asked;
        let by = match &self.voucher {
            Voucher::Vendor { name, vendor } if name == vendor => format!("signed by {name}"),
            Voucher::Vendor { name, vendor } => format!("signed by {name} ({})", shown(vendor)),
            Voucher::Known { since } => format!("signed by the key you have trusted since {}", day(*since)),
        };
        desk.output.say(format!("Request {}, {by}, good until {}", self.code, when(asked.expires)));
        for line in wanted(asked) {
            desk.output.say(line);
        }
        let keys = match asked.recipients.len() {
            1 => "this key".to_owned(),
            more => format!("these {more} keys"),
        };
        let whose = match &self.voucher {
            Voucher::Vendor { name, .. } => format!("{keys} of {name}"),
            Voucher::Known { .. } => keys,
        };
        desk.output.say(format!("  Readable   only with {whose}: {}", shortest(&asked.recipients)));
        let policy = RetentionPolicy::default();
        let (after, cap) = self.keeping.unwrap_or((policy.after_close_days, policy.hard_cap_days));
        let last = desk.world.clock.now().plus_days(i64::from(cap));
        desk.output.say(format!(
            "  Kept       until {} after the ticket is closed, at most until {}",
            count(u64::from(after), "day"),
            day(last)
        ));
    }
}

fn claimed(note: &str) -> Result<ClaimedRequest, Failure> {
    ClaimedRequest::read(note)
        .map_err(|error| Failure::new(Exit::Damaged, sentence(&error.to_string())).left(NOTHING_YET))
}

/// The portal that a request's file names, if the settings and the policy agree.
fn address_of(asked: &Asked, settings: &Settings) -> Result<PortalAddress, Failure> {
    let mut named = settings.clone();
    if named.portal.is_none() {
        named.portal = Some(Set { value: asked.portal.clone(), origin: "the request".into() });
    }
    let address = remote::address(&named)?;
    if address.as_str() == asked.portal {
        return Ok(address);
    }
    Err(Failure::new(
        Exit::Refused,
        format_args!("The request is for {}, and your settings name {}.", shown(&asked.portal), address.as_str()),
    )
    .left(NOTHING_YET))
}

/// Believes a request whose signer a pinned vendor or typed words vouch for. With settings vendors are asked for newer key lists.
fn vouched(
    claimed: ClaimedRequest,
    code: &RequestCode,
    portal: PortalAddress,
    words: Option<&str>,
    settings: Option<&Settings>,
    desk: &mut Desk<'_>,
) -> Result<Requested, Failure> {
    let signer = claimed.signer().clone();
    let (voucher, vendor) = voucher(&signer, words, &portal, settings, desk)?;
    let asked = claimed.trust(|_| true).map_err(|error| refused(&error))?;
    asked.check_time(desk.world.clock.now()).map_err(|error| refused(&error))?;
    match &vendor {
        Some(vendor) => only_its_keys(&asked, vendor, desk)?,
        // A vendor that was pinned may have revoked a key that somebody else still asks for.
        None => drop(vendors::recipients(&asked.recipients.iter().map(ToString::to_string).collect::<Vec<_>>(), desk)?),
    }
    Ok(Requested { asked, portal, code: code.clone(), voucher, keeping: None })
}

fn voucher(
    signer: &Signer,
    words: Option<&str>,
    portal: &PortalAddress,
    settings: Option<&Settings>,
    desk: &mut Desk<'_>,
) -> Result<(Voucher, Option<Vendor>), Failure> {
    if let Some(settings) = settings {
        let names: Vec<String> = vendors::all(desk)?.iter().map(|vendor| vendor.name.as_str().to_owned()).collect();
        vendors::refresh(&names, settings, desk)?;
    }
    if let Some(vendor) = vendors::all(desk)?.into_iter().find(|vendor| vouches(vendor, signer)) {
        vendor
            .list
            .check_time(desk.world.clock.now())
            .map_err(|error| vendors::refusal(&error, &vendor.name, Some(&vendor)).left(NOTHING_YET))?;
        let voucher =
            Voucher::Vendor { name: vendor.name.as_str().to_owned(), vendor: vendor.list.vendor().to_owned() };
        return Ok((voucher, Some(vendor)));
    }
    if let Some(since) = known_since(signer, desk)? {
        return Ok((Voucher::Known { since }, None));
    }
    let typed = match words {
        Some(words) => Some(words.to_owned()),
        None => desk
            .ask("This key signs for the first time here. Type the eight words that the technician tells you:")?
            .filter(|typed| !typed.is_empty()),
    };
    let Some(typed) = typed else {
        return Err(Failure::new(
            Exit::Refused,
            "Nobody has said yet that the key that signed this request is the vendor's.",
        )
        .left(NOTHING_YET)
        .next("Ask the technician for the eight words of their key, and send again with:  --signer 'the eight words'")
        .next("Or pin the vendor once:  tarseal vendor add"));
    };
    match signer.fingerprint().is(&typed) {
        Some(true) => {
            let now = desk.world.clock.now();
            know(signer, portal, now, desk)?;
            Ok((Voucher::Known { since: now }, None))
        }
        Some(false) => Err(Failure::new(
            Exit::Refused,
            "The words are not those of the key that signed this request. Somebody else made it.",
        )
        .left(NOTHING_YET)
        .next("Call the vendor on a number you already know.")),
        None => {
            Err(Failure::usage("These are not eight words of a key. They are common English words.").left(NOTHING_YET))
        }
    }
}

/// Whether a vendor's list says that this key signs for it.
fn vouches(vendor: &Vendor, signer: &Signer) -> bool {
    match signer {
        Signer::Root(root) => root == vendor.list.root(),
        Signer::Sender(_) => false,
    }
}

/// Refuses a request of a vendor's that asks to seal to anything but the vendor's present keys.
fn only_its_keys(asked: &Asked, vendor: &Vendor, desk: &Desk<'_>) -> Result<(), Failure> {
    let present = vendors::recipients(&[vendor.name.as_str().to_owned()], desk)?;
    if asked.recipients.iter().all(|recipient| present.contains(recipient)) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Refused,
        format_args!("The request asks to seal to a key that is not among the present keys of {}.", vendor.name),
    )
    .left(NOTHING_YET)
    .next("Call the vendor on a number you already know."))
}

fn refused(error: &RequestError) -> Failure {
    let exit = match error {
        RequestError::Expired(_) => Exit::Expired,
        RequestError::OtherSigner(_) | RequestError::NotYet(_) => Exit::Refused,
        _ => Exit::Damaged,
    };
    let failure = Failure::new(exit, sentence(&error.to_string())).left(NOTHING_YET);
    match error {
        RequestError::NotYet(_) => failure.next("Is this computer's clock right?"),
        _ => failure.next("Ask the technician for a new one."),
    }
}
