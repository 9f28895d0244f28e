//! Archives by hand: blocks, records, frames and seek tables exactly as a test wants them, then sealed as anyone can.
//!
//! Nothing here comes from the program's own writer. What the functions make by themselves is what `FORMAT.md` describes;
//! a case takes one of them apart.

use std::io::Write;

use rand::SeedableRng;
use rand::rngs::StdRng;
use sha2::{Digest, Sha256};
use tarseal::format::{Identity, SealOptions, SealWriter};

pub const BLOCK: usize = 512;
/// Bytes of tar in a frame.
pub const FRAME: usize = 4 << 20;
pub const FRAME_MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();
pub const PADDING_MAGIC: [u8; 4] = 0x184D_2A50_u32.to_le_bytes();
pub const TABLE_MAGIC: [u8; 4] = 0x184D_2A5E_u32.to_le_bytes();
pub const MANIFEST: &str = ".tarseal/manifest.json";

/// A ustar block in the one dialect, to be spoilt.
pub struct Header([u8; BLOCK]);

impl Header {
    pub fn new(name: impl AsRef<[u8]>, size: u64) -> Self {
        let mut block = [0; BLOCK];
        block[..name.as_ref().len()].copy_from_slice(name.as_ref());
        block[100..107].copy_from_slice(b"0000644");
        block[108..115].copy_from_slice(b"0000000");
        block[116..123].copy_from_slice(b"0000000");
        block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
        block[136..147].copy_from_slice(b"00000000000");
        block[156] = b'0';
        block[257..265].copy_from_slice(b"ustar\x0000");
        Self(block)
    }

    pub fn put(mut self, at: usize, bytes: &[u8]) -> Self {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    pub fn kind(self, kind: u8) -> Self {
        self.put(156, &[kind])
    }

    pub fn mode(self, mode: &[u8; 7]) -> Self {
        self.put(100, mode)
    }

    pub fn link(self, target: &str) -> Self {
        self.put(157, target.as_bytes())
    }

    /// The block with a checksum that fits.
    pub fn block(mut self) -> Vec<u8> {
        self.0[148..156].fill(b' ');
        let sum: u32 = self.0.iter().map(|&byte| u32::from(byte)).sum();
        self.0[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
        self.0[154] = 0;
        self.0.to_vec()
    }
}

/// `content` with zeros up to a whole block.
pub fn padded(content: &[u8]) -> Vec<u8> {
    let mut bytes = content.to_vec();
    bytes.resize(content.len().next_multiple_of(BLOCK), 0);
    bytes
}

/// A file whose path is plain and short.
pub fn file(name: &str, content: &[u8]) -> Vec<u8> {
    [Header::new(name, content.len() as u64).block(), padded(content)].concat()
}

/// A file whose path stands in a pax header; `?` stands for what is not ASCII in the block, as the dialect has it.
pub fn long_file(path: &str, content: &[u8]) -> Vec<u8> {
    let short: Vec<u8> = path.chars().map(|c| if c.is_ascii() { c as u8 } else { b'?' }).take(100).collect();
    let block = Header::new(short, content.len() as u64).block();
    [pax(&record("path", path.as_bytes())), block, padded(content)].concat()
}

/// A pax header with these records.
pub fn pax(records: &[u8]) -> Vec<u8> {
    [pax_header(records.len() as u64).block(), padded(records)].concat()
}

/// The block of a pax header.
pub fn pax_header(length: u64) -> Header {
    Header::new("././@PaxHeader", length).mode(b"0000000").kind(b'x')
}

/// A pax record whose length counts itself.
pub fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

/// A record that says it is `length` bytes long.
pub fn record_of_length(length: &str, key: &str, value: &[u8]) -> Vec<u8> {
    [length.as_bytes(), b" ", key.as_bytes(), b"=", value, b"\n"].concat()
}

/// The text of a manifest that lists these files.
pub fn manifest_text(files: &[(&str, &[u8])]) -> String {
    let entries: Vec<_> = files
        .iter()
        .map(|(path, content)| {
            serde_json::json!({"path": path, "size": content.len(), "sha256": hex::encode(Sha256::digest(content))})
        })
        .collect();
    serde_json::json!({
        "version": 1, "tool": "tarseal test", "created": "2026-11-21T14:20:01Z", "redacted": true,
        "entries": entries, "left_out": [], "findings": {},
    })
    .to_string()
}

/// The last entry.
pub fn manifest(files: &[(&str, &[u8])]) -> Vec<u8> {
    file(MANIFEST, manifest_text(files).as_bytes())
}

/// Two blocks of zeros.
pub fn end() -> Vec<u8> {
    vec![0; 2 * BLOCK]
}

/// One zstd frame in the one dialect.
pub fn frame(content: &[u8]) -> Vec<u8> {
    frame_with(content, |_| {})
}

/// One zstd frame with other flags.
pub fn frame_with(content: &[u8], flags: impl FnOnce(&mut zstd::bulk::Compressor<'static>)) -> Vec<u8> {
    let mut compressor = zstd::bulk::Compressor::new(1).unwrap();
    compressor.include_dictid(false).unwrap();
    compressor.include_checksum(false).unwrap();
    flags(&mut compressor);
    compressor.compress(content).unwrap()
}

/// A skippable frame.
pub fn skippable(magic: [u8; 4], content: &[u8]) -> Vec<u8> {
    [&magic[..], &u32::try_from(content.len()).unwrap().to_le_bytes(), content].concat()
}

/// The seek table of frames with these lengths, compressed and not.
pub fn table(frames: &[(usize, usize)]) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let mut content = Vec::new();
    for &(compressed, length) in frames {
        content.extend(number(compressed));
        content.extend(number(length));
    }
    content.extend(number(frames.len()));
    content.push(0);
    content.extend(0x8F92_EAB1_u32.to_le_bytes());
    skippable(TABLE_MAGIC, &content)
}

/// Frames and a seek table that fits them. Tar that would seem a bomb stays one: there is no padding.
pub fn framed(tar: &[u8]) -> Vec<u8> {
    let mut lengths = Vec::new();
    let mut stream = Vec::new();
    for piece in tar.chunks(FRAME) {
        let frame = frame(piece);
        lengths.push((frame.len(), piece.len()));
        stream.extend(frame);
    }
    stream.extend(table(&lengths));
    stream
}

/// Seals a stream to one key, as anyone can who knows the recipient.
pub fn sealed(stream: &[u8], identity: &Identity) -> Vec<u8> {
    let recipients = [identity.recipient()];
    let options =
        SealOptions { created: "2026-11-21T14:20:01Z".parse().unwrap(), recipients: &recipients, share: None };
    let mut writer = SealWriter::new(Vec::new(), &options, &mut StdRng::seed_from_u64(1)).unwrap();
    writer.write_all(stream).unwrap();
    writer.finish().unwrap()
}
