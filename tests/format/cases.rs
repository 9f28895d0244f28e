//! Files that say themselves what becomes of them: `fixtures/format/*.case`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, str};

use sha2::{Digest, Sha256};
use tarseal::format::{Identity, OpenError, Passphrase, Share};

use crate::support::try_open;

/// The words a case may have.
const WORDS: [&str; 9] =
    ["expect", "reason", "archive", "plaintext", "identity", "passphrase", "share", "parts", "comment"];

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A sealed file and what must become of it.
pub struct Case {
    pub name: String,
    pub words: BTreeMap<String, String>,
    pub sealed: Vec<u8>,
}

impl Case {
    /// Reads every case, in the order of their names.
    pub fn all() -> Vec<Self> {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(root().join("fixtures/format")).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "case"));
        paths.sort();
        let mut cases: Vec<Self> = paths.iter().map(|path| Self::read(path)).collect();
        let whole: BTreeMap<String, Vec<u8>> =
            cases.iter().map(|case| (case.name.clone(), case.sealed.clone())).collect();
        for case in &mut cases {
            if let Some(parts) = case.words.get("parts") {
                assert!(case.sealed.is_empty(), "{}: parts and bytes", case.name);
                case.sealed = parts.split(' ').flat_map(|part| bytes_of(part, &whole)).collect();
            }
        }
        cases
    }

    fn read(path: &Path) -> Self {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let bytes = fs::read(path).unwrap();
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").expect("an empty line ends the words");
        let mut words = BTreeMap::new();
        for line in str::from_utf8(&bytes[..end]).unwrap().lines() {
            let (word, value) = line.split_once(": ").expect("each line is `word: value`");
            assert!(WORDS.contains(&word), "{name}: unknown word {word}");
            assert!(words.insert(word.to_owned(), value.to_owned()).is_none(), "{name}: {word} twice");
        }
        Self { name, words, sealed: bytes[end + 2..].to_vec() }
    }

    pub fn word(&self, word: &str) -> Option<&str> {
        self.words.get(word).map(String::as_str)
    }

    /// What it is opened with.
    pub fn identity(&self) -> Identity {
        match self.word("passphrase") {
            Some(words) => Identity::from(Passphrase::new(words.as_bytes()).unwrap()),
            None => fs::read_to_string(root().join(&self.words["identity"])).unwrap().parse().unwrap(),
        }
    }

    pub fn share(&self) -> Option<Share> {
        self.word("share").map(|share| {
            let mut bytes = [0; 32];
            hex::decode_to_slice(share, &mut bytes).unwrap();
            Share::from_bytes(bytes)
        })
    }
}

/// `name[from..to]` stands for these bytes of another case, `name[from..]` for all from there on; anything else is hexadecimal.
fn bytes_of(part: &str, whole: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let Some((name, range)) = part.split_once('[') else { return hex::decode(part).unwrap() };
    let (from, to) = range.strip_suffix(']').unwrap().split_once("..").unwrap();
    let bytes = &whole[name];
    let to = if to.is_empty() { bytes.len() } else { to.parse().unwrap() };
    bytes[from.parse().unwrap()..to].to_vec()
}

/// The word of a case for an error. What it says beyond that, if anything, is its reason.
pub fn kind(error: &OpenError) -> String {
    match error {
        OpenError::NotSealed => "not sealed".into(),
        OpenError::Version { .. } => "other version".into(),
        OpenError::Header(_) => "header".into(),
        OpenError::NoKeyFits => "no key".into(),
        OpenError::NotGiven(_) => "not given".into(),
        OpenError::WrongPassphrase => "wrong passphrase".into(),
        OpenError::Slot => "slot".into(),
        OpenError::ShareNeeded(_) => "share needed".into(),
        OpenError::Commitment => "commitment".into(),
        OpenError::Signature => "signature".into(),
        OpenError::Chunk { number } => format!("chunk {number}"),
        OpenError::Truncated => "cut off".into(),
        other => panic!("no case has a word for {other:?}"),
    }
}

#[test]
fn every_case_ends_as_it_says() {
    let cases = Case::all();
    assert!(cases.len() >= 500, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let (plaintext, error) = try_open(&case.sealed, &[case.identity()], case.share().as_ref());
        let ended = error.as_ref().map_or_else(|| "opened".into(), kind);
        let reason = match &error {
            Some(OpenError::Header(reason)) => Some(*reason),
            _ => None,
        };
        let digest = hex::encode(Sha256::digest(&plaintext));
        if (ended.as_str(), reason, digest.as_str())
            != (&case.words["expect"], case.word("reason"), &case.words["plaintext"])
        {
            wrong.push(format!("{}: {ended}, {reason:?}, {} bytes came out", case.name, plaintext.len()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
