//! The blocks of a tar archive.

use tar::{EntryType, Header};

use super::reader::Entry;
use crate::redact::container::member_name::Kind;

/// Bytes of a block.
pub(super) const BLOCK: usize = 512;

/// Bytes after `length` bytes of content, up to the next block.
pub(super) const fn padding(length: u64) -> u64 {
    (BLOCK as u64 - length % BLOCK as u64) % BLOCK as u64
}

/// Whether a block is a header by its checksum; archives from before ustar have no other mark.
pub(super) fn is_header(block: &[u8]) -> bool {
    let Some(block) = block.get(..BLOCK) else { return false };
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    let own: u32 = block[148..156].iter().map(|&byte| u32::from(byte)).sum();
    block[0] != 0 && Header::from_byte_slice(block).cksum().is_ok_and(|told| told == sum - own + 8 * u32::from(b' '))
}

/// The header of a member: no owner, no group, no set-user-ID. A name of more than 100 bytes stands before it, in GNU's way.
pub(super) fn encode(name: &[u8], entry: &Entry, size: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BLOCK);
    if name.len() > 100 {
        let length = name.len() as u64 + 1;
        bytes.extend_from_slice(&block(b"././@LongLink", EntryType::GNULongName, 0o644, 0, length));
        bytes.extend_from_slice(name);
        bytes.push(0);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    }
    let kind = if entry.kind == Kind::Directory { EntryType::Directory } else { EntryType::Regular };
    let name = &name[..name.len().min(100)];
    bytes.extend_from_slice(&block(name, kind, entry.mode & 0o777, entry.modified, size));
    bytes
}

fn block(name: &[u8], kind: EntryType, mode: u32, modified: u64, size: u64) -> [u8; BLOCK] {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(modified);
    header.set_size(size);
    header.set_cksum();
    *header.as_bytes()
}
