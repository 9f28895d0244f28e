//! Keys, sealed files and sharp tools for taking them apart.

use std::io::{self, Read, Write};

use rand::SeedableRng;
use rand::rngs::StdRng;
use tarseal::clock::Timestamp;
use tarseal::format::{
    Header, Identity, KeyKind, OpenError, OpenReader, Recipient, SealOptions, SealWriter, Share, ShareField,
};
use tarseal::ids::ShareId;

pub const CREATED: Timestamp = Timestamp::from_seconds(1_795_270_801);
/// Bytes of salt and commitment in front of the first chunk.
pub const PREFIX: usize = 56;
/// Bytes of a full sealed chunk.
pub const SEALED_CHUNK: usize = 16_384 + 16;

pub fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

pub fn identity(kind: KeyKind, seed: u64) -> Identity {
    Identity::generate(kind, &mut rng(seed))
}

/// Bytes that are all different places: no run of 16 KiB looks like another.
pub fn text(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect()
}

pub fn share_field() -> ShareField {
    ShareField {
        id: ShareId([0x51; 16]),
        not_after: CREATED.plus_days(365),
        portal: "https://support.vendor.example".to_owned(),
    }
}

pub fn seal(recipients: &[Recipient], share: Option<&Share>, plaintext: &[u8], seed: u64) -> Vec<u8> {
    let options = SealOptions { created: CREATED, recipients, share: share.map(|share| (share_field(), share)) };
    let mut writer = SealWriter::new(Vec::new(), &options, &mut rng(seed)).unwrap();
    writer.write_all(plaintext).unwrap();
    writer.finish().unwrap()
}

pub fn header_length(file: &[u8]) -> usize {
    let header = Header::read(&mut &*file).unwrap();
    usize::try_from(header.length()).unwrap()
}

/// Opens a file as a caller would; gives what came out and, if it went wrong, why.
pub fn open(file: &[u8], identities: &[Identity], share: Option<&Share>) -> (Vec<u8>, Option<String>) {
    let (plaintext, error) = try_open(file, identities, share);
    (plaintext, error.map(|error| error.to_string()))
}

/// The same, with the error itself.
pub fn try_open(file: &[u8], identities: &[Identity], share: Option<&Share>) -> (Vec<u8>, Option<OpenError>) {
    let mut plaintext = Vec::new();
    let result = open_into(file, identities, share, &mut plaintext);
    (plaintext, result.err())
}

fn open_into(
    mut file: &[u8],
    identities: &[Identity],
    share: Option<&Share>,
    plaintext: &mut Vec<u8>,
) -> Result<(), OpenError> {
    let header = Header::read(&mut file)?;
    let mut reader = OpenReader::new(header, file, identities, share)?;
    let Err(error) = io::copy(&mut reader, plaintext) else {
        assert_eq!(reader.read(&mut [0; 9]).unwrap(), 0, "the end stays the end");
        return Ok(());
    };
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    let again = reader.read(&mut [0; 9]).expect_err("an error stays an error");
    assert_eq!(again.to_string(), error.to_string());
    assert!(OpenError::from_io(&again).is_some());
    Err(*error.into_inner().unwrap().downcast::<OpenError>().unwrap())
}

/// A sealed file in pieces that can be changed and put together again.
#[derive(Clone)]
pub struct Pieces {
    pub preamble: [u8; 10],
    pub fields: Vec<(u8, Vec<u8>)>,
    pub prefix: Vec<u8>,
    pub chunks: Vec<Vec<u8>>,
}

impl Pieces {
    pub fn of(file: &[u8]) -> Self {
        let (preamble, rest) = file.split_first_chunk().unwrap();
        let (length, rest) = rest.split_first_chunk().unwrap();
        let (mut encoded, payload) = rest.split_at(u32::from_be_bytes(*length) as usize);
        let mut fields = Vec::new();
        while let Some((kind, rest)) = encoded.split_first() {
            let (length, rest) = rest.split_first_chunk().unwrap();
            let (value, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
            fields.push((*kind, value.to_vec()));
            encoded = rest;
        }
        let (prefix, chunks) = payload.split_at(PREFIX);
        let chunks = chunks.chunks(SEALED_CHUNK).map(<[u8]>::to_vec).collect();
        Self { preamble: *preamble, fields, prefix: prefix.to_vec(), chunks }
    }

    pub fn join(&self) -> Vec<u8> {
        let length_of = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
        let mut encoded = Vec::new();
        for (kind, value) in &self.fields {
            encoded.push(*kind);
            encoded.extend(length_of(value.len()));
            encoded.extend(value);
        }
        let length = length_of(encoded.len());
        [self.preamble.as_slice(), &length, &encoded, &self.prefix, &self.chunks.concat()].concat()
    }
}
