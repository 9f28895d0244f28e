//! What opens a sealed file: keys, passphrases, and whose files are taken.

use crate::cli::Desk;
use crate::cli::args::KeyArguments;
use crate::cli::exit::{Exit, Failure};
use crate::cli::passphrase::Passphrases;
use crate::cli::settings::Settings;
use crate::format::{Header, Identity, Sender, SlotKind};

use super::key::{read_identity_with, read_sender};
use super::open::open_failure;

/// Everything that opens sealed files, settled before one is read.
pub struct Opening {
    keys: Vec<Identity>,
    passphrases: Passphrases,
    senders: Vec<Sender>,
}

impl Opening {
    /// Reads the key files, asking for the passphrases of those that are protected, and the senders.
    pub fn read(arguments: &KeyArguments, desk: &mut Desk<'_>) -> Result<Self, Failure> {
        let mut passphrases = Passphrases::of(arguments.passphrase_file.as_deref());
        let mut keys = Vec::new();
        for file in &arguments.key {
            keys.push(read_identity_with(file, &mut passphrases, desk)?);
        }
        for file in &arguments.shared_key {
            let key = read_identity_with(file, &mut passphrases, desk)?;
            if key.kind() != SlotKind::SharedKey {
                return Err(Failure::usage(format_args!("{} is not a shared key.", file.display()))
                    .next("Give an identity with:  --key FILE"));
            }
            keys.push(key);
        }
        let settings = Settings::resolve(&Default::default(), &desk.home, desk.world)?;
        let set = settings.require_sender.as_ref().map(|set| set.value.as_slice()).unwrap_or_default();
        let named = if arguments.require_sender.is_empty() { set } else { &arguments.require_sender };
        let mut senders = Vec::new();
        for text in named {
            senders.extend(read_sender(text)?);
        }
        Ok(Self { keys, passphrases, senders })
    }

    /// Whether nothing was named that opens a file.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty() && !self.passphrases.has_file()
    }

    /// What opens the file with this header; asks for its passphrase if it is sealed with one. Refuses a file that none of
    /// the required senders is said to have signed.
    pub fn identities(&mut self, header: &Header, desk: &mut Desk<'_>) -> Result<Vec<Identity>, Failure> {
        header.require_sender(&self.senders).map_err(|error| open_failure(&error))?;
        let mut identities = self.keys.clone();
        if header.slot_kinds().any(|kind| kind == SlotKind::Passphrase) {
            identities.push(self.passphrases.of_what("the sealed file", "--passphrase-file", desk)?.into());
        } else if identities.is_empty() {
            return Err(Failure::new(Exit::Usage, "This file opens with a key.").next(
                "Name the file that holds it:  --key FILE    Or the key that both sides hold:  --shared-key FILE",
            ));
        }
        Ok(identities)
    }
}
