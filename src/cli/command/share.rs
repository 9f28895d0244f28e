//! Asking the portal for its part of a file key.

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
use crate::format::{Header, Identity, Share, open_sealed};
use crate::send::{Client, FileUrl, PortalAddress};
use crate::wire::share_info;

/// Everything needed to ask for a share, settled before a sealed file is read.
///
/// A sealed file names its portal, but whoever made the file chose that name: the token goes only to the portal that the
/// technician's own settings name.
pub struct ShareDesk {
    remote: Option<Rc<Remote>>,
    reason: Option<String>,
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
        Ok(Self { remote, reason: reason.map(str::to_owned) })
    }

    /// Uses a portal that is connected already.
    pub fn with(remote: Rc<Remote>, reason: &str) -> Self {
        Self { remote: Some(remote), reason: Some(reason.to_owned()) }
    }

    /// The way to the portal of the settings, with its token, if the file lies there.
    pub fn portal_of(&self, url: &FileUrl) -> Option<&Client> {
        self.remote.as_ref().filter(|remote| url.is_at(&remote.address)).map(|remote| &remote.client)
    }

    /// Why a snapshot is read, if that was said.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
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
        let sealed = remote
            .client
            .share(&header.file_id, &identity.recipient().to_string(), reason)
            .map_err(|error| remote::failure(&error, remote.address.host()))?;
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
