//! Numbers that a word beside them says what they are: `SSN 219099999`, `Reisepass F40718263`, `bqr704815 es mi pasaporte`.
//!
//! For what has a weak checksum or none. The number must begin within [`REACH`] bytes behind the word, or end as near before
//! it; a key's value (`ssn=…`) is the keyed detector's.

use super::national_id::known;
use super::number::{LONGEST, Number, each_within};
use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::text;

pub(crate) struct Labelled;

/// How far a number may be from its word, in bytes.
const REACH: usize = 40;

/// A word, the words of which one must stand right before or behind it (none: it says enough alone), and what follows.
type Label = (&'static str, &'static [&'static str], Category, fn(&Number) -> bool);

const NUMBER: &[&str] = &["number", "no", "nr", "num", "id", "card", "code"];

const LABELS: &[Label] = &[
    // National identifiers whose check says enough beside their name
    ("ssn", &[], Category::NationalId, us),
    ("security", &["social"], Category::NationalId, us),
    ("itin", &[], Category::NationalId, known::taxpayer),
    ("npi", &[], Category::NationalId, known::provider),
    ("mbi", &[], Category::NationalId, known::medicare),
    ("sin", &[], Category::NationalId, known::canada),
    ("nas", &[], Category::NationalId, known::canada),
    ("insurance", &["social", "national"], Category::NationalId, |n| known::canada(n) || us(n)),
    ("cpf", &[], Category::NationalId, known::brazil),
    ("tfn", &[], Category::NationalId, known::australian_tax),
    ("file", &["tax"], Category::NationalId, known::australian_tax),
    ("medicare", &[], Category::NationalId, |n| known::australian_medicare(n) || known::medicare(n)),
    ("abn", &[], Category::NationalId, known::australian_business),
    ("acn", &[], Category::NationalId, known::australian_company),
    ("nhs", &[], Category::NationalId, known::health_service),
    ("pps", &[], Category::NationalId, known::ireland),
    ("ppsn", &[], Category::NationalId, known::ireland),
    ("pesel", &[], Category::NationalId, known::poland),
    ("bsn", &[], Category::NationalId, known::netherlands),
    ("burgerservicenummer", &[], Category::NationalId, known::netherlands),
    ("oib", &[], Category::NationalId, known::croatia),
    ("cnp", &[], Category::NationalId, known::romania),
    ("egn", &[], Category::NationalId, known::bulgaria),
    ("cpr", &[], Category::NationalId, known::denmark),
    ("personnummer", &[], Category::NationalId, known::sweden),
    ("swedish", &["id"], Category::NationalId, known::sweden),
    ("organisationsnummer", &[], Category::NationalId, known::sweden),
    ("fødselsnummer", &[], Category::NationalId, known::norway),
    ("rodné", &[], Category::NationalId, known::czechia_slovakia),
    ("rodne", &[], Category::NationalId, known::czechia_slovakia),
    ("kods", &["personas"], Category::NationalId, known::latvia),
    ("svnr", &[], Category::NationalId, known::austria),
    ("sozialversicherungsnummer", &[], Category::NationalId, known::austria),
    ("insee", &[], Category::NationalId, known::france),
    ("nir", &[], Category::NationalId, known::france),
    ("amka", &[], Category::NationalId, known::greece),
    ("nif", &[], Category::NationalId, |n| known::spain(n) || known::portugal(n)),
    ("nie", &[], Category::NationalId, known::spain),
    ("dni", &[], Category::NationalId, known::spain),
    ("contribuinte", &[], Category::NationalId, known::portugal),
    ("iva", &["partita", "p"], Category::NationalId, known::italian_vat),
    ("idnr", &[], Category::NationalId, tax),
    ("vat", &[], Category::NationalId, tax),
    ("steuer", &["id"], Category::NationalId, known::german_tax),
    ("identifikationsnummer", &[], Category::NationalId, known::german_tax),
    ("egk", &[], Category::NationalId, known::german_health),
    ("krankenversichertennummer", &[], Category::NationalId, known::german_health),
    ("versichertennummer", &[], Category::NationalId, known::german_health),
    ("lanr", &[], Category::NationalId, nine),
    ("bsnr", &[], Category::NationalId, nine),
    ("personalausweis", &[], Category::NationalId, known::german_document),
    ("ausweisnummer", &[], Category::NationalId, known::german_document),
    ("aadhaar", &[], Category::NationalId, known::aadhaar),
    ("pan", NUMBER, Category::NationalId, known::pan),
    ("voter", &[], Category::NationalId, |n| n.shaped(b"AAA9999999")),
    ("rrn", &[], Category::NationalId, known::korea),
    ("frn", &[], Category::NationalId, known::korea),
    ("brn", &[], Category::NationalId, ten),
    ("kimlik", &[], Category::NationalId, known::turkey),
    ("thai", &["id", "national"], Category::NationalId, known::thailand),
    ("เลขประจำตัวประชาชน", &[], Category::NationalId, thirteen),
    ("เลขบัตรประชาชน", &[], Category::NationalId, thirteen),
    ("tin", &[], Category::NationalId, |n| (9..=12).contains(&n.signs().len()) && n.is_digits() && n.digit(0) == 0),
    ("african", &["id", "identity"], Category::NationalId, known::south_africa),
    ("uen", &[], Category::NationalId, |n| {
        n.shaped(b"99999999A") || n.shaped(b"999999999A") || n.shaped(b"A99AA9999A")
    }),
    ("isikukood", &[], Category::NationalId, known::estonia_lithuania),
    ("kodas", &[], Category::NationalId, known::estonia_lithuania),
    ("henkilötunnus", &[], Category::NationalId, known::finland),
    ("hetu", &[], Category::NationalId, known::finland),
    ("kennitala", &[], Category::NationalId, known::denmark),
    ("fodselsnummer", &[], Category::NationalId, known::norway),
    ("fnr", &[], Category::NationalId, known::norway),
    ("codice", &[], Category::NationalId, known::italy),
    ("fiscale", &[], Category::NationalId, known::italy),
    ("ahv", &[], Category::NationalId, known::switzerland),
    ("avs", &[], Category::NationalId, known::switzerland),
    ("rijksregisternummer", &[], Category::NationalId, known::belgium),
    ("rijksregister", &[], Category::NationalId, known::belgium),
    ("niss", &[], Category::NationalId, known::belgium),
    ("insz", &[], Category::NationalId, known::belgium),
    ("jmbg", &[], Category::NationalId, known::former_yugoslavia),
    ("emšo", &[], Category::NationalId, known::former_yugoslavia),
    ("emso", &[], Category::NationalId, known::former_yugoslavia),
    ("matricule", &[], Category::NationalId, known::luxembourg),
    ("cnpj", &[], Category::NationalId, |n| n.is_digits() && n.signs().len() == 14),
    ("cuit", &[], Category::NationalId, |n| n.is_digits() && n.signs().len() == 11),
    ("cuil", &[], Category::NationalId, |n| n.is_digits() && n.signs().len() == 11),
    ("curp", &[], Category::NationalId, known::mexico),
    ("cédula", &[], Category::NationalId, account),
    ("cedula", &[], Category::NationalId, account),
    // Others say what they are by their words alone
    ("national", &["id", "identification", "identity"], Category::NationalId, some),
    ("identity", &["card", "number", "document"], Category::NationalId, some),
    ("tax", &["id", "number"], Category::NationalId, us),
    ("passport", &[], Category::Passport, passport),
    ("passports", &[], Category::Passport, passport),
    ("reisepass", &[], Category::Passport, passport),
    ("pass", &["nr", "no", "nummer"], Category::Passport, passport),
    ("passnummer", &[], Category::Passport, passport),
    ("pasaporte", &[], Category::Passport, passport),
    ("passeport", &[], Category::Passport, passport),
    ("passaporto", &[], Category::Passport, passport),
    ("passaporte", &[], Category::Passport, passport),
    ("paspoort", &[], Category::Passport, passport),
    ("paszport", &[], Category::Passport, passport),
    ("útlevél", &[], Category::Passport, passport),
    ("passnumber", &[], Category::Passport, passport),
    ("passportnumber", &[], Category::Passport, passport),
    ("pasaportu", &[], Category::Passport, passport),
    ("pașaport", &[], Category::Passport, passport),
    ("паспорт", &[], Category::Passport, passport),
    ("여권", &[], Category::Passport, passport),
    ("여권번호는", &[], Category::Passport, passport),
    ("여권번호", &[], Category::Passport, passport),
    ("licence", &["driving", "driver", "drivers", "s"], Category::Licence, licence),
    ("license", &["driving", "driver", "drivers", "s"], Category::Licence, licence),
    ("führerschein", &[], Category::Licence, licence),
    ("führerscheinnummer", &[], Category::Licence, licence),
    ("führerausweis", &[], Category::Licence, licence),
    ("körkort", &[], Category::Licence, licence),
    ("førerkort", &[], Category::Licence, licence),
    ("kørekort", &[], Category::Licence, licence),
    ("ajokortti", &[], Category::Licence, licence),
    ("jazdy", &["prawo", "prawa"], Category::Licence, licence),
    ("conducir", &["carnet", "de", "licencia"], Category::Licence, licence),
    ("condução", &["carta", "de"], Category::Licence, licence),
    ("rijbewijs", &[], Category::Licence, licence),
    ("permis", &["conduire", "de"], Category::Licence, licence),
    ("patente", &["guida", "di"], Category::Licence, licence),
    ("vin", &[], Category::Vehicle, vin),
    ("account", &["bank"], Category::Bank, account),
    ("kontonummer", &[], Category::Bank, account),
    ("aba", &[], Category::Bank, routing),
    ("routing", NUMBER, Category::Bank, routing),
    ("card", &[], Category::Card, card),
    ("cc", &[], Category::Card, card),
    ("cards", &[], Category::Card, card),
    ("kreditkarte", &[], Category::Card, card),
    ("kreditkartennummer", &[], Category::Card, card),
];

/// The words of [`LABELS`].
static WORDS: std::sync::LazyLock<Vec<&'static str>> = std::sync::LazyLock::new(|| {
    let mut words: Vec<_> = LABELS.iter().map(|label| label.0).collect();
    words.dedup();
    words
});

impl Detector for Labelled {
    fn words(&self) -> &'static [&'static str] {
        &WORDS
    }

    fn at_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        let text = line.text;
        // `[national-id]` stands for what was dropped and says nothing about what follows.
        let near = &text[start.saturating_sub(REACH)..text.len().min(end + REACH + LONGEST)];
        if text::before(text, 0, start) == b'[' || near.iter().filter(|b| b.is_ascii_digit()).take(4).count() < 4 {
            return;
        }
        let word = text::fold(&text[start..end]);
        for (_, beside, category, fits) in LABELS.iter().filter(|label| label.0.len() == word.len() && word == label.0)
        {
            if !beside.is_empty() && !stands_beside(text, start, end, beside) {
                continue;
            }
            let mut push = |number: &Number| {
                hits.push(number.start, number.end, *category, Form::Drop, rank::NUMBER + 1);
            };
            let after = behind(text, end, *fits);
            match after.first() {
                Some(_) => after.iter().for_each(&mut push),
                None => before(text, start, *fits).iter().for_each(&mut push),
            }
        }
    }
}

/// The numbers that fit behind a word: the first within reach, and more that only "and" or a comma divides from it.
fn behind(text: &[u8], end: usize, fits: fn(&Number) -> bool) -> Vec<Number> {
    let mut all: Vec<Number> = Vec::new();
    each_within(text, end, text.len().min(end + REACH), &mut |number| {
        let next = all.last().is_none_or(|last| number.start > last.end && number.start <= last.end + 5);
        if next && fits(number) && !number.is_json_number(text) && number.stands_alone(text) {
            all.push(*number);
        }
    });
    all
}

/// The number that fits nearest before a word, when no clause ends between them.
fn before(text: &[u8], start: usize, fits: fn(&Number) -> bool) -> Option<Number> {
    let mut from = start.saturating_sub(REACH);
    // Not from within a word.
    while from > 0 && from < start && text[from - 1].is_ascii_alphanumeric() {
        from += 1;
    }
    let mut last = None;
    each_within(text, from, start, &mut |number| {
        if number.end < start && fits(number) && number.stands_alone(text) {
            last = Some(*number);
        }
    });
    // `id 123456789, ssn unknown`: what stands before a comma or a sign belongs to something else.
    last.filter(|number| text[number.end..start].iter().all(|&b| b == b' ' || text::is(b, text::WORD)))
}

/// Whether one of the words stands right before or behind, or with one word between.
fn stands_beside(text: &[u8], start: usize, end: usize, words: &[&str]) -> bool {
    let floor = start.saturating_sub(24);
    let behind = &text[end..text.len().min(end + 24)];
    let of = |bytes: &[u8]| words.iter().any(|word| bytes.eq_ignore_ascii_case(word.as_bytes()));
    let near = |b: &u8| !text::is(*b, text::WORD);
    text[floor..start].rsplit(near).filter(|word| !word.is_empty()).take(2).any(of)
        || behind.split(near).filter(|word| !word.is_empty()).take(2).any(of)
}

fn nine(number: &Number) -> bool {
    number.is_digits() && number.signs().len() == 9
}

fn ten(number: &Number) -> bool {
    number.is_digits() && number.signs().len() == 10
}

fn thirteen(number: &Number) -> bool {
    number.is_digits() && number.signs().len() == 13
}

fn us(number: &Number) -> bool {
    known::social_security(number) || known::taxpayer(number)
}

fn tax(number: &Number) -> bool {
    known::german_tax(number)
        || known::german_vat(number)
        || number.shaped(b"AA99999999")
        || number.shaped(b"AA99999999A")
}

/// Any number of 7 to 15 signs, most of them digits, that is no date.
fn some(number: &Number) -> bool {
    let date = matches!(number.groups(), [4, 2, 2] | [2, 2, 4]);
    (7..=15).contains(&number.signs().len()) && number.digits >= 6 && !date
}

/// Eight or nine signs, letters first (ICAO 9303, part 4).
fn passport(number: &Number) -> bool {
    number.is_plain() && (8..=9).contains(&number.signs().len()) && number.digits >= 5
}

fn licence(number: &Number) -> bool {
    let date = matches!(number.groups(), [4, 2, 2] | [2, 2, 4]);
    (7..=18).contains(&number.signs().len()) && !date
}

/// Vehicle identification number: 17 signs without I, O and Q (ISO 3779).
fn vin(number: &Number) -> bool {
    number.is_plain() && number.signs().len() == 17 && number.signs().iter().all(|b| !b"IOQ".contains(b))
}

fn account(number: &Number) -> bool {
    number.is_digits() && (7..=18).contains(&number.signs().len()) && !matches!(number.groups(), [4, 2, 2] | [2, 2, 4])
}

/// Routing number of the American Bankers Association.
fn routing(number: &Number) -> bool {
    let sum: u32 =
        [3, 7, 1, 3, 7, 1, 3, 7, 1].iter().zip(0..).map(|(weight, place)| weight * number.digit(place)).sum();
    nine(number) && sum.is_multiple_of(10)
}

/// A card's length is enough beside its name: what was mistyped is still somebody's.
fn card(number: &Number) -> bool {
    number.is_digits() && (12..=19).contains(&number.signs().len()) && matches!(number.digit(0), 1..=6)
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn a_word_says_what_the_number_beside_it_is() {
        finds("her SSN is 219099999 now", &[("219099999", "national-id")]);
        finds("min kennitala er 1201743399", &[("1201743399", "national-id")]);
        finds("mi cédula es 48205173", &[("48205173", "national-id")]);
        finds("CNPJ 16727230000197", &[("16727230000197", "national-id")]);
        finds("prawo jazdy nr 04826/17/2031", &[("04826/17/2031", "licence")]);
        finds("NHS 9434765919", &[("9434765919", "national-id")]);
        finds("Meine Steuer-ID ist 47193058267.", &[("47193058267", "national-id")]);
        finds("my SIN is 193 456 787", &[("193 456 787", "national-id")]);
        finds("bsn 246803150", &[("246803150", "national-id")]);
        finds("Reisepass F73K02L91 ausgestellt", &[("F73K02L91", "passport")]);
        finds("bqr704815 es mi número de pasaporte", &[("bqr704815", "passport")]);
        finds("Passports: KD7204816 and RW3058217", &[("KD7204816", "passport"), ("RW3058217", "passport")]);
        finds("his driver's license no is D4820617", &[("D4820617", "licence")]);
        finds("VIN WZ4KR72E9HN308154", &[("WZ4KR72E9HN308154", "vehicle")]);
        finds("routing number 026204178", &[("026204178", "bank")]);
        finds("my card 4938102746503981724 is", &[("4938102746503981724", "card")]);
    }

    #[test]
    fn a_word_alone_makes_no_number_anybodys() {
        for line in [
            "the passport expired 2026-11-21",
            "passport number is T481926",
            "card 3 of 12345678",
            "sound card 0000:00:1f.3 irq 145",
            "SIN 12345678",
            "tin 123456789",
            "nie 1234567 fehlgeschlagen",
            "driver license expires 21.11.2026",
            "ssn 2026-11-21",
            "nic driver e1000e license GPL",
            "id 123456789, ssn unknown",
            "vin 12.1 V",
            "took [national-id] commit a14538b6d4, [card] 4071628350912",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
