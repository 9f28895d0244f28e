//! Numbers that states give their people: found bare where shape and checksum leave little to chance, and beside a word that
//! says what they are (see [`labelled`](super::labelled)) where they do not.
//!
//! What is found bare: shapes with letters or joints of their own and a check; plain digits only when so much of them is fixed
//! or checked that fewer than one in a thousand passes by chance, and then neither as a number of a JSON text nor behind a
//! key that counts or measures. Other plain digits of 11 or more need a [word near](super::beside). Plain numbers of ten
//! digits or fewer are time stamps, SSRCs and counters.

mod asia;
mod central;
mod check;
mod nordic;
mod overseas;
mod southern;
mod western;

use super::beside::{PERSON, beside};
use super::number::Number;
use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::text::{before, byte};

pub(crate) struct NationalId;

impl Detector for NationalId {
    fn reads_numbers(&self) -> bool {
        true
    }

    fn at_number(&self, line: &Line<'_>, number: &Number, hits: &mut Hits) {
        let text = line.text;
        let found = match insurance_around(text, number) {
            Some(place) => Some(place),
            None => (bare(text, number) && number.stands_alone(text)).then_some((number.start, number.end)),
        };
        if let Some((start, end)) = found {
            hits.push(start, end, Category::NationalId, Form::Drop, rank::NUMBER + 1);
        }
    }
}

/// Whether the number is one by its looks alone.
fn bare(text: &[u8], number: &Number) -> bool {
    let said = |number: &Number| beside(text, number.start, number.end, PERSON);
    let shape = match (number.signs().len(), number.is_digits()) {
        (8, true) => overseas::australian_tax_bare(number),
        (8, false) => {
            western::ireland_bare(number, text) || southern::spain_bare(number, text) || overseas::chile(number)
        }
        (9, true) => {
            !number.is_plain()
                && (overseas::social_security_bare(number)
                    || overseas::taxpayer_bare(number)
                    || overseas::canada_bare(number)
                    || overseas::australian_tax_bare(number)
                    || central::czechia_slovakia_bare(number)
                    || overseas::chile(number))
        }
        (9, false) => {
            asia::singapore(number)
                || southern::spain_bare(number, text)
                || western::german_document_bare(number, text)
                || western::ireland_bare(number, text)
                || overseas::chile(number)
        }
        (10, true) => {
            !number.is_plain()
                && (nordic::finland(number)
                    || nordic::sweden_bare(number)
                    || nordic::denmark_bare(number)
                    || nordic::iceland(number)
                    || central::czechia_slovakia_bare(number)
                    || central::austria_bare(number)
                    || western::health_service_bare(number)
                    || overseas::australian_medicare_bare(number))
        }
        (10, false) => nordic::finland(number) || asia::pan(number) || western::german_document_bare(number, text),
        (11, true) if number.is_plain() => {
            nordic::norway(number)
                || western::belgium_bare(number)
                || (western::belgium(number)
                    || overseas::brazil(number)
                    || southern::turkey(number)
                    || central::estonia_lithuania(number)
                    || central::poland(number))
                    && said(number)
        }
        (11, true) => {
            western::belgium(number)
                || number.grouped(&[6, 5], b"-") && central::latvia(number)
                || overseas::argentina(number)
                || overseas::australian_medicare_bare(number)
                || number.groups() == [2, 3, 3, 3] && overseas::australian_business(number)
                || (number.grouped(&[6, 5], b" ") || number.grouped(&[3, 3, 3, 2], b"..-"))
                    && (nordic::norway(number) || overseas::brazil(number))
        }
        (11, false) => {
            nordic::finland(number)
                || western::german_vat(number)
                || overseas::medicare(number)
                || western::german_document_bare(number, text)
        }
        (12, true) => {
            nordic::sweden_bare(number)
                || asia::aadhaar_bare(number)
                || southern::spanish_insurance(number) && (!number.is_plain() || said(number))
        }
        (12, false) => western::german_pension(number),
        (13, true) => {
            (central::former_yugoslavia(number) || central::romania_bare(number)) && !is_time(number)
                || central::switzerland(number)
                || western::luxembourg_bare(number)
                || (asia::korea(number)
                    || central::romania(number)
                    || western::luxembourg(number)
                    || western::french_tax(number)
                    || overseas::south_africa(number))
                    && (!number.is_plain() || said(number))
        }
        (14, true) => overseas::brazilian_company(number),
        (15, true) => western::france(number) && (!number.is_plain() || western::is_frequent(number) || said(number)),
        (15, false) => western::france(number) || asia::gstin(number),
        (16, false) => southern::italy(number),
        (18, _) => asia::china(number) || overseas::mexico(number),
        _ => false,
    };
    let counts = |number: &Number| number.is_plain() && number.is_digits();
    shape && !(counts(number) && (number.is_json_number(text) || number.is_measure(text)))
}

/// Whether plain digits pass a check digit of some country: every tenth number does, and more where several countries have
/// numbers of its length. A profile asks for that where people's numbers stand without a word.
pub(crate) fn checked_digits(text: &[u8], number: &Number) -> bool {
    let checks: &[fn(&Number) -> bool] = match number.digits {
        9 => &[
            overseas::canada,
            overseas::australian_tax,
            overseas::australian_company,
            southern::portugal,
            southern::greece,
            western::netherlands,
        ],
        10 => &[
            western::health_service,
            overseas::provider,
            overseas::australian_medicare,
            nordic::sweden,
            nordic::iceland,
            central::czechia_slovakia,
            central::austria,
            central::bulgaria,
        ],
        11 => &[
            western::belgium,
            western::german_tax,
            overseas::brazil,
            overseas::argentina,
            overseas::australian_business,
            southern::turkey,
            southern::italian_vat,
            central::estonia_lithuania,
            central::latvia,
            central::poland,
            central::croatia,
            nordic::norway,
        ],
        12 => &[asia::aadhaar, nordic::sweden, southern::spanish_insurance],
        13 => &[
            asia::korea,
            asia::thailand,
            central::former_yugoslavia,
            central::romania,
            western::luxembourg,
            western::french_tax,
            overseas::south_africa,
        ],
        14 => &[overseas::brazilian_company],
        15 => &[western::france],
        _ => &[],
    };
    let seconds = number.digits == 10 && (1_000_000_000..1_830_000_000).contains(&number.value(0, 10));
    number.is_plain()
        && number.is_digits()
        && number.stands_alone(text)
        && !seconds
        && !(number.digits == 13 && is_time(number))
        && !number.is_measure(text)
        && checks.iter().any(|check| check(number))
}

/// Whether a plain number of 13 digits is a time stamp in milliseconds, of the years 2001 to 2027.
fn is_time(number: &Number) -> bool {
    number.is_plain() && (1_000_000_000_000..1_830_000_000_000).contains(&number.value(0, 13))
}

/// The national insurance number of the United Kingdom that the number is, or the digits of: `AA 12 34 56 B`.
fn insurance_around(text: &[u8], number: &Number) -> Option<(usize, usize)> {
    if number.shaped(b"AA999999A") {
        let bytes = &text[number.start..number.end];
        // Nine signs that may all be hexadecimal are a commit's more often.
        let hexadecimal = bytes.iter().all(u8::is_ascii_hexdigit) && bytes.iter().any(u8::is_ascii_lowercase);
        let exact = hexadecimal && !labelled_insurance(text, number.start);
        return (western::insurance(number.signs()) && number.stands_alone(text) && !exact)
            .then_some((number.start, number.end));
    }
    if number.grouped(&[2, 2, 2], b" ") { insurance_in_groups(text, number.start) } else { None }
}

/// Whether a word before says that a national insurance number follows.
fn labelled_insurance(text: &[u8], start: usize) -> bool {
    let before = text[start.saturating_sub(24)..start].to_ascii_lowercase();
    memchr::memmem::find(&before, b"nino").is_some() || memchr::memmem::find(&before, b"insurance").is_some()
}

/// The national insurance number in groups of two around digits in groups of two: `AA 12 34 56 B`.
fn insurance_in_groups(text: &[u8], digits: usize) -> Option<(usize, usize)> {
    let start = digits.checked_sub(3)?;
    let whole = text.get(start..start + 13)?;
    let blanks = [2, 5, 8, 11].iter().all(|&place| whole[place] == b' ');
    let signs: Vec<u8> = whole.iter().filter(|&&b| b != b' ').map(u8::to_ascii_uppercase).collect();
    let apart = !before(text, 0, start).is_ascii_alphanumeric() && !byte(text, start + 13).is_ascii_alphanumeric();
    (blanks && apart && western::insurance(&signs)).then_some((start, start + 13))
}

/// What a word says the number beside it is.
pub(super) mod known {
    pub(crate) use super::asia::{aadhaar, korea_told as korea, pan, thailand};
    pub(crate) use super::central::{
        austria, bulgaria, croatia, czechia_slovakia, estonia_lithuania, former_yugoslavia, latvia, poland, romania,
        switzerland,
    };
    pub(crate) use super::nordic::{denmark, finland, norway, sweden};
    pub(crate) use super::overseas::{
        australian_business, australian_company, australian_medicare, australian_tax, brazil, canada, medicare, mexico,
        provider, social_security, south_africa, taxpayer,
    };
    pub(crate) use super::southern::{greece, italian_vat, italy, portugal, spain, turkey};
    pub(crate) use super::western::{
        belgium, france, german_document, german_health, german_tax, german_vat, health_service, ireland, luxembourg,
        netherlands,
    };
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn telling_forms_are_found_bare() {
        for number in [
            "131052-308T",      // Finland
            "730417-2310",      // Sweden
            "198112289874",     // the same with the century
            "211062-5629",      // Denmark
            "01010750160",      // Norway
            "120174-3399",      // Iceland
            "161175-19997",     // Latvia
            "845214/3139",      // Czechia
            "2207964505137",    // Slovenia
            "2630615123459",    // Romania
            "3409 140379",      // Austria
            "756.9217.0769.85", // Switzerland
            "7569217076985",
            "53270468M211",    // Germany, pension
            "DE284173060",     // Germany, value added tax
            "79.03.14-215.75", // Belgium
            "79031421575",
            "1893120105732",         // Luxembourg
            "2 95 10 99 126 111 93", // France
            "295109912611193",
            "253072B07300470",
            "1234567TW",          // Ireland
            "943 476 5919",       // England
            "CE482907B",          // United Kingdom
            "RCCMNL83S18D969H",   // Italy
            "54362315K",          // Spain
            "Y7204815X",          // the same for foreigners
            "2341 2341 2346",     // India, Aadhaar
            "ACUPA7085R",         // India, PAN
            "S1234567D",          // Singapore
            "971013-1019903",     // Korea
            "11010519491231002X", // China, GB 11643-1999
            "219-09-9999",        // United States
            "912-90-3456",        // United States, taxpayers without the former
            "7KA2-WM4-HA06",      // United States, Medicare
            "604.829.175-20",     // Brazil
            "16.727.230/0001-97", // Brazil, companies
            "20-05536168-2",      // Argentina
            "12.531.909-2",       // Chile
        ] {
            finds(&format!("seen {number} today"), &[(number, "national-id")]);
        }
    }

    #[test]
    fn plain_digits_with_a_weak_check_need_a_word() {
        for (word, number) in [
            ("isikukood", "37605030299"),
            ("PESEL", "88072315491"),
            ("TC kimlik no", "58320491732"),
            ("CPF", "60482917520"),
            ("tax number", "60482917520"),
            ("CNP al persoanei", "7630615123458"),
            ("South African citizen", "7503305044089"),
            ("nationalId", "37605030299"),
        ] {
            finds(&format!("{word} {number} ok"), &[(number, "national-id")]);
            finds(&format!("seen {number} ok"), &[]);
            finds(&format!("record id={number} status=ok"), &[]);
        }
    }

    #[test]
    fn a_wrong_check_digit_or_date_is_none() {
        for number in [
            "131052-308U",
            "730417-2311",
            "211062-5628",
            "01010750161",
            "845214/3141",
            "3408 140379",
            "756.9217.0769.86",
            "53270468M212",
            "DE284173061",
            "79.03.14-215.76",
            "253072B07300471",
            "943 476 5918",
            "RCCMNL83S18D969I",
            "54362315L",
            "2341 2341 2347",
            "S1234567E",
            "110105194912310021",
            "000-41-7305",
            "912-66-3456",
            "604.829.175-21",
            "16.727.230/0001-98",
        ] {
            let found = found(&format!("seen {number} today"));
            assert!(found.iter().all(|(_, category)| category != "national-id"), "{number}");
        }
    }

    #[test]
    fn counters_times_hashes_and_identifiers_stay() {
        for line in [
            "ts=1732199999123 ssrc=3735928559 seq=88072315491",
            "\"flow_id\":88072315491,\"bytes\":58320491732",
            "duration 58320491732 ns",
            "202611211420 20261121 142001.123456 2026111369228 202607275802",
            "3f2b8c1e-0d4a-4c5b-9e6f-112233445566",
            "o=- 3847201523 3847201523 IN IP4 host",
            "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b ab123456c",
            "0000 4f 52 1a 00 12 34 56 78 9a bc de f0 12 34 56 78",
            " 1 0 0 803 116 944 5919 0 0 12 943 476 5919 7 0",
            "RTP stats 1234 5678 9012 3456 7890 lost 0",
            "build 20261121.3 linux-image-6.8.0-45-generic_6.8.0-45.45",
            "IMG-88072315491_v2.jpg x88072315491",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
