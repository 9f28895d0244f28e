//! The value behind a secret's key: how far it reaches, and what says that there is none.

use super::key::{before_gap, weak_in_query};
use super::placeholder::{is_code, is_path, is_placeholder, is_sentence};
use super::value::value_at;
use crate::redact::category::Category;
use crate::redact::detector::Line;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::keys::{self, KeyClass};
use crate::redact::text::{self, DIGIT, HEX, IDENT, SPACE, WORD, before, byte, is};

/// A secret's value. Of `Authorization: Bearer x` the scheme stays, of `Cookie: a=b; c=d` nothing.
pub(super) fn secret(line: &Line<'_>, key: &[u8], at: usize, mut start: usize, hits: &mut Hits) {
    let text = line.text;
    let header = text[at] == b':';
    let name = text::fold(key);
    let class = KeyClass::Drop(Category::Secret);
    let begins = text::run(text, 0, SPACE) + key.len() == text[..at].trim_ascii_end().len();
    // A line of settings, `bind_password = three words long`, or of a listing with aligned signs.
    let blank = |b: u8| matches!(b, b' ' | b'\t');
    let aligned = at - before_gap(text, at) > 1;
    let setting = begins && (!header || aligned) && blank(before(text, 0, at)) && blank(byte(text, at + 1));
    let whole_line = setting
        || header
            && (name.contains("cookie") || begins && before(text, 0, at) != b' ' || name.contains("authorization"));
    if header {
        start = behind_tags(text, start);
    }
    // Python's and C's `b"…"`, `@"…"`
    if matches!(byte(text, start), b'b' | b'r' | b'u' | b'f' | b'L' | b'@')
        && matches!(byte(text, start + 1), b'"' | b'\'')
    {
        start += 1;
    }
    let Some(mut value) = value_at(line, start, class, b'=') else {
        // A password may begin with any sign.
        let rest = text[start.min(text.len())..].trim_ascii_end();
        line.reached(text.len());
        if header
            && whole_line
            && !matches!(byte(text, start), b'\n' | b'{' | b'[' | b'|' | b'>')
            && !is_placeholder(rest)
        {
            hits.push(start, start + rest.len(), Category::Secret, Form::Drop, rank::SECRET);
        }
        return;
    };
    if !value.quoted {
        let cut: &[u8] = if whole_line { b"\"\0" } else { b" \t\r\"'&,;<>\0" };
        let end = text[start..].iter().position(|b| cut.contains(b)).map_or(text.len(), |length| start + length);
        value.end = start + text[start..line.reached(end)].trim_ascii_end().len();
        // What closes without having been opened here closes what holds the value.
        while !whole_line && value.end > value.start {
            let opening = match text[value.end - 1] {
                b')' => b'(',
                b']' => b'[',
                b'}' => b'{',
                _ => break,
            };
            if text[value.start..value.end].contains(&opening) {
                break;
            }
            value.end -= 1;
        }
    }
    let weak = weakness(text, key, &name, at);
    // `"pin":481516` is JSON's; `pin: 17` may be a processor's.
    let of_json = name == "pin" && before(text, 0, at) == b'"';
    let telling = value.quoted || !header || whole_line || of_json;
    if weak == Weak::Never || weak == Weak::Unquoted && !telling {
        return;
    }
    let mut start = value.start;
    let bytes = &text[start..value.end];
    // `pam_unix(passwd:chauthtok)` speaks of a program.
    if before(text, 0, at.saturating_sub(key.len())) == b'('
        && bytes.iter().take_while(|b| b.is_ascii_lowercase()).count() > 0
        && byte(text, at + 1 + bytes.iter().take_while(|b| b.is_ascii_lowercase()).count()) == b')'
        && header
    {
        return;
    }
    if let Some(space) = memchr::memchr(b' ', bytes) {
        let scheme = text::fold(&bytes[..space]);
        if matches!(scheme.as_str(), "basic" | "bearer" | "token" | "digest" | "negotiate" | "ntlm" | "apikey") {
            if scheme == "digest" {
                return; // its parts have keys of their own
            }
            start += space + 1;
        }
    }
    let bytes = &text[start..value.end];
    if weak == Weak::Random && !looks_random(bytes) && !bytes.starts_with(b"[")
        || sources(&name, header, bytes)
        || count(text, &name, start)
        || harmless(text, key, &name, start, value.end, value.quoted)
    {
        return;
    }
    hits.push(start, value.end, Category::Secret, Form::Drop, rank::SECRET);
}

/// Where a value begins behind tags and an anchor of YAML (sections 6.8 and 6.9): `!vault |`, `&pw "x"`. Tags have no digits
/// here, and something follows: a password may begin with any sign.
fn behind_tags(text: &[u8], mut start: usize) -> usize {
    loop {
        let rest = &text[start.min(text.len())..];
        let length = match rest.first() {
            Some(b'!') => {
                rest.iter().take(24).take_while(|b| b.is_ascii_alphabetic() || matches!(b, b'!' | b'/')).count()
            }
            Some(b'&') => 1 + rest[1..].iter().take(24).take_while(|&&b| is(b, IDENT)).count(),
            _ => return start,
        };
        let next = text::run(text, start + length, SPACE);
        if length < 2 || next == start + length || matches!(byte(text, next), b'\n' | b'#') {
            return start;
        }
        start = next;
    }
}

/// How much a key by itself says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weak {
    /// Its value is a secret whatever it looks like.
    No,
    /// Its value is one when it is quoted or stands behind `=`.
    Unquoted,
    /// Its value is one when it looks drawn by lot.
    Random,
    /// It says nothing here.
    Never,
}

fn weakness(text: &[u8], key: &[u8], name: &str, at: usize) -> Weak {
    let key_start = before_gap(text, at).saturating_sub(key.len());
    if matches!(name, "response" | "nonce" | "cnonce" | "opaque" | "viewstate") {
        // Digest authorization (RFC 7616) says so itself; elsewhere these words are of everyday use.
        let digest = memchr::memmem::find(&text[at.saturating_sub(512)..at], b"igest ").is_some();
        return if digest { Weak::No } else { Weak::Random };
    }
    // HTML's `accesskey="u"`
    if name == "accesskey" {
        return Weak::Random;
    }
    if matches!(name, "community" | "pin" | "sid") {
        return Weak::Unquoted;
    }
    let last = key.rsplit(|&b| b == b'.').next().unwrap_or(key);
    if keys::is_secret_key(key) || keys::is_secret_key(last) {
        return Weak::No;
    }
    let query = matches!(before(text, 0, key_start), b'?' | b'&');
    if weak_in_query(last) && !query && !keys::may_be_secret_key(key) { Weak::Never } else { Weak::Random }
}

/// Whether a value is drawn by lot, as keys are.
fn looks_random(bytes: &[u8]) -> bool {
    let one_word = !bytes.iter().any(|&b| is(b, SPACE));
    one_word && (bytes.len() >= 12 && crate::redact::detector::random(bytes) || is_hex_key(bytes))
}

/// Whether signs are a key in hexadecimal.
fn is_hex_key(bytes: &[u8]) -> bool {
    bytes.len() >= 16
        && bytes.len().is_multiple_of(2)
        && bytes.iter().all(|&b| is(b, HEX))
        && bytes.iter().any(|&b| is(b, DIGIT))
}

/// nsswitch.conf says where accounts are looked up: `passwd: files systemd`.
fn sources(name: &str, header: bool, bytes: &[u8]) -> bool {
    header
        && name == "passwd"
        && bytes.split(|&b| is(b, SPACE)).filter(|word| !word.is_empty()).all(|word| {
            matches!(
                word,
                b"files" | b"systemd" | b"db" | b"compat" | b"sss" | b"ldap" | b"nis" | b"nisplus" | b"winbind"
            )
        })
}

/// Whether a value under `pass` is how many tests did.
fn count(text: &[u8], name: &str, start: usize) -> bool {
    let end = text::run(text, start, DIGIT);
    let rest = &text[end..text.len().min(end + 80)];
    let told = [&b"fail"[..], b"FAIL", b"skip", b"SKIP", b"warn", b"error"];
    name == "pass"
        && (1..=6).contains(&(end - start))
        && matches!(byte(text, end), b' ' | b',' | b';')
        && told.iter().any(|word| memchr::memmem::find(rest, word).is_some())
}

/// Whether a value under a secret's key is none.
fn harmless(text: &[u8], key: &[u8], name: &str, start: usize, end: usize, quoted: bool) -> bool {
    let value = &text[start..end];
    let digits = value.iter().all(|&b| is(b, DIGIT));
    let number = if name.contains("pin") || name.contains("pass") { 2 } else { 4 };
    let directory = name.ends_with("pwd") && (value.starts_with(b"/") || value.contains(&b'\\'));
    // A value that goes on to the end of the line is looked at without what follows its first word.
    let word = start + value.iter().position(|&b| is(b, SPACE)).unwrap_or(value.len());
    let comment = text[word..end].trim_ascii_start();
    let first = if comment.starts_with(b"#") || comment.starts_with(b"//") { &text[start..word] } else { value };
    let code_end = word - text[start..word].iter().rev().take_while(|b| matches!(b, b';' | b',')).count();
    directory
        || is_placeholder(first)
        || digits && value.len() <= number
        || is_path(value)
        || !quoted && is_sentence(value)
        || !quoted && is_code(text, key, start, code_end)
        || name == "community" && value.starts_with(b"http")
        || !value.iter().any(|&b| is(b, WORD | IDENT)) && value.len() <= 2
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn secrets_are_dropped() {
        finds("mysql_password: p@ssw0r)", &[("p@ssw0r)", "secret")]);
        finds("token=abcdef0123&x=1", &[("abcdef0123", "secret")]);
        finds("Authorization: Bearer abcdef0123456", &[("abcdef0123456", "secret")]);
        finds("Cookie: a=b; c=d", &[("a=b; c=d", "secret")]);
        finds("password=changeme", &[("changeme", "secret")]);
        finds("password := \"geh3im\"", &[("geh3im", "secret")]);
        finds("password = b'geh3im'", &[("geh3im", "secret")]);
        finds("SMTP_PASS=geh3im", &[("geh3im", "secret")]);
        finds("x?sv=2020&sig=aB3dE6gH9jK2mN5pQ8sT&se=1", &[("aB3dE6gH9jK2mN5pQ8sT", "secret")]);
        finds("GET /api?key=3290abeefc68e1bbe852a25252bad88c HTTP", &[("3290abeefc68e1bbe852a25252bad88c", "secret")]);
        finds("access_key = Zk39aBq1Zk39aBq1", &[("Zk39aBq1Zk39aBq1", "secret")]);
        finds(
            "PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=",
            &[("yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=", "secret")],
        );
        finds("User-Password = \"geh3im\"", &[("geh3im", "secret")]);
        finds("password: &pw \"geh3im\"", &[("geh3im", "secret")]);
        finds("password: !!str geh3im", &[("geh3im", "secret")]);
        finds("password: !geh3im", &[("!geh3im", "secret")]);
        finds("password: correct horse battery staple", &[("correct horse battery staple", "secret")]);
    }

    #[test]
    fn digest_authorization_keeps_its_form() {
        finds(
            r#"Authorization: Digest username="otti", realm="x", nonce="aZ19", uri="/x", response="6629fae49393a053", opaque="5c""#,
            &[("otti", "user"), ("aZ19", "secret"), ("6629fae49393a053", "secret"), ("5c", "secret")],
        );
        for line in ["response=200", "response: OK", "response=\"Accepted\" nonce=5"] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }

    #[test]
    fn what_says_that_there_is_no_secret_stays() {
        for line in [
            "password=",
            "password=null",
            "password: !vault |",
            "passwd:         files systemd",
            "token: expired",
            "password: ${DB_PASSWORD}",
            "max_tokens=4096",
            "passed: 17",
            "pass: 17, fail: 2",
            "password: <password>",
            "password = getPassword()",
            "password = os.environ[\"DB_PASSWORD\"]",
            "token: env.API_TOKEN",
            "this.password = password;",
            "login(user_name, password=password)",
            "password: string;",
            "def f(password: str, token: Optional[str] = None):",
            "password: must be at least as long as the name",
            "ssl_key_password = /etc/ssl/private/key.pem",
            "api_key = \"YOUR_API_KEY\"",
            "iam_api_key=\"%s\" % IBM_IAM_API_KEY_ENV",
            "cache_key=shop:17:page",
            "key: value",
            "public_key = abc123def456abc123def456",
            "sid=1",
            "pin=17",
            "secretName: my-app-tls",
            "auth: ok",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
