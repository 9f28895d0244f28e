//! Traps of shapes, columns and records: what goes only because of what stands around it, and beside each rule what looks
//! alike and stays.

use tarseal::redact::{Redactor, Rules, Survey};

use crate::{item, key, read, survey};

/// A file that is redacted by itself: its path, its text, what must vanish, what must stay.
struct Case(&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

/// A file that stays byte for byte.
const fn stays(path: &'static str, text: &'static str) -> Case {
    Case(path, text, &[], &[])
}

/// Redacts a file in whole, in small chunks and again; gives what comes out and what is wrong with it.
fn complaints(Case(path, text, gone, kept): &Case) -> Vec<String> {
    let rules = Rules::default();
    let items = [item(path, text.as_bytes())];
    let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key());
    let out = match read(&redactor, &items[0]) {
        Ok((out, _)) => String::from_utf8(out).unwrap(),
        Err(error) => return vec![format!("{text:?} is refused: {error}")],
    };
    let mut wrong = Vec::new();
    wrong.extend(gone.iter().filter(|value| out.contains(**value)).map(|value| format!("{value:?} is readable")));
    wrong.extend(kept.iter().filter(|value| !out.contains(**value)).map(|value| format!("{value:?} is lost")));
    if gone.is_empty() && out != *text {
        wrong.push(format!("{text:?} should stay"));
    }
    for size in [1, 40] {
        let mut survey = Survey::new(&rules).with_chunk_size(size);
        survey.learn_path(&items[0].path);
        survey.read(&items[0]).unwrap();
        let small = Redactor::new(rules.clone(), survey.finish(), key()).with_chunk_size(size);
        match read(&small, &items[0]) {
            Ok((other, _)) if other == out.as_bytes() => {}
            Ok((other, _)) => wrong.push(format!("chunks of {size} give {:?}", String::from_utf8_lossy(&other))),
            Err(error) => wrong.push(format!("chunks of {size}: {error}")),
        }
    }
    match read(&redactor, &item(path, out.as_bytes())) {
        Ok((twice, _)) if twice == out.as_bytes() => {}
        Ok((twice, _)) => wrong.push(format!("redacting twice gives {:?}", String::from_utf8_lossy(&twice))),
        Err(error) => wrong.push(format!("redacting twice: {error}")),
    }
    if !wrong.is_empty() {
        wrong.push(format!("in {out:?}"));
    }
    wrong
}

#[track_caller]
fn holds(cases: &[Case]) {
    let failed: Vec<String> =
        cases.iter().map(|case| complaints(case).join("; ")).filter(|all| !all.is_empty()).collect();
    assert!(failed.is_empty(), "{} cases do not hold:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn keys_of_media_go_and_their_suites_stay() {
    const KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
    holds(&[
        Case(
            "log",
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4\r\n",
            &[KEY],
            &["a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:", "|2^20|1:4\r\n"],
        ),
        Case(
            "log",
            "Detail=\"v=0^Ma=crypto:2 AEAD_AES_256_GCM inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj^Ma=sendrecv\"\n",
            &[KEY],
            &["AEAD_AES_256_GCM", "a=sendrecv"],
        ),
        Case(
            "log",
            "{\"sdp\":\"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\\r\\na=x\"}\n",
            &[KEY],
            &["\\r\\na=x\"}"],
        ),
        stays(
            "log",
            "Content-Disposition: inline; filename=report.pdf\nbundle inline:allTheAttributesOfAnElementStay\n",
        ),
        stays("log", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:\na=key-mgmt:mikey\n"),
    ]);
}

#[test]
fn attributes_of_saml_and_pairs_of_elements_say_what_their_values_are() {
    holds(&[
        Case(
            "log",
            "<saml:Attribute Name=\"displayName\"><saml:AttributeValue>Ana Krol</saml:AttributeValue></saml:Attribute>\n",
            &["Ana", "Krol"],
            &["<saml:AttributeValue>", "</saml:AttributeValue>"],
        ),
        Case(
            "assertion.xml",
            "<?xml version=\"1.0\"?>\n<Attribute Name=\"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname\">\n  <AttributeValue>Krol</AttributeValue>\n</Attribute>\n<Attribute Name=\"role\">\n  <AttributeValue>chairman of boards</AttributeValue>\n</Attribute>\n",
            &["Krol"],
            &["claims/surname", "chairman of boards"],
        ),
        Case("log", "<NameID>GOV\\mvdberghe</NameID> <n>1</n>\n", &["mvdberghe"], &["<n>1</n>"]),
        Case(
            "log",
            "<entry><key>password</key><value>Geheim77</value></entry>\n",
            &["Geheim77"],
            &["<key>password</key>"],
        ),
        stays(
            "log",
            "<NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:transient\">_ce3d2948b4cf20146dee</NameID>\n",
        ),
        stays(
            "log",
            "<entry><key>timeout</key><value>Geheim77</value></entry><Attribute Name=\"role\"><AttributeValue>host</AttributeValue></Attribute>\n",
        ),
        stays(
            "hadoop.xml",
            "<configuration>\n<property>\n<name>io.file.buffer.size</name>\n<value>131072</value>\n</property>\n</configuration>\n",
        ),
    ]);
}

#[test]
fn what_a_proxy_logs_before_the_time_is_no_user() {
    holds(&[
        Case(
            "log",
            "haproxy[4411]: 198.51.100.9:51234 [21/Nov/2026:14:20:01.123] https~ web/web03 0/0/1/12/13 200 512 - - ---- 1/1/0/0/0 0/0 \"GET / HTTP/1.1\"\n",
            &["198.51.100.9", "user-"],
            &[":51234 [21/Nov/2026", "web/web03 0/0/1/12/13"],
        ),
        Case(
            "log",
            "haproxy[4411]: [2a02:7:8::9]:51234 [21/Nov/2026:14:20:01.123] x\n",
            &["2a02:7:8::9", "user-"],
            &["]:51234 [21/Nov"],
        ),
        stays("log", "haproxy[4411]: unix:1 [21/Nov/2026:14:20:01.123] x\n"),
        Case(
            "log",
            "198.51.100.9 - mvdberghe [21/Nov/2026:14:20:01 +0000] \"GET / HTTP/1.1\" 200\n",
            &["mvdberghe"],
            &[" - user-1 ["],
        ),
        Case(
            "log",
            "198.51.100.9 - gov:77 [21/Nov/2026:14:20:01 +0000] \"GET / HTTP/1.1\" 200\n",
            &["gov:77"],
            &["GET /"],
        ),
    ]);
}

#[test]
fn groups_and_issuers_of_certificates_are_no_people() {
    holds(&[
        stays("log", "issuer=CN=DigiCert TLS RSA SHA256 2020 CA1,O=DigiCert Inc,C=US\n"),
        stays("log", "CN=R3,O=Let's Encrypt,C=US and CN=ISRG Root X1,O=Internet Security Research Group,C=US\n"),
        stays("log", "memberOf: cn=video-admins,ou=groups\nmemberOf: CN=Domain Admins,CN=Users,DC=gov\n"),
        stays("log", "search base cn=video-admins,ou=groups,dc=gov found 3\n"),
        Case("log", "bind CN=Ana Krol,OU=Staff,DC=gov\n", &["Ana", "Krol"], &["OU=Staff"]),
        Case(
            "log",
            "client certificate CN=Ana Krol,O=Ministry,C=BE accepted\n",
            &["Ana", "Krol"],
            &["O=Ministry,C=BE"],
        ),
        Case(
            "log",
            "CN=Ana Krol,OU=people,DC=gov memberOf: cn=video-admins,ou=groups,dc=gov\n",
            &["Ana", "Krol"],
            &["cn=video-admins,ou=groups"],
        ),
        Case("log", "uid=akrol,ou=people,dc=gov\n", &["akrol"], &["ou=people"]),
    ]);
}

#[test]
fn accounts_of_programs_do_not_eat_their_names() {
    holds(&[
        stays("log", "DB_USER=keycloak\nINFO org.keycloak.events started keycloak-25.0.jar\n"),
        stays("log", "user=jitsi\nuser=synapse\nowner=bigbluebutton\njitsi-videobridge2 bigbluebutton-html5\n"),
        stays(
            "log",
            "alias=eth0\neth0 link up\nalias=enp0s31f6\nhandle=0x7f3a11\nowner=\"ReplicaSet\"\nowner=1000:1000\nuser=%u\n",
        ),
        Case(
            "log",
            "XMPP_SERVER: prosody.video.svc.gov.example\nsystemctl restart prosody\n",
            &["svc.gov"],
            &["restart prosody"],
        ),
        Case("log", "user=etharp\nalias=brigitte\nhandle=anna_k\n", &["etharp", "brigitte", "anna_k"], &["alias="]),
    ]);
}

#[test]
fn a_name_is_a_persons_where_its_neighbours_say_so() {
    holds(&[
        Case("log", "{\"userId\":\"u1\",\"name\":\"Paweł Kowalczyk\"}\n", &["Paweł", "Kowalczyk"], &["{\"userId\":\""]),
        Case(
            "log",
            "{\"name\":\"Paweł Kowalczyk\",\"email\":\"pk@gov.example\"}\n",
            &["Paweł", "Kowalczyk"],
            &["\"email\""],
        ),
        Case(
            "log",
            "{\"first_name\":\"Paweł\",\"name\":\"Kowalczyk\"}\nKowalczyk left\n",
            &["Paweł", "Kowalczyk"],
            &[" left"],
        ),
        Case(
            "log",
            "User joined: {\"meetingId\":\"77ab\",\"extUserId\":\"pkowalczyk\",\"name\":\"Paweł Kowalczyk-Zając\",\"role\":\"VIEWER\"}\n",
            &["pkowalczyk", "Paweł", "Zając"],
            &["\"meetingId\":\"77ab\"", "\"role\":\"VIEWER\""],
        ),
        Case(
            "log",
            "{\"members\":[{\"name\":\"Paweł Kowalczyk\"}],\"guests\":[{\"name\":\"Ana Krol\"}],\"admins\":[{\"name\":\"Bo Ekström\"}],\"users\":[{\"name\":\"akrol\"}]}\n",
            &["Paweł", "Kowalczyk", "Krol", "Ekström", "akrol"],
            &["\"members\":[{\"name\":"],
        ),
        Case(
            "log",
            "created name=\"Paweł Kowalczyk\" email=\"pk@gov.example\" quota=17\n",
            &["Paweł", "Kowalczyk"],
            &["quota=17"],
        ),
        Case("a.toml", "[[users]]\nname = \"Torben Quist\"\nquota = 5\n", &["Torben", "Quist"], &["quota = 5"]),
        Case(
            "a.yaml",
            "maintainers:\n  - name: Torben Quist\n    email: tq@gov.example\nn: 5\n",
            &["Torben", "Quist"],
            &["n: 5"],
        ),
        Case(
            "a.json",
            "{\n  \"guests\": [\n    {\n      \"name\": \"Torben Quist\"\n    }\n  ]\n}\n",
            &["Torben", "Quist"],
            &["\"guests\": ["],
        ),
        stays(
            "log",
            "{\"name\":\"portal-worker\",\"hostname\":\"\",\"pid\":77,\"level\":30,\"msg\":\"ready\",\"v\":0}\n",
        ),
        stays("log", "{\"members\":[{\"name\":\"etcd-1\",\"peerURLs\":[]},{\"name\":\"etcd-2\"}]}\n"),
        stays("log", "{\"name\":\"Weekly Meeting\",\"role\":\"room\"} {\"name\":\"H264\",\"role\":\"codec\"}\n"),
        stays("log", "{\"name\":\"Torben Quist\",\"n\":1} name=\"Torben Quist\" n=1\n"),
        stays("log", "{\"systems\":[{\"name\":\"Torben Quist\"}],\"codecs\":[\"Opus\"]}\n"),
        stays("a.toml", "[[rooms]]\nname = \"Torben Quist\"\n"),
    ]);
}

#[test]
fn the_columns_of_statements_say_what_their_values_are() {
    holds(&[
        Case(
            "log",
            "INSERT INTO users (id, username, first_name, last_name, codec, pin) VALUES (1,'hkarlsen','Håkon','Karlsen','Opus','4711');\n",
            &["hkarlsen", "Håkon", "Karlsen", "4711"],
            &["INSERT INTO users (id, username, first_name, last_name, codec, pin) VALUES (1,'", "'Opus'"],
        ),
        Case(
            "log",
            "INSERT INTO users (id, username, codec) VALUES\n (1,'hkarlsen','Opus'),\n (2,'akrol','H264');\nnext ('akrolina')\n",
            &["hkarlsen", "akrol'"],
            &["'Opus'", "'H264'", "next ('akrolina')"],
        ),
        Case(
            "log",
            "COPY public.users (id, username, last_name, codec) FROM stdin;\n1\thkarlsen\tKarlsen\tOpus\n2\t\\N\tKrol\tH264\n\\.\n3\tx\ty\tz\n",
            &["hkarlsen", "Karlsen", "Krol"],
            &["\tOpus\n2\t\\N\t", "\tH264\n\\.\n3\tx\ty\tz\n"],
        ),
        Case(
            "dump.sql",
            "CREATE TABLE `users` (\n  `id` int NOT NULL,\n  `name` varchar(255),\n  `pin` int,\n  PRIMARY KEY (`id`)\n);\nLOCK TABLES `users` WRITE;\nINSERT INTO `users` VALUES (1,'Håkon Karlsen','4711'),(2,'akrol','0815');\n",
            &["Håkon", "Karlsen", "4711", "akrol", "0815"],
            &["`name` varchar(255)", "LOCK TABLES `users` WRITE;"],
        ),
        Case(
            "log",
            "ERROR:  duplicate key\nDETAIL:  Key (username)=(wgombrowicz) already exists.\n",
            &["wgombrowicz"],
            &[") already exists."],
        ),
        Case(
            "log",
            "LOG:  statement: INSERT INTO app.users(email, first_name) VALUES ('', 'Håkon')\n",
            &["Håkon"],
            &["LOG:  statement"],
        ),
        stays(
            "log",
            "INSERT INTO codecs (id, name) VALUES (1,'Opus'),(2,'H264');\nINSERT INTO users VALUES (1,'x');\n",
        ),
        stays("log", "COPY codecs (id, name) FROM stdin;\n1\tOpus\n\\.\nDETAIL:  Key (id)=(7) already exists.\n"),
        stays("log", "COPY users (username, codec) TO stdout;\nwords\there\n"),
        stays(
            "log",
            "Insert into the slot (username, codec) what you like\nINSERT INTO users (username, codec)\nSELECT a, b FROM c;\n",
        ),
    ]);
}

#[test]
fn settings_in_yaml_and_toml_can_still_be_read() {
    use saphyr::LoadableYamlNode as _;
    for text in [
        "secret: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  313733613862633161\nn: 1\n",
        "password: &pw \"Geheim77x\"\nother_password: *pw\n",
        "password: !!str Geheim77x\nroom: {size: 4, pin: 4711}\n",
    ] {
        holds(&[Case("a.yaml", text, &["Geheim77x", "313733613862633161", "4711"], &[])]);
        let out = redact_file("a.yaml", text);
        assert!(saphyr::Yaml::load_from_str(&out).is_ok_and(|all| all.len() == 1), "{out}");
    }
    let text = "pin = 4711 # of the room\nbirth_date = 1990-01-02\npins = [4712, 4713]\nadmin_password = \"\"\"\nGeheim\n77x\"\"\"\n\n[users]\nlevel = 4\nuser = { level = 5, birth_date = 1990-01-03 }\n";
    let gone = &["4711", "1990-01-02", "1990-01-03", "Geheim", "77x"];
    holds(&[Case("a.toml", text, gone, &["level = 4", "user = { level = 5,"])]);
    let out = redact_file("a.toml", text);
    assert!(out.parse::<toml::Table>().is_ok(), "{out}");
}

#[test]
fn computers_beside_their_addresses_and_ports_go() {
    holds(&[
        Case(
            "log",
            "postfix/smtpd[77]: connect from laptop-akrol.gov.example[198.51.100.7]\nclient=ws17.gov.example[198.51.100.7], sasl\n",
            &["laptop-akrol", "gov.example", "ws17", "198.51"],
            &["postfix/smtpd[77]: connect from ", ", sasl"],
        ),
        Case("log", "proto=ESMTP helo=<laptop-akrol>\n", &["laptop-akrol"], &["proto=ESMTP helo=<"]),
        Case(
            "log",
            "Received: from ws17 (ws17.gov.example [198.51.100.7])\n",
            &["ws17", "gov.example"],
            &["Received: from "],
        ),
        Case(
            "log",
            "sshd[7]: Failed password for root from ws17.gov.example port 22 ssh2\n",
            &["ws17", "gov.example"],
            &[" port 22 ssh2"],
        ),
        stays(
            "log",
            "connect from unknown[127.0.0.1]\nread from list[3]\nframe from uplink port 7\nswitch from main.rs to lib.rs\n",
        ),
        stays("log", "see https://docs.pexip.com/admin/x.htm and https://bugs.debian.org/77\n"),
    ]);
}

#[test]
fn sentences_about_calls_tell_names() {
    holds(&[
        Case(
            "log",
            "participant \"Nguyễn Thị Hoa\" joined\nMember [Vesna Šarić] joined\nParticipant 'Ana Krol' has left\n",
            &["Nguyễn", "Hoa", "Vesna", "Šarić", "Krol"],
            &["participant \"", "Member [", "' has left"],
        ),
        Case(
            "log",
            "Registered SIP 'hpetursdottir'\nPeer 'akrol' is now Reachable\nManager 'vsaric' logged on\nGECOS to 'Björn Gustafsson'\nTel. 02 555 01 42\n",
            &["hpetursdottir", "akrol", "vsaric", "Björn", "Gustafsson", "555 01 42"],
            &["' is now Reachable", "' logged on", "Tel. "],
        ),
        stays(
            "log",
            "participant [3fa2bc11] joined\nmember 'etcd-1' joined\nMember [Primary] joined\nRegistered SIP '7041'\nTel. 7\n",
        ),
    ]);
}

#[test]
fn cards_invitations_and_keys_over_lines_go() {
    holds(&[
        Case(
            "log",
            "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Kr=C3=B3l;Jad=C5=BCa\nFN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Jad=C5=BCa Kr=C3=B3l\nEND:VCARD\n",
            &["Kr=C3=B3l", "Jad=C5=BC"],
            &["VERSION:2.1"],
        ),
        Case(
            "a.ics",
            "BEGIN:VCALENDAR\nATTENDEE;CN=Wei Zh\n angwen;ROLE=CHAIR:mailto:\nX-MS-OLK-SENDER;CN=\"Bo Ekström\":mailto:\nEND:VCALENDAR\n",
            &["Wei", "angwen", "Ekström"],
            &[";ROLE=CHAIR:"],
        ),
        Case(
            "log",
            "Private-Lines: 1\nAAAAgQCx7Zk3\nPrivate-MAC: 77af\nlevel\n",
            &["AAAAgQCx7Zk3"],
            &["Private-MAC", "\nlevel\n"],
        ),
        Case(
            "log",
            "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: \"x\"\nP2/56wAAAgIAAAAm\n---- END SSH2 ENCRYPTED PRIVATE KEY ----\nlevel\n",
            &["P2/56wAAAgIAAAAm"],
            &["\nlevel\n"],
        ),
        stays(
            "log",
            "Private-Lines: unknown\nlevel\n---- BEGIN SSH2 PUBLIC KEY ----\nAAAAB3Nz\n---- END SSH2 PUBLIC KEY ----\n",
        ),
    ]);
}

fn redact_file(path: &str, text: &str) -> String {
    let rules = Rules::default();
    let items = [item(path, text.as_bytes())];
    let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key());
    String::from_utf8(read(&redactor, &items[0]).unwrap().0).unwrap()
}
