//! Values that stand for a secret without being one: variables, templates, masks, code, file names, sentences.

use crate::redact::category::Category;
use crate::redact::common::is_no_value;
use crate::redact::keys;
use crate::redact::text::{self, DIGIT, WORD, byte, is};

/// Whether a value says that the secret is not here: nothing, a variable, a template, a mask.
///
/// `changeme` and its like are no placeholders: they are what many a device was never changed from.
pub(crate) fn is_placeholder(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let short = value.len() <= 32 && value.is_ascii();
    value.iter().all(|&b| !is(b, WORD))
        || short && is_no_value(&text::fold(value))
        || Category::ALL.iter().any(|category| category.dropped().as_bytes() == value)
        || is_variable(value)
        || is_mask(value)
        || short && is_said(&text::fold(value))
        || is_constant(value)
}

/// `$VAR`, `${VAR}`, `$(command)`, `%VAR%`, `%s`, `{{ x }}`, `{x}`, `<password>`, `@VAR@`, `__X__`
fn is_variable(value: &[u8]) -> bool {
    let name = |name: &[u8]| {
        name.first().is_some_and(|&b| b.is_ascii_alphabetic() || b == b'_')
            && name.iter().all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'-'))
    };
    match value {
        [b'$', b'{' | b'(', ..] | [b'<', b'%', ..] | [b'{', b'{', ..] | [b'#', b'{', ..] => true,
        [b'$', rest @ ..] => name(rest) || rest.len() == 1 && is(rest[0], DIGIT),
        [b'%', b's' | b'd' | b'v' | b'q'] | [b'%', b'(' | b'{', ..] => true,
        [b'%', rest @ .., b'%'] | [b'@', rest @ .., b'@'] => name(rest),
        [b'<', .., b'>'] | [b'{', .., b'}'] => true,
        [b'_', b'_', rest @ .., b'_', b'_'] => name(rest),
        _ => false,
    }
}

/// Asterisks, dots or x, with a few signs left to see.
fn is_mask(value: &[u8]) -> bool {
    let bullets = value.windows(3).filter(|three| *three == "•".as_bytes() || *three == "●".as_bytes()).count();
    let masked = bullets * 3
        + value.iter().filter(|b| matches!(b, b'x' | b'X' | b'*' | b'#' | b'.' | b'_' | b'-' | b'~')).count();
    let shown = value.len().saturating_sub(masked);
    let run =
        value.windows(3).any(|three| three[0] == three[1] && three[1] == three[2] && !matches!(three[0], b'_' | b'-'));
    (masked >= 3 && shown == 0 || masked >= 6 && shown <= 8 && masked >= 2 * shown) && (run || bullets > 0)
}

/// Words that say what became of a secret.
fn is_said(folded: &str) -> bool {
    matches!(
        folded.trim_matches(['(', ')', '<', '>', '*', '_', '.', '!']),
        "enabled"
            | "disabled"
            | "required"
            | "optional"
            | "expired"
            | "invalid"
            | "valid"
            | "missing"
            | "ok"
            | "failed"
            | "wrong"
            | "set"
            | "not set"
            | "changed"
            | "hidden"
            | "redacted"
            | "[redacted]"
            | "masked"
            | "filtered"
            | "removed"
            | "sanitized"
            | "obfuscated"
            | "encrypted"
            | "secret omitted"
            | "omitted"
            | "protected"
            | "sensitive"
            | "default"
            | "prompt"
            | "0"
            | "1"
    )
}

/// `YOUR_API_KEY`, `ACCESS_TOKEN`, `insert_key_here`: the name of a secret in the place of its value.
fn is_constant(value: &[u8]) -> bool {
    const TELL: [&str; 8] = ["your", "insert", "here", "replace", "enter", "put", "todo", "redacted"];
    const SPEAK: [&str; 27] = [
        "my", "the", "a", "api", "access", "app", "auth", "token", "key", "secret", "password", "passwd", "pass",
        "client", "id", "with", "me", "user", "account", "example", "db", "database", "admin", "value", "file", "path",
        "name",
    ];
    let words = || value.split(|b| matches!(b, b'_' | b'-' | b' ')).filter(|word| !word.is_empty());
    let one_of = |word: &[u8], list: &[&str]| list.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()));
    let spoken = words().count() >= 2 && words().all(|word| one_of(word, &TELL) || one_of(word, &SPEAK));
    spoken
        && (words().any(|word| one_of(word, &TELL))
            || value.contains(&b'_') && !value.iter().any(u8::is_ascii_lowercase))
}

/// Whether an unquoted value is code: a call, a member, a type, another variable. `end` is where the value ends.
pub(super) fn is_code(line: &[u8], key: &[u8], start: usize, end: usize) -> bool {
    let value = &line[start..end];
    let next = byte(line, end);
    // What a reference or a negation is of.
    let bare = value
        .strip_prefix(b"&")
        .or_else(|| value.strip_prefix(b"*"))
        .or_else(|| value.strip_prefix(b"@"))
        .unwrap_or(value);
    let letter = |b: u8| b.is_ascii_alphabetic() || b == b'_';
    let ident =
        |name: &[u8]| name.first().is_some_and(|&b| letter(b)) && name.iter().all(|&b| letter(b) || is(b, DIGIT));
    // getPassword(), os.environ["X"], Some(x)
    if let Some(open) = bare.iter().position(|b| matches!(b, b'(' | b'[')) {
        let path = |b: &u8| letter(*b) || is(*b, DIGIT) || matches!(b, b'.' | b':' | b'>' | b'!');
        let close = if bare[open] == b'(' { b')' } else { b']' };
        let closed = line[start + open..line.len().min(start + open + 256)].contains(&close);
        if open > 0 && letter(bare[0]) && bare[..open].iter().all(path) && closed {
            return true;
        }
    }
    let parts: Vec<&[u8]> = bare.split(|b| matches!(b, b'.' | b':' | b'>')).filter(|part| !part.is_empty()).collect();
    let member = parts.len() >= 2
        && parts.iter().all(|part| ident(part.strip_suffix(b"-").unwrap_or(part)))
        && (OWNERS.iter().any(|owner| parts[0].eq_ignore_ascii_case(owner.as_bytes()))
            || parts.last().is_some_and(|last| keys::is_secret_key(last) || keys::may_be_secret_key(last)));
    if member {
        return true;
    }
    // `new Password(…)`, `await x`
    if next == b' '
        && matches!(
            value,
            b"new" | b"await" | b"async" | b"function" | b"func" | b"lambda" | b"not" | b"if" | b"typeof"
        )
    {
        return true;
    }
    let statement = matches!(next, b',' | b';' | b')' | b'?') || bare.len() < value.len();
    let same = value.eq_ignore_ascii_case(key) || ident(bare) && keys::is_secret_key(bare);
    if statement && same && !bare.iter().any(|&b| is(b, DIGIT)) {
        return true;
    }
    let own = key.starts_with(b"self.") || key.starts_with(b"this.");
    own && ident(bare) && !bare.iter().any(|&b| is(b, DIGIT)) || is_type(value, next)
}

/// What holds a secret when code speaks of its members.
const OWNERS: [&str; 40] = [
    "self",
    "this",
    "config",
    "settings",
    "env",
    "process",
    "os",
    "options",
    "opts",
    "args",
    "params",
    "secrets",
    "vars",
    "var",
    "local",
    "data",
    "module",
    "ctx",
    "context",
    "request",
    "req",
    "res",
    "response",
    "cfg",
    "conf",
    "props",
    "state",
    "form",
    "body",
    "credentials",
    "session",
    "values",
    "inputs",
    "github",
    "steps",
    "needs",
    "matrix",
    "System",
    "Environment",
    "String",
];

/// Whether a value is the name of a type, as in `password: string;`.
pub(super) fn is_type(value: &[u8], next: u8) -> bool {
    const TYPES: [&[u8]; 22] = [
        b"str",
        b"string",
        b"String",
        b"bool",
        b"boolean",
        b"int",
        b"Integer",
        b"number",
        b"any",
        b"object",
        b"Object",
        b"bytes",
        b"char",
        b"Option",
        b"Optional",
        b"SecretStr",
        b"SecretString",
        b"Text",
        b"VARCHAR",
        b"TEXT",
        b"Any",
        b"undefined",
    ];
    let name = value.strip_suffix(b"?").unwrap_or(value);
    let name = &name[..name.iter().position(|b| matches!(b, b'[' | b'<' | b'(' | b'|' | b'=')).unwrap_or(name.len())];
    TYPES.contains(&name)
        && (name.len() < value.len() || matches!(next, b',' | b';' | b')' | b' ' | b'\n' | b'\r' | b'<' | b'|' | b'='))
}

/// Whether a value is the name of a file.
pub(super) fn is_path(value: &[u8]) -> bool {
    const ROOTS: [&[u8]; 16] = [
        b"/etc/", b"/usr/", b"/var/", b"/home/", b"/opt/", b"/run/", b"/tmp/", b"/root/", b"/mnt/", b"/srv/", b"/dev/",
        b"/proc/", b"./", b"../", b"~/", b"file:",
    ];
    const ENDINGS: [&[u8]; 14] = [
        b".pem",
        b".key",
        b".crt",
        b".txt",
        b".json",
        b".yml",
        b".yaml",
        b".conf",
        b".env",
        b".jks",
        b".p12",
        b".pfx",
        b".htpasswd",
        b".keytab",
    ];
    let plain = value
        .iter()
        .all(|&b| is(b, WORD) || matches!(b, b'/' | b'.' | b'-' | b'_' | b'~' | b'\\' | b':' | b'$' | b'{' | b'}'));
    plain
        && (ROOTS.iter().any(|root| value.starts_with(root))
            || ENDINGS.iter().any(|ending| value.ends_with(ending))
            || value.len() > 3 && value[1] == b':' && value[2] == b'\\')
}

/// Whether a value of several words is a sentence about secrets. Four words without the little ones are a passphrase.
pub(super) fn is_sentence(value: &[u8]) -> bool {
    const LITTLE: [&[u8]; 24] = [
        b"the", b"a", b"an", b"is", b"are", b"be", b"to", b"of", b"for", b"and", b"or", b"must", b"not", b"with",
        b"in", b"on", b"if", b"your", b"you", b"that", b"this", b"has", b"will", b"should",
    ];
    let words = || value.split(|b| !is(*b, WORD)).filter(|word| !word.is_empty());
    words().count() >= 4
        && words().filter(|word| LITTLE.iter().any(|little| word.eq_ignore_ascii_case(little))).take(2).count() == 2
        && words().all(|word| word.iter().all(u8::is_ascii_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_known() {
        for value in [
            "",
            "***",
            "${DB_PASSWORD}",
            "$DB_PASSWORD",
            "$1",
            "%DB_PASSWORD%",
            "%s",
            "%(password)s",
            "{{ vault.password }}",
            "{password}",
            "<password>",
            "@PASSWORD@",
            "__REDACTED__",
            "xxxxxxxx",
            "••••••••",
            "sk_xxxxxxxxxxxxxxxx",
            "null",
            "[REDACTED]",
            "[secret]",
            "YOUR_API_KEY",
            "insert_key_here",
            "ACCESS_TOKEN",
            "0",
        ] {
            assert!(is_placeholder(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn weak_passwords_are_no_placeholders() {
        for value in [
            "changeme",
            "password",
            "secret",
            "geheim",
            "$3cret!",
            "P@ss<word",
            "hunter22",
            "x1y2z3",
            "my-secret-password",
            "12345",
            "a.b-c_d",
            "xxXX12ab",
            "%geheim",
        ] {
            assert!(!is_placeholder(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn sentences_and_passphrases_differ() {
        assert!(is_sentence(b"must be at least as long as the name"));
        assert!(!is_sentence(b"correct horse battery staple"));
        assert!(!is_sentence(b"the 4 horses of a rider"));
    }
}
