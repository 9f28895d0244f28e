//! Numbers of devices and SIM cards: ICCID by its looks in groups or near a word of such cards; IMEI, IMEISV, IMSI and MEID
//! beside a word that says so.

use super::beside::{SIM, beside};
use super::number::{Number, each_within};
use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::hit::{Form, Group, Hits, rank};
use crate::redact::text;

pub(crate) struct Device;

/// How far behind its name a number begins, in bytes.
const REACH: usize = 24;

impl Detector for Device {
    fn words(&self) -> &'static [&'static str] {
        &["imei", "imeisv", "imsi", "iccid", "meid", "eid"]
    }

    fn reads_numbers(&self) -> bool {
        true
    }

    fn at_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        let text = line.text;
        let word = text::fold(&text[start..end]);
        let mut first = true;
        each_within(text, end, text.len().min(end + REACH), &mut |number| {
            if std::mem::take(&mut first) && is_device(word.as_bytes(), number) {
                hits.push(number.start, number.end, Category::DeviceId, Form::Text(Group::Device), rank::NUMBER + 1);
            }
        });
    }

    fn at_number(&self, line: &Line<'_>, number: &Number, hits: &mut Hits) {
        // ITU-T E.118: 89, country, issuer, account, Luhn.
        let iccid = matches!(number.signs().len(), 19 | 20)
            && number.is_digits()
            && number.signs().starts_with(b"89")
            && number.digit(2) > 0
            && luhn3::decimal::valid(number.signs());
        if iccid
            && (!number.is_plain() || beside(line.text, number.start, number.end, SIM))
            && number.stands_alone(line.text)
            && !number.is_json_number(line.text)
            && !number.is_measure(line.text)
        {
            hits.push(number.start, number.end, Category::DeviceId, Form::Text(Group::Device), rank::NUMBER + 1);
        }
    }
}

/// Lengths of 3GPP TS 23.003: IMEI 14 or 15 digits, IMEISV 16, IMSI up to 15; an EID has 32, a MEID 14 hexadecimal digits.
fn is_device(word: &[u8], number: &Number) -> bool {
    let length = number.signs().len();
    match word {
        b"imei" | b"imeisv" => number.is_digits() && (14..=16).contains(&length),
        b"imsi" => number.is_digits() && (14..=15).contains(&length),
        b"iccid" => number.is_digits() && (18..=20).contains(&length),
        b"eid" => number.is_digits() && length == 32,
        _ => matches!(length, 14 | 18) && number.signs().iter().all(u8::is_ascii_hexdigit),
    }
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn a_device_is_found_beside_its_kind_and_a_sim_card_by_itself() {
        finds("attach IMEI 358240051173060 ok", &[("358240051173060", "device-id")]);
        finds("IMEISV(3582400511730606)", &[("3582400511730606", "device-id")]);
        finds("IMEI 35-824005-117306-0", &[("35-824005-117306-0", "device-id")]);
        finds("imsi is 262019876543210", &[("262019876543210", "device-id")]);
        finds("sim 8949020000172830644 read", &[("8949020000172830644", "device-id")]);
        finds("imei=358240051173060", &[("358240051173060", "device-id")]);
    }

    #[test]
    fn other_long_numbers_stay() {
        for line in [
            "id 358240051173060",
            "imei missing",
            "seen 8949020000172830644",
            "sim 8949020000172830645",
            "\"id\":8949020000172830644",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
