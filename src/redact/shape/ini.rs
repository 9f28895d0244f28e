//! Settings: sections with `key = value`, properties, and files of logins.

use super::super::category::Category;
use super::super::keys::KeyClass;
use super::super::text::{IDENT, SPACE, byte, is, run};
use super::{Kind, Sink, Start, State, member};

/// How a file of settings is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `key = value` below `[section]`, comments behind `;` and `#`.
    Ini,
    /// The same in TOML, with strings over many lines.
    Toml,
    /// `key=value`, `key: value`; a backslash joins lines.
    Properties,
    /// `machine h login u password p`.
    Netrc,
    /// `host:port:database:user:password`.
    Pgpass,
    /// `extension => password,name,address`.
    Voicemail,
}

/// What is open at the end of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    /// What the section is about.
    section: Option<KeyClass>,
    /// The value on the next line, or the rest of one.
    next: Option<KeyClass>,
    /// The quotation mark of which three end that value.
    quote: u8,
}

/// Knows files of settings by their name.
pub(super) fn kind(start: &Start<'_>) -> Option<Kind> {
    let dialect = match start.name.as_str() {
        ".netrc" | "_netrc" | "netrc" | ".authinfo" => Dialect::Netrc,
        ".pgpass" | "pgpass.conf" => Dialect::Pgpass,
        "voicemail.conf" => Dialect::Voicemail,
        ".gitconfig" | ".env" | ".my.cnf" | ".s3cfg" | ".pypirc" => Dialect::Ini,
        _ if start.has_ending(&["properties"]) => Dialect::Properties,
        _ if start.has_ending(&["toml"]) => Dialect::Toml,
        _ if start.has_ending(&["ini", "cfg", "conf", "cnf", "env", "desktop", "service", "netdev", "network"]) => {
            Dialect::Ini
        }
        _ => return None,
    };
    Some(Kind::Ini(dialect))
}

/// Reads a line of a file of settings.
pub(super) fn line(dialect: Dialect, line: &[u8], state: &mut State, sink: &mut Sink<'_, '_>) {
    let mut open = match state {
        State::Ini(open) => *open,
        _ => Open { section: None, next: None, quote: 0 },
    };
    match dialect {
        Dialect::Netrc => open.next = logins(line, open.next, sink),
        Dialect::Pgpass => pgpass(line, sink),
        Dialect::Ini | Dialect::Toml | Dialect::Properties | Dialect::Voicemail => {
            if let (Some(class), Dialect::Toml) = (open.next, dialect) {
                if text_of_lines(line, run(line, 0, SPACE), open.quote, class, sink) {
                    (open.next, open.quote) = (None, 0);
                }
            } else if let Some(class) = open.next.take() {
                let start = run(line, 0, SPACE);
                open.next = continued(line, start, class, sink);
            } else if let Some(section) = section(line) {
                open.section = about(section, sink);
            } else if !(dialect == Dialect::Voicemail && mailbox(line, sink))
                && let Some((key, start)) = setting(line, dialect == Dialect::Properties)
                && let Some(class) = sink.class_of_member(open.section, key)
            {
                let quote = byte(line, start);
                let long = matches!(quote, b'"' | b'\'') && line[start..].starts_with(&[quote; 3]);
                if dialect == Dialect::Properties {
                    open.next = continued(line, start, class, sink);
                } else if dialect == Dialect::Toml && long {
                    if !text_of_lines(line, start + 3, quote, class, sink) {
                        (open.next, open.quote) = (Some(class), quote);
                    }
                } else {
                    whole(line, start, class, sink);
                }
            }
        }
    }
    let idle = open.section.is_none() && open.next.is_none();
    *state = if idle { State::Idle } else { State::Ini(open) };
}

/// Begins below a section about people, accounts or the like, in any text.
pub(super) fn begin(line: &[u8], sink: &Sink<'_, '_>) -> Option<Open> {
    let class = about(section(line)?, sink)?;
    let known = matches!(class, KeyClass::Person | KeyClass::User | KeyClass::Host | KeyClass::Drop(Category::Secret));
    known.then_some(Open { section: Some(class), next: None, quote: 0 })
}

/// Reads the next line in a text; whether it belongs to the section.
pub(super) fn go_on(line: &[u8], open: &Open, sink: &mut Sink<'_, '_>) -> bool {
    let trimmed = line.trim_ascii();
    if trimmed.is_empty() || matches!(trimmed[0], b'#' | b';') {
        return true;
    }
    let Some((key, start)) = setting(line, false) else { return false };
    if let Some(class) = sink.class_of_member(open.section, key) {
        whole(line, start, class, sink);
    }
    true
}

/// What a section is about; git's `[alias]` holds commands.
fn about(section: &[u8], sink: &Sink<'_, '_>) -> Option<KeyClass> {
    let class = sink.class_of(section).or_else(|| member::class_of_list(section));
    class.filter(|_| !section.eq_ignore_ascii_case(b"alias"))
}

/// The name in `[name]`, `[name "more"]` or TOML's `[[name]]` that stands alone on a line.
fn section(line: &[u8]) -> Option<&[u8]> {
    let name = line.trim_ascii().strip_prefix(b"[")?.strip_suffix(b"]")?;
    let name = name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]")).unwrap_or(name);
    let end = run(name, 0, IDENT);
    (end > 0 && matches!(byte(name, end), b'\n' | b' ')).then_some(&name[..end])
}

/// The key of `key = value`, and where the value begins.
fn setting(line: &[u8], colon: bool) -> Option<(&[u8], usize)> {
    let mut from = run(line, 0, SPACE);
    if line[from..].starts_with(b"export ") {
        from = run(line, from + 7, SPACE);
    }
    let end = run(line, from, IDENT);
    let sign = run(line, end, SPACE);
    let known = byte(line, sign) == b'=' || colon && byte(line, sign) == b':';
    if end == from || !known {
        return None;
    }
    let more = usize::from(byte(line, sign + 1) == b'>');
    Some((&line[from..end], run(line, sign + 1 + more, SPACE)))
}

/// A value up to its closing quotation mark, a comment or the end of the line.
fn whole(line: &[u8], start: usize, class: KeyClass, sink: &mut Sink<'_, '_>) {
    let last = line.trim_ascii_end().len().max(start.min(line.len()));
    let (start, end) = match byte(line, start) {
        quote @ (b'"' | b'\'') => {
            let end = memchr::memchr(quote, &line[start + 1..]).map_or(last, |length| start + 1 + length);
            (start + 1, end)
        }
        b'[' | b'{' => return,
        _ => {
            let comment = [b" #".as_slice(), b" ;", b"\t#", b"\t;", b" <"]
                .iter()
                .filter_map(|sign| memchr::memmem::find(&line[start..last], sign))
                .min();
            (start, comment.map_or(last, |length| start + length))
        }
    };
    sink.named(start, end.max(start), class);
}

/// The part of a string over many lines that stands in this one; whether it ends here.
fn text_of_lines(line: &[u8], start: usize, quote: u8, class: KeyClass, sink: &mut Sink<'_, '_>) -> bool {
    let start = start.min(line.len());
    let end = memchr::memmem::find(&line[start..], &[quote; 3]).map(|length| start + length);
    let last = end.unwrap_or_else(|| line.trim_ascii_end().len()).max(start);
    match class {
        // However short a line of it is.
        KeyClass::Drop(Category::Secret) => sink.secret(start, last),
        _ => sink.named(start, last, class),
    }
    end.is_some()
}

/// The quotation mark a stand-in needs where it replaces a number, a date or the like of TOML: those become strings.
pub(crate) fn quotes(line: &[u8], start: usize, end: usize) -> Option<&'static [u8]> {
    let before = line[..start].trim_ascii_end().last();
    let next = run(line, end, SPACE);
    let whole = matches!(before, Some(b'=' | b'[' | b','))
        && (next >= line.len() || matches!(line[next], b'#' | b',' | b']' | b'}' | b'\r'));
    // A secret may go together with the comment behind it.
    let value = line[start..end].split(|&b| b == b'#').next().unwrap_or_default().trim_ascii_end();
    let bare = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.' | b':' | b'_' | b' ');
    let number =
        value.first().is_some_and(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-')) && value.iter().all(bare);
    (whole && (number || matches!(value, b"true" | b"false" | b"inf" | b"nan"))).then_some(b"\"")
}

/// A value that goes on in the next line when a backslash ends this one.
fn continued(line: &[u8], start: usize, class: KeyClass, sink: &mut Sink<'_, '_>) -> Option<KeyClass> {
    let last = line.trim_ascii_end().len().max(start.min(line.len()));
    let slashes = line[start.min(last)..last].iter().rev().take_while(|&&b| b == b'\\').count();
    let goes_on = slashes % 2 == 1;
    sink.named(start.min(last), last - usize::from(goes_on), class);
    goes_on.then_some(class)
}

/// `machine mx1.amt.example.example login anna password x` in any text.
pub(super) fn login(line: &[u8], sink: &mut Sink<'_, '_>) {
    if line.starts_with(b"machine ") && memchr::memmem::find(line, b" login ").is_some() {
        logins(line, None, sink);
    }
}

fn logins(line: &[u8], mut next: Option<KeyClass>, sink: &mut Sink<'_, '_>) -> Option<KeyClass> {
    let mut at = run(line, 0, SPACE);
    while at < line.len() && line[at] != b'#' {
        let end = line[at..].iter().position(|&b| is(b, SPACE)).map_or(line.len(), |length| at + length);
        if let Some(class) = next.take() {
            let quoted = end - at > 2 && line[at] == b'"' && line[end - 1] == b'"';
            sink.value(at + usize::from(quoted), end - usize::from(quoted), class);
        } else {
            next = match &line[at..end] {
                b"login" | b"account" | b"user" => Some(KeyClass::User),
                b"password" | b"passwd" => Some(KeyClass::Drop(Category::Secret)),
                b"machine" | b"host" => Some(KeyClass::Host),
                _ => None,
            };
        }
        at = run(line, end, SPACE);
    }
    next
}

fn pgpass(line: &[u8], sink: &mut Sink<'_, '_>) {
    let mut parts = Vec::with_capacity(5);
    let mut from = 0;
    for at in memchr::memchr_iter(b':', line) {
        if at > 0 && line[at - 1] == b'\\' || parts.len() == 4 {
            continue;
        }
        parts.push((from, at));
        from = at + 1;
    }
    if parts.len() == 4 && !line.starts_with(b"#") {
        sink.value(parts[0].0, parts[0].1, KeyClass::Host);
        sink.value(parts[3].0, parts[3].1, KeyClass::User);
        sink.value(from, line.len(), KeyClass::Drop(Category::Secret));
    }
}

/// `6001 => 4242,Anna Müller,anna@amt.example`
fn mailbox(line: &[u8], sink: &mut Sink<'_, '_>) -> bool {
    let Some((key, start)) = setting(line, false) else { return false };
    if !key.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let mut from = start;
    for class in [KeyClass::Drop(Category::Secret), KeyClass::Person] {
        let end = memchr::memchr(b',', &line[from..]).map_or(line.len(), |length| from + length);
        // A short number is a password here.
        if class == KeyClass::Drop(Category::Secret) {
            sink.secret(from, end);
        } else {
            sink.value(from, end, class);
        }
        from = (end + 1).min(line.len());
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::tests::finds;

    #[test]
    fn a_section_says_whose_name_it_is() {
        let text = "[core]\n\tname = stays\n[user]\n\tname = Ada van Love ; me\n\n[alias]\n\tname = st\n";
        finds(".gitconfig", text, &[("Ada van Love", "person")]);
        finds("", text, &[("Ada van Love", "person")]);
    }

    #[test]
    fn the_tables_of_a_list_of_accounts_are_accounts() {
        let text = "[[users]]\nname = \"Ada van Love\"\nshell = \"x\"\n\n[[users]]\nname = \"anna\"\n[[rooms]]\nname = \"stays\"\n";
        let found = [("Ada van Love", "person"), ("anna", "user")];
        finds("a.toml", text, &found);
        finds("", text, &found);
    }

    #[test]
    fn a_string_of_toml_goes_over_its_lines() {
        let text = "pin = 4711 # x\nadmin_password = \"\"\"\nGeheim\n77\"\"\"\nlevel = \"\"\"\nhigh\"\"\"\n";
        finds("a.toml", text, &[("4711", "secret"), ("Geheim", "secret"), ("77", "secret")]);
        finds("a.toml", "password = '''a b'''\nname = 'x'\n", &[("a b", "secret")]);
    }

    #[test]
    fn a_propertys_value_goes_with_its_escapes_and_lines() {
        finds(
            "db.properties",
            "db.password = a\\:b \\\n   cd\ndb.url=x\nfull.name: anna aa\n",
            &[("a\\:b", "secret"), ("cd", "secret"), ("anna aa", "person")],
        );
    }

    #[test]
    fn logins_of_files_go() {
        let expected = [("mx1", "host"), ("amt.example", "host"), ("anna", "user"), ("pw1234", "secret")];
        finds(".netrc", "machine mx1.amt.example\n  login anna\n  password pw1234\n", &expected);
        finds("", "machine mx1.amt.example login anna password pw1234", &expected);
        finds(
            "home/x/.pgpass",
            "pgmain:5432:*:anna:a\\:b:c\n",
            &[("pgmain", "host"), ("anna", "user"), ("a\\:b:c", "secret")],
        );
        finds("voicemail.conf", "[default]\n6001 => 4242,Ada Love,x\n", &[("4242", "secret"), ("Ada Love", "person")]);
    }
}
