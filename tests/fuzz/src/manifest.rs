//! A manifest is refused, or it lists exactly what is there and says the same when it is written and read again.

#![no_main]

mod sealed;

use libfuzzer_sys::fuzz_target;
use tarseal::pack::{Digest, Limits, Manifest, read_entries};
use tarseal::progress::Silent;

use sealed::{stream, tar_entry};

const LOG: &[u8] = b"14:20:01 no answer\n";

fuzz_target!(|manifest: &[u8]| {
    let mut tar = [tar_entry("log", LOG), tar_entry(".tarseal/manifest.json", manifest)].concat();
    tar.resize(tar.len() + 1024, 0);
    let bytes = stream(&tar, 4096);
    let Ok(read) = read_entries(bytes.as_slice(), &Limits::default(), &mut (), &Silent) else { return };
    let [entry] = read.entries.as_slice() else { panic!("{} entries", read.entries.len()) };
    assert_eq!((entry.path.as_str(), entry.size, entry.sha256), ("log", LOG.len() as u64, Digest::of(LOG)));
    let again: Manifest = serde_json::from_slice(&serde_json::to_vec(&read).expect("it can be written"))
        .expect("what is written can be read");
    assert_eq!(again, read);
});
