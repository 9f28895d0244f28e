//! What the targets of the sealed file share: one way to open a file, one to change it, and frames made by hand.

#![allow(dead_code, reason = "each target takes what it needs")]

use std::io::Read;

use sha2::{Digest, Sha256};
use tarseal::format::{Header, Identity, OpenReader, SealOptions, SealWriter};

/// The instant at which everything is sealed.
pub const CREATED: i64 = 1_795_270_801;
/// Where the manifest stands in an archive.
pub const MANIFEST: &str = ".tarseal/manifest.json";
/// The first bytes of every sealed file of this version.
pub const PREAMBLE: [u8; 10] = *b"\x89TSL\r\n\x1a\n\x01\x01";

/// The fuzzer's bytes, taken from the front as they are needed; zeros when they are used up.
pub struct Choices<'a>(pub &'a [u8]);

impl<'a> Choices<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    /// A number below `limit`, of two bytes.
    pub fn below(&mut self, limit: usize) -> usize {
        (usize::from(self.byte()) << 8 | usize::from(self.byte())) * limit >> 16
    }

    pub fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// So many bytes as the next one says.
    pub fn string(&mut self) -> &'a [u8] {
        let length = self.byte();
        self.bytes(length.into())
    }
}

/// Seals in memory.
pub fn seal(options: &SealOptions<'_>, plaintext: &[u8], seed: u64) -> Vec<u8> {
    use rand::SeedableRng;
    use std::io::Write;
    let mut rng = rand::rngs::StdRng::seed_from_u64(seed);
    let mut writer = SealWriter::new(Vec::new(), options, &mut rng).expect("the options are good");
    writer.write_all(plaintext).expect("memory takes everything");
    writer.finish().expect("memory takes everything")
}

/// Opens as a caller would, `step` bytes at a time: what came out, and whether it came to its end. What failed keeps failing.
pub fn open(mut file: &[u8], key: &[Identity], step: usize) -> (Vec<u8>, bool) {
    let mut plaintext = Vec::new();
    let Ok(header) = Header::read(&mut file) else { return (plaintext, false) };
    let Ok(mut reader) = OpenReader::new(header, file, key, None) else { return (plaintext, false) };
    let mut buffer = vec![0; step.max(1)];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return (plaintext, true),
            Ok(length) => plaintext.extend_from_slice(&buffer[..length]),
            Err(_) => {
                assert!(reader.read(&mut buffer).is_err(), "an error stays an error");
                return (plaintext, false);
            }
        }
    }
}

/// Changes a file as the choices say: bytes replaced, flipped, copied, moved, taken out or put in.
pub fn change(file: &mut Vec<u8>, choices: &mut Choices<'_>) {
    while !choices.is_empty() && !file.is_empty() && file.len() < 1 << 18 {
        let (kind, at, to) = (choices.byte(), choices.below(file.len()), choices.below(file.len()));
        let (from, end) = (at.min(to), at.max(to));
        match kind % 7 {
            0 => file[at] ^= choices.byte().max(1),
            1 => {
                let bytes = choices.string().to_vec();
                let end = (at + bytes.len()).min(file.len());
                file.splice(at..end, bytes);
            }
            2 => drop(file.splice(at..at, choices.string().to_vec())),
            3 => drop(file.drain(from..end)),
            4 => {
                let piece = file[from..end].to_vec();
                let at = choices.below(file.len());
                drop(file.splice(at..at, piece));
            }
            5 => file.truncate(at),
            _ => file[from..end].reverse(),
        }
    }
}

/// A frame of raw blocks that says its length.
pub fn frame(content: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    frame.extend(length(content.len()).to_le_bytes());
    let mut blocks = content.chunks(128 << 10).peekable();
    while let Some(block) = blocks.next() {
        let header = length(block.len()) << 3 | u32::from(blocks.peek().is_none());
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.extend_from_slice(block);
    }
    frame
}

/// Frames of at most so many bytes each, and the seek table that fits them.
pub fn stream(tar: &[u8], each: usize) -> Vec<u8> {
    let (mut stream, mut table) = (Vec::new(), Vec::new());
    for content in tar.chunks(each) {
        let frame = frame(content);
        table.extend(length(frame.len()).to_le_bytes());
        table.extend(length(content.len()).to_le_bytes());
        stream.extend(frame);
    }
    let number = length(table.len() / 8);
    stream.extend(0x184D_2A5E_u32.to_le_bytes());
    stream.extend((8 * number + 9).to_le_bytes());
    stream.extend(table);
    stream.extend(number.to_le_bytes());
    stream.push(0);
    stream.extend(0x8F92_EAB1_u32.to_le_bytes());
    stream
}

/// A tar block with its checksum.
pub fn tar_header(name: &[u8], size: usize, kind: u8) -> [u8; 512] {
    let mut block = [0; 512];
    let name = &name[..name.len().min(100)];
    block[..name.len()].copy_from_slice(name);
    let mode = if kind == b'x' { b"0000000" } else { b"0000644" };
    block[100..107].copy_from_slice(mode);
    block[108..115].copy_from_slice(b"0000000");
    block[116..123].copy_from_slice(b"0000000");
    block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    block[136..147].copy_from_slice(b"00000000000");
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    put_checksum(&mut block);
    block
}

/// Writes the checksum of a block into it.
pub fn put_checksum(block: &mut [u8; 512]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
    block[154] = 0;
}

/// An entry: pax header where the path needs one, header, content, room up to the next block.
pub fn tar_entry(path: &str, content: &[u8]) -> Vec<u8> {
    let mut entry = Vec::new();
    if !path.is_ascii() || path.len() > 100 {
        let rest = "path".len() + path.len() + 3;
        let record = format!("{} path={path}\n", rest + (rest + 2).to_string().len());
        entry.extend(tar_header(b"././@PaxHeader", record.len(), b'x'));
        entry.extend(padded(record.as_bytes()));
    }
    let name: Vec<u8> = path.chars().map(|c| if c.is_ascii() { c as u8 } else { b'?' }).collect();
    entry.extend(tar_header(&name, content.len(), b'0'));
    entry.extend(padded(content));
    entry
}

pub fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// An archive with a manifest that fits, now and then with something odd in one of its blocks.
pub fn archive(choices: &mut Choices<'_>) -> Vec<u8> {
    let (mut tar, mut entries) = (Vec::new(), Vec::new());
    for _ in 0..choices.byte() % 6 {
        let path = String::from_utf8_lossy(choices.string()).into_owned();
        let content = choices.string();
        let mut entry = match choices.byte() {
            0 => [tar_header(path.as_bytes(), content.len(), choices.byte()).as_slice(), &padded(content)].concat(),
            1 => [tar_header(path.as_bytes(), content.len(), b'x').as_slice(), &padded(content)].concat(),
            _ => tar_entry(&path, content),
        };
        if choices.byte() & 3 == 0 {
            let at = choices.below(512);
            entry[at] ^= choices.byte();
            let block = entry.first_chunk_mut().expect("an entry begins with a block");
            put_checksum(block);
        }
        tar.extend(entry);
        entries.push(serde_json::json!({
            "path": path, "size": content.len(), "sha256": hex::encode(Sha256::digest(content)),
        }));
    }
    let manifest = serde_json::json!({
        "version": 1, "tool": "", "created": "2026-11-21T14:20:01Z", "redacted": true,
        "entries": entries, "left_out": [], "findings": {},
    });
    tar.extend(tar_entry(MANIFEST, manifest.to_string().as_bytes()));
    tar.resize(tar.len() + 1024, 0);
    tar
}

fn length(length: usize) -> u32 {
    u32::try_from(length).expect("the fuzzer's inputs are small")
}
