//! User names where logs put them without a key: sshd, sudo, su, pam, cron, web servers, home directories.
//!
//! Each word that may stand beside a name is looked at by one function: of a [`sentence`], of the lines about a [`session`],
//! or of a [`record`] with fixed places. What they share, the ends of a name, is here.

mod record;
mod sentence;
mod session;

use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::common::is_system_user;
use crate::redact::hit::{Form, Group, Hits, rank};
use crate::redact::text::{self, WORD, byte, is};

use self::record::{directory_entry, home, listing, numbered, password_file, web_server};
use self::sentence::{after_for, after_user};
use self::session::{before_uid, cron, pam, su, sudo};

pub(crate) struct LogUser;

impl Detector for LogUser {
    fn words(&self) -> &'static [&'static str] {
        &[
            "user", "username", "account", "login", "for", "by", "to", "cmd", "sudo", "pam", "home", "users", "ou",
            "dc", "uid", "cn", "gid", "groups", "euid", "egid",
        ]
    }

    fn at_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        let text = line.text;
        match text[start..end].to_ascii_lowercase().as_slice() {
            b"user" | b"username" | b"account" | b"login" => after_user(text, start, end, hits),
            b"for" => after_for(text, start, end, hits),
            b"by" => before_uid(text, end, hits),
            b"to" => su(text, start, hits),
            b"cmd" => cron(text, start, hits),
            b"sudo" => sudo(text, end, hits),
            b"pam" => pam(text, end, hits),
            b"home" | b"users" => home(text, start, end, hits),
            b"gid" | b"groups" | b"euid" | b"egid" => numbered(text, end, hits),
            b"uid" => {
                numbered(text, end, hits);
                directory_entry(text, start, end, hits);
            }
            _ => directory_entry(text, start, end, hits),
        }
    }

    fn at_line_start(&self, line: &Line<'_>, hits: &mut Hits) {
        web_server(line.text, hits);
        password_file(line.text, hits);
        listing(line.text, hits);
    }
}

fn push(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    let folded = text::fold(&text[start..end]);
    if end - start <= 128 && !is_system_user(&folded) && text[start..end].iter().any(|&b| is(b, WORD)) {
        hits.push(start, end, Category::User, Form::Text(Group::User), rank::USER);
    }
}

fn of_name(b: u8) -> bool {
    is(b, WORD) || matches!(b, b'.' | b'_' | b'-' | b'$' | b'@' | b'\\' | b'+')
}

/// The bare name at `start`: letters, digits and a few signs, without a full stop at its end.
fn bare(text: &[u8], start: usize) -> usize {
    let end =
        text[start.min(text.len())..].iter().position(|&b| !of_name(b)).map_or(text.len(), |length| start + length);
    start
        + text[start.min(text.len())..end]
            .iter()
            .rposition(|&b| !matches!(b, b'.' | b'-' | b'\\'))
            .map_or(0, |at| at + 1)
}

/// The name in quotation marks or brackets that opens at `at`.
fn enclosed(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut from = at;
    if byte(text, from) == b'\\' {
        from += 1;
    }
    let close = match byte(text, from) {
        quote @ (b'"' | b'\'' | b'`') => quote,
        b'[' => b']',
        b'<' => b'>',
        b'(' => b')',
        _ => return None,
    };
    from += 1;
    let length = text[from..].iter().take(130).position(|&b| b == close)?;
    let mut end = from + length;
    while end > from && text[end - 1] == b'\\' {
        end -= 1;
    }
    (end > from).then_some((from, end))
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn users_are_found_where_logs_put_them() {
        for (line, user) in [
            ("Invalid user quirin from", "quirin"),
            ("Failed password for invalid user test from", "test"),
            ("Failed password for quirin from", "quirin"),
            ("Accepted publickey for quirin from", "quirin"),
            ("pam_unix(sshd:session): session opened for user quirin(uid=1000) by (uid=0)", "quirin"),
            ("New session 12 of user quirin.", "quirin"),
            ("session opened for user root by quirin(uid=1000)", "quirin"),
            ("Login failed for user `quirin` at", "quirin"),
            ("attempt made by user 'quirin' now", "quirin"),
            ("user [AMT]\\[quirin] at", "quirin"),
            ("su: (to root) quirin on pts/0", "quirin"),
            ("CRON[1]: (quirin) CMD (run)", "quirin"),
            ("sudo:  quirin : TTY=pts/0 ; USER=root", "quirin"),
            ("auth-worker<5>: pam(quirin,x)", "quirin"),
            ("open /home/quirin/x.txt", "quirin"),
            ("open /mnt/backup/home/quirin/x.txt", "quirin"),
            ("mv /srv/home/quirin", "quirin"),
            ("file:///home/quirin/x", "quirin"),
            ("sftp://nas/export/home/quirin/x", "quirin"),
            ("drwxr-xr-x 2 quirin quirin 4096 Nov 21 14:20 notes", "quirin"),
            ("-rw-r--r--. 1 root quirin 12K Nov 21 14:20 notes", "quirin"),
            ("open C:\\Users\\quirin\\x.txt", "quirin"),
            ("x - quirin [21/Nov/2026:14:20:01 +0000] \"GET /\"", "quirin"),
            ("bind uid=quirin,ou=people,dc=amt", "quirin"),
            ("authentication failed for [otti.h], account", "otti.h"),
            ("Bad password for dani (x)", "dani"),
        ] {
            assert!(found(line).contains(&(user.to_owned(), "user".to_owned())), "{line}: {:?}", found(line));
        }
        finds("uid=1000(otti) gid=1000(otti) x", &[("otti", "user"), ("otti", "user")]);
        finds("id: uid=1000(otti),gid=1000(otti),groups=27(sudo),1000(otti)", &[("otti", "user"); 3]);
        finds(
            "otti:x:1000:1000:Ottilie Habersaat,,,:/home/otti:/bin/bash",
            &[("otti", "user"), ("Ottilie Habersaat", "person"), ("otti", "user")],
        );
    }

    #[test]
    fn sentences_about_users_stay() {
        for line in [
            "user not found",
            "the user has left",
            "user agent",
            "no user is logged in",
            "for root from",
            "session opened for user root",
            "waiting for data from",
            "GET /home/",
            "see https://example.com/home/page",
            "src/home/mod.rs",
            "drwxr-xr-x 2 root adm 4096 Nov 21 14:20 notes",
            "uid=0(root) gid=0(root) groups=0(root),4(adm),27(sudo)",
            "user-agent: x",
            "user session 12",
            "login failed",
            "root:x:0:0:root:/root:/bin/bash",
            "users online: 5",
            "user input missing",
            "by (uid=0)",
            "request for page by",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
