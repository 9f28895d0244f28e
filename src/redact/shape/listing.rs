//! Tables with blanks between their columns: ps, top, w, who, last, lsof.
//!
//! A header that names a column `USER` begins one. A row belongs to it when the column of process numbers holds a number, or
//! the column of terminals a terminal; the first row that does not ends it.

use super::super::common::is_service;
use super::super::keys::KeyClass;
use super::super::text::{self, DIGIT, SPACE, is};
use super::Sink;

/// The columns of such a table that matter, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    user: usize,
    proof: Proof,
}

/// The column that shows that a line is a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    Process(usize),
    Terminal(usize),
}

/// Columns that are looked at.
const MOST: usize = 16;

/// The columns of a header.
pub(super) fn header(line: &[u8]) -> Option<Columns> {
    // `Nov 21`: most lines that begin with a capital do so.
    if matches!(line, [_, b'a'..=b'z', b'a'..=b'z', b' ', ..]) {
        return None;
    }
    if line.len() > 256 || !line.iter().take(24).all(|&b| OF_HEADER[usize::from(b)]) {
        return None;
    }
    let (mut user, mut process, mut terminal, mut count) = (None, None, None, 0);
    for (place, (start, end)) in words(line).take(MOST).enumerate() {
        count += 1;
        match &line[start..end] {
            b"USER" | b"USERNAME" | b"RUSER" | b"EUSER" | b"OWNER" => user = user.or(Some(place)),
            b"UID" if place == 0 => user = Some(place),
            b"NAME" if place == 0 => user = Some(place),
            b"PID" => process = Some(place),
            b"TTY" | b"LINE" | b"TTYNAME" => terminal = Some(place),
            _ => {}
        }
    }
    let proof = process.map(Proof::Process).or(terminal.map(Proof::Terminal))?;
    (count >= 3).then_some(Columns { user: user?, proof })
}

/// The bytes of a header.
static OF_HEADER: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
            || matches!(byte, b'%' | b'/' | b'@' | b'+' | b'#' | b'-' | b'_' | b':' | b'*');
        byte += 1;
    }
    table
};

/// Reads a line below a header; whether it is a row.
pub(super) fn row(line: &[u8], columns: &Columns, sink: &mut Sink<'_, '_>) -> bool {
    let mut user = None;
    let mut proven = false;
    for (place, (start, end)) in words(line).take(MOST).enumerate() {
        let word = &line[start..end];
        if place == columns.user {
            user = Some((start, end));
        }
        proven |= match columns.proof {
            Proof::Process(column) => place == column && word.iter().all(|&b| is(b, DIGIT)),
            Proof::Terminal(column) => place == column && is_terminal(word),
        };
    }
    if let Some((start, end)) = user.filter(|_| proven) {
        account(start, end, sink);
    }
    proven
}

/// `anna     pts/0        2026-11-21 14:00 (198.51.100.7)`, as `who` and `last` print it without a header.
pub(super) fn session(line: &[u8], sink: &mut Sink<'_, '_>) {
    if !matches!(line.first(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'_')) || line.len() > 256 {
        return;
    }
    let mut words = words(line);
    let (Some(name), Some(terminal)) = (words.next(), words.next()) else { return };
    let gap = terminal.0 - name.1;
    let apart = gap >= 2 || name.1 - name.0 >= 8 && gap == 1;
    let known = || is_terminal(&line[terminal.0..terminal.1]) && line[terminal.0] != b'-' && line[terminal.0] != b'?';
    if apart && known() && words.next().is_some() {
        account(name.0, name.1, sink);
    }
}

fn account(start: usize, mut end: usize, sink: &mut Sink<'_, '_>) {
    // `longname+` is cut.
    if sink.line[end - 1] == b'+' {
        end -= 1;
    }
    let name = &sink.line[start..end];
    if !is_service(&text::fold(name))
        && !name.iter().all(|&b| is(b, DIGIT))
        && !matches!(name, b"reboot" | b"shutdown" | b"runlevel")
    {
        sink.value(start, end, KeyClass::User);
    }
}

fn is_terminal(word: &[u8]) -> bool {
    let numbered = |prefix: &[u8]| word.strip_prefix(prefix).is_some_and(|rest| rest.iter().any(|&b| is(b, DIGIT)));
    matches!(word, b"console" | b"-" | b"?" | b"seat0")
        || numbered(b"pts/")
        || numbered(b"tty")
        || numbered(b":")
        || numbered(b"hvc")
}

fn words(line: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + line[at.min(line.len())..].iter().position(|&b| !is(b, SPACE))?;
        at = line[start..].iter().position(|&b| is(b, SPACE)).map_or(line.len(), |length| start + length);
        Some((start, at))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::finds;

    #[test]
    fn users_of_processes_and_terminals_go_and_services_stay() {
        let text = "USER         PID %CPU %MEM COMMAND\nroot           1  0.0  0.1 /sbin/init\nadal        4711  0.0  0.1 vim\npostgres       9  0.0  0.1 pg\nsystemd+      10 0 0 x\nlonguse+      11 0 0 x\n\nadal is not a row\n";
        finds("", text, &[("adal", "user"), ("longuse", "user")]);
        finds("", "UID   PID  PPID CMD\nadal  1  2 x\n", &[("adal", "user")]);
        finds("", "  PID USER PR NI\n  12 adal 20 0\nNov 21 10:00 x\n", &[("adal", "user")]);
        finds(
            "",
            "adal     pts/0        2026-11-21 14:00 (x)\nreboot   system boot  5.4\nadal sees pts/0\n",
            &[("adal", "user")],
        );
        finds("", "USER     TTY      FROM\nadal     :0       :0\n", &[("adal", "user")]);
    }
}
