//! Who sealed it: signatures of senders, from the items to the directory.

use tarseal::format::{OpenReader, SealOptions, SealWriter, Sender, SenderKey};
use tarseal::pack::{Manifest, PackOptions, Packer, SIGNATURE_PATH, Signature};

use super::*;

/// Signs by the digests of header and manifest.
type Sign<'a> = &'a dyn Fn(&[u8; 32], &Digest) -> Signature;

fn key(seed: u64) -> SenderKey {
    SenderKey::generate(&mut StdRng::seed_from_u64(seed))
}

fn signed_by(key: Option<&SenderKey>) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("out.tarseal");
    let recipients = [technician().recipient()];
    let plan = Plan { sender: key, ..plan(vec![item("a", b"some lines\n")], none(), &recipients) };
    create(plan, &output, &mut rng(), &Silent).unwrap();
    fs::read(output).unwrap()
}

/// A file of an empty archive whose header names one sender and whose manifest has the signature of whoever `sign` is.
fn forged(named: Option<Sender>, sign: Option<Sign<'_>>) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let recipients = [technician().recipient()];
    let options = SealOptions { created: now(), recipients: &recipients, share: None };
    let seal = match named {
        Some(sender) => SealWriter::signed(Vec::new(), &options, sender, &mut rng()),
        None => SealWriter::new(Vec::new(), &options, &mut rng()),
    };
    let seal = seal.unwrap();
    let header = seal.header().digest();
    let packer = Packer::new(seal, &PackOptions::new(directory.path()), &mut rng()).unwrap();
    let (_, created) = sealed(vec![item("a", b"x")], none());
    let manifest = Manifest { entries: Vec::new(), ..created.manifest };
    let packed = match sign {
        Some(sign) => packer.finish_signed(&manifest, &|digest| sign(&header, digest)),
        None => packer.finish(&manifest),
    };
    packed.and_then(SealWriter::finish).unwrap()
}

#[test]
fn a_signed_file_tells_its_sender_and_an_unsigned_one_tells_none() {
    for key in [None, Some(&key(1))] {
        let file = signed_by(key);
        let directory = tempfile::tempdir().unwrap();
        let opened = open(&file, &technician(), &directory).unwrap();
        assert_eq!(opened.sender, key.map(SenderKey::sender));
        assert_eq!(directory.path().join("out").join(SIGNATURE_PATH).exists(), key.is_some());
    }
}

#[test]
fn a_signature_that_does_not_fit_leaves_nothing() {
    let (one, two) = (key(1), key(2));
    let good = |header: &[u8; 32], manifest: &Digest| one.sign(header, &manifest.0);
    open(&forged(Some(one.sender()), Some(&good)), &technician(), &tempfile::tempdir().unwrap()).unwrap();

    let by_another = |header: &[u8; 32], manifest: &Digest| two.sign(header, &manifest.0);
    let of_another_header = |_: &[u8; 32], manifest: &Digest| one.sign(&[0; 32], &manifest.0);
    let of_another_manifest = |header: &[u8; 32], _: &Digest| one.sign(header, &[0; 32]);
    let none = |_: &[u8; 32], _: &Digest| [0; 64];
    let wrong: [Sign<'_>; 4] = [&by_another, &of_another_header, &of_another_manifest, &none];
    for sign in wrong {
        let error = failed(&forged(Some(one.sender()), Some(sign)));
        assert!(matches!(error, OpenSnapshotError::Unpack(UnpackError::Signature)), "{error:?}");
    }
}

#[test]
fn a_sender_without_a_signature_and_a_signature_without_a_sender_are_refused() {
    let one = key(1);
    let good = |header: &[u8; 32], manifest: &Digest| one.sign(header, &manifest.0);
    for file in [forged(Some(one.sender()), None), forged(None, Some(&good))] {
        let error = failed(&file);
        assert!(matches!(error, OpenSnapshotError::Unpack(UnpackError::Damaged(_))), "{error:?}");
    }
}

#[test]
fn a_required_sender_is_looked_for_before_anything_is_opened() {
    let (one, two) = (key(1).sender(), key(2).sender());
    let file = signed_by(Some(&key(1)));
    let (header, again) = Header::peek(&file[..]).unwrap();
    header.require_sender(&[]).unwrap();
    header.require_sender(&[one]).unwrap();
    header.require_sender(&[two, one]).unwrap();
    assert!(matches!(header.require_sender(&[two]), Err(OpenError::OtherSender(other)) if other == one));
    // What was looked at can be opened.
    let share = |_: &Header| -> Result<Share, Infallible> { panic!("no share is needed") };
    check_snapshot(again, &[technician()], share, &Limits::default(), &Silent).unwrap();

    let (header, _) = Header::peek(&signed_by(None)[..]).unwrap();
    header.require_sender(&[]).unwrap();
    assert!(matches!(header.require_sender(&[one]), Err(OpenError::Unsigned)));
}

#[test]
fn a_signed_snapshot_is_an_ordinary_archive_and_the_signature_its_last_file() {
    let file = signed_by(Some(&key(1)));
    let header = Header::read(&mut &file[..]).unwrap();
    let payload = &file[usize::try_from(header.length()).unwrap()..];
    let plaintext = OpenReader::new(header, payload, &[technician()], None).unwrap();
    let mut archive = tar::Archive::new(zstd::Decoder::new(plaintext).unwrap());
    let names: Vec<String> =
        archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["a", ".tarseal/manifest.json", SIGNATURE_PATH]);
}
