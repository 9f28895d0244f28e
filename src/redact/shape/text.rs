//! Text without a shape of its own: what begins in it is followed to its end.

use super::{Sink, State, account, entry, fold, ini, json, listing, neighbour, sql, xml, yaml};

/// Reads a line of a log, of YAML when it is known to be that.
pub(super) fn line(line: &[u8], state: &mut State, sink: &mut Sink<'_, '_>, is_yaml: bool) {
    if *state == State::Idle && sink.found.is_none() && !is_yaml && is_quiet(line) {
        return;
    }
    let goes_on = match state {
        State::Idle => false,
        State::Json(open) => {
            json::goes_on(line) && {
                if json::go_on(line, 0, open, sink).is_some() || open.is_broken() {
                    *state = State::Idle;
                }
                true
            }
        }
        State::Yaml(open) => match (open.fresh(), line.trim_ascii_start().first()) {
            // The key stood on the line before its list or object.
            (Some(class), Some(b'[' | b'{')) => {
                let mut open = json::Open::awaiting(class);
                let ended = json::go_on(line, 0, &mut open, sink).is_some() || open.is_broken();
                *state = if ended { State::Idle } else { State::Json(open) };
                true
            }
            _ => yaml::go_on(line, open, sink, is_yaml),
        },
        State::Xml(open) => xml::go_on(line, open, sink),
        State::Ini(open) => ini::go_on(line, open, sink),
        State::Listing(columns) => listing::row(line, columns, sink),
        State::Entry(open) => entry::go_on(line, open, sink),
        State::Folded(folded) => {
            let folded = *folded;
            let goes_on = fold::go_on(line, folded, sink);
            if folded == fold::Folded::Name {
                // The quotation ends there.
                *state = State::Idle;
            }
            goes_on
        }
        State::Sql(open) => {
            let goes_on = sql::go_on(line, open, sink);
            if goes_on && sql::is_over(open) {
                *state = State::Idle;
            }
            goes_on
        }
        State::Table(_) => false,
    };
    if goes_on {
        return;
    }
    *state = begin(line, sink, is_yaml);
}

/// Bytes with which a line may begin, or end, after which something goes on, and blanks, behind which they may stand.
static TELLING: [(bool, bool); 256] = {
    let mut table = [(false, false); 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        let first = matches!(byte | 0x20, b'a' | b'b' | b'c' | b'd' | b'f' | b'p' | b'r' | b's' | b't')
            || matches!(byte, b'[' | b'<')
            || byte.is_ascii_whitespace();
        let last = matches!(byte, b'[' | b'{' | b',' | b':' | b'|' | b'>' | b'-' | b'+') || byte.is_ascii_whitespace();
        table[byte as usize] = (first, last);
        byte += 1;
    }
    table
};

/// Whether it shows at first sight that nothing begins in a line that goes on: so it is with most lines.
fn is_quiet(line: &[u8]) -> bool {
    let (Some(&first), Some(&last)) = (line.first(), line.last()) else { return true };
    // `Nov 21`: no header of a table.
    let month = |line: &[u8]| matches!(line, [_, b'a'..=b'z', b'a'..=b'z', b' ', ..]);
    !TELLING[usize::from(first)].0
        && !TELLING[usize::from(last)].1
        && (!first.is_ascii_uppercase() || month(line))
        && (!last.is_ascii_digit() || memchr::memchr2(b'|', b'>', line).is_none())
}

/// Reads a line that goes on with nothing before it; what goes on after it.
fn begin(line: &[u8], sink: &mut Sink<'_, '_>, is_yaml: bool) -> State {
    let trimmed = line.trim_ascii();
    let (Some(&first), Some(&last)) = (trimmed.first(), trimmed.last()) else { return State::Idle };
    // Few lines begin something that goes on; where only that matters the others are passed over.
    let opens = is_yaml
        || matches!(last, b'[' | b'{' | b',' | b':' | b'|' | b'>' | b'-' | b'+')
        || matches!(first, b'[' | b'<')
        || last.is_ascii_digit() && memchr::memchr2(b'|', b'>', line).is_some();
    if sink.found.is_some() || opens {
        let state = shapes(line, sink, is_yaml, opens);
        if opens && state != State::Idle {
            return state;
        }
    }
    if let Some(folded) = fold::begin(line, sink) {
        return State::Folded(folded);
    }
    match first {
        b'd' | b'D' | b'b' | b'B' => entry::begin(line).map_or(State::Idle, State::Entry),
        b'A'..=b'Z' => match sql::begin(line, sink) {
            Some(open) => State::Sql(open),
            None => listing::header(line).map_or(State::Idle, State::Listing),
        },
        _ => State::Idle,
    }
}

fn shapes(line: &[u8], sink: &mut Sink<'_, '_>, is_yaml: bool, opens: bool) -> State {
    // In other text it only begins, and finds nothing yet.
    if opens && let Some(open) = yaml::begin(line, sink, is_yaml) {
        return State::Yaml(open);
    }
    let mut open = None;
    if sink.signs.opens {
        open = json::begin(line, sink);
        if let Some(open) = xml::begin(line, sink) {
            return State::Xml(open);
        }
    }
    if let Some(open) = ini::begin(line, sink) {
        return State::Ini(open);
    }
    if sink.found.is_some() {
        neighbour::find(line, sink);
        account::in_text(line, sink);
        listing::session(line, sink);
        ini::login(line, sink);
    }
    open.map_or(State::Idle, State::Json)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Signs;
    use super::*;

    fn line() -> impl Strategy<Value = Vec<u8>> {
        let pieces = [
            "From: \"Anna",
            "users:",
            "USER PID TTY",
            "dn: uid=anna",
            "[user]",
            "<user>",
            "{\"user\": [",
            "|2",
            " ",
            "\t",
            "Cookie: a",
            "INSERT INTO users (name) VALUES",
            "COPY users (name) FROM stdin;",
            "2026",
        ];
        let piece = prop_oneof![
            proptest::sample::select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
            proptest::collection::vec(any::<u8>(), 1..3),
        ];
        proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn in_a_line_that_shows_nothing_at_first_sight_nothing_begins(line in line()) {
            let mut sink = Sink { line: &line, own: None, signs: Signs::ANY, found: None };
            prop_assert!(!is_quiet(&line) || begin(&line, &mut sink, false) == State::Idle);
        }
    }
}
