//! User names that have a column: web servers without a date in brackets, `who`, `ps`, hashed password files.

use super::{bare, of_name, push_bare};
use crate::redact::detector::ip::is_ip;
use crate::redact::hit::Hits;
use crate::redact::text::{self, DIGIT, SPACE, before, byte, is};

/// Looks around a method of HTTP in capitals, for the columns of IIS, `CouchDB`, squid and cPanel.
pub(super) fn method(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    if !text[start..end].iter().all(u8::is_ascii_uppercase) || byte(text, end) != b' ' {
        return;
    }
    before_method(text, start, hits);
    // GET /x - 443 AMT\otti 10.0.0.1
    let mut columns = [(0, 0); 5];
    let mut at = end;
    for column in &mut columns {
        let from = text::run(text, at, SPACE);
        let window = &text[from..text.len().min(from + 512)];
        at = from + window.iter().position(|&b| is(b, SPACE)).unwrap_or(window.len());
        *column = (from, at);
    }
    let word = |(from, to): (usize, usize)| &text[from..to];
    let port = word(columns[2]);
    let iis =
        byte(text, columns[0].0) == b'/' && port.len() <= 5 && !port.is_empty() && port.iter().all(|&b| is(b, DIGIT));
    if iis && is_ip(word(columns[4])) {
        column(text, columns[3], hits);
    }
    // GET http://x/ otti HIER_DIRECT/10.0.0.1
    let way = word(columns[2]);
    if [&b"HIER_"[..], b"DIRECT/", b"NONE/", b"DEFAULT_PARENT/", b"FIRST_UP_PARENT/"]
        .iter()
        .any(|known| way.starts_with(known))
    {
        column(text, columns[1], hits);
    }
}

/// `10.0.0.1 otti GET /x`, `10.0.0.1 - otti "GET /x"`
fn before_method(text: &[u8], start: usize, hits: &mut Hits) {
    let quoted = before(text, 0, start) == b'"';
    let start = start - usize::from(quoted);
    if before(text, 0, start) != b' ' {
        return;
    }
    let back = |to: usize| {
        let floor = to.saturating_sub(80);
        to - text[floor..to].iter().rev().take_while(|b| !is(**b, SPACE)).count()
    };
    let end = start - 1;
    let from = back(end);
    let mut last = from.saturating_sub(1);
    let mut first = back(last);
    if &text[first..last] == b"-" {
        last = first.saturating_sub(1);
        first = back(last);
    } else if quoted {
        return;
    }
    if is_ip(&text[first..last]) {
        column(text, (from, end), hits);
    }
}

fn column(text: &[u8], (from, to): (usize, usize), hits: &mut Hits) {
    let from = memchr::memrchr(b'\\', &text[from..to]).map_or(from, |at| from + at + 1);
    let name = &text[from..to];
    let named = name.len() >= 2 && name.iter().all(|&b| of_name(b)) && !is_ip(name);
    if named && !crate::redact::common::is_no_value(&text::fold(name)) {
        push_bare(text, from, to, hits);
    }
}

/// What stands first in a line of `who`, `last`, `ps` and of hashed password files.
pub(super) fn first_in_line(text: &[u8], hits: &mut Hits) {
    let first = byte(text, 0);
    if !first.is_ascii_alphabetic() && first != b'_' {
        return;
    }
    let end = bare(text, 0);
    if !(2..=32).contains(&end) {
        return;
    }
    match byte(text, end) {
        b' ' | b'\t' => {
            let next = text::run(text, end, SPACE);
            let rest = &text[next..];
            let terminal =
                (rest.starts_with(b"pts/") || rest.starts_with(b"tty") || rest.starts_with(b":0 ")) && next - end < 16;
            if (terminal && rest.iter().take(80).any(|&b| is(b, DIGIT))) || process_table(text, next) {
                push_bare(text, 0, end, hits);
            }
        }
        // otti:$6$…, otti:!:19000:0:99999:7:::
        b':' => {
            let mut fields = text[end + 1..].splitn(9, |&b| b == b':');
            let hash = fields.next().unwrap_or_default();
            if is_hash(hash) || is_locked(hash, fields) {
                push_bare(text, 0, end, hits);
            }
        }
        _ => {}
    }
}

/// Whether a field is a password's hash, by its form: `$6$…`, `{SSHA}…`, also of an account that is locked.
pub(crate) fn is_hash(field: &[u8]) -> bool {
    let hash = &field[field.iter().take_while(|&&b| b == b'!').count()..];
    let Some((first, rest)) = hash.split_first() else { return false };
    let (close, of_name): (u8, fn(&u8) -> bool) = match first {
        b'$' => (b'$', |b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-'),
        b'{' => (b'}', |b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"-.".contains(b)),
        _ => return false,
    };
    let end = rest.iter().take(16).position(|&b| b == close);
    end.is_some_and(|end| end > 0 && rest[..end].iter().all(of_name) && hash.len() > 8)
}

/// Whether an account's line in a shadow file says that it has no password: the days follow.
fn is_locked<'f>(hash: &[u8], mut days: impl Iterator<Item = &'f [u8]>) -> bool {
    let number = |field: &[u8]| field.trim_ascii_end().iter().all(|&b| is(b, DIGIT));
    let locked = !hash.is_empty() && hash.iter().all(|b| matches!(b, b'!' | b'*'));
    locked && (0..7).all(|_| days.next().is_some_and(number)) && days.next().is_none()
}

/// Whether a process's number, two shares and two sizes follow, as `ps aux` prints them.
fn process_table(text: &[u8], mut at: usize) -> bool {
    for column in 0..5 {
        let end = text[at.min(text.len())..].iter().take(16).take_while(|b| is(**b, DIGIT) || **b == b'.').count() + at;
        let share = memchr::memchr(b'.', &text[at.min(text.len())..end.min(text.len())]).is_some();
        if end == at || byte(text, end) != b' ' || share != matches!(column, 1 | 2) {
            return false;
        }
        at = text::run(text, end, SPACE);
    }
    true
}

/// `chown otti:staff /srv/x`
pub(super) fn chown(text: &[u8], end: usize, hits: &mut Hits) {
    let mut at = text::run(text, end, SPACE);
    while at > end && byte(text, at) == b'-' && at < end + 40 {
        at += text[at..].iter().take(40).take_while(|b| !is(**b, SPACE)).count();
        at = text::run(text, at, SPACE);
    }
    let to = bare(text, at);
    let next = byte(text, to);
    let path = |from: usize| matches!(byte(text, text::run(text, from, SPACE)), b'/' | b'.' | b'~' | b'"' | b'$');
    if at > end && to > at && next == b':' {
        let stop = bare(text, to + 1);
        if path(stop) && stop > to {
            push_bare(text, at, to, hits);
            push_bare(text, to + 1, stop, hits);
        }
    } else if at > end && to > at && next == b' ' && byte(text, text::run(text, to, SPACE)) == b'/' {
        push_bare(text, at, to, hits);
    }
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::found;

    #[test]
    fn columns_of_users_are_known() {
        for line in [
            r"2026-11-21 14:20:01 127.0.0.1 GET /x - 443 AMT\quirin 127.0.0.1 Mozilla 200 0",
            "1234567.123 5 127.0.0.1 TCP_MISS/200 5 GET http://localhost/ quirin HIER_DIRECT/127.0.0.1 text",
            "<0.1.1> 92d171ea09 localhost 127.0.0.1 quirin GET /x 404 ok 1",
            "info [cpaneld] 127.0.0.1 - quirin \"POST /login/ HTTP/1.1\" FAILED",
            "quirin   pts/0        127.0.0.1        Sat Nov 21 14:20",
            "quirin     1234  0.0  0.1  12345  1234 pts/0    Ss   14:20   0:00 -bash",
            "quirin:$6$abc$def:19000:0:99999:7:::",
            "quirin:!:19000:0:99999:7:::",
            "chown -R quirin:quirin /srv/x",
        ] {
            assert!(found(line).contains(&("quirin".to_owned(), "user".to_owned())), "{line}: {:?}", found(line));
        }
    }

    #[test]
    fn columns_of_nobody_stay() {
        for line in [
            "127.0.0.1 undefined GET /x 404 ok 1",
            "127.0.0.1 - - \"GET /x HTTP/1.1\" 200",
            "server GET /x - 443 - 127.0.0.1",
            "use GET or POST here",
            "total 12 0.5 0.5",
            "main:$HOME/x",
            "chown the files",
            "main:{\"quirin\": 1}",
            "main:*:1:2:three:4:5:6:7",
            "main:!",
        ] {
            assert!(found(line).iter().all(|(_, category)| category != "user"), "{line}: {:?}", found(line));
        }
    }
}
