//! Entries of directories and address books: LDIF (RFC 2849), vCard (RFC 6350), calendars (RFC 5545).
//!
//! Lines are folded: one that begins with a blank goes on with the value before it. A value in Base64 goes together with its
//! second colon, so that what stands for it is plain.

use super::super::category::Category;
use super::super::hit::{Form, Group, Hit, rank};
use super::super::keys::KeyClass;
use super::super::text::{self, IDENT, SPACE, byte, run};
use super::Sink;

/// Within an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    kind: Kind,
    /// What the value of the last line is, for the line that goes on with it.
    class: Option<KeyClass>,
    /// Whether that value is in Base64.
    encoded: bool,
    /// Whether the entry is a person's, as far as is known.
    person: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ldif,
    Card,
    Calendar,
}

/// Begins an entry.
pub(super) fn begin(line: &[u8]) -> Option<Open> {
    let starts = |word: &[u8]| line.len() >= word.len() && line[..word.len()].eq_ignore_ascii_case(word);
    let kind = if starts(b"dn: ") && line.contains(&b'=') || starts(b"dn:: ") {
        Kind::Ldif
    } else if starts(b"BEGIN:VCARD") {
        Kind::Card
    } else if starts(b"BEGIN:VCALENDAR") {
        Kind::Calendar
    } else {
        return None;
    };
    Some(Open { kind, class: None, encoded: false, person: true })
}

/// Reads the next line; whether it belongs to the entry.
pub(super) fn go_on(line: &[u8], open: &mut Open, sink: &mut Sink<'_, '_>) -> bool {
    let folded = matches!(line.first(), Some(b' ' | b'\t'));
    if folded {
        let start = 1;
        if let Some(class) = open.class {
            let encoded = open.encoded || open.kind == Kind::Ldif && matches!(class, KeyClass::Drop(_));
            if encoded && line.len() > start {
                sink.hit(drop_of(class, start, line.trim_ascii_end().len()));
            } else if open.kind == Kind::Card {
                parts(line, start, class, sink);
            } else if open.kind == Kind::Calendar {
                // The rest of a name, up to the sign that ends it.
                let stop = line.iter().skip(start).position(|b| matches!(b, b'"' | b';' | b':'));
                sink.value(start, stop.map_or(line.len(), |length| start + length), class);
                if stop.is_some() {
                    open.class = None;
                }
            } else {
                sink.value(start, line.len(), class);
            }
        }
        return true;
    }
    let end = run(line, 0, IDENT);
    let sign = byte(line, end);
    if end == 0 || !matches!(sign, b':' | b';') {
        // An empty line ends an entry of a directory; a card says where it ends.
        return open.kind != Kind::Ldif && line.trim_ascii().is_empty() || line.first() == Some(&b'#');
    }
    (open.class, open.encoded) = (None, false);
    match open.kind {
        Kind::Ldif => attribute(line, end, open, sink),
        Kind::Card => property(line, end, open, sink),
        Kind::Calendar => open.class = invited(line, end, sink).then_some(KeyClass::Person),
    }
    let ends = matches!(open.kind, Kind::Card | Kind::Calendar)
        && line.len() >= 6
        && line[..5].eq_ignore_ascii_case(b"END:V")
        && !line[5..].eq_ignore_ascii_case(b"EVENT");
    if ends {
        // The line itself belongs to the entry; the next one does not.
        (open.kind, open.person) = (Kind::Ldif, false);
    }
    true
}

fn drop_of(class: KeyClass, start: usize, end: usize) -> Hit {
    let category = match class {
        KeyClass::Drop(category) => category,
        KeyClass::Person => Category::Person,
        KeyClass::User => Category::User,
        KeyClass::Host => Category::Host,
        KeyClass::Phone => Category::Phone,
        KeyClass::Fitting(fit) => fit.category(),
        _ => Category::Special,
    };
    Hit { start, end, category, form: Form::Drop, rank: rank::SECRET }
}

fn ldif_class(key: &[u8], person: bool, sink: &Sink<'_, '_>) -> Option<KeyClass> {
    Some(match text::fold(key).as_str() {
        "cn" | "name" if person => KeyClass::Person,
        "sn" | "initials" | "gecos" => KeyClass::Person,
        "uid" | "krbprincipalname" | "memberuid" => KeyClass::User,
        "pager" | "facsimiletelephonenumber" | "ipphone" | "othertelephone" => KeyClass::Phone,
        "dnshostname" | "serviceprincipalname" => KeyClass::Host,
        "userpassword"
        | "unicodepwd"
        | "sambantpassword"
        | "sambalmpassword"
        | "krbprincipalkey"
        | "ms-mcs-admpwd"
        | "supplementalcredentials"
        | "dbcspwd"
        | "ntpwdhistory" => KeyClass::Drop(Category::Secret),
        "postaladdress" | "l" | "st" | "physicaldeliveryofficename" | "registeredaddress" => {
            KeyClass::Drop(Category::Address)
        }
        "title" | "personaltitle" => KeyClass::Drop(Category::Title),
        "o" | "ou" if person => KeyClass::Drop(Category::Employer),
        "jpegphoto" | "thumbnailphoto" | "photo" | "audio" => KeyClass::Drop(Category::Special),
        _ => sink.class_of(key)?,
    })
}

/// `attribute: value`, `attribute:: QmFzZTY0`, `attribute;option: value`
fn attribute(line: &[u8], end: usize, open: &mut Open, sink: &mut Sink<'_, '_>) {
    let Some(colon) = memchr::memchr(b':', &line[end..]).map(|length| end + length) else { return };
    let key = &line[..end];
    let encoded = byte(line, colon + 1) == b':';
    let start = run(line, colon + 1 + usize::from(encoded), SPACE);
    if key.eq_ignore_ascii_case(b"objectclass") {
        let class = text::fold(&line[start.min(line.len())..]);
        if ["group", "organizationalunit", "domain", "container", "dcobject", "organization"]
            .iter()
            .any(|other| class.contains(other) && !class.contains("person"))
        {
            open.person = false;
        }
        return;
    }
    open.class = ldif_class(key, open.person, sink);
    open.encoded = encoded;
    let Some(class) = open.class.filter(|_| start < line.len()) else { return };
    if !encoded {
        sink.value(start, line.len(), class);
        return;
    }
    // From the second colon on: what stands for it is plain text.
    let form = match class {
        KeyClass::Person => Form::Text(Group::Person),
        KeyClass::User => Form::Text(Group::User),
        KeyClass::Host => Form::Text(Group::Host),
        _ => Form::Drop,
    };
    let last = line.trim_ascii_end().len();
    let ended = line[start..last].len().is_multiple_of(4);
    let form = if ended { form } else { Form::Drop };
    sink.hit(Hit { form, ..drop_of(class, colon + 1, last) });
}

/// `FN:Anna Müller`, `item1.TEL;TYPE=CELL:+49…`, `N:Müller;Anna;;Dr.;`
fn property(line: &[u8], end: usize, open: &mut Open, sink: &mut Sink<'_, '_>) {
    let Some(colon) = value_of(line, end) else { return };
    let key = line[..end].rsplit(|&b| b == b'.').next().unwrap_or_default();
    let class = match text::fold(key).as_str() {
        "fn" | "n" | "nickname" | "x-phonetic-first-name" | "x-phonetic-last-name" | "agent" => KeyClass::Person,
        "tel" => KeyClass::Phone,
        "adr" | "label" | "geo" => KeyClass::Drop(Category::Address),
        "bday" => KeyClass::Drop(Category::BirthDate),
        "org" => KeyClass::Drop(Category::Employer),
        "title" | "role" => KeyClass::Drop(Category::Title),
        "gender" => KeyClass::Drop(Category::Sex),
        "photo" | "sound" | "logo" | "key" => KeyClass::Drop(Category::Special),
        _ => match sink.class_of(key) {
            Some(class) => class,
            None => return,
        },
    };
    open.class = Some(class);
    parts(line, colon + 1, class, sink);
}

/// The colon before the value, behind parameters that may be in quotation marks.
fn value_of(line: &[u8], from: usize) -> Option<usize> {
    let mut quoted = false;
    (from..line.len()).find(|&at| {
        quoted ^= line[at] == b'"';
        line[at] == b':' && !quoted
    })
}

/// The parts of a value that `;` divides.
fn parts(line: &[u8], from: usize, class: KeyClass, sink: &mut Sink<'_, '_>) {
    let mut start = from.min(line.len());
    for (at, &b) in line.iter().enumerate().skip(from).chain(std::iter::once((line.len(), &b';'))) {
        if b != b';' || at > 0 && line[at - 1] == b'\\' {
            continue;
        }
        if let KeyClass::Drop(category) = class
            && !line[start..at].is_empty()
        {
            let hit = Hit { start, end: at, category, form: Form::Drop, rank: rank::SECRET };
            sink.hit(hit);
        } else {
            sink.value(start, at, class);
        }
        start = at + 1;
    }
}

/// `ATTENDEE;CN="Anna Müller";ROLE=CHAIR:mailto:…`; whether the name goes on in the next line.
fn invited(line: &[u8], end: usize, sink: &mut Sink<'_, '_>) -> bool {
    if !matches!(text::fold(&line[..end]).as_str(), "attendee" | "organizer" | "x-ms-olk-sender") {
        return false;
    }
    let last = value_of(line, end).unwrap_or(line.len());
    if let Some(at) = memchr::memmem::find(&line[..last], b";CN=") {
        let start = at + 4;
        let (start, stop) = match byte(line, start) {
            b'"' => (start + 1, memchr::memchr(b'"', &line[start + 1..last]).map_or(last, |length| start + 1 + length)),
            _ => (start, memchr::memchr(b';', &line[start..last]).map_or(last, |length| start + length)),
        };
        sink.value(start, stop, KeyClass::Person);
        return stop == line.len();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::tests::finds;

    #[test]
    fn attributes_of_a_person_go_also_in_base64_and_folded() {
        let text = "dn: uid=adal,ou=people,dc=amt\nobjectClass: inetOrgPerson\ncn: Ada Lovelace\nsn:: TG92ZWxhY2U=\nuid: adal\n\
            displayName: Ada Love\n lace\nuserPassword:: e1NTSEF9YWJj\n ZGVm\nmobile: +49 30 1234567\nlevel: x\n\ncn: stays\n";
        finds(
            "",
            text,
            &[
                ("Ada Lovelace", "person"),
                (": TG92ZWxhY2U=", "person"),
                ("adal", "user"),
                ("Ada Love", "person"),
                ("lace", "person"),
                (": e1NTSEF9YWJj", "secret"),
                ("ZGVm", "secret"),
                ("+49 30 1234567", "phone"),
            ],
        );
    }

    #[test]
    fn a_groups_name_stays() {
        finds(
            "",
            "dn: cn=admins,ou=groups\nobjectClass: groupOfNames\ncn: admins\nmemberUid: adal\n",
            &[("adal", "user")],
        );
    }

    #[test]
    fn cards_and_invitations_go_part_by_part() {
        let text = "BEGIN:VCARD\nVERSION:4.0\nFN:Ada Lovelace\nN:Lovelace;Ada;;;\nitem1.TEL;TYPE=cell:+49 30 123456\nADR:;;Weg 1;Ort\n ;12345\nEND:VCARD\nFN:stays\n";
        finds(
            "",
            text,
            &[
                ("Ada Lovelace", "person"),
                ("Lovelace", "person"),
                ("Ada", "person"),
                ("+49 30 123456", "phone"),
                ("Weg 1", "address"),
                ("Ort", "address"),
                ("12345", "address"),
            ],
        );
        finds("", "BEGIN:VCALENDAR\nATTENDEE;CN=\"Ada Love\";X=y:mailto:x\nEND:VCALENDAR", &[("Ada Love", "person")]);
        for text in
            ["ATTENDEE;CN=Ada Lo\n velace;X=y:mailto:x\n y\n", "X-MS-OLK-SENDER;CN=\"Ada Lo\n velace\":mailto:x\n y\n"]
        {
            finds("", &format!("BEGIN:VCALENDAR\n{text}END:VCALENDAR"), &[("Ada Lo", "person"), ("velace", "person")]);
        }
    }
}
