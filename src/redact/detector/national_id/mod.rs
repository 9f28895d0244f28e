//! Numbers that states give their people: found bare where shape and checksum leave little to chance, and beside a word that
//! says what they are (see [`labelled`](super::labelled)) where they do not.
//!
//! What is found bare: shapes with letters or joints of their own and a check; plain digits only when a date and a check, or
//! two checks, are in them, and then neither as a number of a JSON text nor behind a key that counts or measures. Plain
//! numbers of ten digits or fewer are never found bare: they are time stamps, SSRCs and counters.

mod asia;
mod central;
mod check;
mod nordic;
mod overseas;
mod southern;
mod western;

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
        (11, true) => {
            western::belgium(number)
                || number.grouped(&[6, 5], b"-") && central::latvia(number)
                || overseas::argentina(number)
                || overseas::australian_medicare_bare(number)
                || number.groups() == [2, 3, 3, 3] && overseas::australian_business(number)
                || (number.is_plain() || number.grouped(&[6, 5], b" ") || number.grouped(&[3, 3, 3, 2], b"..-"))
                    && (nordic::norway(number)
                        || overseas::brazil(number)
                        || number.is_plain()
                            && (southern::turkey(number)
                                || central::estonia_lithuania(number)
                                || central::poland(number)))
        }
        (11, false) => {
            nordic::finland(number)
                || western::german_vat(number)
                || overseas::medicare(number)
                || western::german_document_bare(number, text)
        }
        (12, true) => nordic::sweden_bare(number) || asia::aadhaar_bare(number) || southern::spanish_insurance(number),
        (12, false) => western::german_pension(number),
        (13, true) => {
            !is_time(number)
                && (asia::korea(number)
                    || central::romania(number)
                    || central::former_yugoslavia(number)
                    || central::switzerland(number)
                    || western::luxembourg(number)
                    || western::french_tax(number)
                    || overseas::south_africa(number))
        }
        (14, true) => overseas::brazilian_company(number),
        (15, _) => western::france(number) || asia::gstin(number),
        (16, false) => southern::italy(number),
        (18, _) => asia::china(number) || overseas::mexico(number),
        _ => false,
    };
    let counts = |number: &Number| number.is_plain() && number.is_digits();
    shape && !(counts(number) && (number.is_json_number(text) || number.is_measure(text)))
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
    pub(crate) use super::asia::{aadhaar, korea, pan, thailand};
    pub(crate) use super::central::{austria, bulgaria, croatia, czechia_slovakia, latvia, poland, romania};
    pub(crate) use super::nordic::{denmark, norway, sweden};
    pub(crate) use super::overseas::{
        australian_business, australian_company, australian_medicare, australian_tax, brazil, canada, medicare,
        provider, social_security, south_africa, taxpayer,
    };
    pub(crate) use super::southern::{greece, italian_vat, portugal, spain, turkey};
    pub(crate) use super::western::{
        france, german_document, german_health, german_tax, german_vat, health_service, ireland, netherlands,
    };
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn published_examples_are_found_bare() {
        // The examples stand in the agencies' own papers or in the tests of python-stdnum, which cites them.
        for number in [
            "131052-308T",      // Finland, dvv.fi
            "811228-9874",      // Sweden, SKV 704
            "198112289874",     // the same with the century
            "211062-5629",      // Denmark, stdnum.dk.cpr
            "01010750160",      // Norway, stdnum.no.fodselsnummer
            "120174-3399",      // Iceland, stdnum.is_.kennitala
            "37605030299",      // Estonia, EVS 585
            "161175-19997",     // Latvia, stdnum.lv.pvn
            "44051401359",      // Poland, PESEL
            "710319/2745",      // Czechia, stdnum.cz.rc
            "2630615123459",    // Romania, made after Legea 105/1996
            "0101006500006",    // Slovenia, stdnum.si.emso
            "1237 010180",      // Austria, § 31 ASVG
            "756.9217.0769.85", // Switzerland, ahv.ch
            "7569217076985",
            "15070649C103",    // Germany, stdnum.de.svnr
            "DE136695976",     // Germany, stdnum.de.vat
            "85.07.30-033.28", // Belgium, stdnum.be.nn
            "85073003328",
            "1893120105732",         // Luxembourg, guichet.lu
            "2 95 10 99 126 111 93", // France, stdnum.fr.nir
            "253072B07300470",
            "1234567TW",        // Ireland, stdnum.ie.pps
            "943 476 5919",     // England, NHS Data Dictionary
            "AB123456C",        // United Kingdom, gov.uk
            "RCCMNL83S18D969H", // Italy, stdnum.it.codicefiscale
            "54362315K",        // Spain, stdnum.es.dni
            "X-2482300W".strip_prefix("X-").map_or("", |_| "X2482300W"),
            "10000000146",        // Türkiye, stdnum.tr.tckimlik
            "2341 2341 2346",     // India, stdnum.in_.aadhaar
            "ACUPA7085R",         // India, stdnum.in_.pan
            "S1234567D",          // Singapore, ICA
            "971013-1019903",     // Korea, stdnum.kr.rrn
            "11010519491231002X", // China, GB 11643-1999
            "219-09-9999",        // United States, SSA
            "912-90-3456",        // United States, stdnum.us.itin
            "1EG4-TE5-MK73",      // United States, CMS
            "390.533.447-05",     // Brazil, stdnum.br.cpf
            "16.727.230/0001-97", // Brazil, stdnum.br.cnpj
            "20-05536168-2",      // Argentina, stdnum.ar.cuit
            "12.531.909-2",       // Chile, stdnum.cl.rut
            "7503305044089",      // South Africa, stdnum.za.idnr
        ] {
            finds(&format!("seen {number} today"), &[(number, "national-id")]);
        }
    }

    #[test]
    fn a_wrong_check_digit_or_date_is_none() {
        for number in [
            "131052-308U",
            "811228-9873",
            "211062-5628",
            "01010750161",
            "37605030298",
            "44051401358",
            "710319/2746",
            "2630615123450",
            "1237 010181",
            "756.9217.0769.86",
            "15070649C102",
            "DE136695975",
            "85.07.30-033.29",
            "253072B07300471",
            "943 476 5918",
            "RCCMNL83S18D969I",
            "54362315L",
            "10000000147",
            "2341 2341 2347",
            "S1234567E",
            "110105194912310021",
            "000-12-3456",
            "912-66-3456",
            "390.533.447-06",
            "16.727.230/0001-98",
        ] {
            let found = found(&format!("seen {number} today"));
            assert!(found.iter().all(|(_, category)| category != "national-id"), "{number}");
        }
    }

    #[test]
    fn counters_times_hashes_and_identifiers_stay() {
        for line in [
            "ts=1732199999123 ssrc=3735928559 seq=44051401359",
            "\"flow_id\":44051401359,\"bytes\":10000000146",
            "duration 10000000146 ns",
            "202611211420 20261121 142001.123456",
            "3f2b8c1e-0d4a-4c5b-9e6f-112233445566",
            "o=- 3847201523 3847201523 IN IP4 host",
            "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b ab123456c",
            "0000 4f 52 1a 00 12 34 56 78 9a bc de f0 12 34 56 78",
            " 1 0 0 803 116 944 5919 0 0 12 943 476 5919 7 0",
            "RTP stats 1234 5678 9012 3456 7890 lost 0",
            "build 20261121.3 linux-image-6.8.0-45-generic_6.8.0-45.45",
            "IMG-44051401359_v2.jpg x44051401359",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
