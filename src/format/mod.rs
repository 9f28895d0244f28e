//! The sealed file: a header anyone can read, slots that only the right keys open, and a payload of authenticated chunks.
//!
//! `FORMAT.md` beside this file is the specification, byte for byte. The way through the room:
//!
//! 1. A technician makes an [`Identity`] and gives its [`Recipient`] away ([`KeyKind::XWing`] unless told otherwise).
//! 2. A sender writes a plaintext into a [`SealWriter`], to one or more recipients, with or without a portal's [`Share`].
//! 3. Whoever holds the file reads its [`Header`].
//! 4. The technician reads the plaintext out of an [`OpenReader`], which gives out only bytes it has authenticated, or parts of
//!    it out of a [`SeekReader`]. Between the two stand [`Unlocked`] and [`FileKey`], for whoever has to ask a portal for the
//!    share, or reads a file twice.
//!
//! [`key_list`] is how a vendor tells senders, signed, which recipients are good.
//!
//! A [`Passphrase`] and a key that both sides hold are recipients and identities too. A [`SenderKey`] signs what it seals; a
//! technician who asks for a [`Sender`] gets nothing from anybody else. A [`KeyFile`] holds any secret key, in clear or
//! protected with a passphrase. [`seal_to`] and [`open_sealed`] carry one small secret to one key: the share, on its way from
//! the portal. [`Unlocked::grant`] passes a file on to one more key, which then opens it together with the share
//! ([`Identity::granted`]).
//!
//! ```
//! use std::io::{Read, Write};
//! use rand::{rand_core::UnwrapErr, rngs::SysRng};
//! use tarseal::format::{Header, Identity, KeyKind, OpenReader, SealOptions, SealWriter};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut rng = UnwrapErr(SysRng);
//! let technician = Identity::generate(KeyKind::XWing, &mut rng);
//!
//! let recipients = [technician.recipient()];
//! let options = SealOptions { created: "2026-11-21T14:20:01Z".parse()?, recipients: &recipients, share: None };
//! let mut writer = SealWriter::new(Vec::new(), &options, &mut rng)?;
//! writer.write_all(b"what happened")?;
//! let sealed = writer.finish()?;
//!
//! let mut file = sealed.as_slice();
//! let header = Header::read(&mut file)?;
//! let mut plaintext = String::new();
//! OpenReader::new(header, file, &[technician], None)?.read_to_string(&mut plaintext)?;
//! assert_eq!(plaintext, "what happened");
//! # Ok(())
//! # }
//! ```

mod bech32;
mod error;
mod fingerprint;
mod grant;
mod header;
mod key;
mod key_file;
pub mod key_list;
mod open;
mod passphrase;
mod payload;
pub mod request;
mod seal;
mod seek;
mod sender;
mod share;
mod slot;
mod unlocked;
mod wrap;

pub use error::{KeyError, NoMemory, OpenError, SealError};
pub use fingerprint::{Fingerprint, check_phrase, check_phrase_of};
pub use header::Header;
pub use key::{Identity, KeyKind, Recipient};
pub use key_file::{KeyFile, ProtectedKey, SecretKey};
pub use open::OpenReader;
pub use passphrase::{Cost, Passphrase};
pub use seal::{SealOptions, SealWriter};
pub use seek::SeekReader;
pub use sender::{Sender, SenderKey};
pub use share::{Share, ShareField};
pub use slot::SlotKind;
pub use unlocked::{FileKey, Unlocked};
pub use wrap::{open_sealed, seal_to};

#[cfg(test)]
#[cfg(target_os = "linux")]
mod memory;
