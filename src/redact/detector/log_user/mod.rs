//! User names where logs put them without a key: sshd, sudo, su, pam, cron, web servers, home directories.
//!
//! Each word that may stand beside a name is looked at by one function: of a [`sentence`], of the lines about a [`session`],
//! of a [`service`], or of a [`record`] or [`columns`] with fixed places. What they share, the ends of a name, is here.

mod columns;
mod record;
mod sentence;
mod service;
mod session;

use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::common::is_system_user;
use crate::redact::hit::{Form, Group, Hits, rank};
use crate::redact::masks::Signs;
use crate::redact::text::{self, WORD, byte, is};

pub(crate) use self::columns::is_hash;
use self::record::{directory_entry, home, listing, numbered, password_file, web_server};
use self::sentence::{after_for, after_user};
use self::session::{before_uid, cron, of_session, su, su_by, sudo};

pub(crate) struct LogUser;

impl Detector for LogUser {
    fn words(&self) -> &'static [&'static str] {
        &[
            "user",
            "username",
            "account",
            "login",
            "for",
            "by",
            "to",
            "cmd",
            "sudo",
            "pam",
            "home",
            "users",
            "ou",
            "dc",
            "uid",
            "cn",
            "gid",
            "groups",
            "euid",
            "egid",
            "imap",
            "pop3",
            "lmtp",
            "sql",
            "lda",
            "ldap",
            "file",
            "pid",
            "ok",
            "fail",
            "peer",
            "audit",
            "role",
            "add",
            "delete",
            "remove",
            "authentication",
            "received",
            "logged",
            "failed",
            "pkexec",
            "ipad",
            "iphone",
            "macbook",
            "imac",
            "get",
            "post",
            "put",
            "head",
            "options",
            "propfind",
            "patch",
            "chown",
            "reload",
            "list",
            "begin",
            "end",
            "replace",
            "cmdend",
            "edit",
            "session",
            "su",
            "identifier",
        ]
    }

    fn anchors(&self) -> &'static [u8] {
        b"@"
    }

    fn at_anchor(&self, line: &Line<'_>, at: usize, _skip: &mut usize, hits: &mut Hits) {
        service::at_host(line.text, at, hits);
    }

    fn at_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        let text = line.text;
        let mut folded = [0; 16];
        let Some(word) = folded.get_mut(..end - start) else { return };
        word.copy_from_slice(&text[start..end]);
        word.make_ascii_lowercase();
        match &*word {
            b"login" => {
                service::login_told(text, end, hits);
                after_user(line, start, end, hits);
            }
            b"user" | b"username" | b"account" => after_user(line, start, end, hits),
            b"pam" | b"imap" | b"pop3" | b"lmtp" | b"sql" | b"lda" | b"file" => service::called(text, end, hits),
            b"ldap" => {
                service::called(text, end, hits);
                service::not_found(text, start, hits);
            }
            b"pid" => service::process(text, end, hits),
            b"ok" | b"fail" | b"peer" => service::after_brackets(text, start, hits),
            b"audit" => service::audit(text, start, end, hits),
            b"role" | b"add" | b"delete" | b"remove" | b"authentication" | b"received" => {
                service::quoted(text, start, end, word, hits);
            }
            b"logged" => service::logged(text, start, end, hits),
            b"failed" => service::failed(text, start, end, hits),
            b"pkexec" => service::told_by_program(text, end, hits),
            b"ipad" | b"iphone" | b"macbook" | b"imac" => service::device(text, start, end, hits),
            b"get" | b"post" | b"put" | b"head" | b"options" | b"propfind" | b"patch" => {
                columns::method(text, start, end, hits);
            }
            b"chown" => columns::chown(text, end, hits),
            b"session" => of_session(text, end, hits),
            b"su" => su_by(text, end, hits),
            b"identifier" => sentence::identifier(text, start, end, hits),
            b"for" => after_for(line, start, end, hits),
            b"by" => before_uid(text, end, hits),
            b"to" => su(text, start, hits),
            b"cmd" | b"reload" | b"list" | b"begin" | b"end" | b"replace" | b"cmdend" | b"edit" => {
                cron(line, start, end, hits);
            }
            b"sudo" => sudo(text, end, hits),
            b"home" | b"users" => home(text, start, end, hits),
            b"gid" | b"groups" | b"euid" | b"egid" => numbered(text, end, hits),
            b"uid" => {
                numbered(text, end, hits);
                directory_entry(text, start, end, hits);
            }
            _ => directory_entry(text, start, end, hits),
        }
    }

    fn at_line_start(&self, line: &Line<'_>, signs: Signs, hits: &mut Hits) {
        if signs.opens {
            web_server(line.text, hits);
        }
        password_file(line.text, hits);
        listing(line.text, hits);
        columns::first_in_line(line.text, hits);
    }
}

fn push(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    let folded = text::fold(&text[start..end]);
    if end - start <= 128 && !is_system_user(&folded) && text[start..end].iter().any(|&b| is(b, WORD)) {
        hits.push(start, end, Category::User, Form::Text(Group::User), rank::USER);
    }
}

/// The same for a name that stands where a number or a level may.
fn push_bare(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    let name = &text[start..end];
    if name.iter().any(|b| b.is_ascii_alphabetic() || *b >= 0x80) && !super::host::is_level(name) {
        push(text, start, end, hits);
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
