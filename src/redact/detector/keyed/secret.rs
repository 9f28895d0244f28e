//! The value behind a secret's key: how far it reaches, and what says that there is none.

use super::value::value_at;
use crate::redact::category::Category;
use crate::redact::common::is_no_value;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::keys::KeyClass;
use crate::redact::text::{self, DIGIT, SPACE, byte, is};

/// A secret's value. Of `Authorization: Bearer x` the scheme stays, of `Cookie: a=b; c=d` nothing.
pub(super) fn secret(text: &[u8], key: &[u8], at: usize, start: usize, hits: &mut Hits) {
    let header = text[at] == b':';
    let name = text::fold(key);
    let class = KeyClass::Drop(Category::Secret);
    let whole_line = header
        && (name.contains("cookie") || text::run(text, 0, SPACE) + key.len() == at || name.contains("authorization"));
    let Some(mut value) = value_at(text, start, class, b'=') else {
        // A password may begin with any sign.
        if header && byte(text, start) != b'\n' && !matches!(byte(text, start), b'{' | b'[' | b'|' | b'>') && whole_line
        {
            let end = start + text[start..].trim_ascii_end().len();
            hits.push(start, end, Category::Secret, Form::Drop, rank::SECRET);
        }
        return;
    };
    if !value.quoted {
        let cut: &[u8] = if whole_line { b"\"" } else { b" \t\r\"'&,;<>" };
        let end = text[start..].iter().position(|b| cut.contains(b)).map_or(text.len(), |length| start + length);
        value.end = start + text[start..end].trim_ascii_end().len();
        let closing = byte(text, value.end.saturating_sub(1));
        let opening = match closing {
            b')' => b'(',
            b']' => b'[',
            b'}' => b'{',
            _ => 0,
        };
        if opening != 0 && !whole_line && !text[value.start..value.end].contains(&opening) {
            value.end -= 1;
        }
    }
    if matches!(name.as_str(), "response" | "community" | "pin" | "sid") && !value.quoted && header && !whole_line {
        return;
    }
    let mut start = value.start;
    let bytes = &text[start..value.end];
    if let Some(space) = memchr::memchr(b' ', bytes) {
        let scheme = text::fold(&bytes[..space]);
        if matches!(scheme.as_str(), "basic" | "bearer" | "token" | "digest" | "negotiate" | "ntlm" | "apikey") {
            if scheme == "digest" {
                return; // its parts have keys of their own
            }
            start += space + 1;
        }
    }
    // nsswitch.conf says where accounts are looked up: `passwd: files systemd`.
    let sources = header
        && name == "passwd"
        && text[start..value.end].split(|&b| is(b, SPACE)).filter(|word| !word.is_empty()).all(|word| {
            matches!(
                word,
                b"files" | b"systemd" | b"db" | b"compat" | b"sss" | b"ldap" | b"nis" | b"nisplus" | b"winbind"
            )
        });
    if sources {
        return;
    }
    let directory =
        name.ends_with("pwd") && (text[start..value.end].starts_with(b"/") || text[start..value.end].contains(&b'\\'));
    if directory || harmless(&text[start..value.end], &name) {
        return;
    }
    hits.push(start, value.end, Category::Secret, Form::Drop, rank::SECRET);
}

/// Whether a value under a secret's key is none: a word that says so, asterisks, a variable, a small number.
pub(super) fn harmless(value: &[u8], key: &str) -> bool {
    let folded = text::fold(value);
    let short = value.len() <= 24;
    short && value.is_ascii() && is_no_value(&folded)
        || short
            && matches!(
                folded.as_str(),
                "enabled"
                    | "disabled"
                    | "required"
                    | "optional"
                    | "expired"
                    | "invalid"
                    | "missing"
                    | "ok"
                    | "failed"
                    | "set"
                    | "changed"
                    | "hidden"
                    | "redacted"
                    | "[redacted]"
                    | "<redacted>"
                    | "xxx"
                    | "xxxx"
                    | "xxxxx"
                    | "xxxxxx"
                    | "xxxxxxxx"
            )
        || value.starts_with(b"$")
        || value.starts_with(b"<")
        || value.len() > 4 && value.iter().all(|b| matches!(b, b'x' | b'X' | b'*' | b'#' | b'.'))
        || value.starts_with(b"{{")
        || value.starts_with(b"<%")
        || !key.contains("pin") && !key.contains("pass") && value.len() <= 4 && value.iter().all(|&b| is(b, DIGIT))
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn secrets_are_dropped_and_what_says_that_there_is_none_stays() {
        finds("mysql_password: p@ssw0r)", &[("p@ssw0r)", "secret")]);
        finds("token=abcdef0123&x=1", &[("abcdef0123", "secret")]);
        finds("Authorization: Bearer abcdef0123456", &[("abcdef0123456", "secret")]);
        finds("Cookie: a=b; c=d", &[("a=b; c=d", "secret")]);
        for line in [
            "password=",
            "password=null",
            "passwd:         files systemd",
            "token: expired",
            "password: ${DB_PASSWORD}",
            "max_tokens=4096",
            "passed: 17",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
