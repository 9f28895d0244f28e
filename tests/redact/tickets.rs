//! Two snapshots of one ticket: a stand-in means one person, and one network, in both.

use std::collections::HashMap;
use std::fmt::Write as _;

use tarseal::redact::{Given, Redactor, Rules};

use super::{entries, item, key, read, survey, vault};

/// A snapshot of the ticket: what it reads redacted, once and twice, what its vault holds, and what has been given out since.
struct Snapshot {
    text: String,
    vault: HashMap<String, String>,
    given: Given,
}

fn snapshot(text: &str, given: &Given) -> Snapshot {
    let mut stored = Vec::new();
    given.write(&mut stored).unwrap();
    let items = [item("a.log", text.as_bytes())];
    let learned = survey(&Rules::default(), &items).unwrap();
    let redactor =
        Redactor::new(Rules::default(), learned, key()).after(Given::read(stored.as_slice()).unwrap()).keeping(vault());
    let once = read(&redactor, &items[0]).unwrap().0;
    let (twice, counts) = read(&redactor, &item("a.log", &once)).unwrap();
    assert!(once == twice && counts.is_empty(), "redacting again changes something: {counts:?}");
    let given = redactor.given().clone();
    let vault = entries(redactor).into_iter().map(|entry| (entry.stand_in, entry.value)).collect();
    Snapshot { text: String::from_utf8(once).unwrap(), vault, given }
}

fn people(names: &[&str]) -> String {
    names.iter().fold(String::new(), |text, name| text + &format!("Participant=\"{name}\" joined\n"))
}

/// Stand-ins that mean one thing in one snapshot and another in the other.
fn contradictions(one: &Snapshot, other: &Snapshot) -> usize {
    one.vault
        .iter()
        .filter(|(stand_in, value)| other.vault.get(*stand_in).is_some_and(|other| !other.eq_ignore_ascii_case(value)))
        .count()
}

#[test]
fn whoever_comes_first_a_stand_in_means_one_person_in_all_snapshots_of_a_ticket() {
    let first = snapshot(&people(&["Ottilie Habersaat", "Quirin Quistorp"]), &Given::default());
    let text = people(&["Wilhelmina Ostergaard", "QUIRIN QUISTORP", "Ottilie Habersaat"]);
    let second = snapshot(&text, &first.given);
    assert_eq!(second.text, people(&["person-3", "person-2", "person-1"]));
    let third = snapshot(&people(&["Björn Mühlenkamp", "Wilhelmina Ostergaard"]), &second.given);
    assert_eq!(third.text, people(&["person-4", "person-3"]));
    // Without what was given out the second would begin again.
    let alone = snapshot(&text, &Given::default());
    assert!(contradictions(&first, &second) == 0 && contradictions(&first, &alone) > 0);
    // What is kept for the next snapshot names nobody.
    let mut kept = Vec::new();
    third.given.write(&mut kept).unwrap();
    let kept = String::from_utf8(kept).unwrap().to_lowercase();
    assert!(["ottilie", "quistorp", "wilhelmina", "mühlenkamp"].iter().all(|name| !kept.contains(name)), "{kept}");
}

#[test]
fn a_stand_in_that_a_later_snapshot_holds_as_text_never_becomes_somebody_else() {
    let first = snapshot(&people(&["Ottilie Habersaat"]), &Given::default());
    // Somebody pasted the technician's words into the log, and "person-3" is a text of its own.
    let pasted =
        format!("{}note: person-1 was cut off, see person-3\n", people(&["Quirin Quistorp", "Ottilie Habersaat"]));
    let second = snapshot(&pasted, &first.given);
    assert!(second.text.ends_with("note: person-1 was cut off, see person-3\n"), "{}", second.text);
    assert!(!second.vault.contains_key("person-1") && !second.vault.contains_key("person-3"), "{:?}", second.text);
    let third = snapshot(&people(&["Wilhelmina Ostergaard", "Ottilie Habersaat", "Björn Mühlenkamp"]), &second.given);
    assert_eq!(third.vault.get("person-1").map(String::as_str), Some("Ottilie Habersaat"));
    assert!(!third.vault.contains_key("person-3"), "{}", third.text);
    assert_eq!(contradictions(&second, &third) + contradictions(&first, &third), 0);
}

#[test]
fn a_network_keeps_its_stand_in_and_no_other_network_of_the_ticket_gets_it() {
    let peers = |from: u32| {
        (from..from + 3000).fold(String::new(), |mut text, n| {
            writeln!(text, "peer {}.{}.{}.7 and 2a00:{n:x}::7 up", 11 + n % 80, n / 80 % 256, n * 7 % 256).unwrap();
            text
        })
    };
    let (one, other) = (peers(0), peers(2500));
    let first = snapshot(&one, &Given::default());
    let second = snapshot(&other, &first.given);
    assert_eq!(contradictions(&first, &second), 0);
    let meaning = |snapshot: &Snapshot| -> HashMap<String, String> {
        snapshot.vault.iter().map(|(stand_in, value)| (value.clone(), stand_in.clone())).collect()
    };
    let (before, after) = (meaning(&first), meaning(&second));
    let both = before.iter().filter(|(value, _)| after.contains_key(*value));
    assert!(both.clone().all(|(value, stand_in)| after[value] == *stand_in) && both.count() >= 1000);
    assert!(contradictions(&first, &snapshot(&other, &Given::default())) > 0, "or it could not fail");
}

#[test]
fn threads_make_no_difference_to_what_a_ticket_gives_out() {
    let text = (0..4000).fold(String::new(), |text, n| text + &people(&[&format!("Xaver Yorck{}", n * 7 % 900)]));
    let before = snapshot(&people(&["Xaver Yorck77", "Ottilie Habersaat"]), &Given::default()).given;
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let after = snapshot(&text, &before);
            let mut kept = Vec::new();
            after.given.write(&mut kept).unwrap();
            (after.text, kept)
        })
    };
    assert!(run(1) == run(3));
}
