use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;

const CREATED: Timestamp = Timestamp::from_seconds(1_795_270_801);

fn identity(kind: KeyKind, seed: u64) -> Identity {
    Identity::generate(kind, &mut StdRng::seed_from_u64(seed))
}

fn public(identity: &Identity) -> Vec<u8> {
    let Lock::Public(_, public) = identity.recipient().0 else { panic!("a key pair") };
    public
}

/// The one line of a key file that is secret.
fn secret_line(identity: &Identity) -> String {
    let text = identity.to_text(CREATED);
    text.expose().lines().last().unwrap().to_owned()
}

#[test]
fn a_key_comes_back_from_its_text() {
    for kind in [KeyKind::X25519, KeyKind::XWing] {
        let identity = identity(kind, 1);
        let read: Identity = identity.to_text(CREATED).expose().parse().unwrap();
        assert_eq!(read.number_and_secret(), identity.number_and_secret());
        assert_eq!(read.recipient(), identity.recipient());
        assert_eq!(read.kind(), SlotKind::from(kind));

        let text = identity.recipient().to_string();
        assert!(text.starts_with("tarseal1"));
        assert_eq!(text.parse::<Recipient>().unwrap(), identity.recipient());
        assert_eq!(text.to_uppercase().parse::<Recipient>().unwrap(), identity.recipient());
        assert_eq!(format!(" {text}\r\n").parse::<Recipient>().unwrap(), identity.recipient());
    }
    assert_eq!(identity(KeyKind::X25519, 1).recipient().to_string().len(), 67);
    assert_eq!(identity(KeyKind::XWing, 1).recipient().to_string().len(), 1_962);
}

#[test]
fn a_shared_key_comes_back_from_its_text_and_is_no_public_key() {
    let shared = Identity::generate_shared(&mut StdRng::seed_from_u64(9));
    let text = shared.to_text(CREATED);
    let read: Identity = text.expose().parse().unwrap();
    assert_eq!(read.recipient(), shared.recipient());
    assert_eq!(read.kind(), SlotKind::SharedKey);
    let recipient = shared.recipient();
    assert!(!recipient.is_public());
    assert!(text.expose().contains(&format!("# shared key: {}\n", recipient.fingerprint())));
    let secret = hex::encode(shared.number_and_secret().unwrap().1);
    for said in [recipient.to_string(), format!("{recipient:?}"), format!("{shared:?}")] {
        assert!(!said.contains(&secret[..8]) && !said.contains("TARSEAL"), "{said}");
    }
}

#[test]
fn a_passphrase_is_a_recipient_and_an_identity_and_shows_nothing_of_itself() {
    let passphrase = Passphrase::new(b"correct horse").unwrap();
    let (recipient, identity) = (Recipient::from(passphrase.clone()), Identity::from(passphrase));
    assert_eq!(identity.recipient(), recipient);
    assert_eq!((recipient.kind(), recipient.key_id()), (SlotKind::Passphrase, ANONYMOUS));
    assert_eq!(identity.to_text(CREATED).expose(), "");
    assert_eq!(recipient.to_string(), "a passphrase");
    assert!(!format!("{recipient:?} {identity:?}").contains("horse"));
}

#[test]
fn a_key_file_says_when_it_was_made_and_for_whom() {
    let identity = identity(KeyKind::X25519, 1);
    let text = identity.to_text(CREATED);
    let lines: Vec<&str> = text.expose().lines().collect();
    assert_eq!(lines[0], format!("# created: {CREATED}"));
    assert_eq!(lines[1], format!("# recipient: {}", identity.recipient()));
    assert!(lines[2].starts_with("TARSEAL-SECRET-KEY-1"));
    assert_eq!(lines.len(), 3);
}

#[test]
fn a_key_file_may_hold_blank_lines_comments_and_line_ends_of_any_system() {
    let identity = identity(KeyKind::XWing, 2);
    let text = format!("\r\n# a note\r\n\r\n  {}  \r\n# more\r\n\r\n", secret_line(&identity));
    assert_eq!(text.parse::<Identity>().unwrap().recipient(), identity.recipient());
}

#[test]
fn a_wrong_key_file_is_refused_by_line_and_its_secret_is_not_repeated() {
    let identity = identity(KeyKind::X25519, 3);
    let secret = secret_line(&identity);
    let changed = secret.replace(&secret[30..31], if &secret[30..31] == "Q" { "P" } else { "Q" });
    let mixed = format!("{}{}", &secret[..40], secret[40..].to_lowercase());
    let unknown = bech32::encode(SECRET_PREFIX, &[[7].as_slice(), &[1; 32]].concat()).to_uppercase();
    let short = bech32::encode(SECRET_PREFIX, &[[1].as_slice(), &[1; 31]].concat()).to_uppercase();
    let other = bech32::encode("age-secret-key-", &[1; 32]).to_uppercase();
    for (text, expected) in [
        (String::new(), "the key file holds no secret key"),
        (format!("# {secret}"), "the key file holds no secret key"),
        (format!("{secret}\n\n{secret}"), "line 3 of the key file is a second key"),
        (format!("# x\n{changed}"), "line 2 of the key file is not a secret key: its checksum is wrong"),
        (mixed, "line 1 of the key file is not a secret key: a secret key is one line in capitals"),
        (secret.to_lowercase(), "line 1 of the key file is not a secret key: a secret key is one line in capitals"),
        (secret[..50].to_owned(), "line 1 of the key file is not a secret key: its checksum is wrong"),
        (unknown, "line 1 of the key file is not a secret key: it is of a kind this version does not know"),
        (short, "line 1 of the key file is not a secret key: it is of the wrong length"),
        (other, "line 1 of the key file is not a secret key: it is a key of another kind of program"),
        (identity.recipient().to_string(), "line 1 of the key file is a recipient"),
        ("-----BEGIN PRIVATE KEY-----".to_owned(), "line 1 of the key file is not a secret key"),
    ] {
        let error = text.parse::<Identity>().unwrap_err();
        let message = format!("{error} {error:?}");
        assert!(error.to_string().starts_with(expected), "{error}");
        for piece in text.lines().filter(|line| line.len() > 40) {
            assert!(!message.to_uppercase().contains(&piece.to_uppercase()[20..32]), "{message}");
        }
    }
}

#[test]
fn a_wrong_recipient_is_refused() {
    let good = identity(KeyKind::X25519, 4);
    let encode = |data: &[u8]| bech32::encode(RECIPIENT_PREFIX, data).to_string();
    let text = good.recipient().to_string();
    for (text, expected) in [
        (secret_line(&good), KeyError::SecretGiven.to_string()),
        (secret_line(&good).to_lowercase(), KeyError::SecretGiven.to_string()),
        (String::new(), "this is not a recipient (tarseal1…): it does not look like a key".to_owned()),
        (
            format!("{}X{}", &text[..20], &text[21..]),
            "this is not a recipient (tarseal1…): it mixes capitals and small letters".to_owned(),
        ),
        (
            encode(&[[9].as_slice(), &public(&good)].concat()),
            "this is not a recipient (tarseal1…): it is of a kind this version does not know".to_owned(),
        ),
        (
            encode(&[[2].as_slice(), &public(&good)].concat()),
            "this is not a recipient (tarseal1…): it is of the wrong length".to_owned(),
        ),
        (
            encode(&[[1].as_slice(), &[0; 32]].concat()),
            "this is not a recipient (tarseal1…): no secret can be agreed with this key".to_owned(),
        ),
        (
            encode(&[[2].as_slice(), &[0xff; 1184], &public(&identity(KeyKind::X25519, 5))].concat()),
            "this is not a recipient (tarseal1…): no secret can be agreed with this key".to_owned(),
        ),
    ] {
        assert_eq!(text.parse::<Recipient>().unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_fingerprint_is_eight_groups_and_begins_with_the_key_id() {
    let recipient = identity(KeyKind::XWing, 6).recipient();
    let fingerprint = recipient.fingerprint();
    assert_eq!(fingerprint.split(' ').count(), 8);
    assert!(fingerprint.replace(' ', "").starts_with(&hex::encode(recipient.key_id())));
    assert_ne!(fingerprint, identity(KeyKind::XWing, 7).recipient().fingerprint());
}

#[test]
fn an_identity_is_not_printed() {
    let identity = identity(KeyKind::X25519, 8);
    let printed = format!("{identity:?}");
    assert!(printed.starts_with("Identity(***, "));
    assert!(!printed.contains(&hex::encode(identity.number_and_secret().unwrap().1)));
}
