//! What can go wrong in this room, one variant per thing a caller does differently.

use std::io;

use super::header::MAX_SLOTS;
use super::sender::Sender;
use super::share::ShareField;
use super::slot::SlotKind;

/// Why a file could not be sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Nobody could ever open the file.
    #[error("no recipient was given")]
    NoRecipient,
    /// More recipients than a header has slots for.
    #[error("{0} recipients are too many; a file is sealed to at most {MAX_SLOTS}")]
    TooManyRecipients(usize),
    /// A passphrase among other recipients: whoever knew it could seal in their name.
    #[error("a file that is sealed with a passphrase is sealed to nobody else")]
    PassphraseNotAlone,
    /// The portal's address cannot stand in a header.
    #[error("the portal's address cannot be used: {0}")]
    Portal(&'static str),
    /// The output could not be written.
    #[error("writing the sealed file failed")]
    Write(#[source] io::Error),
}

/// Why a sealed file could not be opened.
///
/// While the payload is read it arrives inside an [`io::Error`] of kind `InvalidData`; [`OpenError::from_io`] finds it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The bytes do not begin as a sealed file does.
    #[error("this is not a sealed file")]
    NotSealed,
    /// The file was written by a later version of the format.
    #[error("the sealed file is of version {version}, suite {suite}; only version 1, suite 1 can be opened")]
    Version {
        /// The format's version in the file.
        version: u8,
        /// The suite of algorithms in the file.
        suite: u8,
    },
    /// The header breaks a rule of the format; the text says which.
    #[error("the header is damaged: {0}")]
    Header(&'static str),
    /// Every slot is locked with a passphrase or a shared key, and none was at hand.
    #[error("the file is sealed with {0}, and none was given")]
    NotGiven(SlotKind),
    /// The passphrase is another one, or the header is not the one that was sealed: which of the two cannot be told.
    #[error("the passphrase is wrong, or the header was changed")]
    WrongPassphrase,
    /// Trying the passphrase takes more memory than there is.
    #[error(transparent)]
    Memory(#[from] NoMemory),
    /// No slot was made for any of the keys at hand.
    #[error("no key fits: the file was sealed to another key")]
    NoKeyFits,
    /// A slot names one of the keys at hand and yet does not open with it.
    #[error("the header is damaged: the slot for this key does not open")]
    Slot,
    /// The file has no sender, and one was required.
    #[error("the file is not signed, and a signed one was required")]
    Unsigned,
    /// The file names another sender than the required ones.
    #[error("the file is signed by another sender, with the fingerprint {}", .0.fingerprint())]
    OtherSender(Sender),
    /// The signature is not that of the file's sender over this header and manifest.
    #[error("the sender's signature does not fit")]
    Signature,
    /// The portal's part of the file key is needed and was not given.
    #[error("the portal's share is needed; {} has it until {}", .0.portal.escape_default(), .0.not_after)]
    ShareNeeded(ShareField),
    /// The key does not belong to this header and payload: the header was changed, or the share is another file's.
    #[error("the header was changed, or the share belongs to another file")]
    Commitment,
    /// A chunk is not the one that was sealed at this place. Chunks are counted from 0.
    #[error("chunk {number} is damaged")]
    Chunk {
        /// Its number, from 0; chunks hold 16 KiB of plaintext each.
        number: u64,
    },
    /// The file ends before its last chunk.
    #[error("the file is cut off")]
    Truncated,
    /// The payload goes on past the most chunks a file can have.
    #[error("the payload is longer than a sealed file can be")]
    TooLong,
    /// A sealed secret, such as a share on its way, does not open with this key for this purpose.
    #[error("the sealed secret does not open: it is damaged, or was sealed to another key")]
    Unwrap,
    /// The file could not be read.
    #[error("reading the sealed file failed")]
    Read(#[source] io::Error),
}

/// A passphrase could not be tried: there is not as much memory as its cost asks for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("trying the passphrase takes {mib} MiB of memory, and there is not that much")]
pub struct NoMemory {
    /// How much, in MiB.
    pub mib: u32,
}

impl OpenError {
    /// Finds the reason inside an error of [`OpenReader`](super::OpenReader)'s `read`; `None` when the source itself failed.
    #[must_use]
    pub fn from_io(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    pub(crate) fn into_io(self) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, self)
    }

    /// Takes an early end for truncation and everything else for a fault of the source.
    pub(crate) fn from_read(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::Truncated } else { Self::Read(error) }
    }
}

/// Why a text is not a key. Never holds any of the text: it may be a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not a recipient.
    #[error("this is not a recipient (tarseal1…): {0}")]
    Recipient(&'static str),
    /// A secret key was given where a public one belongs.
    #[error("this is a secret key; give its recipient (tarseal1…) instead and keep the secret to yourself")]
    SecretGiven,
    /// A line of a key file is not a secret key.
    #[error("line {line} of the key file is not a secret key: {reason}")]
    Identity {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A key file with a recipient in it and no secret key.
    #[error("line {line} of the key file is a recipient or a sender (a public key); the secret key is needed")]
    PublicGiven {
        /// The line, counted from 1.
        line: usize,
    },
    /// A key file with more than one key in it.
    #[error("line {line} of the key file is a second key; a key file holds one")]
    SecondKey {
        /// The line, counted from 1.
        line: usize,
    },
    /// The text is not a sender.
    #[error("this is not a sender (tarseal-sender1…): {0}")]
    Sender(&'static str),
    /// A secret key was given where a sender belongs.
    #[error("this is a secret key; give its sender (tarseal-sender1…) instead and keep the secret to yourself")]
    SenderSecretGiven,
    /// A key file with a sender's secret key where an identity is needed.
    #[error("line {line} of the key file is a sender's key: it signs, and opens nothing")]
    SenderKeyGiven {
        /// The line, counted from 1.
        line: usize,
    },
    /// A key file that a passphrase protects.
    #[error("line {line} of the key file is protected with a passphrase")]
    Protected {
        /// The line, counted from 1.
        line: usize,
    },
    /// The passphrase does not open the protected key.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// What was protected is not a key.
    #[error("what is protected is not a secret key: {0}")]
    Unlocked(&'static str),
    /// Trying the passphrase takes more memory than there is.
    #[error(transparent)]
    Memory(NoMemory),
    /// A text that cannot be a passphrase.
    #[error("the passphrase cannot be used: {0}")]
    Passphrase(&'static str),
    /// A key file without a key in it.
    #[error("the key file holds no secret key")]
    Empty,
}
