//! Sealing: plaintext goes in, a sealed file comes out, one batch of chunks at a time.

use std::io::{self, Write};

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::error::SealError;
use super::header::{Header, MAX_SLOTS};
use super::key::Recipient;
use super::payload::{CHUNK, ChunkCipher, MAX_CHUNKS, SEALED_CHUNK, TAG};
use super::sender::Sender;
use super::share::{Share, ShareField, check_portal};
use super::slot::{self, PART_LENGTH, SlotKind};
use crate::clock::Timestamp;
use crate::ids::FileId;
use crate::secret::{Secret, on_clean_stack};

/// Chunks that are written with one call.
const BATCH: usize = 8;

/// What a sealed file is to be like.
#[derive(Clone, Debug)]
pub struct SealOptions<'a> {
    /// When it is sealed.
    pub created: Timestamp,
    /// Who may open it: 1 to 16 keys, or one passphrase and nobody else. A key that is given twice gets one slot.
    pub recipients: &'a [Recipient],
    /// The portal's part of the file key and what the header says about it; `None` seals without a portal.
    pub share: Option<(ShareField, &'a Share)>,
}

/// Seals what is written into it. Holds 128 KiB.
///
/// Nothing opens until [`finish`](Self::finish) has written the last chunk: a file that was given up is not half a file.
pub struct SealWriter<W: Write> {
    output: W,
    header: Header,
    cipher: ChunkCipher,
    /// Sealed chunks, then the plaintext of the chunk that is being filled.
    buffer: Zeroizing<Vec<u8>>,
    sealed: usize,
    filled: usize,
    number: u64,
    failed: bool,
}

impl<W: Write> SealWriter<W> {
    /// Draws fresh keys, locks them for the recipients and writes the header.
    ///
    /// Errors: no recipient or too many, a passphrase beside others, a portal address that cannot be used, or a failure to
    /// write.
    pub fn new(output: W, options: &SealOptions<'_>, rng: &mut dyn CryptoRng) -> Result<Self, SealError> {
        Self::begin(output, options, None, rng)
    }

    /// The same for a file that this sender signs. The plaintext must then end with the signature of its manifest, over the
    /// [digest of the header](Header::digest); `pipeline::create` sees to it.
    pub fn signed(
        output: W,
        options: &SealOptions<'_>,
        sender: Sender,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, SealError> {
        Self::begin(output, options, Some(sender), rng)
    }

    fn begin(
        mut output: W,
        options: &SealOptions<'_>,
        sender: Option<Sender>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, SealError> {
        let mut recipients: Vec<&Recipient> = Vec::new();
        for recipient in options.recipients {
            if !recipients.contains(&recipient) {
                recipients.push(recipient);
            }
        }
        if recipients.is_empty() {
            return Err(SealError::NoRecipient);
        }
        if recipients.len() > MAX_SLOTS {
            return Err(SealError::TooManyRecipients(recipients.len()));
        }
        if recipients.len() > 1 && recipients.iter().any(|recipient| recipient.kind() == SlotKind::Passphrase) {
            return Err(SealError::PassphraseNotAlone);
        }
        let (field, share) = match &options.share {
            Some((field, share)) => (Some(field.clone()), Some(*share)),
            None => (None, None),
        };
        if let Some(field) = &field {
            check_portal(&field.portal).map_err(SealError::Portal)?;
        }

        let file_id = FileId::random(rng);
        let mut part = Secret::new([0; PART_LENGTH]);
        rng.fill_bytes(part.expose_mut());
        let header = Header::new(file_id, options.created, field, sender, |public_digest| {
            on_clean_stack(|| {
                recipients.iter().map(|recipient| slot::lock(recipient, public_digest, &part, rng)).collect()
            })
        });
        let (cipher, prefix) = ChunkCipher::begin(&header.file_key(&part, share), &header.digest(), rng);
        output.write_all(header.as_bytes()).and_then(|()| output.write_all(&prefix)).map_err(SealError::Write)?;
        let buffer = Zeroizing::new(vec![0; BATCH * SEALED_CHUNK]);
        Ok(Self { output, header, cipher, buffer, sealed: 0, filled: 0, number: 0, failed: false })
    }

    /// The header that was written.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Writes the last chunk and gives the output back. The file is complete now and not before.
    pub fn finish(mut self) -> io::Result<W> {
        self.refuse_after_failure()?;
        self.seal_chunk();
        self.write_sealed()?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn seal_chunk(&mut self) {
        let end = self.sealed + self.filled;
        let tag = self.cipher.seal(self.number, &mut self.buffer[self.sealed..end]);
        self.buffer[end..end + TAG].copy_from_slice(&tag);
        self.sealed = end + TAG;
        self.filled = 0;
        self.number += 1;
    }

    fn write_sealed(&mut self) -> io::Result<()> {
        let sealed = std::mem::take(&mut self.sealed);
        let result = self.output.write_all(&self.buffer[..sealed]);
        // What has reached the output is unknown; going on would leave a hole.
        self.failed |= result.is_err();
        if self.filled > 0 {
            self.buffer.copy_within(sealed..sealed + self.filled, 0);
        }
        result
    }

    fn refuse_after_failure(&self) -> io::Result<()> {
        if self.failed { Err(io::Error::other("an earlier write of the sealed file failed")) } else { Ok(()) }
    }
}

impl<W: Write> Write for SealWriter<W> {
    fn write(&mut self, mut data: &[u8]) -> io::Result<usize> {
        self.refuse_after_failure()?;
        let length = data.len();
        while !data.is_empty() {
            let (now, later) = data.split_at(data.len().min(CHUNK - self.filled));
            let start = self.sealed + self.filled;
            self.buffer[start..start + now.len()].copy_from_slice(now);
            self.filled += now.len();
            data = later;
            if self.filled == CHUNK {
                // The last chunk, always shorter, must still have a number.
                if self.number + 1 >= MAX_CHUNKS {
                    self.failed = true;
                    return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a sealed file holds less than 4 PiB"));
                }
                self.seal_chunk();
                if self.sealed == self.buffer.len() {
                    self.write_sealed()?;
                }
            }
        }
        Ok(length)
    }

    /// Writes the chunks that are full; a chunk that is not stays until it is.
    fn flush(&mut self) -> io::Result<()> {
        self.refuse_after_failure()?;
        self.write_sealed()?;
        self.output.flush()
    }
}
