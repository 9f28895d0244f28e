//! Where a sealed file is: a path, standard input, or an address of which only the parts that are needed are fetched.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::open::open_failure;
use super::opening::Opening;
use super::remote;
use super::share::ShareDesk;
use crate::cli::args::{InspectArguments, PortalArguments};
use crate::cli::exit::Failure;
use crate::cli::settings::Settings;
use crate::cli::{Desk, parts};
use crate::format::{Header, Identity, OpenError};
use crate::send::{FileUrl, RangedError, RangedFile, SendError, SystemPace};

/// Bytes that can be read from any place.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// The sealed bytes.
pub enum Input {
    /// They come once, from front to back.
    Stream(Box<dyn Read>),
    /// They can be read from any place.
    Anywhere(Box<dyn ReadSeek>),
}

impl Input {
    /// Opens what the user named; nothing of it is unsealed yet.
    pub fn open(
        file: &Path,
        portal: &PortalArguments,
        share: &ShareDesk,
        desk: &mut Desk<'_>,
    ) -> Result<Self, Failure> {
        if let Some(url) = address(file)? {
            return open_address(url, portal, share, desk);
        }
        if file == Path::new("-") {
            return Ok(Self::Stream(desk.world.take_input()));
        }
        if parts::is_list(file) {
            return Ok(Self::Anywhere(Box::new(parts::Joined::open(file)?)));
        }
        let opened = File::open(file).and_then(|opened| Ok((opened.metadata()?, opened)));
        let (metadata, opened) = opened.map_err(|error| Failure::local(file.display(), &error))?;
        if metadata.is_dir() {
            return Err(Failure::local(file.display(), &io::ErrorKind::IsADirectory.into()));
        }
        // A pipe has a path too, and cannot be read backwards.
        if metadata.is_file() { Ok(Self::Anywhere(Box::new(opened))) } else { Ok(Self::Stream(Box::new(opened))) }
    }

    /// The bytes from front to back.
    pub fn into_stream(self) -> Box<dyn Read> {
        match self {
            Self::Stream(stream) => stream,
            Self::Anywhere(anywhere) => anywhere,
        }
    }
}

/// What `list`, `verify`, `cat` and `grep` read: the sealed bytes and all that opens them.
pub struct Sealed {
    /// The sealed bytes.
    pub input: Input,
    /// The keys.
    pub identities: Vec<Identity>,
    /// Who is asked for the share.
    pub share: ShareDesk,
}

impl Sealed {
    /// Reads the keys and opens the input. The header is looked at: it says what opens the file and who is said to have
    /// signed it.
    pub fn find(arguments: &InspectArguments, desk: &mut Desk<'_>) -> Result<Self, Failure> {
        let mut opening = Opening::read(&arguments.keys, desk)?;
        let share = ShareDesk::new(&arguments.portal, arguments.reason.as_deref(), desk)?;
        let failed = |error: OpenError| open_failure(&error);
        let (header, input) = match Input::open(&arguments.file, &arguments.portal, &share, desk)? {
            Input::Stream(stream) => {
                let (header, stream) = Header::peek(stream).map_err(failed)?;
                (header, Input::Stream(Box::new(stream)))
            }
            Input::Anywhere(mut anywhere) => {
                let header = Header::read(&mut anywhere).map_err(failed)?;
                anywhere.rewind().map_err(|error| failed(OpenError::Read(error)))?;
                (header, Input::Anywhere(anywhere))
            }
        };
        let identities = share.with_grant(&header, opening.identities(&header, desk)?)?;
        Ok(Self { input, identities, share })
    }
}

/// The address, if it is one that the user named.
pub fn address(file: &Path) -> Result<Option<FileUrl>, Failure> {
    let text = file.to_str().unwrap_or_default();
    if !text.starts_with("https://") && !text.starts_with("http://") {
        return Ok(None);
    }
    let url = text.parse().map(Some);
    url.map_err(|error: crate::send::NotAPortal| {
        Failure::usage(format_args!("This address cannot be read from: {}.", error.reason()))
    })
}

/// Why the sealed bytes could not be read, in words and with its exit code.
pub fn reading_failure(error: &io::Error) -> Failure {
    match RangedError::from_io(error) {
        Some(ranged) => way_failure(&ranged.error, &ranged.host),
        None => Failure::local("Reading the sealed file failed", error),
    }
}

/// The token goes along only when the file lies at the portal of the settings.
fn open_address(
    url: FileUrl,
    portal: &PortalArguments,
    share: &ShareDesk,
    desk: &mut Desk<'_>,
) -> Result<Input, Failure> {
    let host = url.host().to_owned();
    let own = share.portal_of(&url);
    if own.is_some() && share.reason().is_none() {
        return Err(Failure::usage("The portal records why a snapshot is read.").next("Say why:  --reason WHY"));
    }
    let reason = own.and(share.reason());
    let client = match own {
        Some(client) => client.clone(),
        None => {
            let settings = Settings::resolve(portal, &desk.home, desk.world)?;
            remote::client(url.origin(), None, &settings)?
        }
    };
    let rng = Box::new(StdRng::from_rng(&mut desk.world.rng));
    let file = RangedFile::open(client, url, reason, Box::new(SystemPace::new()), rng);
    file.map(|file| Input::Anywhere(Box::new(file))).map_err(|error| way_failure(&error, &host))
}

fn way_failure(error: &SendError, host: &str) -> Failure {
    match error {
        SendError::Refused(_) => {
            let mut failure = remote::failure(error, host);
            failure.next = vec![
                "If it lies at your portal, say so and show your token:  --portal URL --token-file FILE --reason WHY"
                    .into(),
            ];
            failure
        }
        _ => remote::failure(error, host),
    }
}
