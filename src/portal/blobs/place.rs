//! Which bucket a portal's sealed files lie in.
//!
//! A data directory whose files lie in a bucket says so in a file of its own, `bucket`: the address, which holds no secret, and
//! where the key's file is. So a command that is told of no bucket finds the right one. The database knows the bucket's name
//! as well, and whoever comes with another, or with none, is refused: nobody takes an empty directory for the place where
//! everything was deleted.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf, absolute};

use crate::portal::config::Config;
use crate::portal::draft;
use crate::portal::error::PortalError;

/// The file beneath the data directory.
const FILE: &str = "bucket";

/// Where sealed files lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Directory,
    Bucket { address: String, key: Option<PathBuf> },
}

impl Place {
    /// The place of a data directory: the configured bucket, else the one that the directory goes with, else the directory.
    pub(crate) fn of(config: &Config) -> Result<Self, PortalError> {
        let known = read(&config.data).map_err(PortalError::Data)?;
        match (&config.blobs, known) {
            (None, None) => Ok(Self::Directory),
            (None, Some(known)) => Ok(known),
            (Some(address), None) => Ok(Self::Bucket { address: address.clone(), key: config.blobs_key.clone() }),
            (Some(address), Some(known)) => {
                let told = Self::Bucket { address: address.clone(), key: config.blobs_key.clone() };
                if told.name() == known.name() { Ok(told) } else { Err(PortalError::OtherBlobs(known.name())) }
            }
        }
    }

    /// Writes the place down beneath the data directory, if it is elsewhere.
    pub(crate) fn keep(&self, data: &Path) -> io::Result<()> {
        let Self::Bucket { address, key } = self else { return Ok(()) };
        let key = key.as_deref().map(absolute).transpose()?;
        let kept = Self::Bucket { address: address.clone(), key };
        if read(data)?.as_ref() == Some(&kept) {
            return Ok(());
        }
        let Self::Bucket { key, .. } = kept else { return Ok(()) };
        let mut text = format!("{address}\n");
        if let Some(key) = key {
            text +=
                key.to_str().ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the key's path is not UTF-8"))?;
            text.push('\n');
        }
        draft::write(data, FILE, text.as_bytes())
    }

    /// The place in one word: `directory`, or bucket and prefix without the settings behind them.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Directory => String::from("directory"),
            Self::Bucket { address, .. } => {
                let (name, _) = address.split_once('?').unwrap_or((address, ""));
                name.trim_end_matches('/').to_owned()
            }
        }
    }

    /// Address and key's file of the bucket, if it is one.
    pub(crate) fn bucket(&self) -> Option<(&str, Option<&Path>)> {
        match self {
            Self::Directory => None,
            Self::Bucket { address, key } => Some((address, key.as_deref())),
        }
    }
}

fn read(data: &Path) -> io::Result<Option<Place>> {
    let text = match fs::read_to_string(data.join(FILE)) {
        Ok(text) => text,
        Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let mut lines = text.lines();
    let address = lines.next().unwrap_or_default().to_owned();
    Ok(Some(Place::Bucket { address, key: lines.next().map(PathBuf::from) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(data: &Path, blobs: Option<&str>) -> Config {
        let mut config = Config::new(data, ([127, 0, 0, 1], 0).into());
        config.blobs = blobs.map(str::to_owned);
        config
    }

    #[test]
    fn a_directory_goes_with_one_bucket() {
        let home = tempfile::tempdir().unwrap();
        let data = home.path();
        let decide = |blobs| Place::of(&config(data, blobs)).map(|place| place.name());
        assert_eq!(decide(None).unwrap(), "directory");
        Place::Directory.keep(data).unwrap();
        assert_eq!(decide(None).unwrap(), "directory");
        let mut told = config(data, Some("s3://files/here/?region=a"));
        told.blobs_key = Some("key".into());
        Place::of(&told).unwrap().keep(data).unwrap();
        assert_eq!(decide(None).unwrap(), "s3://files/here");
        assert!(Place::of(&config(data, None)).unwrap().bucket().unwrap().1.unwrap().is_absolute());
        assert_eq!(decide(Some("s3://files/here?region=b")).unwrap(), "s3://files/here", "reached in another way");
        for other in ["s3://files", "s3://files/there", "s3://other/here"] {
            assert!(matches!(decide(Some(other)), Err(PortalError::OtherBlobs(_))), "{other}");
        }
    }
}
