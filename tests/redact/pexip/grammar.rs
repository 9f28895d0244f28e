//! A small parser of the appliance's logs: `syslog_time system originating_time level name details`.

/// One line.
pub(super) struct Record<'l> {
    pub(super) time: &'l str,
    pub(super) originating: (&'l str, &'l str),
    pub(super) level: String,
    pub(super) name: String,
    /// The keys and their values without escapes, in order.
    pub(super) details: Vec<(&'l str, String)>,
}

/// The line's parts; `None` if it does not follow the grammar.
pub(super) fn parse(line: &str) -> Option<Record<'_>> {
    let mut words = line.splitn(5, ' ');
    let (time, system, date, clock, mut rest) =
        (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
    let shape = |text: &str, of: &str| {
        text.len() == of.len()
            && text.bytes().zip(of.bytes()).all(|(b, of)| if of == b'0' { b.is_ascii_digit() } else { b == of })
    };
    if !shape(time, "0000-00-00T00:00:00.000+00:00")
        || !shape(date, "0000-00-00")
        || !shape(clock, "00:00:00,000")
        || system.is_empty()
    {
        return None;
    }
    let mut details = Vec::new();
    while !rest.is_empty() {
        let (key, after) = rest.split_once("=\"")?;
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return None;
        }
        let mut value = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next()? {
                (_, '\\') => value.push(characters.next()?.1),
                (at, '"') => break at,
                (_, c) => value.push(c),
            }
        };
        details.push((key, value));
        rest = &after[end + 1..];
        if !rest.is_empty() {
            rest = rest.strip_prefix(' ')?;
        }
    }
    let mut take = |key: &str| (details.first()?.0 == key).then(|| details.remove(0).1);
    let (level, name) = (take("Level")?, take("Name")?);
    Some(Record { time, originating: (date, clock), level, name, details })
}

#[test]
fn a_line_is_parsed_with_its_escapes() {
    let line = r#"2026-11-21T10:00:00.000+00:00 conf 2026-11-21 10:00:00,000 Level="INFO" Name="a.b" Participant="Q \"x\" \\" n="1""#;
    let record = parse(line).unwrap();
    assert_eq!((record.level.as_str(), record.name.as_str()), ("INFO", "a.b"));
    assert_eq!(record.details, [("Participant", "Q \"x\" \\".to_owned()), ("n", "1".to_owned())]);
    assert!(parse(&line[1..]).is_none() && parse(&line.replace("n=", "n ")).is_none());
}
