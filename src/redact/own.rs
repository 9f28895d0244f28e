//! What a profile adds to the detectors: patterns and keys of its own.

use regex_automata::meta::Regex;
use regex_automata::{Input, PatternSet};

use super::category::{Action, Category};
use super::detector::{Line, before_gap, checked_digits, each_within, value_behind};
use super::hit::{Form, Group, Hit, Hits, rank};
use super::keys::{KeyClass, key_hash};
use super::rules::{Pattern, Rules};
use super::stand_in::{StandIns, mac_of};
use super::text::{self, ByHash, IDENT, WORD, is};

/// The patterns and keys of a profile, ready to be looked for.
#[derive(Debug)]
pub(crate) struct Own {
    patterns: Option<Patterns>,
    keys: Option<OwnKeys>,
    /// Plain digits with a check digit are national ids.
    bare_numbers: bool,
}

/// The keys of a profile, and what their values are.
#[derive(Debug)]
pub(crate) struct OwnKeys(ByHash<(Box<str>, KeyClass)>);

/// All patterns as one, which says in one search of a line whether and which of them match, and each alone.
#[derive(Debug)]
struct Patterns {
    any: Regex,
    each: Vec<(Pattern, Category)>,
}

/// Longest key in bytes.
const LONGEST_KEY: usize = 64;
/// How far around a match a stand-in that it is part of may reach.
const REACH: usize = 80;

impl Own {
    /// What these rules add; nothing where they add nothing. Values of a category that is kept are not looked for.
    pub(crate) fn of(rules: &Rules) -> Option<Self> {
        let kept = |category| rules.action(category) == Action::Keep;
        let wanted: Vec<_> = rules.patterns.iter().filter(|rule| !kept(rule.category())).collect();
        let patterns = (!wanted.is_empty()).then(|| {
            let texts: Vec<&str> = wanted.iter().map(|rule| rule.regex()).collect();
            let each = wanted.iter().map(|rule| (rule.compile(), rule.category())).collect();
            Patterns { any: Pattern::any(&texts), each }
        });
        let keys = OwnKeys::of(rules);
        let bare_numbers = rules.bare_numbers && !kept(Category::NationalId);
        (patterns.is_some() || keys.is_some() || bare_numbers).then_some(Self { patterns, keys, bare_numbers })
    }

    /// Finds values in a line. Matches within stand-ins that are `known` are none.
    pub(crate) fn find(&self, line: &Line<'_>, known: Option<&StandIns>, hits: &mut Hits) {
        if let Some(patterns) = &self.patterns {
            patterns.find(line.text, known, hits);
        }
        if self.bare_numbers {
            numbers(line.text, hits);
        }
        if let Some(keys) = &self.keys {
            for at in memchr::memchr2_iter(b'=', b':', line.text) {
                let Some((key, class)) = keys.before(line.text, at) else { continue };
                let before = hits.found.len();
                value_behind(line, key, at, class, hits);
                // What the profile says is stronger than what the dictionary says of the same key.
                hits.found[before..].iter_mut().filter(|hit| hit.rank > 0).for_each(|hit| hit.rank = rank::OWN);
            }
        }
    }
}

/// Finds plain digits that may be a national id.
fn numbers(text: &[u8], hits: &mut Hits) {
    each_within(text, 0, text.len(), &mut |number| {
        if checked_digits(text, number) {
            hits.push(number.start, number.end, Category::NationalId, Form::Drop, rank::NUMBER);
        }
    });
}

impl OwnKeys {
    /// The keys of these rules; nothing where there are none.
    pub(crate) fn of(rules: &Rules) -> Option<Self> {
        let key = |(key, category): (&String, &Category)| {
            (key_hash(key.as_bytes()), (key.as_str().into(), class_of(*category)))
        };
        (!rules.keys.is_empty()).then(|| Self(rules.keys.iter().map(key).collect()))
    }

    /// The key before the sign at `at`, and what its value is.
    pub(crate) fn before<'t>(&self, text: &'t [u8], at: usize) -> Option<(&'t [u8], KeyClass)> {
        let mut end = before_gap(text, at);
        let quotes = |b: &u8| matches!(b, b'"' | b'\'' | b'\\' | b']' | b'*');
        end -= text[..end].iter().rev().take(4).take_while(|b| quotes(b)).count();
        let start = text::run_back(text, end.saturating_sub(LONGEST_KEY), end, IDENT);
        let mut found = self.class(&text[start..end]);
        if found.is_none() && text[at] == b':' && start > 1 && text[start - 1] == b' ' {
            let first = text::run_back(text, (start - 1).saturating_sub(LONGEST_KEY), start - 1, IDENT);
            found = self.class(&text[first..end]);
        }
        found.map(|class| (&text[start..end], class))
    }

    /// What the value of a key is, also where only its last part says so.
    pub(crate) fn class(&self, key: &[u8]) -> Option<KeyClass> {
        let last = memchr::memrchr(b'.', key).map_or(key, |dot| &key[dot + 1..]);
        [key, last].into_iter().find_map(|key| {
            let (word, class) = self.0.get(&key_hash(key))?;
            let folded = key.iter().filter(|&&b| is(b, WORD)).map(u8::to_ascii_lowercase);
            folded.eq(word.bytes()).then_some(*class)
        })
    }
}

impl Patterns {
    fn find(&self, line: &[u8], known: Option<&StandIns>, hits: &mut Hits) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let input = Input::new(line);
        if !self.any.is_match(input.clone()) {
            return;
        }
        let mut matching = PatternSet::new(self.any.pattern_len());
        self.any.which_overlapping_matches(&input, &mut matching);
        for (pattern, category) in matching.iter().filter_map(|place| self.each.get(place.as_usize())) {
            pattern.each(line, |start, end| {
                if !known.is_some_and(|known| is_within_stand_in(known, line, start, end)) {
                    let form = form_of(*category, &line[start..end]);
                    hits.push(start, end, *category, form, rank::OWN);
                }
            });
        }
    }
}

/// What the value beside a key of this category is.
pub(crate) const fn class_of(category: Category) -> KeyClass {
    match category {
        Category::Person => KeyClass::Person,
        // What is an address there is found as one.
        Category::User | Category::Email | Category::Uri | Category::Ip | Category::Mac => KeyClass::User,
        Category::Host => KeyClass::Host,
        Category::Phone => KeyClass::Phone,
        Category::DeviceId => KeyClass::Device,
        Category::Conference => KeyClass::Conference,
        other => KeyClass::Drop(other),
    }
}

/// How a value that is known to be of a category is replaced; what is not of the category's shape is dropped.
fn form_of(category: Category, bytes: &[u8]) -> Form {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    match category {
        Category::Person => Form::Text(Group::Person),
        Category::User => Form::Text(Group::User),
        Category::Email | Category::Uri if bytes.contains(&b'@') => Form::Address,
        Category::Email | Category::Uri => Form::Text(Group::Local),
        Category::Host => Form::Text(if bytes.contains(&b'.') { Group::Domain } else { Group::Host }),
        Category::DeviceId => Form::Text(Group::Device),
        Category::Conference => Form::Text(Group::Conference),
        Category::Ip => match text.parse() {
            Ok(std::net::IpAddr::V4(ip)) => Form::Ip4(ip.to_bits()),
            Ok(std::net::IpAddr::V6(ip)) => Form::Ip6(ip.to_bits()),
            Err(_) => Form::Drop,
        },
        Category::Mac if mac_of(bytes).is_some() => Form::Mac,
        Category::Phone if (4..=15).contains(&digits) => Form::Phone,
        _ => Form::Drop,
    }
}

/// Whether a match lies within a stand-in, or in what stands for a dropped value: `\d+` must not find the number of
/// `person-17`.
fn is_within_stand_in(known: &StandIns, line: &[u8], start: usize, end: usize) -> bool {
    let stands_in = |from: usize, to: usize, form| {
        let hit = Hit { start: from, end: to, category: Category::Person, form, rank: 0 };
        from < to && known.is_stand_in(line, &hit)
    };
    // The run of bytes of a kind that holds the match, if the match is of such bytes.
    let run = |kind: &dyn Fn(u8) -> bool| {
        if !line[start..end].iter().all(|&b| kind(b)) {
            return start..start;
        }
        let before = line[..start].iter().rev().take(REACH).take_while(|&&b| kind(b)).count();
        let after = line[end..].iter().take(REACH).take_while(|&&b| kind(b)).count();
        start - before..end + after
    };
    let open = line[..(start + 1).min(line.len())].iter().rev().take(REACH).position(|&b| b == b'[');
    let close = line[end - 1..].iter().take(REACH).position(|&b| b == b']');
    if let (Some(open), Some(close)) = (open, close)
        && stands_in(start - open, end + close, Form::Drop)
    {
        return true;
    }
    let name = run(&|b| b.is_ascii_alphanumeric() || b == b'-');
    if Group::ALL.iter().any(|&group| stands_in(name.start, name.end, Form::Text(group))) {
        return true;
    }
    let dotted = run(&|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
    let text = |from: usize, to: usize| std::str::from_utf8(&line[from..to]).unwrap_or_default();
    let starts = (dotted.start..start.max(dotted.start) + 1)
        .filter(|&at| at == dotted.start || at > 0 && line.get(at - 1) == Some(&b'.'));
    for from in starts {
        if stands_in(from, dotted.end, Form::Text(Group::Domain)) {
            return true;
        }
    }
    if let Ok(ip) = text(dotted.start, dotted.end).parse::<std::net::Ipv4Addr>()
        && stands_in(dotted.start, dotted.end, Form::Ip4(ip.to_bits()))
    {
        return true;
    }
    let hex = run(&|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.' | b'-'));
    if let Ok(ip) = text(hex.start, hex.end).parse::<std::net::Ipv6Addr>()
        && stands_in(hex.start, hex.end, Form::Ip6(ip.to_bits()))
    {
        return true;
    }
    if stands_in(hex.start, hex.end, Form::Mac) {
        return true;
    }
    let phone = run(&|b| b.is_ascii_digit() || b == b'+');
    if stands_in(phone.start, phone.end, Form::Phone) {
        return true;
    }
    let address = run(&|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'@'));
    stands_in(address.start, address.end, Form::Address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::rules::PatternRule;
    use crate::redact::scan::{Scanner, Scratch};
    use crate::redact::text;

    fn found(rules: &Rules, line: &str) -> Vec<(String, String)> {
        let own = Own::of(rules);
        let mut scratch = Scratch::default();
        Scanner::unknowing().with(own.as_ref()).scan(line.as_bytes(), b"", &mut scratch);
        let hits = &scratch.hits.found;
        hits.iter()
            .map(|hit| (text::decode(&line.as_bytes()[hit.start..hit.end]).into_owned(), hit.category.to_string()))
            .collect()
    }

    #[track_caller]
    fn finds(rules: &Rules, line: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> = expected.iter().map(|&(a, b)| (a.to_owned(), b.to_owned())).collect();
        assert_eq!(found(rules, line), expected, "{line}");
    }

    fn pattern(name: &str, regex: &str, category: Category) -> PatternRule {
        PatternRule::new(name, regex, category).unwrap()
    }

    #[test]
    fn every_pattern_of_a_profile_finds_its_values() {
        let rules = Rules {
            patterns: vec![
                pattern("case", r"\bCASE-\d{6}\b", Category::NationalId),
                pattern("badge", r"badge (?<value>[A-Z]{2}\d+)", Category::DeviceId),
                pattern("overlapping", r"\d{6}-[a-z]+", Category::User),
            ],
            ..Rules::default()
        };
        finds(&rules, "opened CASE-123456 at the desk", &[("CASE-123456", "national-id")]);
        finds(&rules, "badge XY12 seen\r", &[("XY12", "device-id")]);
        // Where two overlap, what sticks out of one goes as the other.
        finds(&rules, "x 123456-quirin CASE-654321", &[("123456-quirin", "user"), ("CASE-654321", "national-id")]);
        finds(&rules, "x CASE-123456-quirin", &[("CASE-123456", "national-id"), ("-quirin", "user")]);
        finds(&rules, "CASE-12345", &[]);
        // In what is decoded as well.
        finds(&rules, "q=CASE%2D123456&x", &[("CASE%2D123456", "national-id")]);
    }

    #[test]
    fn a_key_of_a_profile_says_what_its_value_is() {
        let keys = |list: &[(&str, Category)]| Rules {
            keys: list.iter().map(|(key, category)| (Rules::folded_key(key), *category)).collect(),
            ..Rules::default()
        };
        let rules = keys(&[
            ("room_owner", Category::Person),
            ("case-no", Category::NationalId),
            ("device.owner", Category::Person),
        ]);
        finds(&rules, r#"x Room-Owner="Ottilie Habersaat" y"#, &[("Ottilie Habersaat", "person")]);
        finds(
            &rules,
            r#"{"roomOwner": ["Ottilie Habersaat", "Quirin Quistorp"]}"#,
            &[("Ottilie Habersaat", "person"), ("Quirin Quistorp", "person")],
        );
        finds(&rules, r#"{\"room_owner\":\"Ottilie Habersaat\"}"#, &[("Ottilie Habersaat", "person")]);
        finds(&rules, "Room Owner: Ottilie Habersaat", &[("Ottilie Habersaat", "person")]);
        finds(&rules, "site.case_no=A-17 level=3", &[("A-17", "national-id")]);
        finds(&rules, "room_owner=null rooms=17 case=4", &[]);
        // It is stronger than the dictionary.
        finds(
            &keys(&[("display_name", Category::Title)]),
            r#"display_name="Dr. Habersaat""#,
            &[("Dr. Habersaat", "title")],
        );
    }

    #[test]
    fn plain_digits_go_where_the_profile_asks_for_it() {
        let rules = Rules { bare_numbers: true, ..Rules::default() };
        for number in ["79031421575", "9434765919", "130692544", "10000000146", "8801235111088"] {
            for line in [format!("x {number} y"), format!("{{\"n\": {number}}}"), format!("{number},a")] {
                assert_eq!(found(&rules, &line), [(number.to_owned(), "national-id".to_owned())], "{line}");
            }
        }
        for line in [
            "x 79031421576 9434765910 1700000000 1700000000123 12345678",
            "bytes=79031421575 ssrc=9434765919 130692544 ms",
            "v1.79031421575 x-79031421575-y a79031421575",
        ] {
            finds(&rules, line, &[]);
        }
        assert!(found(&Rules::default(), "x 10000000146 y").is_empty());
    }

    #[test]
    fn what_is_kept_is_not_looked_for() {
        let mut rules = Rules { patterns: vec![pattern("a", "CASE-[0-9]+", Category::NationalId)], ..Rules::default() };
        rules.actions.insert(Category::NationalId, Action::Keep);
        assert!(Own::of(&rules).is_none() && Own::of(&Rules::default()).is_none());
    }
}
