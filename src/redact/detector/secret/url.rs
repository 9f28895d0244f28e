//! Secrets in addresses: `scheme://user:password@host`, database names with a login in them, webhooks.

use std::ops::Range;

use super::token::end_of;
use super::{drop, url64};
use crate::redact::category::Category;
use crate::redact::common::{is_no_value, is_system_user};
use crate::redact::detector::host::push_host;
use crate::redact::detector::keyed::is_placeholder;
use crate::redact::hit::{Form, Group, Hits, rank};
use crate::redact::text::{self, IDENT, SPACE, WORD, before, byte, is};

/// Farthest that a login's beginning may be from its `@`.
const FARTHEST: usize = 512;

/// Looks around an `@`.
pub(super) fn credentials(text: &[u8], at: usize, hits: &mut Hits) {
    let Some((user, password)) = url_credentials(text, at).or_else(|| database_login(text, at)) else { return };
    if let Some(password) = password.filter(|password| !is_placeholder(&text[password.clone()])) {
        drop(password.start, password.end, hits);
    }
    let name = text::fold(&text[user.clone()]);
    if name.len() >= 40 {
        // A token in the place of the user.
        drop(user.start, user.end, hits);
    } else if !is_system_user(&name) && !is_no_value(&name) && !is_placeholder(name.as_bytes()) {
        hits.push(user.start, user.end, Category::User, Form::Text(Group::User), rank::KEYED);
    }
    let host = at + 1;
    push_host(text, host, text::run(text, host, IDENT), Category::Host, rank::HOST, hits);
}

/// The places of user and password in `scheme://user:password@host`, for the `@` at `at`.
pub(crate) fn url_credentials(text: &[u8], at: usize) -> Option<(Range<usize>, Option<Range<usize>>)> {
    let floor = at.saturating_sub(FARTHEST);
    let start = floor + memchr::memrchr(b'/', &text[floor..at])? + 1;
    let ends = |b: &u8| is(*b, SPACE) || matches!(b, b'"' | b'<' | b'>');
    if start < floor + 3 || !text[..start].ends_with(b"://") || start == at || text[start..at].iter().any(ends) {
        return None;
    }
    // A later `@` is the one before the host.
    let rest = &text[at + 1..text.len().min(at + FARTHEST)];
    if rest
        .iter()
        .take_while(|&&b| !is(b, SPACE) && !matches!(b, b'/' | b'?' | b'"' | b'\'' | b',' | b'<' | b'>'))
        .any(|&b| b == b'@')
    {
        return None;
    }
    Some(match memchr::memchr(b':', &text[start..at]) {
        Some(colon) => (start..start + colon, Some(start + colon + 1..at)),
        None => (start..at, None),
    })
}

/// `otti:geh3im@tcp(db:3306)/x` of Go's driver for `MySQL`, `otti/geh3im@//db:1521/x` of Oracle.
fn database_login(text: &[u8], at: usize) -> Option<(Range<usize>, Option<Range<usize>>)> {
    let rest = &text[at + 1..];
    let joint = if rest.starts_with(b"tcp(") || rest.starts_with(b"unix(") || rest.starts_with(b"udp(") {
        b':'
    } else if rest.starts_with(b"//") {
        b'/'
    } else {
        return None;
    };
    let floor = at.saturating_sub(FARTHEST);
    let ends = |b: &u8| is(*b, SPACE) || matches!(b, b'"' | b'\'' | b'<' | b'>' | b'=' | b'(' | b',');
    let start = text[floor..at].iter().rposition(ends).map_or(floor, |place| floor + place + 1);
    // `jdbc:oracle:thin:otti/geh3im@//db`
    let start = if joint == b'/' {
        memchr::memrchr(b':', &text[start..at]).map_or(start, |place| start + place + 1)
    } else {
        start
    };
    let place = start + memchr::memchr(joint, &text[start..at])?;
    (place > start && place + 1 < at).then_some((start..place, Some(place + 1..at)))
}

/// `hooks.slack.com/services/…`, `discord.com/api/webhooks/1/…`, `x.webhook.office.com/webhookb2/…`: who knows the rest may
/// write.
pub(super) fn webhook(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    let word = &text[start..end];
    let from = if word.eq_ignore_ascii_case(b"hooks") {
        let rest = &text[end..text.len().min(end + 32)];
        let slack = rest.strip_prefix(b".slack.com/").or_else(|| rest.strip_prefix(b".slack-gov.com/"));
        let Some(rest) = slack else { return };
        let Some(slash) = memchr::memchr(b'/', rest) else { return };
        text.len().min(end + 32) - rest.len() + slash + 1
    } else if byte(text, end) == b'/' && before(text, 0, start) == b'/' {
        end + 1
    } else {
        return;
    };
    let to = end_of(text, from, |b| url64(b) || matches!(b, b'/' | b'@'));
    if to - from >= 24
        && text[from..to].iter().filter(|&&b| is(b, WORD)).count() >= 20
        && super::random(&text[from..to])
    {
        drop(from, to, hits);
    }
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn a_login_in_an_address_goes() {
        finds("https://otti:geh3im@kolibri/x", &[("otti", "user"), ("geh3im", "secret"), ("kolibri", "host")]);
        finds("redis://:geh3im@kolibri:6379/0", &[("geh3im", "secret"), ("kolibri", "host")]);
        finds("postgres://otti:ge@h3im@kolibri/x", &[("otti", "user"), ("ge@h3im", "secret"), ("kolibri", "host")]);
        finds("dsn otti:geh3im@tcp(127.0.0.1:3306)/shop", &[("otti", "user"), ("geh3im", "secret")]);
        finds("jdbc:oracle:thin:otti/geh3im@//kolibri:1521/x", &[("otti", "user"), ("geh3im", "secret")]);
    }

    #[test]
    fn a_webhook_goes() {
        let line =
            format!("POST https://hooks.slack.com/services/{}/{}/{}", "T2H71EFLK", "B047FK946", "LfFz5RekA2J0WOGJyKs");
        let hits = found(&line);
        assert!(hits.iter().any(|(text, _)| text.ends_with("WOGJyKs")), "{hits:?}");
        let line = format!("https://discord.com/api/webhooks/1234567890/{}", "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7");
        assert!(found(&line).iter().any(|(text, _)| text.ends_with("yZ7")), "{:?}", found(&line));
    }

    #[test]
    fn addresses_without_a_login_stay() {
        for line in [
            "https://127.0.0.1:8080/path/@types/node",
            "git hooks are in .git/hooks/pre-commit",
            "see /api/webhooks/list",
        ] {
            assert!(
                found(line).iter().all(|(_, category)| category != "secret" && category != "user"),
                "{:?}",
                found(line)
            );
        }
    }
}
