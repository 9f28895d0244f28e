//! A grant: the vendor's part of one file's key, sealed to one more key after the file was made.
//!
//! It is what a slot holds, but it stands beside the file and not in it, so the file stays as it is. It opens nothing where the
//! portal's share is missing: when the share is destroyed at the deadline, every grant is as dead as every slot.

use rand::CryptoRng;

use super::error::OpenError;
use super::header::Header;
use super::key::{Identity, Recipient};
use super::slot::{self, PART_LENGTH, SlotKind};
use super::unlocked::Unlocked;
use crate::secret::{Secret, on_clean_stack};

/// A part that was granted, and the file it is for.
#[derive(Clone)]
pub(super) struct Granted {
    /// SHA-256 of fields 1 to 4 of the file's header.
    pub(super) file: [u8; 32],
    pub(super) part: Secret<[u8; PART_LENGTH]>,
}

impl Unlocked<'_> {
    /// Passes the vendor's part on to one more key: `enc | ct`, bound to this file. `None` for what is not a public key.
    pub fn grant(&self, recipient: &Recipient, rng: &mut dyn CryptoRng) -> Option<Vec<u8>> {
        let info = info(recipient.kind(), &self.header.public_digest);
        recipient.is_public().then(|| on_clean_stack(|| slot::seal(recipient, &info, self.part.expose(), rng)))
    }
}

impl Identity {
    /// The same key, which also opens the file of this header: its part was granted to it.
    ///
    /// Errors: [`OpenError::Unwrap`] when it was granted to another key or for another file, or is damaged.
    pub fn granted(self, header: &Header, grant: &[u8]) -> Result<Self, OpenError> {
        if !self.recipient().is_public() {
            return Err(OpenError::Unwrap);
        }
        let info = info(self.kind(), &header.public_digest);
        let part = on_clean_stack(|| slot::part(&self, &info, grant))?.ok_or(OpenError::Unwrap)?;
        Ok(self.with_grant(Granted { file: header.public_digest, part }))
    }
}

impl Recipient {
    /// How many bytes a grant to this key has; `None` for what is not a public key.
    #[cfg(any(feature = "portal", test))]
    pub(crate) fn grant_length(&self) -> Option<usize> {
        self.is_public().then(|| self.kind().body_length())
    }
}

/// GRANTINFO: what a grant is sealed for.
fn info(kind: SlotKind, public_digest: &[u8; 32]) -> Vec<u8> {
    [b"tarseal/v1 grant\0".as_slice(), &[kind as u8], public_digest].concat()
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;
    use crate::format::{KeyKind, OpenReader, SealOptions, SealWriter, Share, ShareField};
    use crate::ids::ShareId;

    const TEXT: &[u8] = b"what happened";

    /// A file sealed to a technician, and the portal's share of it.
    fn sealed(technician: &Identity, rng: &mut StdRng) -> (Vec<u8>, Share) {
        let share = Share::random(rng);
        let field = ShareField {
            id: ShareId([9; 16]),
            not_after: "2027-12-31T00:00:00Z".parse().unwrap(),
            portal: String::from("https://portal.example"),
        };
        let (created, recipients) = ("2026-11-21T14:20:01Z".parse().unwrap(), [technician.recipient()]);
        let options = SealOptions { created, recipients: &recipients, share: Some((field, &share)) };
        let mut writer = SealWriter::new(Vec::new(), &options, rng).unwrap();
        writer.write_all(TEXT).unwrap();
        (writer.finish().unwrap(), share)
    }

    fn open(mut file: &[u8], identity: &Identity, share: Option<&Share>) -> Result<Vec<u8>, OpenError> {
        let header = Header::read(&mut file)?;
        let mut text = Vec::new();
        OpenReader::new(header, file, std::slice::from_ref(identity), share)?.read_to_end(&mut text).unwrap();
        Ok(text)
    }

    #[test]
    fn a_grant_opens_its_file_for_its_key_together_with_the_share_and_nothing_else() {
        let rng = &mut StdRng::seed_from_u64(7);
        for kind in [KeyKind::X25519, KeyKind::XWing] {
            let [technician, other, stranger] = [(); 3].map(|()| Identity::generate(kind, rng));
            let (file, share) = sealed(&technician, rng);
            let (another, _) = sealed(&technician, rng);
            let header = Header::read(&mut file.as_slice()).unwrap();
            let elsewhere = Header::read(&mut another.as_slice()).unwrap();
            let keys = [technician];
            let grant = header.unlock(&keys).unwrap().grant(&other.recipient(), rng).unwrap();
            assert_eq!(Some(grant.len()), other.recipient().grant_length());

            assert!(matches!(open(&file, &other, Some(&share)), Err(OpenError::NoKeyFits)));
            let granted = other.clone().granted(&header, &grant).unwrap();
            assert_eq!(open(&file, &granted, Some(&share)).unwrap(), TEXT);
            assert!(matches!(open(&file, &granted, None), Err(OpenError::ShareNeeded(_))), "not without the share");
            assert!(matches!(open(&file, &granted, Some(&Share::random(rng))), Err(OpenError::Commitment)));
            assert!(matches!(open(&another, &granted, Some(&share)), Err(OpenError::NoKeyFits)), "its file alone");

            assert!(matches!(stranger.granted(&header, &grant), Err(OpenError::Unwrap)));
            assert!(matches!(other.clone().granted(&elsewhere, &grant), Err(OpenError::Unwrap)));
            for at in [0, grant.len() / 2, grant.len() - 1] {
                let mut changed = grant.clone();
                changed[at] ^= 1;
                assert!(matches!(other.clone().granted(&header, &changed), Err(OpenError::Unwrap)), "byte {at}");
            }
            assert!(matches!(other.clone().granted(&header, &grant[1..]), Err(OpenError::Unwrap)));
            assert!(matches!(other.granted(&header, &[]), Err(OpenError::Unwrap)));
        }
    }

    #[test]
    fn a_slot_is_no_grant() {
        let rng = &mut StdRng::seed_from_u64(8);
        let technician = Identity::generate(KeyKind::X25519, rng);
        let (file, _) = sealed(&technician, rng);
        let header = Header::read(&mut file.as_slice()).unwrap();
        let body = header.slots[0].body.clone();
        assert!(matches!(technician.granted(&header, &body), Err(OpenError::Unwrap)));
    }

    #[test]
    fn only_a_public_key_is_granted_anything() {
        let rng = &mut StdRng::seed_from_u64(9);
        let technician = Identity::generate(KeyKind::X25519, rng);
        let (file, _) = sealed(&technician, rng);
        let header = Header::read(&mut file.as_slice()).unwrap();
        let keys = [technician];
        let shared = Identity::generate_shared(rng).recipient();
        assert!(header.unlock(&keys).unwrap().grant(&shared, rng).is_none());
        assert!(shared.grant_length().is_none());
    }
}
