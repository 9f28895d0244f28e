//! Addresses with an `@`: mail, SIP, H.323, jabber; and the display name before one in angle brackets.

use super::ip::{is_ip, personal_ip6};
use super::secret::url_credentials;
use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::common::{is_common, is_no_value};
use crate::redact::hit::{Form, Group, Hits, rank};
use crate::redact::keys::{self, KeyClass};
use crate::redact::text::{self, DIGIT, HEX, HIGH, IDENT, SPACE, WORD, before, byte, is, is_uuid};

pub(crate) struct Email;

impl Detector for Email {
    fn anchors(&self) -> &'static [u8] {
        b"@"
    }

    fn at_anchor(&self, line: &Line<'_>, at: usize, _skip: &mut usize, hits: &mut Hits) {
        let text = line.text;
        if byte(text, at + 1) == b'[' {
            return literal(text, at, hits);
        }
        if !is(byte(text, at + 1), WORD) {
            return;
        }
        let start = local_start(text, at);
        let end = without_ending(text, at + 1, domain_end(text, at + 1));
        if start == at || url_credentials(text, at).is_some() {
            return;
        }
        let scheme = scheme_before(text, start);
        let address = if scheme.is_some() { Category::Uri } else { Category::Email };
        let domain = &text[at + 1..end];
        if !is_domain(domain, scheme.is_some()) || scheme.is_none() && is_algorithm(&text[start..at], domain) {
            return;
        }
        if is_id(text, start, at) {
            hits.push(at + 1, end, Category::Host, Form::Text(Group::Domain), rank::ADDRESS);
        } else {
            hits.push(start, end, address, Form::Address, rank::ADDRESS);
        }
        if let Some(bracket) = bracket_before(text, scheme.unwrap_or(start)) {
            display_name(text, bracket, hits);
        }
    }
}

const LONGEST: usize = 128;

/// The bytes of the part before `@`.
static OF_LOCAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = text::CLASS[byte] & WORD != 0
            || matches!(byte.to_le_bytes()[0], b'.' | b'_' | b'-' | b'+' | b'\'' | b'%' | b'*' | b'!' | b'#' | b'$');
        byte += 1;
    }
    table
};

fn of_local(b: u8) -> bool {
    OF_LOCAL[usize::from(b)]
}

/// Where the part before `@` begins; a part in quotation marks includes them.
pub(crate) fn local_start(text: &[u8], at: usize) -> usize {
    let floor = at.saturating_sub(LONGEST);
    if before(text, floor, at) == b'"' && at > floor + 1 && text[at - 2] != b'\\' {
        // "first last"@example.org, also with quotation marks in it: "first \"last\""@example.org
        let opens = |&quote: &usize| before(text, floor, floor + quote) != b'\\';
        let Some(quote) = memchr::memrchr_iter(b'"', &text[floor..at - 1]).find(opens) else { return at };
        let name = &text[floor + quote + 1..at - 1];
        let of = |&b: &u8| is(b, WORD) || matches!(b, b' ' | b'.' | b'_' | b'-' | b'\\' | b'"');
        let plain = name.iter().any(|&b| is(b, WORD)) && name.iter().all(of);
        return if plain { floor + quote } else { at };
    }
    let mut start = at;
    // Two dashes are a line or a frame, as around `PRIVATE KEY`.
    while start > floor
        && of_local(text[start - 1])
        && !(text[start - 1] == b'-' && text[floor..start].ends_with(b"--"))
    {
        start -= 1;
    }
    // Signs at the beginning belong to what stands before.
    while start < at && !is(text[start], WORD) && !matches!(text[start], b'_' | b'+') {
        start += 1;
    }
    // An escaped quotation mark or line end before it is not part of it: \nanna@…
    if before(text, 0, start) == b'\\' && at - start > 1 && matches!(text[start], b'n' | b't' | b'r') {
        start += 1;
    }
    start
}

/// `otti@[10.0.0.1]`, `otti@[IPv6:2001:db8::7]`: an address where a domain would stand (RFC 5321, section 4.1.3).
fn literal(text: &[u8], at: usize, hits: &mut Hits) {
    let from = at + 2;
    let Some(length) = text[from..text.len().min(from + 48)].iter().position(|&b| b == b']') else { return };
    let inside = &text[from..from + length];
    let tag = inside.get(..5).is_some_and(|tag| tag.eq_ignore_ascii_case(b"ipv6:"));
    let address = &inside[if tag { 5 } else { 0 }..];
    let start = local_start(text, at);
    if start == at || !is_ip(address) {
        return;
    }
    let category = if scheme_before(text, start).is_some() { Category::Uri } else { Category::Email };
    hits.push(start, at, category, Form::Text(Group::Local), rank::ADDRESS);
    if tag && let Some(ip) = personal_ip6(address) {
        hits.push(from + 5, from + length, Category::Ip, Form::Ip6(ip), rank::NUMBER);
    }
}

fn domain_end(text: &[u8], from: usize) -> usize {
    let mut end = from;
    while end < text.len() && end < from + 253 && (is(text[end], WORD) || matches!(text[end], b'.' | b'-')) {
        end += 1;
    }
    while end > from && matches!(text[end - 1], b'.' | b'-') {
        end -= 1;
    }
    end
}

/// Where a domain ends whose file is called after it: `otti@amt.example.json`.
fn without_ending(text: &[u8], from: usize, end: usize) -> usize {
    const FILES: [&str; 7] = ["json", "log", "html", "conf", "eml", "txt", "xml"];
    let domain = &text[from..end];
    match memchr::memrchr(b'.', domain) {
        Some(dot) if FILES.iter().any(|known| domain[dot + 1..].eq_ignore_ascii_case(known.as_bytes())) => {
            if is_domain(&domain[..dot], false) { from + dot } else { end }
        }
        _ => end,
    }
}

/// Names of files and units that only look like domains.
const NOT_DOMAINS: [&str; 22] = [
    "png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "service", "socket", "target", "mount", "timer",
    "slice", "scope", "device", "conf", "log", "json", "html", "py",
];

/// Whether this is a domain: two labels or more, the last one letters. After a scheme any name is one.
pub(crate) fn is_domain(domain: &[u8], known: bool) -> bool {
    let ends = |b: Option<&u8>| b.is_none_or(|&b| b == b'.');
    if ends(domain.first()) || ends(domain.last()) || domain.windows(2).any(|pair| pair == b"..") {
        return false;
    }
    let last = domain.rsplit(|&b| b == b'.').next().unwrap_or_default();
    let letters =
        last.iter().all(|&b| b.is_ascii_alphabetic() || is(b, HIGH)) || last.to_ascii_lowercase().starts_with(b"xn--");
    if last.len() == domain.len() {
        return known && letters;
    }
    letters && last.len() >= 2 && !NOT_DOMAINS.iter().any(|ending| last.eq_ignore_ascii_case(ending.as_bytes()))
}

/// Domains behind the names that SSH gives its algorithms and extensions.
const OF_ALGORITHMS: [&str; 3] = ["openssh.com", "libssh.org", "lysator.liu.se"];

/// Whether names of SSH's algorithms end with this domain; it says nothing about who runs the program.
pub(crate) fn names_algorithms(domain: &[u8]) -> bool {
    OF_ALGORITHMS.iter().any(|known| domain.eq_ignore_ascii_case(known.as_bytes()))
}

/// Whether this is what SSH calls an algorithm or an extension: `umac-64@openssh.com` (RFC 4251, section 6).
fn is_algorithm(local: &[u8], domain: &[u8]) -> bool {
    let shaped = local.iter().any(|&b| is(b, DIGIT) || b == b'-')
        && local.iter().all(|&b| b.is_ascii_lowercase() || is(b, DIGIT) || b == b'-');
    names_algorithms(domain) && (shaped || matches!(local, b"zlib" | b"eow" | b"keepalive" | b"statvfs" | b"fstatvfs"))
}

/// Where `sip:`, `sips:`, `h323:` before an address begins.
pub(crate) fn scheme_before(text: &[u8], start: usize) -> Option<usize> {
    if before(text, 0, start) != b':' {
        return None;
    }
    let from = text::run_back(text, start.saturating_sub(6), start - 1, WORD);
    let scheme = &text[from..start - 1];
    ["sip", "sips", "h323", "im", "pres", "xmpp"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known.as_bytes()))
        .then_some(from)
}

/// Whether the part before `@` is an identifier that stays: a Call-ID's or Message-ID's.
fn is_id(text: &[u8], start: usize, at: usize) -> bool {
    let local = &text[start..at];
    if is_uuid(local)
        || local.len() >= 16 && local.iter().all(|&b| is(b, HEX) || b == b'-') && local.iter().any(|&b| is(b, DIGIT))
    {
        return true;
    }
    let mut end = start;
    while end > 0 && matches!(text[end - 1], b' ' | b'"' | b'\'' | b'<' | b'=' | b':' | b'\\') && start - end < 5 {
        end -= 1;
    }
    let from = text::run_back(text, end.saturating_sub(16), end, IDENT);
    end < start && keys::class_of(&text[from..end]) == Some(KeyClass::CallId)
}

/// The `<` right before an address.
pub(crate) fn bracket_before(text: &[u8], start: usize) -> Option<usize> {
    (before(text, 0, start) == b'<').then(|| start - 1)
}

/// Finds the name before the `<` of an address: in quotation marks, or bare words.
pub(crate) fn display_name(text: &[u8], bracket: usize, hits: &mut Hits) {
    let floor = bracket.saturating_sub(LONGEST);
    let end = text::run_back(text, floor, bracket, SPACE);
    let (start, end) = if before(text, floor, end) == b'"' {
        let escaped = end > floor + 1 && text[end - 2] == b'\\';
        let last = if escaped { end - 2 } else { end - 1 };
        if before(text, floor, last) == b'=' {
            return; // a value begins here, and with it the address: `Detail="<sip:…`
        }
        let Some(quote) =
            (floor..last).rev().find(|&at| text[at] == b'"' && (escaped || before(text, floor, at) != b'\\'))
        else {
            return;
        };
        (quote + 1, last)
    } else {
        // `Anna Müller (Controlling) <sip:…`
        let bracket = (before(text, floor, end) == b')').then(|| memchr::memrchr(b'(', &text[floor..end])).flatten();
        let mut start = bracket.map_or(end, |at| floor + at);
        while start > floor && (is(text[start - 1], WORD) || matches!(text[start - 1], b' ' | b'.' | b'\'' | b'-')) {
            start -= 1;
        }
        if !matches!(before(text, floor, start), b'\n' | b':' | b',' | b'=' | b'"' | b'(' | b'[' | b'\t' | b';')
            && start > 0
        {
            return;
        }
        let name = text[start..end].trim_ascii_start();
        (end - name.len(), end)
    };
    let folded = text::fold(&text[start..end]);
    let words = folded.split_whitespace();
    // "Report bugs to <…>"
    let bare = !matches!(byte(text, end), b'"' | b'\\');
    let sentence = bare
        && words.clone().last().is_some_and(|word| {
            matches!(
                word,
                "to" | "at"
                    | "by"
                    | "from"
                    | "or"
                    | "and"
                    | "via"
                    | "is"
                    | "see"
                    | "list"
                    | "mail"
                    | "email"
                    | "contact"
                    | "with"
            )
        });
    if bare && is_counted(&text[start..end]) {
        return;
    }
    if start >= end || sentence || is_no_value(&folded) || words.clone().count() > 6 || words.clone().all(is_common) {
        return;
    }
    hits.push(start, end, Category::Person, Form::Text(Group::Person), rank::DISPLAY_NAME);
}

/// Whether bare words before a `<` are a reply's code, "550 5.1.1", or a thing and its number, "Call leg 17". A telephone number
/// is neither.
fn is_counted(words: &[u8]) -> bool {
    let words = || words.split(|&b| is(b, SPACE)).filter(|word| word.iter().any(|&b| is(b, WORD)));
    let number = |word: &&[u8]| word.iter().all(|&b| is(b, DIGIT) || matches!(b, b'.' | b'-'));
    // RFC 3463, section 2
    let status =
        |word: &[u8]| word.iter().filter(|&&b| b == b'.').count() == 2 && matches!(word[0], b'2' | b'4' | b'5');
    let digits: usize = words().filter(number).map(|word| word.iter().filter(|&&b| is(b, DIGIT)).count()).sum();
    let mut named = words().filter(|word| !number(word)).peekable();
    if named.peek().is_none() {
        return words().any(status) && digits <= 9;
    }
    (1..=4).contains(&digits)
        && (named.clone().any(|word| word[0].is_ascii_lowercase()) || named.all(|word| is_common(&text::fold(word))))
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn an_address_is_found_with_its_display_name() {
        finds("to <otti@amt.example>, done", &[("otti@amt.example", "email")]);
        finds("Otti@Amt.Example.", &[("Otti@Amt.Example", "email")]);
        finds("\"otti h\"@amt.example", &[("\"otti h\"@amt.example", "email")]);
        finds(
            "From: \"Habersaat, Ottilie\" <sip:otti@amt.example>;tag=1",
            &[("Habersaat, Ottilie", "person"), ("otti@amt.example", "uri")],
        );
        finds(
            "From: Ottilie Habersaat <otti@amt.example>",
            &[("Ottilie Habersaat", "person"), ("otti@amt.example", "email")],
        );
        finds("openssh@openssh.com", &[("openssh@openssh.com", "email")]);
        finds("Report bugs to <otti@amt.example>", &[("otti@amt.example", "email")]);
        finds("müller@bücher.example", &[("müller@bücher.example", "email")]);
        finds("o'hara+list@amt.example", &[("o'hara+list@amt.example", "email")]);
        finds("mail=%22x%22 otti%40amt.example", &[("otti%40amt.example", "email")]);
        finds(r#"to "otti\"x"@amt.example"#, &[(r#""otti\"x"@amt.example"#, "email")]);
        finds("otti@[198.51.100.7]", &[("otti", "email"), ("198.51.100.7", "ip")]);
        finds("<otti@[IPv6:2a02:7:8::9]>", &[("otti", "email"), ("2a02:7:8::9", "ip")]);
        finds("mail/otti@amt.example.json", &[("otti@amt.example", "email")]);
    }

    #[test]
    fn a_code_and_a_count_are_no_display_name() {
        for line in [
            "said: 550 5.1.1 <otti@amt.example>: Recipient address rejected",
            "; 250 2.1.0 <otti@amt.example>... Sender ok",
            "Call leg 17 <otti@amt.example> connected",
            "Contact 3 <otti@amt.example>",
        ] {
            assert_eq!(found(line), [("otti@amt.example".to_owned(), "email".to_owned())], "{line}");
        }
        for (line, name) in [
            ("From: Saal 3 <otti@amt.example>", "Saal 3"),
            ("From: 7042 <otti@amt.example>", "7042"),
            ("From: \"17\" <otti@amt.example>", "17"),
            ("From: 030 1234567 <otti@amt.example>", "030 1234567"),
        ] {
            assert!(found(line).iter().any(|(text, _)| text == name), "{line}: {:?}", found(line));
        }
    }

    #[test]
    fn of_a_call_id_only_the_address_goes() {
        finds("Call-ID: 7f3a-kx@amt.example", &[("amt.example", "host")]);
        finds("Call-ID: 7f3a@198.51.100.7", &[("198.51.100.7", "ip")]);
        finds("id 3f2b8c1e-0d4a-4c5b-9e6f-112233445566@amt.example", &[("amt.example", "host")]);
    }

    #[test]
    fn units_images_and_packages_stay() {
        for line in [
            "umac-64-etm@openssh.com,curve25519-sha256@libssh.org zlib@openssh.com",
            "user@1000.service",
            "getty@tty1.service",
            "icon@2x.png",
            "left-pad@1.3.0",
            "@Override",
            "a @ b",
            "x@",
            "x@[0] items@[1..2] a@[b] x@[::1",
            "bundle@app.log user@unit.service.json",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
