//! Asking the portal for its part of a file key.

use std::cell::RefCell;
use std::fmt::Display;
use std::rc::Rc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::remote::{self, Remote};
use crate::cli::Desk;
use crate::cli::args::PortalArguments;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::shown;
use crate::cli::settings::Settings;
use crate::clock::Timestamp;
use crate::format::{Header, Identity, OpenError, Share, SlotKind, open_sealed};
use crate::ids::FileId;
use crate::pipeline::Opened;
use crate::send::{Client, FileUrl, PortalAddress, SendError};
use crate::wire::{SealedShare, share_info};

/// Everything needed to ask for a share, settled before a sealed file is read.
///
/// A sealed file names its portal, but whoever made the file chose that name: the token goes only to the portal that the
/// technician's own settings name.
pub struct ShareDesk {
    remote: Option<Rc<Remote>>,
    reason: Option<String>,
    /// The share that came together with a grant, until it is used.
    granted: RefCell<Option<(FileId, SealedShare)>>,
}

impl ShareDesk {
    /// Settles portal, token and reason. A portal that is not configured is missed only when a file asks for its share.
    pub fn new(portal: &PortalArguments, reason: Option<&str>, desk: &mut Desk<'_>) -> Result<Self, Failure> {
        let settings = Settings::resolve(portal, &desk.home, desk.world)?;
        let configured = settings.portal.is_some() && settings.token_file.is_some();
        let remote = if configured {
            Some(Rc::new(remote::connect_to(remote::address(&settings)?, &settings, desk)?))
        } else {
            None
        };
        Ok(Self { remote, reason: reason.map(str::to_owned), granted: RefCell::default() })
    }

    /// Uses a portal that is connected already.
    pub fn with(remote: Rc<Remote>, reason: &str) -> Self {
        Self { remote: Some(remote), reason: Some(reason.to_owned()), granted: RefCell::default() }
    }

    /// The portal's deadline for a snapshot that was opened with its share, as far as it tells.
    pub fn due(&self, opened: &Opened) -> Option<Timestamp> {
        opened.share.as_ref()?;
        self.remote.as_ref()?.client.snapshot(&opened.file_id).ok()?.due_at
    }

    /// The way to the portal of the settings, with its token, if the file lies there.
    pub fn portal_of(&self, url: &FileUrl) -> Option<&Client> {
        self.remote.as_ref().filter(|remote| url.is_at(&remote.address)).map(|remote| &remote.client)
    }

    /// Why a snapshot is read, if that was said.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The keys, the first of them the one that the file was granted to: when none opens it by itself, the portal of the settings
    /// is asked whether somebody passed it on.
    pub fn with_grant(&self, header: &Header, mut identities: Vec<Identity>) -> Result<Vec<Identity>, Failure> {
        let (Some(remote), Some(reason), Some(field)) = (&self.remote, &self.reason, &header.share) else {
            return Ok(identities);
        };
        let here = field.portal.parse().is_ok_and(|at: PortalAddress| at.as_str() == remote.address.as_str());
        let by_passphrase = header.slot_kinds().any(|kind| kind == SlotKind::Passphrase);
        if !here || by_passphrase || !matches!(header.unlock(&identities), Err(OpenError::NoKeyFits)) {
            return Ok(identities);
        }
        for number in 0..identities.len() {
            let recipient = identities[number].recipient();
            if !recipient.is_public() {
                continue;
            }
            let share = match remote.client.granted_share(&header.file_id, &recipient.to_string(), reason) {
                Ok(share) => share,
                Err(SendError::NotFound(_)) => continue,
                Err(error) => return Err(remote::failure(&error, remote.address.host())),
            };
            let part = share.part.as_ref().and_then(|part| BASE64_STANDARD.decode(part).ok());
            let part = part.ok_or_else(|| damaged("the portal sent no part of the key with it"))?;
            let granted = identities.remove(number).granted(header, &part).map_err(damaged)?;
            identities.insert(0, granted);
            *self.granted.borrow_mut() = Some((header.file_id, share));
            break;
        }
        Ok(identities)
    }

    /// Asks for the share of a file, sealed to the first identity that is a key pair, and opens it.
    pub fn fetch(&self, header: &Header, identities: &[Identity]) -> Result<Share, Failure> {
        let field = header.share.as_ref().ok_or_else(|| damaged("the file names no share"))?;
        let named = shown(&field.portal).into_owned();
        let Some(remote) = &self.remote else {
            return Err(Failure::usage(format_args!(
                "This file opens only together with its share, which is at {named}."
            ))
            .next(format!("Say so, and show your token:  --portal {named} --token-file FILE --reason WHY")));
        };
        let at: PortalAddress = field.portal.parse().map_err(|_| damaged("the file names no portal"))?;
        if at.as_str() != remote.address.as_str() {
            return Err(Failure::new(
                Exit::Refused,
                format_args!("The file's share is at {named}, your settings name {}.", remote.address.as_str()),
            )
            .left("Your token was not sent.")
            .next("If you know that portal, name it:  --portal URL --token-file FILE"));
        }
        let Some(reason) = &self.reason else {
            return Err(Failure::usage("The portal records why a snapshot is read.").next("Say why:  --reason WHY"));
        };
        let identity = identities.iter().find(|identity| identity.recipient().is_public()).ok_or_else(|| {
            Failure::usage("The portal hands out a share to a key pair, not to a passphrase or a shared key.")
                .next("Name your identity:  --key FILE")
        })?;
        let sealed = match self.granted.take() {
            Some((file, sealed)) if file == header.file_id => sealed,
            _ => remote
                .client
                .share(&header.file_id, &identity.recipient().to_string(), reason)
                .map_err(|error| remote::failure(&error, remote.address.host()))?,
        };
        if sealed.id != field.id {
            return Err(damaged("the portal sent another share"));
        }
        let bytes = BASE64_STANDARD.decode(&sealed.sealed).map_err(|_| damaged("the share is not Base64"))?;
        let info = share_info(&header.file_id, &field.id);
        let opened = open_sealed(identity, &info, &bytes).map_err(damaged)?;
        Share::from_slice(opened.expose()).ok_or_else(|| damaged("the share has a wrong length"))
    }
}

fn damaged(why: impl Display) -> Failure {
    Failure::new(Exit::Damaged, format_args!("The share cannot be used: {why}."))
}
