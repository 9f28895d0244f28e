//! Secrets on command lines: `mysql -u otti -pgeh3im`, `curl -u otti:geh3im`, `tool --password geh3im`.

use super::{drop, shell_word};
use crate::redact::category::Category;
use crate::redact::common::{is_no_value, is_system_user};
use crate::redact::detector::keyed::is_placeholder;
use crate::redact::hit::{Form, Group, Hits, rank};
use crate::redact::keys;
use crate::redact::text::{self, DIGIT, IDENT, SPACE, WORD, before, byte, is};

/// What the word behind a flag is.
#[derive(Clone, Copy)]
enum Says {
    User,
    Secret,
    /// User and secret with this sign between them; without it, a user.
    Login(u8),
}

/// How a command is told its secrets.
struct Rule {
    commands: &'static [&'static str],
    flags: &'static [&'static str],
    says: Says,
    /// The value may follow the flag without a blank.
    glued: bool,
}

const fn rule(commands: &'static [&'static str], flags: &'static [&'static str], says: Says, glued: bool) -> Rule {
    Rule { commands, flags, says, glued }
}

const MYSQL: &[&str] =
    &["mysql", "mysqldump", "mysqladmin", "mysqlimport", "mysqlcheck", "mysqlshow", "mariadb", "xtrabackup"];
const MONGO: &[&str] = &["mongo", "mongosh", "mongodump", "mongorestore", "mongoexport", "mongoimport"];
const SNMP: &[&str] = &["snmpwalk", "snmpget", "snmpset", "snmpbulkwalk", "snmptrap", "snmpgetnext", "snmptable"];
const LDAP: &[&str] = &["ldapsearch", "ldapmodify", "ldapadd", "ldapdelete", "ldapwhoami", "ldappasswd", "ldapcompare"];
const SMB: &[&str] = &["smbclient", "rpcclient", "smbmap", "smbget", "winexe", "net", "nmblookup"];

const RULES: &[Rule] = &[
    rule(MYSQL, &["-p"], Says::Secret, true),
    rule(MYSQL, &["-u"], Says::User, true),
    rule(MONGO, &["-p"], Says::Secret, true),
    rule(MONGO, &["-u"], Says::User, true),
    rule(&["psql", "pg_dump", "pg_restore", "createdb", "dropdb"], &["-U"], Says::User, true),
    rule(&["curl"], &["-u", "--user", "-U", "--proxy-user"], Says::Login(b':'), true),
    rule(&["curl"], &["--oauth2-bearer", "--pass", "--proxy-pass"], Says::Secret, false),
    rule(&["sshpass"], &["-p"], Says::Secret, true),
    rule(&["plink", "pscp", "psftp", "putty"], &["-pw"], Says::Secret, false),
    rule(&["ssh", "scp", "sftp"], &["-l"], Says::User, false),
    rule(SMB, &["-U", "--user"], Says::Login(b'%'), false),
    rule(LDAP, &["-w", "-a", "-s"], Says::Secret, false),
    rule(SNMP, &["-c", "-A", "-X"], Says::Secret, false),
    rule(&["redis-cli"], &["-a", "--pass"], Says::Secret, false),
    rule(&["docker", "podman", "helm", "az", "oc", "skopeo", "buildah"], &["-p"], Says::Secret, false),
    rule(&["docker", "podman", "helm", "az", "oc", "skopeo", "buildah"], &["-u"], Says::User, false),
    rule(
        &["rdesktop", "psexec", "schtasks", "sqlcmd", "osql", "bcp", "isql"],
        &["-p", "-P", "/rp", "/p"],
        Says::Secret,
        false,
    ),
    rule(&["rdesktop", "psexec", "sqlcmd", "osql", "bcp", "isql"], &["-u", "-U"], Says::User, false),
    rule(&["ipmitool"], &["-P", "-K", "-k"], Says::Secret, false),
    rule(&["ipmitool"], &["-U"], Says::User, false),
    rule(&["openssl"], &["-passin", "-passout", "-pass"], Says::Login(b':'), false),
    rule(&["openssl"], &["-k", "-K"], Says::Secret, false),
    rule(&["zip", "unzip"], &["-P"], Says::Secret, true),
    rule(
        &["keytool", "jarsigner"],
        &["-storepass", "-keypass", "-deststorepass", "-srcstorepass"],
        Says::Secret,
        false,
    ),
    rule(&["svn", "hg"], &["--password"], Says::Secret, false),
    rule(&["mosquitto_pub", "mosquitto_sub", "lftp"], &["-P"], Says::Secret, false),
];

/// The commands' names as words.
pub(super) const COMMANDS: [&str; 59] = [
    "mysql",
    "mysqldump",
    "mysqladmin",
    "mysqlimport",
    "mysqlcheck",
    "mysqlshow",
    "mariadb",
    "xtrabackup",
    "mongo",
    "mongosh",
    "mongodump",
    "mongorestore",
    "mongoexport",
    "mongoimport",
    "psql",
    "dump",
    "restore",
    "createdb",
    "dropdb",
    "curl",
    "sshpass",
    "plink",
    "pscp",
    "psftp",
    "putty",
    "ssh",
    "scp",
    "sftp",
    "smbclient",
    "rpcclient",
    "smbmap",
    "smbget",
    "winexe",
    "net",
    "nmblookup",
    "ldapsearch",
    "ldapmodify",
    "ldapadd",
    "ldapdelete",
    "ldapwhoami",
    "ldappasswd",
    "ldapcompare",
    "snmpwalk",
    "snmpget",
    "snmpset",
    "snmpbulkwalk",
    "cli",
    "docker",
    "podman",
    "helm",
    "az",
    "oc",
    "psexec",
    "sqlcmd",
    "ipmitool",
    "openssl",
    "zip",
    "keytool",
    "svn",
];

/// Farthest that a flag may be from its command.
const FARTHEST: usize = 512;

/// Looks at the flags of the command whose last word is at `start..end`.
pub(super) fn command(text: &[u8], start: usize, end: usize, word: &[u8], hits: &mut Hits) {
    // `redis-cli`, `pg_dump`
    let start = text::run_back(text, start.saturating_sub(16), start, IDENT);
    let mut after = end;
    if text[end..].len() > 4 && text[end..end + 4].eq_ignore_ascii_case(b".exe") {
        after += 4;
    }
    if byte(text, after) != b' '
        || !matches!(
            before(text, 0, start),
            b' ' | b'\t'
                | b'\n'
                | b'/'
                | b'\\'
                | b'"'
                | b'\''
                | b'`'
                | b'('
                | b'['
                | b'='
                | b';'
                | b'|'
                | b'&'
                | b'$'
                | b'#'
                | b'>'
        )
    {
        return;
    }
    let name = &text[start..end];
    if word == b"net" {
        net_use(text, after, hits);
    }
    let mut rules = RULES
        .iter()
        .filter(|rule| rule.commands.iter().any(|command| name.eq_ignore_ascii_case(command.as_bytes())))
        .peekable();
    if rules.peek().is_none() {
        return;
    }
    let rules: Vec<_> = rules.collect();
    let most = text.len().min(after + FARTHEST);
    let mut at = after;
    while at < most {
        at = text::run(text, at, SPACE);
        if !matches!(byte(text, at), b'-' | b'/') {
            let next = shell_word(text, at).0;
            if next == at {
                return; // `|`, `;` and the end of the line
            }
            at = next;
            continue;
        }
        let stop = text[at..]
            .iter()
            .position(|b| is(*b, SPACE) || matches!(b, b'=' | b'"' | b'\''))
            .map_or(text.len(), |l| at + l);
        let mut next = stop.max(at + 1);
        for rule in &rules {
            for flag in rule.flags {
                let written = &text[at..stop];
                let from = if written == flag.as_bytes() {
                    stop + usize::from(matches!(byte(text, stop), b'=')) + usize::from(byte(text, stop) == b' ')
                } else if rule.glued && flag.len() == 2 && written.starts_with(flag.as_bytes()) {
                    at + 2
                } else {
                    continue;
                };
                // A quotation right behind the flag is its value: `-p'x'`.
                let (after, from, to) = shell_word(text, from.min(text.len()));
                if from < to && (from == at + 2 || !text[from..to].starts_with(b"-")) {
                    told(text, from, to, rule.says, hits);
                    next = after;
                }
            }
        }
        at = next;
    }
}

fn told(text: &[u8], from: usize, to: usize, says: Says, hits: &mut Hits) {
    let (user, secret) = match says {
        Says::User => (from..to, to..to),
        Says::Secret => (to..to, from..to),
        Says::Login(joint) => match memchr::memchr(joint, &text[from..to]) {
            Some(length) => (from..from + length, from + length + 1..to),
            None => (from..to, to..to),
        },
    };
    // `docker run -p 8080:80`
    let ports = text[secret.clone()].iter().all(|&b| is(b, DIGIT) || matches!(b, b':' | b'.' | b'/'))
        && text[secret.clone()].contains(&b':');
    // A manual's `user:password` is nobody's.
    let manual = matches!(&*text::fold(&text[user.clone()]), "user" | "username" | "email" | "login")
        && matches!(&*text::fold(&text[secret.clone()]), "password" | "pass" | "passwd" | "token");
    if manual {
        return;
    }
    if !secret.is_empty() && !ports && !is_placeholder(&text[secret.clone()]) {
        drop(secret.start, secret.end, hits);
    }
    let mut name = &text[user.clone()];
    let mut start = user.start;
    if let Some(at) = memchr::memrchr(b'\\', name) {
        start += at + 1;
        name = &name[at + 1..];
    }
    let folded = text::fold(name);
    // `openssl -passin pass:x` has a word for where the secret comes from.
    let source =
        matches!(says, Says::Login(b':')) && matches!(folded.as_str(), "pass" | "env" | "file" | "fd" | "stdin");
    let named =
        name.len() >= 2 && name.iter().all(|&b| is(b, IDENT | WORD)) && !folded.chars().all(|c| c.is_ascii_digit());
    if named && !source && !is_system_user(&folded) && !is_no_value(&folded) && !is_placeholder(name) {
        hits.push(start, user.end, Category::User, Form::Text(Group::User), rank::KEYED);
    }
}

/// `net use X: \\server\share geh3im /user:AMT\otti`
fn net_use(text: &[u8], after: usize, hits: &mut Hits) {
    let at = text::run(text, after, SPACE);
    let (mut at, from, to) = shell_word(text, at);
    if !text[from..to].eq_ignore_ascii_case(b"use") {
        return;
    }
    let mut share = false;
    for _ in 0..6 {
        let (next, from, to) = shell_word(text, text::run(text, at, SPACE));
        let word = &text[from..to];
        if word.is_empty() {
            return;
        }
        if share && !word.starts_with(b"/") && word != b"*" && !is_placeholder(word) {
            return drop(from, to, hits);
        }
        share = share || word.starts_with(b"\\\\");
        at = next;
    }
}

/// `--db-password geh3im`, `-ClientSecret 'geh3im'`: a flag whose name is that of a secret, for the word at its end.
pub(super) fn flag(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    if !matches!(byte(text, end), b' ' | b'\t') {
        return;
    }
    let begin = text::run_back(text, start.saturating_sub(48), start, IDENT);
    let dashes = text[begin..start].iter().take_while(|&&b| b == b'-').count();
    let key = &text[begin + dashes..end];
    let place = matches!(before(text, 0, begin), b' ' | b'\t' | b'\n' | b'"' | b'\'' | b'[' | b',' | b'`' | b'(');
    if !(1..=2).contains(&dashes) || !place || !(keys::is_secret_key(key) || keys::may_be_secret_key(key)) {
        return;
    }
    let from = text::run(text, end, SPACE);
    let (_, from, to) = shell_word(text, from);
    let value = &text[from..to];
    // A dash alone, another flag, or the sentence of a manual: `--password  ask for it`.
    let wide = from - end > 1 && !matches!(before(text, 0, from), b'"' | b'\'');
    if value.is_empty() || value.starts_with(b"-") || is_placeholder(value) || wide {
        return;
    }
    let quoted = matches!(before(text, 0, from), b'"' | b'\'');
    let word = value.iter().all(u8::is_ascii_lowercase) && crate::redact::common::is_common(&text::fold(value));
    if quoted || !word {
        drop(from, to, hits);
    }
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn what_commands_are_told_goes() {
        finds("mysql -u otti -pgeh3im shop", &[("otti", "user"), ("geh3im", "secret")]);
        finds("mysqldump -uotti -p'geh 3im' shop", &[("otti", "user"), ("geh 3im", "secret")]);
        finds("mongodump -u otti -p geh3im", &[("otti", "user"), ("geh3im", "secret")]);
        finds("+ curl -s -u otti:geh3im https://localhost", &[("otti", "user"), ("geh3im", "secret")]);
        finds("curl -u \":geh3im\" https://localhost", &[("geh3im", "secret")]);
        finds("sshpass -p geh3im ssh root@localhost", &[("geh3im", "secret")]);
        finds("smbclient //localhost/x -U otti%geh3im", &[("otti", "user"), ("geh3im", "secret")]);
        finds("ldapsearch -x -D cn=admin -w geh3im", &[("geh3im", "secret")]);
        finds("snmpwalk -v2c -c s3hrgeheim localhost", &[("s3hrgeheim", "secret")]);
        finds("redis-cli -a geh3im ping", &[("geh3im", "secret")]);
        finds("tool --db-password geh3im --verbose", &[("geh3im", "secret")]);
        finds("Set-X -ClientId 'fake' -ClientSecret 'g3h.im~x'", &[("g3h.im~x", "secret")]);
        finds("exec [\"app\", \"--api-key\", \"x\"] --api-key Zk39aBq1", &[("Zk39aBq1", "secret")]);
        finds(r"net use X: \\localhost\share geh3im /user:AMT\otti", &[("geh3im", "secret"), ("otti", "user")]);
        finds("openssl rsa -passin pass:geh3im -in x", &[("geh3im", "secret")]);
        finds("PGPASSWORD=geh3im psql -U otti", &[("geh3im", "secret"), ("otti", "user")]);
    }

    #[test]
    fn commands_without_secrets_stay() {
        for line in [
            "mysql -p",
            "mysql -u root -p",
            "cp -p a b",
            "ssh -p 22 localhost",
            "mkdir -p /var/lib/x",
            "docker run -p 8080:80 -u 1000 nginx",
            "curl -u \"$USER:$PASS\" https://localhost",
            "tool --password <password>",
            "tool --token ${TOKEN}",
            "  --password   ask for the password",
            "use the --password option",
            "net start spooler",
            "--no-password prompt",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
