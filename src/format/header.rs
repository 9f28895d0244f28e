//! The header: who may open the file and what anyone may know about it. There is exactly one way to write each header.

use std::io::{self, Read};

use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::error::OpenError;
use super::key::Identity;
use super::sender::Sender;
use super::share::{MAX_PORTAL_LENGTH, Share, ShareField, check_portal};
use super::slot::{ANONYMOUS, PART_LENGTH, Slot, SlotKind, check_cost, unlock};
use super::unlocked::Unlocked;
use crate::clock::Timestamp;
use crate::ids::{FileId, ShareId};
use crate::secret::{Secret, on_clean_stack};

/// First bytes of every sealed file. What a transfer in text mode changes, it changes here first.
pub(crate) const MAGIC: [u8; 8] = *b"\x89TSL\r\n\x1a\n";
/// Most bytes of fields in a header.
pub(crate) const MAX_FIELDS_LENGTH: usize = 65_536;
/// Most slots in a header.
pub(crate) const MAX_SLOTS: usize = 16;

const VERSION: u8 = 1;
const SUITE: u8 = 1;
/// Magic, version, suite and the length of the fields.
const PREAMBLE: usize = 8 + 1 + 1 + 4;

const FILE_ID: u8 = 1;
const CREATED: u8 = 2;
const SHARE: u8 = 3;
const SENDER: u8 = 4;
const SLOT: u8 = 5;

/// The header of a sealed file. Nothing in it is secret, and nothing in it is proven until the payload opens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// Names the file; the portal knows the snapshot by it.
    pub file_id: FileId,
    /// When it was sealed, as the sender's clock said.
    pub created: Timestamp,
    /// Who holds the other part of the file key; `None` when the slots alone open the file.
    pub share: Option<ShareField>,
    /// Whose signature the manifest must have; `None` when it has none.
    pub sender: Option<Sender>,
    pub(crate) slots: Vec<Slot>,
    /// SHA-256 of fields 1–4, to which slots and file key are bound.
    pub(super) public_digest: [u8; 32],
    /// The whole header as it stands in the file, magic first.
    bytes: Vec<u8>,
}

impl Header {
    /// Reads the header and leaves the source at the first byte of the payload.
    ///
    /// At most 64 KiB and 14 bytes are read. Errors: [`OpenError::NotSealed`], [`OpenError::Version`],
    /// [`OpenError::Header`], [`OpenError::Truncated`], [`OpenError::Read`].
    pub fn read(source: &mut impl Read) -> Result<Self, OpenError> {
        let mut bytes = Vec::with_capacity(2048);
        read_more(source, &mut bytes, PREAMBLE)?;
        let seen = bytes.len().min(MAGIC.len());
        if bytes[..seen] != MAGIC[..seen] {
            return Err(OpenError::NotSealed);
        }
        if let [_, _, _, _, _, _, _, _, version, suite, ..] = bytes[..]
            && (version, suite) != (VERSION, SUITE)
        {
            return Err(OpenError::Version { version, suite });
        }
        let Some(length) = bytes.get(PREAMBLE - 4..PREAMBLE).and_then(|length| length.try_into().ok()) else {
            return Err(OpenError::Truncated);
        };
        let length = u32::from_be_bytes(length) as usize;
        if length > MAX_FIELDS_LENGTH {
            return Err(OpenError::Header("it is longer than 65 536 bytes"));
        }
        read_more(source, &mut bytes, length)?;
        if bytes.len() < PREAMBLE + length {
            return Err(OpenError::Truncated);
        }
        Self::decode(bytes)
    }

    /// How many bytes of a file tell what it is and its file id.
    pub const NAMED: usize = PREAMBLE + 5 + 16;

    /// The file id in the first bytes of a file, [`NAMED`](Self::NAMED) of them; `None` when they begin no sealed file. The rest
    /// of the header is not looked at: for whoever keeps sealed files without reading them.
    #[must_use]
    pub fn named(bytes: &[u8]) -> Option<FileId> {
        let rest = bytes.strip_prefix(&MAGIC)?.strip_prefix(&[VERSION, SUITE])?;
        let field = rest.get(4..)?.strip_prefix(&[FILE_ID, 0, 0, 0, 16])?;
        Some(FileId(field.get(..16)?.try_into().ok()?))
    }

    /// How many bytes the header that begins here has; `None` while too few are there to tell.
    #[must_use]
    pub fn told_length(bytes: &[u8]) -> Option<usize> {
        let length = u32::from_be_bytes(bytes.get(PREAMBLE - 4..PREAMBLE)?.try_into().ok()?);
        Some(PREAMBLE + (length as usize).min(MAX_FIELDS_LENGTH))
    }

    /// Length of the header in bytes: the payload begins here.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// SHA-256 of the header's bytes, magic first; the payload and the manifest's signature are bound to it.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }

    /// How each slot is locked, in the file's order.
    pub fn slot_kinds(&self) -> impl Iterator<Item = SlotKind> {
        self.slots.iter().map(|slot| slot.kind)
    }

    /// Opens the first slot that one of the identities opens, before a share is asked for.
    ///
    /// Errors: [`OpenError::NoKeyFits`], [`OpenError::NotGiven`], [`OpenError::WrongPassphrase`],
    /// [`OpenError::Memory`], [`OpenError::Slot`].
    pub fn unlock(&self, identities: &[Identity]) -> Result<Unlocked<'_>, OpenError> {
        let part = on_clean_stack(|| unlock(&self.slots, &self.public_digest, identities))?;
        Ok(Unlocked { header: self, part })
    }

    /// Reads the header and gives a source that begins with it again: for looking at a file before it is opened.
    ///
    /// Errors as [`Header::read`].
    pub fn peek<R: Read>(mut source: R) -> Result<(Self, impl Read), OpenError> {
        let header = Self::read(&mut source)?;
        let again = io::Cursor::new(header.bytes.clone()).chain(source);
        Ok((header, again))
    }

    /// Refuses a file that none of these senders is said to have signed; without senders nothing is refused.
    ///
    /// That the signature fits is found out when the manifest is read. Errors: [`OpenError::Unsigned`],
    /// [`OpenError::OtherSender`].
    pub fn require_sender(&self, senders: &[Sender]) -> Result<(), OpenError> {
        match self.sender {
            _ if senders.is_empty() => Ok(()),
            Some(sender) if senders.contains(&sender) => Ok(()),
            Some(sender) => Err(OpenError::OtherSender(sender)),
            None => Err(OpenError::Unsigned),
        }
    }

    /// Joins the two parts to the file key. Without field 3 there is no share, whatever is given.
    pub(crate) fn file_key(&self, part: &Secret<[u8; PART_LENGTH]>, share: Option<&Share>) -> Secret<[u8; 32]> {
        on_clean_stack(|| file_key(&self.public_digest, part, share.filter(|_| self.share.is_some())))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Makes the header of a new file. `lock` fills the slots and is handed SHA-256(PUB), to which they are bound.
    ///
    /// The caller has checked the portal's address and the number of recipients.
    pub(crate) fn new(
        file_id: FileId,
        created: Timestamp,
        share: Option<ShareField>,
        sender: Option<Sender>,
        lock: impl FnOnce(&[u8; 32]) -> Vec<Slot>,
    ) -> Self {
        let mut fields = Vec::with_capacity(4096);
        put_field(&mut fields, FILE_ID, &[&file_id.0]);
        put_field(&mut fields, CREATED, &[&seconds(created).to_be_bytes()]);
        if let Some(share) = &share {
            put_field(
                &mut fields,
                SHARE,
                &[&share.id.0, &seconds(share.not_after).to_be_bytes(), share.portal.as_bytes()],
            );
        }
        if let Some(sender) = &sender {
            put_field(&mut fields, SENDER, &[sender.as_bytes()]);
        }
        let public_digest = Sha256::digest(&fields).into();
        let slots = lock(&public_digest);
        for slot in &slots {
            put_field(&mut fields, SLOT, &[&[slot.kind as u8], &slot.key_id, &slot.body]);
        }
        let length = length_bytes(fields.len());
        let bytes = [MAGIC.as_slice(), &[VERSION, SUITE], &length, &fields].concat();
        Self { file_id, created, share, sender, slots, public_digest, bytes }
    }

    /// Takes a complete header apart, refusing whatever `new` would not have written.
    fn decode(bytes: Vec<u8>) -> Result<Self, OpenError> {
        let mut fields = Fields(&bytes[PREAMBLE..]);
        let file_id = FileId(fields.exactly(FILE_ID, "the file id is missing")?);
        let created = instant(fields.exactly(CREATED, "the creation time is missing")?)?;
        let share = fields.next_if(SHARE)?.map(decode_share).transpose()?;
        let sender = match fields.next_if(SENDER)? {
            Some(key) => {
                let key = key.try_into().map_err(|_| OpenError::Header("the sender's key has the wrong length"))?;
                Some(Sender::from_bytes(key))
            }
            None => None,
        };
        let public_length = bytes.len() - PREAMBLE - fields.0.len();
        let public_digest = Sha256::digest(&bytes[PREAMBLE..PREAMBLE + public_length]).into();

        let mut slots = Vec::new();
        while let Some(value) = fields.next_if(SLOT)? {
            if slots.len() == MAX_SLOTS {
                return Err(OpenError::Header("it has more than 16 slots"));
            }
            slots.push(decode_slot(value)?);
        }
        if !fields.0.is_empty() {
            return Err(OpenError::Header("a field is unknown, out of order or there twice"));
        }
        if slots.is_empty() {
            return Err(OpenError::Header("it has no slot"));
        }
        if let Some(slot) = slots.iter().find(|slot| slot.kind == SlotKind::Passphrase)
            && (slots.len() > 1 || slot.key_id != ANONYMOUS)
        {
            return Err(OpenError::Header("a passphrase slot is not alone or names a key"));
        }
        for slot in &slots {
            match slot.kind {
                SlotKind::Passphrase => check_cost(&slot.body).map_err(OpenError::Header)?,
                SlotKind::SharedKey if slot.key_id != ANONYMOUS => {
                    return Err(OpenError::Header("a shared-key slot names a key"));
                }
                _ => {}
            }
        }
        Ok(Self { file_id, created, share, sender, slots, public_digest, bytes })
    }
}

/// Derives the file key from the vendor's part and, when there is one, the portal's.
fn file_key(public_digest: &[u8; 32], part: &Secret<[u8; PART_LENGTH]>, share: Option<&Share>) -> Secret<[u8; 32]> {
    let mut parts = Zeroizing::new([0; PART_LENGTH + Share::LENGTH]);
    parts[..PART_LENGTH].copy_from_slice(part.expose());
    let mut length = PART_LENGTH;
    if let Some(share) = share {
        parts[PART_LENGTH..].copy_from_slice(share.expose());
        length += Share::LENGTH;
    }
    let mut key = Secret::new([0; 32]);
    Hkdf::<Sha256>::new(None, &parts[..length])
        .expand_multi_info(&[b"tarseal/v1 file key\0", public_digest], key.expose_mut())
        .expect("32 bytes are within 255 blocks");
    key
}

fn decode_share(value: &[u8]) -> Result<ShareField, OpenError> {
    const WRONG: OpenError = OpenError::Header("the share field has the wrong length");
    let (id, rest) = value.split_first_chunk().ok_or(WRONG)?;
    let (not_after, portal) = rest.split_first_chunk().ok_or(WRONG)?;
    if portal.len() > MAX_PORTAL_LENGTH {
        return Err(OpenError::Header("the portal's address is longer than 512 bytes"));
    }
    let portal = std::str::from_utf8(portal).map_err(|_| OpenError::Header("the portal's address is not text"))?;
    check_portal(portal).map_err(OpenError::Header)?;
    Ok(ShareField { id: ShareId(*id), not_after: instant(*not_after)?, portal: portal.to_owned() })
}

fn decode_slot(value: &[u8]) -> Result<Slot, OpenError> {
    const WRONG: OpenError = OpenError::Header("a slot has the wrong length");
    let (kind, rest) = value.split_first().ok_or(WRONG)?;
    let kind = SlotKind::from_number(*kind).ok_or(OpenError::Header("a slot is of an unknown kind"))?;
    let (key_id, body) = rest.split_first_chunk().ok_or(WRONG)?;
    if body.len() != kind.body_length() {
        return Err(WRONG);
    }
    Ok(Slot { kind, key_id: *key_id, body: body.to_vec() })
}

/// The fields that are still to be read.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// Takes the next field if it is of this type.
    fn next_if(&mut self, kind: u8) -> Result<Option<&'a [u8]>, OpenError> {
        const OVERRUN: OpenError = OpenError::Header("a field runs past its end");
        if self.0.first() != Some(&kind) {
            return Ok(None);
        }
        let (length, rest) = self.0[1..].split_first_chunk().ok_or(OVERRUN)?;
        let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or(OVERRUN)?;
        self.0 = rest;
        Ok(Some(value))
    }

    /// Takes the next field, which must be of this type and of exactly this length.
    fn exactly<const LENGTH: usize>(&mut self, kind: u8, missing: &'static str) -> Result<[u8; LENGTH], OpenError> {
        let value = self.next_if(kind)?.ok_or(OpenError::Header(missing))?;
        value.try_into().map_err(|_| OpenError::Header("a field has the wrong length"))
    }
}

fn put_field(fields: &mut Vec<u8>, kind: u8, value: &[&[u8]]) {
    fields.push(kind);
    fields.extend(length_bytes(value.iter().map(|piece| piece.len()).sum()));
    value.iter().for_each(|piece| fields.extend_from_slice(piece));
}

fn length_bytes(length: usize) -> [u8; 4] {
    u32::try_from(length).expect("a header that this program writes is far below 4 GiB").to_be_bytes()
}

fn seconds(instant: Timestamp) -> u64 {
    instant.seconds().unsigned_abs() // a Timestamp is never negative
}

/// Reads an instant; one past the calendar's end would be moved to it, so it is refused.
fn instant(bytes: [u8; 8]) -> Result<Timestamp, OpenError> {
    let seconds = i64::from_be_bytes(bytes);
    let instant = Timestamp::from_seconds(seconds);
    if instant.seconds() == seconds { Ok(instant) } else { Err(OpenError::Header("a time is after the year 9999")) }
}

/// Appends up to `length` bytes; fewer only when the source ends.
fn read_more(source: &mut impl Read, bytes: &mut Vec<u8>, length: usize) -> Result<(), OpenError> {
    io::copy(&mut source.take(length as u64), bytes).map_err(OpenError::Read).map(drop)
}

#[cfg(test)]
mod tests;
