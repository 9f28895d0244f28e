//! A header is refused, or it is written in the one way there is: what it says, written anew, gives the same bytes.

#![no_main]

mod sealed;

use libfuzzer_sys::fuzz_target;
use tarseal::format::{Header, SlotKind};

use sealed::{Choices, PREAMBLE};

fuzz_target!(|input: &[u8]| {
    let mut choices = Choices(input);
    let file = match choices.byte() % 3 {
        0 => choices.0.to_vec(),
        // The fuzzer need not find out the magic and the length.
        1 => with_preamble(choices.0),
        _ => with_preamble(&fields(&mut choices)),
    };
    let mut rest = file.as_slice();
    let Ok(header) = Header::read(&mut rest) else { return };
    let length = file.len() - rest.len();
    assert_eq!(length as u64, header.length());
    let fields = written_anew(&header, &file[..length]);
    assert_eq!(with_preamble(&fields), file[..length]);
});

fn with_preamble(fields: &[u8]) -> Vec<u8> {
    let length = u32::try_from(fields.len()).expect("a small input");
    [PREAMBLE.as_slice(), &length.to_be_bytes(), fields].concat()
}

fn put(fields: &mut Vec<u8>, kind: u8, value: &[u8]) {
    fields.push(kind);
    fields.extend(u32::try_from(value.len()).expect("a small input").to_be_bytes());
    fields.extend_from_slice(value);
}

/// Fields with the lengths they should have, or almost, in any order.
fn fields(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut fields = Vec::new();
    while !choices.is_empty() && fields.len() < 1 << 15 {
        let (kind, odd) = (choices.byte(), choices.byte());
        let mut value = match kind % 8 {
            0 | 6.. => choices.string().to_vec(),
            1 => choices.bytes(16).to_vec(),
            2 => [&[0; 3], choices.bytes(5)].concat(),
            3 => [&[7; 19], choices.bytes(5), b"https://", choices.string()].concat(),
            4 => choices.bytes(32).to_vec(),
            _ => {
                let slot = 1 + odd % 4;
                let id = if slot > 2 { &[0; 8] } else { choices.bytes(8) };
                let length = [80, 1168, 73, 80][usize::from(slot - 1)];
                let mut body = choices.string().to_vec();
                body.resize(length, odd);
                [&[slot], id, &body].concat()
            }
        };
        if odd & 0x80 != 0 {
            value.resize(choices.byte().into(), 0);
        }
        put(&mut fields, kind % 8, &value);
    }
    fields
}

/// The fields of this header: 1 to 4 out of what it says, the slots as they stand in the file.
fn written_anew(header: &Header, file: &[u8]) -> Vec<u8> {
    let seconds = |instant: tarseal::clock::Timestamp| instant.seconds().unsigned_abs().to_be_bytes();
    let mut fields = Vec::new();
    put(&mut fields, 1, &header.file_id.0);
    put(&mut fields, 2, &seconds(header.created));
    if let Some(share) = &header.share {
        assert!(share.portal.starts_with("https://") || share.portal.starts_with("http://"));
        assert!(share.portal.len() <= 512 && !share.portal.contains(|c: char| c.is_control() || c.is_whitespace()));
        put(&mut fields, 3, &[&share.id.0, seconds(share.not_after).as_slice(), share.portal.as_bytes()].concat());
    }
    if let Some(sender) = &header.sender {
        put(&mut fields, 4, sender.as_bytes());
    }
    let mut slots = &file[PREAMBLE.len() + 4 + fields.len()..];
    let mut count = 0;
    for kind in header.slot_kinds() {
        let length = match kind {
            SlotKind::X25519 | SlotKind::SharedKey => 89,
            SlotKind::XWing => 1177,
            SlotKind::Passphrase => 82,
            other => panic!("{other} is not in FORMAT.md"),
        };
        put(&mut fields, 5, &slots[5..5 + length]);
        assert_eq!(slots[5], kind as u8);
        slots = &slots[5 + length..];
        count += 1;
    }
    assert!((1..=16).contains(&count) && slots.is_empty());
    fields
}
