//! Secrets and names at the door: what goes stays gone, redacting twice changes nothing, and ordinary words stay.

use tarseal::redact::{Redactor, Rules};

use super::{item, key, read, redact_one, survey};

/// A text redacted, and redacted once more by the same redactor.
fn twice(text: &str) -> (String, String) {
    let items = [item("log", text.as_bytes())];
    let redactor = Redactor::new(Rules::default(), survey(&Rules::default(), &items).unwrap(), key());
    let once = read(&redactor, &items[0]).unwrap().0;
    let again = read(&redactor, &item("log", &once)).unwrap().0;
    (String::from_utf8(once).unwrap(), String::from_utf8(again).unwrap())
}

/// Lines with a secret or a user in them, and what must be gone. Hashes and tokens are put together here, so that no file
/// holds what looks like one.
fn lines() -> Vec<(String, &'static str)> {
    let dollar = '$';
    let given = [
        ("mysql -u otti9 -pgeh3im shop", "geh3im"),
        ("mysql -u otti9 -p geh3im shop", "otti9"),
        ("curl -u otti9:geh3im https://localhost/", "geh3im"),
        ("tool --db-password 'geh3im x' --verbose", "geh3im"),
        ("dsn otti9:geh3im@tcp(127.0.0.1:3306)/shop", "geh3im"),
        ("redis://:geh3im@localhost:6379/0", "geh3im"),
        ("snmp-server community geh3im RO", "geh3im"),
        (" enable password 7 0822455D0A16", "0822455D0A16"),
        ("username otti9 password geh3im", "geh3im"),
        ("CREATE USER x IDENTIFIED BY 'geh3im'", "geh3im"),
        ("proftpd: command PASS geh3im", "geh3im"),
        ("C: AUTH PLAIN AG90dGkAZ2VoM2lt", "AG90dGkAZ2VoM2lt"),
        ("Authorization: Digest username=\"otti9\", nonce=\"aZ19\", response=\"6629fae49393a053\"", "6629fae49393a053"),
        ("<Data Name=\"TargetUserName\">otti9</Data>", "otti9"),
        ("{\"name\":\"DB_PASSWORD\",\"value\":\"geh3im\"}", "geh3im"),
        ("  - name: DB_PASSWORD\n    value: geh3im", "geh3im"),
        ("userPassword:: Z2VoM2ltZ2VoM2lt", "Z2VoM2ltZ2VoM2lt"),
        ("password := \"geh3im\"", "geh3im"),
        ("imap-login: Login: user=<otti9>, method=PLAIN", "otti9"),
        ("smbd_audit: otti9|127.0.0.1|share|open", "otti9"),
        ("rsync: otti9@localhost:/srv/x", "otti9"),
        ("otti9   pts/0        127.0.0.1        Sat Nov 21 14:20", "otti9"),
        ("chown -R otti9:otti9 /srv/x", "otti9"),
        ("otti9's iPad joined", "otti9"),
    ];
    let mut lines: Vec<_> = given.into_iter().map(|(line, gone)| (line.to_owned(), gone)).collect();
    lines.push((
        format!("otti9:{dollar}6{dollar}saltsalt{dollar}KqJWpanXZHKq2BOB43TSaYhE:19000:0:99999:7:::"),
        "KqJWpanXZHKq",
    ));
    lines.push((format!("token {}{} x", "ghp_", "a1B2c3D4e5F6".repeat(3)), "a1B2c3D4e5F6"));
    lines
}

#[test]
fn secrets_and_users_go_and_redacting_again_changes_nothing() {
    for (line, gone) in lines() {
        let (out, again) = twice(&format!("{line}\n"));
        assert!(!out.contains(gone), "{out}");
        assert_eq!(again, out);
    }
}

#[test]
fn code_and_configuration_without_secrets_stay_as_they_are() {
    for text in [
        "let password = request.header(\"X-Password\");\n",
        "password: ${DB_PASSWORD}\ntoken: {{ vault.token }}\n",
        "def login(user_name: str, password: str) -> Token:\n    self.password = password\n",
        "    at com.example.auth.TokenFilter.doFilter(TokenFilter.java:41)\n",
        "ssl_certificate_key /etc/ssl/private/x.key;\n",
        "usage: tool --password <password> --token TOKEN_FILE\n",
        "SELECT key, value FROM settings WHERE key = 'theme'\n",
    ] {
        assert_eq!(redact_one(text), text);
    }
}

#[test]
fn a_name_that_is_an_ordinary_word_of_the_input_stays_a_word() {
    let mut text = String::from("Participant=\"Quill Sedgewick\"\n");
    for n in 0..40 {
        for word in ["old", "new", "red", "long", "thin", "grey", "soft", "wet"] {
            let side = ["ends", "dries", "breaks", "writes", "bends", "falls", "rests", "turns"][n % 8];
            text += &format!("{n} the {word} quill {side} and every {word}{n} quill lies here\n");
        }
    }
    let (out, again) = twice(&text);
    assert!(!out.contains("Sedgewick"), "{}", &out[..80]);
    assert!(out.contains("old quill ends"), "{}", &out[..200]);
    assert!(again == out);
}

#[test]
fn what_a_redacted_line_opens_is_open_in_the_next_chunk_too() {
    // A tag whose name goes, and lines behind it that are read as its text once it is gone.
    let text = "<dis<ppassword:key for q_name><T3R0aWxpZSBIYW~lcnNhYi\0\0\0<T3R0aWxpZSBIYWJlcnNhYXQ=/>\n\nZyxquill Canarius\n\
                zcanar77\npeer 203.0.113.77 up\nmail canary@kanarie.example sent\n";
    for text in
        [text, "<user<pass:key=1><x password=\"\n-\nanna\nberta\n", "{\"password\": [ <secret:key>\n-\nanna\nberta\n"]
    {
        let items = [item("log", text.as_bytes())];
        let learned = survey(&Rules::default(), &items).unwrap();
        let mut outputs = Vec::new();
        for size in [1, 10, 40, 113, 1 << 20] {
            let redactor = Redactor::new(Rules::default(), learned.clone(), key()).with_chunk_size(size);
            let once = read(&redactor, &items[0]).unwrap().0;
            let again = read(&redactor, &item("log", &once)).unwrap().0;
            assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&once), "in chunks of {size}");
            outputs.push(once);
        }
        assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]), "the size of chunks makes a difference");
    }
}

#[test]
fn no_line_lies_within_a_private_key_only_when_it_is_redacted_again() {
    for (text, gone) in [
        // An end behind half a label ends nothing.
        ("-----BEGIN PRIVATE KEY-[-----END PRIVATE KEY-----\nMIICdQICADANBgkqhkiG9w8Nov\n0BAQEFAASCAl8\n---\n", "0BAQ"),
        ("-----BEGIN PRIVATE KEY-[-----END PRIVATE KEY--- MIICdQICADANBgkq: \n0BAQEFAASCAl8\n---\n", "0BAQ"),
        // The end goes with a value, the line that ended a key goes whole, and what is left looks like a key's line.
        ("-----BEGIN PRIVATE KEY- password=\"-----END PRIVATE KEY-----\"\nhunter\n", "END"),
        ("-----BEGIN PRIVATE KEY-----\n$6$salt1234$Ab3dE9fGh2JkAb3dE9fGh2JkAb3dE9fGh2Jk\nhunter\n", "salt"),
        ("-----BEGIN PRIVATE KEY-----\n+49 30 901820\nhunter\n", "9018"),
        // A key begins in what stands behind a value, and what stands before a key's line is read.
        (
            "user=quirin -----BEGIN PRIVATE KEY-----\nuser=quirin MIICdQIBADANBgkqhkiG9w0BAQEFAASCAl8wggJbAgEAAoGB\n",
            "quirin",
        ),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2.2.40\n\nlQOYBGNs\n=x7Qa\n", "lQOY"),
    ] {
        let (once, again) = twice(text);
        assert!(!once.contains(gone), "{once}");
        assert_eq!(once.lines().count(), text.lines().count(), "{once}");
        assert_eq!(again, once, "from {text}");
    }
}
