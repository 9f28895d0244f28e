//! Words near a number that say what it is, where its own check says too little: one digit in ten passes by chance.
//!
//! A word counts in any of the languages below, alone or as a part of a key (`cardNumber`, `tax_id`). Between it and the
//! number there may be other words, but no digits and no brackets: those are values, or stand for values that were replaced.

use crate::redact::text;

/// How far a word may be from its number, in bytes.
const REACH: usize = 40;

/// Words of cards and of paying with them.
pub(super) const CARD: &[&str] = &[
    "amex",
    "bankkarte",
    "bankkarten",
    "bankkort",
    "card",
    "cardholder",
    "cards",
    "carta",
    "carte",
    "cartes",
    "cartao",
    "cartão",
    "cc",
    "ccn",
    "credit",
    "creditcard",
    "creditkaart",
    "cvc",
    "cvv",
    "debit",
    "diners",
    "girocard",
    "jcb",
    "kaart",
    "kaartnummer",
    "karta",
    "kartennummer",
    "karte",
    "kartice",
    "kartica",
    "kartu",
    "karty",
    "kort",
    "kortnummer",
    "kortti",
    "kredietkaart",
    "kredit",
    "kreditkarte",
    "kreditkarten",
    "kreditkartennummer",
    "kreditkort",
    "luottokortti",
    "maestro",
    "mastercard",
    "paid",
    "pan",
    "pay",
    "payment",
    "payments",
    "tarjeta",
    "tarjetas",
    "unionpay",
    "visa",
    "zahlung",
    "κάρτα",
];

/// Words of numbers that states give their people and companies.
pub(super) const PERSON: &[&str] = &[
    "aadhaar",
    "abn",
    "afm",
    "ahv",
    "amka",
    "asmens",
    "ausweis",
    "avs",
    "bsn",
    "burgerservicenummer",
    "cédula",
    "cedula",
    "citizen",
    "citizenship",
    "cnp",
    "cnpj",
    "codice",
    "contribuable",
    "contribuente",
    "contribuinte",
    "contribuyente",
    "cpf",
    "cpr",
    "cuil",
    "cuit",
    "curp",
    "dni",
    "dnr",
    "egn",
    "emso",
    "emšo",
    "fiscal",
    "fiscale",
    "fnr",
    "fodselsnummer",
    "fødselsnummer",
    "henkilötunnus",
    "hetu",
    "identidad",
    "identidade",
    "identifikationsnummer",
    "identita",
    "identità",
    "identitat",
    "identité",
    "identiteit",
    "identity",
    "inps",
    "insee",
    "insurance",
    "insured",
    "insz",
    "isikukood",
    "itin",
    "jmbg",
    "kennitala",
    "kimlik",
    "kodas",
    "kods",
    "matricule",
    "national",
    "nationalid",
    "nie",
    "nif",
    "nir",
    "niss",
    "nhs",
    "oib",
    "passport",
    "patient",
    "personalausweis",
    "personas",
    "personnr",
    "personnummer",
    "pesel",
    "pps",
    "ppsn",
    "registre",
    "rijksregister",
    "rijksregisternummer",
    "rodne",
    "rodné",
    "rrn",
    "rut",
    "securite",
    "security",
    "sécurité",
    "seguridad",
    "sin",
    "social",
    "sociale",
    "sozialversicherung",
    "sozialversicherungsnummer",
    "spi",
    "ssn",
    "steuer",
    "steuerid",
    "steuernummer",
    "svnr",
    "tax",
    "taxpayer",
    "tc",
    "tckn",
    "tfn",
    "tin",
    "umcn",
    "vat",
    "versicherung",
    "versicherungsnummer",
    "versichertennummer",
];

/// Words of SIM cards.
pub(super) const SIM: &[&str] = &["esim", "icc", "iccid", "sim", "simcard", "uicc", "usim"];

/// Whether one of the words stands near the bytes from `start` to `end`.
pub(super) fn beside(text: &[u8], start: usize, end: usize, words: &[&str]) -> bool {
    let of = |b: u8| b.is_ascii_alphabetic() || b >= 0x80;
    let wall = |b: &u8| b.is_ascii_digit() || matches!(b, b'[' | b']');
    let floor = start.saturating_sub(REACH);
    let mut from = text[floor..start].iter().rposition(wall).map_or(floor, |place| floor + place + 1);
    let mut to = text[end..text.len().min(end + REACH)]
        .iter()
        .position(wall)
        .map_or(text.len().min(end + REACH), |length| end + length);
    // No pieces of words.
    while from > 0 && from < start && of(text[from - 1]) && of(text[from]) {
        from += 1;
    }
    while to < text.len() && to > end && of(text[to - 1]) && of(text[to]) {
        to -= 1;
    }
    let near = |bytes: &[u8]| bytes.split(|&b| !of(b)).filter(|word| word.len() > 1).any(|word| says(word, words));
    near(&text[from..start]) || near(&text[end..to])
}

/// Whether a word, or one of its parts that begin with a capital, is one of the words.
fn says(word: &[u8], words: &[&str]) -> bool {
    let known = |part: &[u8]| {
        let part = text::fold(part);
        words.iter().any(|word| part == *word)
    };
    let begins = |pair: &[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
    if !word.windows(2).any(begins) {
        return known(word);
    }
    let mut from = 0;
    let ends = (1..word.len()).filter(|&at| begins(&word[at - 1..=at])).chain([word.len()]);
    known(word) || ends.into_iter().any(|end| known(&word[std::mem::replace(&mut from, end)..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(line: &str, words: &[&str]) -> bool {
        let start = line.find('#').unwrap();
        beside(line.as_bytes(), start, start + 1, words)
    }

    #[test]
    fn a_word_says_it_from_either_side() {
        for line in
            ["card #", "Visa: #", "# (credit card)", "cardNumber=#", "card_no=#", "CARD #", "meine Kreditkarte ist #"]
        {
            assert!(near(line, CARD), "{line}");
        }
        for line in
            ["tax-id #", "her PESEL is #", "číslo rodné #", "# fødselsnummer", "nationalId: #", "SécuritÉ sociale #"]
        {
            assert!(near(line, PERSON), "{line}");
        }
    }

    #[test]
    fn pieces_of_words_and_words_behind_other_values_say_nothing() {
        for line in [
            "discard #",
            "#cardinal",
            "wildcards#x",
            "card 12 #",
            "[card] #",
            "order #",
            "",
            "card                                               #",
        ] {
            assert!(line.is_empty() || !near(line, CARD), "{line}");
        }
    }
}
