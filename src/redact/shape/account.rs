//! Files of accounts and computers: passwd, group, shadow, gshadow, htpasswd, hosts.
//!
//! Accounts of people go, those of the system stay: an account is a person's when its number is 1000 or above, when it is a
//! member of a group, or when it has a password.

use super::super::category::Category;
use super::super::common::is_service;
use super::super::detector::{is_hash, is_ip};
use super::super::keys::KeyClass;
use super::super::text::{self, DIGIT, IDENT, SPACE, byte, is, run};
use super::{Kind, Sink, Start};

/// A file of accounts or computers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum File {
    /// `name:x:1000:1000:Full Name,room,phone,phone:/home:/shell`
    Passwd,
    /// `name:x:1000:member,member`
    Group,
    /// `name:hash:days:…`
    Shadow,
    /// `name:hash:administrators:members`
    Gshadow,
    /// `name:hash`
    Htpasswd,
    /// `address name name`
    Hosts,
}

/// Knows such files by their name.
pub(super) fn kind(start: &Start<'_>) -> Option<Kind> {
    let name = start.name.strip_suffix('-').unwrap_or(&start.name);
    let file = match name.strip_prefix("getent_").unwrap_or(name) {
        "passwd" => File::Passwd,
        "group" => File::Group,
        "shadow" => File::Shadow,
        "gshadow" => File::Gshadow,
        "htpasswd" | ".htpasswd" | "htdigest" => File::Htpasswd,
        "hosts" | "etc_hosts" => File::Hosts,
        _ => return None,
    };
    Some(Kind::Accounts(file))
}

/// Reads a line of such a file.
pub(super) fn line(file: File, line: &[u8], sink: &mut Sink<'_, '_>) {
    if matches!(line.first(), None | Some(b'#')) {
        return;
    }
    if file == File::Hosts {
        return hosts(line, sink);
    }
    let Some(fields) = Fields::of(line) else { return };
    match file {
        File::Passwd => passwd(&fields, sink),
        File::Group => group(&fields, sink),
        File::Gshadow => {
            fields.password(1, sink);
            (2..4).for_each(|at| fields.members(at, sink));
        }
        File::Shadow | File::Htpasswd => {
            fields.hashed(sink);
        }
        File::Hosts => {}
    }
}

/// Knows a line of such a file in any text, where nothing else looks like it.
pub(super) fn in_text(line: &[u8], sink: &mut Sink<'_, '_>) {
    if line.first().is_some_and(u8::is_ascii_hexdigit) && names_twice(line) {
        return hosts(line, sink);
    }
    if !matches!(line.first(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'_')) || line.len() > 1024 {
        return;
    }
    let name = run(line, 0, IDENT);
    if byte(line, name) != b':' || !matches!(byte(line, name + 1), b'x' | b'*' | b'!' | b'$' | b'{') {
        return;
    }
    let Some(fields) = Fields::of(line) else { return };
    match fields.count {
        7 if fields.is_number(2) && fields.is_number(3) && fields.text(5).starts_with(b"/") => passwd(&fields, sink),
        4 if fields.is_number(2) && matches!(fields.text(1), b"x" | b"*" | b"!") && fields.is_list(3) => {
            group(&fields, sink);
        }
        2 | 9 if is_hash(fields.text(1)) => fields.hashed(sink),
        _ => {}
    }
}

struct Fields<'l> {
    line: &'l [u8],
    places: [(usize, usize); 9],
    count: usize,
}

impl<'l> Fields<'l> {
    fn of(line: &'l [u8]) -> Option<Self> {
        let mut fields = Self { line, places: [(0, 0); 9], count: 0 };
        let mut from = 0;
        for at in memchr::memchr_iter(b':', line).chain(std::iter::once(line.len())) {
            *fields.places.get_mut(fields.count)? = (from, at);
            fields.count += 1;
            from = at + 1;
        }
        (fields.count > 1).then_some(fields)
    }

    fn text(&self, at: usize) -> &'l [u8] {
        let (start, end) = self.places[at];
        &self.line[start..end]
    }

    fn is_number(&self, at: usize) -> bool {
        !self.text(at).is_empty() && self.text(at).iter().all(|&b| is(b, DIGIT))
    }

    fn is_list(&self, at: usize) -> bool {
        self.text(at).trim_ascii_end().iter().all(|&b| is(b, IDENT) || matches!(b, b',' | b'\\' | b'@' | b'$'))
    }

    /// Drops a password's hash; what says that there is none stays.
    fn password(&self, at: usize, sink: &mut Sink<'_, '_>) {
        let (start, end) = self.places[at];
        if self.text(at).trim_ascii().iter().any(|&b| is(b, text::WORD)) && self.text(at) != b"x" {
            sink.secret(start, end);
        }
    }

    /// The account, when it is no service's and has a password.
    fn user(&self, at: usize, sink: &mut Sink<'_, '_>) {
        let password = self.text(if self.count == 3 { 2 } else { 1 });
        let none = password.iter().all(|&b| matches!(b, b'!' | b'*' | b'x' | b' '));
        if !none && !is_service(&text::fold(self.text(at))) {
            sink.value(self.places[at].0, self.places[at].1, KeyClass::User);
        }
    }

    /// The account and its hash; nothing else in the line is anyone's.
    fn hashed(&self, sink: &mut Sink<'_, '_>) {
        let hash = if self.count == 3 { 2 } else { 1 };
        self.password(hash, sink);
        self.user(0, sink);
        sink.wall(self.places[0].1, self.places[hash].0);
        if hash + 1 < self.count {
            sink.wall(self.places[hash].1, self.line.len());
        }
    }

    fn members(&self, at: usize, sink: &mut Sink<'_, '_>) {
        if at >= self.count {
            return;
        }
        let mut from = self.places[at].0;
        for member in self.text(at).split(|&b| b == b',') {
            if !is_service(&text::fold(member.trim_ascii())) {
                sink.value(from, from + member.len(), KeyClass::User);
            }
            from += member.len() + 1;
        }
    }

    /// Whether a number is that of a person's account.
    fn is_person(&self, at: usize) -> bool {
        let number = std::str::from_utf8(self.text(at)).ok().and_then(|number| number.parse::<u64>().ok());
        number.is_some_and(|number| number >= 1000 && number != 65_534 && number != u64::from(u32::MAX))
    }
}

fn passwd(fields: &Fields<'_>, sink: &mut Sink<'_, '_>) {
    if fields.count != 7 {
        return;
    }
    if is_hash(fields.text(1)) {
        fields.password(1, sink);
    }
    if !fields.is_person(2) {
        return;
    }
    sink.value(fields.places[0].0, fields.places[0].1, KeyClass::User);
    // Full name, room, telephone at work and at home, more.
    let mut from = fields.places[4].0;
    for (part, text) in fields.text(4).split(|&b| b == b',').enumerate() {
        let class = match part {
            0 => KeyClass::Person,
            2 | 3 => KeyClass::Phone,
            _ => KeyClass::Drop(Category::Address),
        };
        sink.value(from, from + text.len(), class);
        from += text.len() + 1;
    }
}

fn group(fields: &Fields<'_>, sink: &mut Sink<'_, '_>) {
    if fields.count != 4 {
        return;
    }
    if is_hash(fields.text(1)) {
        fields.password(1, sink);
    }
    // A group with a person's number is that person's own, unless it has members: then it is a team's.
    if fields.is_person(2) && fields.text(3).trim_ascii().is_empty() && !is_service(&text::fold(fields.text(0))) {
        sink.value(fields.places[0].0, fields.places[0].1, KeyClass::User);
    }
    fields.members(3, sink);
}

/// Names that every hosts file has.
fn is_local(name: &[u8]) -> bool {
    let folded = text::fold(name);
    folded.starts_with("ip6-") || folded.starts_with("localhost") || folded == "broadcasthost"
}

/// Whether an address, a name with its domain and the same name without it stand there: a line of a hosts file.
fn names_twice(line: &[u8]) -> bool {
    // `2026-`: most lines that begin with a digit do so.
    if line.get(4) == Some(&b'-') && line[..4].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let mut words = line[..line.len().min(512)].split(|&b| is(b, SPACE)).filter(|word| !word.is_empty());
    let (Some(address), Some(name), Some(short)) = (words.next(), words.next(), words.next()) else { return false };
    let label = memchr::memchr(b'.', name).map(|dot| &name[..dot]);
    label == Some(short) && short.iter().any(u8::is_ascii_alphabetic) && is_ip(address)
}

fn hosts(line: &[u8], sink: &mut Sink<'_, '_>) {
    let end = memchr::memchr(b'#', line).unwrap_or(line.len());
    let mut at = run(line, 0, SPACE);
    let mut first = true;
    while at < end {
        let stop = line[at..end].iter().position(|&b| is(b, SPACE)).map_or(end, |length| at + length);
        let word = &line[at..stop];
        if first && !is_ip(word) {
            return;
        }
        if !first && !is_local(word) {
            sink.value(at, stop, KeyClass::Host);
        }
        first = false;
        at = run(line, stop, SPACE);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::finds;

    #[test]
    fn people_go_and_the_systems_accounts_stay() {
        let text = "root:x:0:0:root:/root:/bin/bash\nadal:x:1001:1001:Ada Lovelace,B12,030 123456,,:/home/adal:/bin/zsh\n\
            nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\nbo:x:1200001103:1:Bo:/home/bo:/bin/false";
        let expected = [
            ("adal", "user"),
            ("Ada Lovelace", "person"),
            ("B12", "address"),
            ("030 123456", "phone"),
            ("bo", "user"),
            ("Bo", "person"),
        ];
        finds("etc/passwd", text, &expected);
        finds("", text, &expected);
    }

    #[test]
    fn members_of_groups_and_hashes_of_passwords_go() {
        finds(
            "etc/group",
            "sudo:x:27:adal,www-data\nadal:x:1001:\nteam:x:1002:bo\n",
            &[("adal", "user"), ("adal", "user"), ("bo", "user")],
        );
        let shadow =
            "root:$y$j9T$abc$def:19000:0:99999:7:::\ndaemon:*:1:0:99999:7:::\nadal:$6$ab$cdef:19000:0:99999:7:::";
        let expected = [("$y$j9T$abc$def", "secret"), ("adal", "user"), ("$6$ab$cdef", "secret")];
        finds("etc/shadow", shadow, &expected);
        finds("", shadow, &expected);
        finds("etc/gshadow", "sudo:*::adal\nx:!:bo:cy", &[("adal", "user"), ("bo", "user"), ("cy", "user")]);
        finds("x/.htpasswd", "adal:rl5FQYiX1xBSo\n", &[("adal", "user"), ("rl5FQYiX1xBSo", "secret")]);
        finds("", "adal:$apr1$abc$defghi", &[("adal", "user"), ("$apr1$abc$defghi", "secret")]);
        finds("", "error:x went wrong\nsession:$1 is not set\nkey:{abc}\n", &[]);
    }

    #[test]
    fn names_of_computers_go_from_the_hosts_file() {
        finds(
            "etc/hosts",
            "127.0.0.1 localhost\n::1 ip6-localhost\n198.51.100.7\tkolibri # main\nnot an address\n",
            &[("kolibri", "host")],
        );
        let text = "198.51.100.7 kolibri18.amt.example kolibri18\n198.51.100.7 index.html GET\n1.2.3.4 a.b c\n";
        finds("", text, &[("kolibri18", "host"), ("amt.example", "host"), ("kolibri18", "host")]);
    }
}
