//! The traps as a table: what a file says, what must vanish from it in every decoding, what must stay as it is.
//!
//! Every row is read with a small file beside it that names the people, as a support log would.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use tarseal::item::Item;
use tarseal::redact::{Redactor, Rules, Survey};

use super::open::{OPEN, PATHS};
use crate::readable::{Search, plain};
use crate::{item, key, read, survey};

/// Where the people of the table are named.
const PEOPLE: &str =
    "Participant=\"Ottilie Habersaat\"\nParticipant=\"Jörg Mühlenkamp\"\nuser=quirin7\nhostname=kolibri17\n";

pub(super) struct Trap {
    pub(super) name: &'static str,
    pub(super) bytes: Vec<u8>,
    gone: &'static [&'static str],
    kept: &'static [&'static str],
}

pub(super) fn trap(
    name: &'static str,
    text: impl AsRef<[u8]>,
    gone: &'static [&'static str],
    kept: &'static [&'static str],
) -> Trap {
    Trap { name, bytes: text.as_ref().to_vec(), gone, kept }
}

fn base64(text: impl AsRef<[u8]>) -> String {
    STANDARD.encode(text)
}

fn wrapped(text: &str, width: usize) -> String {
    let rows: Vec<&str> = text.as_bytes().chunks(width).map(|row| std::str::from_utf8(row).unwrap()).collect();
    rows.join("\n")
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

const OTTI: &[&str] = &["Ottilie", "Habersaat"];
const MAIL: &[&str] = &["otti", "amt.example", "otti@amt.example"];
const IP: &[&str] = &["198.51.100.7"];
const JOERG: &[&str] = &["Jörg", "Mühlenkamp"];

pub(super) fn traps() -> Vec<Trap> {
    let mut all = Vec::new();
    all.extend(percent());
    all.extend(base_64());
    all.extend(escapes());
    all.extend(addresses());
    all.extend(mail_and_sip());
    all.extend(paths_and_directories());
    all.extend(lines());
    all.extend(spellings());
    all.extend(structures());
    all.extend(super::keyed::traps());
    all
}

fn percent() -> Vec<Trap> {
    vec![
        trap(
            "percent: name and mail",
            "GET /join?name=Ottilie%20Habersaat&mail=otti%40amt.example&r=1 HTTP/1.1",
            &["Ottilie", "Habersaat", "otti@amt.example"],
            &["GET /join?name=", "&r=1 HTTP/1.1"],
        ),
        trap("percent: plus for a blank", "q=Ottilie+Habersaat&x=1", OTTI, &["&x=1"]),
        trap("percent: small hexadecimal", "q=j%c3%b6rg%20m%c3%bchlenkamp&x=1", JOERG, &["&x=1"]),
        trap("percent: Latin-1", "q=J%F6rg%20M%FChlenkamp&x=1", &["hlenkamp"], &["&x=1"]),
        trap(
            "percent: twice",
            "q=J%25C3%25B6rg%2520M%25C3%25BChlenkamp&m=otti%2540amt.example&x=1",
            &["Jörg", "Mühlenkamp", "otti@amt.example"],
            &["&x=1"],
        ),
        trap("percent: an address", "peer=198%2E51%2E100%2E7&x=1", IP, &["&x=1"]),
        trap("percent: version 6", "peer=%5B2a02%3A7%3A8%3A%3A9%5D&x=1", &["2a02:7:8::9"], &["&x=1"]),
        trap("percent: a hardware address", "hw=3c%3Aa8%3A2a%3A01%3A02%3A03&x=1", &["3c:a8:2a:01:02:03"], &["&x=1"]),
        trap("percent: a path", "f=%2Fhome%2Fquirin7%2Fx.log&x=1", &["quirin7"], &["x.log", "&x=1"]),
        trap("percent: a secret", "callback?access_token%3DtQ9zLw82kPmX4v&x=1", &["tQ9zLw82kPmX4v"], &["&x=1"]),
    ]
}

fn base_64() -> Vec<Trap> {
    let object = r#"{"user":"quirin7","ip":"198.51.100.7","mail":"otti@amt.example","codec":"H264"}"#;
    vec![
        trap("base64: a name", format!("blob {} end", base64("Ottilie Habersaat")), OTTI, &["blob ", " end"]),
        trap(
            "base64: not at its beginning",
            format!("blob {} end", base64("xy Ottilie Habersaat!")),
            OTTI,
            &["blob ", " end"],
        ),
        trap(
            "base64: a plus and a slash near its beginning",
            format!("blob {} {} end", base64("??> Ottilie Habersaat"), base64("??? Ottilie Habersaat")),
            OTTI,
            &["blob ", " end"],
        ),
        trap(
            "base64: an object",
            format!("{{\"payload\":\"{}\",\"n\":1}}", base64(object)),
            &["quirin7", "198.51.100.7", "otti@amt.example"],
            &["\"n\":1"],
        ),
        trap(
            "base64: for URLs, not padded",
            format!("/s/{}?r=1", URL_SAFE_NO_PAD.encode(format!("{object}??>"))),
            &["quirin7", "198.51.100.7"],
            &["?r=1"],
        ),
        trap(
            "base64: of JSON's escapes",
            format!("p={} r=1", base64(r#"{"display_name":"J\u00f6rg M\u00fchlenkamp"}"#)),
            JOERG,
            &["r=1"],
        ),
        trap("base64: twice", format!("p={} r=1", base64(base64("Ottilie Habersaat"))), OTTI, &["r=1"]),
        trap("base64: percent inside", format!("p={} r=1", base64("q=Ottilie%20Habersaat")), OTTI, &["r=1"]),
        trap(
            "base64: UTF-16 inside",
            format!("powershell -EncodedCommand {} ", base64(utf16("Get-User Ottilie Habersaat"))),
            OTTI,
            &["powershell"],
        ),
        trap(
            "base64: encoded word",
            format!("From: =?UTF-8?B?{}?= <otti@amt.example>\r\nX-N: 1\r\n", base64("Jörg Mühlenkamp")),
            &["Jörg", "Mühlenkamp", "otti@amt.example"],
            &["X-N: 1"],
        ),
        trap(
            "base64: encoded word of Latin-1",
            format!("Subject: =?iso-8859-1?B?{}?=\r\nX-N: 1\r\n", base64(b"J\xf6rg M\xfchlenkamp")),
            &["Mühlenkamp"],
            &["X-N: 1"],
        ),
        trap(
            "base64: a body in rows",
            format!(
                "Content-Transfer-Encoding: base64\r\n\r\n{}\n\nX-N: 1\n",
                wrapped(
                    &base64(
                        "Dear all, Ottilie Habersaat has left the call from 198.51.100.7 and otti@amt.example cannot be reached any more. Jörg Mühlenkamp will take over, thanks."
                    ),
                    40
                )
            ),
            &["Ottilie", "Habersaat", "198.51.100.7", "otti@amt.example", "Mühlenkamp"],
            &["X-N: 1"],
        ),
        trap(
            "base64: basic authorization",
            format!("Authorization: Basic {}\r\nX-N: 1\r\n", base64("quirin7:hunter22")),
            &["quirin7", "hunter22"],
            &["X-N: 1"],
        ),
        trap(
            "quoted-printable: encoded word",
            "From: =?UTF-8?Q?J=C3=B6rg_M=C3=BChlenkamp?= <otti@amt.example>\r\nX-N: 1\r\n",
            &["J=C3=B6rg", "M=C3=BChlenkamp", "hlenkamp", "otti@amt.example"],
            &["X-N: 1"],
        ),
        trap(
            "quoted-printable: body",
            "Hello J=C3=B6rg M=C3=BChlenkamp, and Otti=\nlie Haber=\nsaat, too.\nX-N: 1\n",
            &["hlenkamp", "Ottilie", "Habersaat"],
            &["X-N: 1"],
        ),
    ]
}

fn escapes() -> Vec<Trap> {
    vec![
        trap(r"\u: small", r#"{"m":"J\u00f6rg M\u00fchlenkamp came","n":1}"#, JOERG, &["\"n\":1"]),
        trap(r"\u: capitals", r#"{"m":"J\u00F6RG M\u00DCHLENKAMP came","n":1}"#, JOERG, &["\"n\":1"]),
        trap(
            r"\u: ASCII",
            r#"{"m":"\u004fttilie \u0048abersaat otti\u0040amt.example","n":1}"#,
            &["Ottilie", "Habersaat", "otti@amt.example"],
            &["\"n\":1"],
        ),
        trap(
            r"\u: backslash doubled",
            r#"{"m":"{\"display_name\":\"J\\u00f6rg M\\u00fchlenkamp\"}","n":1}"#,
            JOERG,
            &["\"n\":1"],
        ),
        trap(r"\x: bytes", r"b'J\xc3\xb6rg M\xc3\xbchlenkamp' n=1", JOERG, &["n=1"]),
        trap(r"\ooo: octal", r#"rename "J\303\266rg M\303\274hlenkamp.log" n=1"#, JOERG, &["n=1"]),
        trap("html: names", "<b>J&ouml;rg M&uuml;hlenkamp</b> n=1", JOERG, &["<b>", "</b> n=1"]),
        trap(
            "html: numbers",
            "<b>J&#246;rg M&#xFC;hlenkamp</b> otti&#64;amt.example n=1",
            &["Jörg", "Mühlenkamp", "otti@amt.example"],
            &["<b>", "n=1"],
        ),
        trap("html: twice", "<b>J&amp;ouml;rg M&amp;uuml;hlenkamp</b> n=1", JOERG, &["n=1"]),
        trap(
            "json in json in json",
            r#"{"a":"{\"b\":\"{\\\"display_name\\\":\\\"Zsófia Quistorp\\\",\\\"ip\\\":\\\"198.51.100.7\\\"}\"}","n":1}"#,
            &["Zsófia", "Quistorp", "198.51.100.7"],
            &["\"n\":1"],
        ),
        trap("html in percent", "q=%3Cb%3EJ%26ouml%3Brg%20M%26uuml%3Bhlenkamp%3C%2Fb%3E&n=1", JOERG, &["&n=1"]),
        trap(
            "colours within a value",
            "user=\x1b[32mquirin7\x1b[0m from \x1b[1m198.51.100.7\x1b[0m n=1",
            &["quirin7", "198.51.100.7"],
            &["n=1"],
        ),
        trap("colours within a name", "\x1b[31mOttilie\x1b[0m \x1b[31mHaber\x1b[1msaat\x1b[0m n=1", OTTI, &["n=1"]),
        trap(
            "utf-16 with a mark",
            [b"\xff\xfe".to_vec(), utf16("user=quirin7 from 198.51.100.7 Ottilie Habersaat n=1\r\n")].concat(),
            &["quirin7", "198.51.100.7", "Ottilie", "Habersaat"],
            &[],
        ),
        trap("latin-1", b"Name: J\xf6rg M\xfchlenkamp\r\nJ\xf6RG M\xdcHLENKAMP n=1\r\n", JOERG, &["n=1"]),
        trap(
            "two encodings in one file",
            b"J\xf6rg M\xfchlenkamp n=1\nJ\xc3\xb6rg M\xc3\xbchlenkamp n=2\n",
            JOERG,
            &["n=1", "n=2"],
        ),
        trap(
            "zero bytes between values",
            b"user=quirin7\0PATH=/bin\0HOME=/home/quirin7\0n=1\0\n",
            &["quirin7"],
            &["PATH=/bin", "n=1"],
        ),
    ]
}

fn addresses() -> Vec<Trap> {
    vec![
        trap("ip: hexadecimal under a key", "remote_ip=0xC6336407 src_address=c6336407 n=1", IP, &["n=1"]),
        trap(
            "ip: hexadecimal in /proc/net/tcp",
            "   0: 076433C6:1F90 0864A8C0:C350 01 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0000000000000000 100\n",
            &["198.51.100.7", "192.168.100.8"],
            &["12345 1"],
        ),
        trap("ip: mapped", "a ::ffff:198.51.100.7 b ::ffff:c633:6407 c [::ffff:198.51.100.7]:443 n=1", IP, &["n=1"]),
        trap("ip: translated", "a 64:ff9b::198.51.100.7 b 64:ff9b::c633:6407 n=1", IP, &["n=1"]),
        trap(
            "ip: zones",
            "fe80::1c2d:3e4f%eth0 [fe80::1c2d:3e4f%25eth0]:5060 n=1",
            &["fe80::1c2d:3e4f"],
            &["eth0", "n=1"],
        ),
        trap(
            "ip: version 6 in full, in capitals, with a port",
            "2A02:0007:0008:0000:0000:0000:0000:0009 [2a02:7:8::9]:443 2a02:7:8::9/64 n=1",
            &["2a02:7:8::9"],
            &["443", "/64", "n=1"],
        ),
        trap(
            "ip: version 6 in host names",
            "2a02-7-8--9.ipv6-literal.net 9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.0.0.0.7.0.0.0.2.0.a.2.ip6.arpa n=1",
            &["2a02:7:8::9"],
            &["n=1"],
        ),
        trap(
            "ip: version 6 in 32 digits",
            "fe800000000000003ea82afffe010203 02 40 20 80     eth0\n2a020007000800000000000000000009 01 40 00 80     eth0\n",
            &["2a02:7:8::9", "fe80::3ea8:2aff:fe01:203"],
            &["eth0"],
        ),
        trap(
            "ip: in host names",
            "ip-198-51-100-7.eu-west-1.compute.internal 198-51-100-7.dyn.example ip_198_51_100_7 7.100.51.198.in-addr.arpa 198.51.100.7.nip.io host198.51.100.7 n=1",
            IP,
            &["n=1"],
        ),
        trap(
            "ip: with a port, a mask, in brackets",
            "198.51.100.7:5060 198.51.100.7/32 (198.51.100.7) [198.51.100.7] <198.51.100.7> 198.51.100.7, 198.51.100.7. '198.51.100.7' n=1",
            IP,
            &["5060", "n=1"],
        ),
        trap(
            "ip: glued to words",
            "from198.51.100.7 peer:198.51.100.7-udp x=198.51.100.7;y tcp/198.51.100.7:80 ip198.51.100.7 n=1",
            IP,
            &["n=1"],
        ),
        trap("ip: zeros before", "198.051.100.007 n=1", IP, &["n=1"]),
        trap("ip: full width", "１９８．５１．１００．７ n=1", &["１９８．５１．１００．７"], &["n=1"]),
        trap(
            "ip: SDP",
            "o=- 3724394400 3724394405 IN IP4 198.51.100.7\r\nc=IN IP4 198.51.100.7\r\na=candidate:1 1 UDP 2130706431 198.51.100.7 40012 typ srflx raddr 10.44.12.9 rport 40012\r\n",
            &["198.51.100.7", "10.44.12.9"],
            &["3724394400 3724394405", "2130706431", "40012 typ srflx"],
        ),
        trap(
            "ip: in the range of stand-ins",
            "240.17.4.9 2001:db8:99::7 n=1",
            &["240.17.4.9", "2001:db8:99::7"],
            &["n=1"],
        ),
        trap(
            "mac: notations",
            "3c:a8:2a:01:02:03 3C-A8-2A-01-02-03 3ca8.2a01.0203 mac=3ca82a010203 n=1",
            &["3c:a8:2a:01:02:03"],
            &["n=1"],
        ),
        trap("mac: in a version 6 address", "fe80::3ea8:2aff:fe01:203 n=1", &["fe80::3ea8:2aff:fe01:203"], &["n=1"]),
        trap("mac: in the range of stand-ins", "f2:11:22:33:44:55 n=1", &["f2:11:22:33:44:55"], &["n=1"]),
        trap(
            "mac: kernel's packet",
            "MAC=3c:a8:2a:01:02:03:00:1b:21:aa:bb:cc:08:00 SRC=198.51.100.7 n=1",
            &["3c:a8:2a:01:02:03", "00:1b:21:aa:bb:cc", "198.51.100.7"],
            &["n=1"],
        ),
        trap(
            "mac: DHCP client id",
            "client-id 01:3c:a8:2a:01:02:03 uid \"\\001<\\250*\\001\\002\\003\" n=1",
            &["3c:a8:2a:01:02:03"],
            &["n=1"],
        ),
        trap(
            "phone: forms",
            "+49 30 1234567, +49-30-123-4567, +49 (0)30 1234567, 0049301234567, tel:+49-30-1234567;ext=3 n=1",
            &["+49 30 1234567"],
            &["n=1"],
        ),
        trap("phone: in the range of stand-ins", "to +00123456789012 n=1", &["+00123456789012"], &["n=1"]),
        trap(
            "phone: in SIP",
            "<sip:+49301234567@198.51.100.7;user=phone> <sip:0301234567@amt.example> n=1",
            &["+49301234567", "0301234567", "amt.example", "198.51.100.7"],
            &["user=phone", "n=1"],
        ),
    ]
}

fn mail_and_sip() -> Vec<Trap> {
    vec![
        trap(
            "mail: quoted local part",
            "to \"otti haber\"@amt.example and \"otti\\\"x\"@amt.example n=1",
            &["otti", "haber", "amt.example"],
            &["n=1"],
        ),
        trap(
            "mail: letters of any script",
            "müller@bücher.example иван@почта.рф 用户@例子.公司 n=1",
            &["müller", "bücher.example", "иван", "почта", "用户", "例子"],
            &["n=1"],
        ),
        trap(
            "mail: an address for a domain",
            "otti@[198.51.100.7] otti@[IPv6:2a02:7:8::9] n=1",
            &["otti", "198.51.100.7", "2a02:7:8::9"],
            &["n=1"],
        ),
        trap(
            "mail: signs",
            "o'hara+list@amt.example <otti@amt.example> mailto:otti@amt.example?subject=x otti@amt.example. n=1",
            &["o'hara", "hara", "otti", "amt.example"],
            &["n=1"],
        ),
        trap(
            "mail: after an equals sign, in a URL",
            "https://otti:geheim7x@amt.example:8443/x?m=otti@amt.example#n=1",
            &["otti", "geheim7x", "amt.example"],
            &["n=1"],
        ),
        trap(
            "sip: quoted name",
            "From: \"Xiomara \\\"Xio\\\" Vandersloot\" <sip:xio@amt.example>;tag=5\r\nX-N: 1\r\n",
            &["Xiomara", "Xio", "Vandersloot", "amt.example"],
            &[";tag=5\r\n", "X-N: 1"],
        ),
        trap(
            "sip: bare name",
            "To: Xiomara Vandersloot <sip:xio@amt.example>\r\nX-N: 1\r\n",
            &["Xiomara", "Vandersloot", "xio"],
            &["To: ", "X-N: 1"],
        ),
        trap(
            "sip: last name first",
            "Contact: \"Vandersloot, Xiomara\" <sips:xio@198.51.100.7:5061;transport=tls>\r\n",
            &["Xiomara", "Vandersloot", "xio", "198.51.100.7"],
            &[":5061;transport=tls>"],
        ),
        trap(
            "sip: short headers",
            "f: \"Xiomara Vandersloot\" <sip:xio@amt.example>;tag=5\r\nm: <sip:xio@198.51.100.7>\r\n",
            &["Xiomara", "Vandersloot", "xio", "198.51.100.7"],
            &[";tag=5"],
        ),
        trap(
            "sip: other headers",
            "P-Asserted-Identity: \"Xiomara Vandersloot\" <sip:xio@amt.example>\r\nRemote-Party-ID: \"Xiomara Vandersloot\" <sip:xio@amt.example>;party=calling\r\nDiversion: <sip:xio@amt.example>;reason=unconditional\r\n",
            &["Xiomara", "Vandersloot", "xio", "amt.example"],
            &["party=calling", "reason=unconditional"],
        ),
        trap(
            "sip: several in one header",
            "Contact: \"Xiomara Vandersloot\" <sip:xio@amt.example>;q=0.7, Ragnhild Brackenridge <sip:rag@amt.example>;q=0.5\r\n",
            &["Xiomara", "Vandersloot", "Ragnhild", "Brackenridge", "xio", "rag"],
            &["q=0.7", "q=0.5"],
        ),
        trap(
            "sip: letters of other scripts",
            "From: \"Дмитрий Козловский\" <sip:dk@amt.example>\r\nTo: 王小明 <sip:w@amt.example>\r\nseen Козловский and 王小明 n=1\n",
            &["Дмитрий", "Козловский", "王小明"],
            &["n=1"],
        ),
        trap(
            "sip: within JSON",
            r#"{"m":"From: \"Xiomara Vandersloot\" <sip:xio@amt.example>;tag=5\r\nCall-ID: 77ab@198.51.100.7","n":1}"#,
            &["Xiomara", "Vandersloot", "xio", "198.51.100.7"],
            &["77ab@", "\"n\":1"],
        ),
        trap(
            "sip: escapes in the user",
            "sip:Xiomara%20Vandersloot@amt.example;n=1",
            &["Xiomara", "Vandersloot", "amt.example"],
            &["n=1"],
        ),
        trap(
            "sip: a password in the address",
            "sip:xio:geheim7x@amt.example;n=1",
            &["xio", "geheim7x", "amt.example"],
            &["n=1"],
        ),
        trap(
            "sip: digest",
            "Authorization: Digest username=\"xio\", realm=\"amt.example\", nonce=\"84a4cc6f3082121f32b42a2187831a9e\", uri=\"sip:amt.example\", response=\"7587245234b3434cc3412213e5f113a5\"\r\nX-N: 1\r\n",
            &["xio", "amt.example", "84a4cc6f3082121f32b42a2187831a9e", "7587245234b3434cc3412213e5f113a5"],
            &["X-N: 1"],
        ),
        trap(
            "sip: from within Pexip's Detail",
            "Detail=\"INVITE sip:xio@amt.example SIP/2.0^M From: \\\"Xiomara Vandersloot\\\" <sip:xio@amt.example>;tag=5^M Call-ID: 77ab@198.51.100.7^M\" n=1",
            &["Xiomara", "Vandersloot", "xio", "198.51.100.7"],
            &["Call-ID: 77ab@", ";tag=5^M", "n=1"],
        ),
        trap(
            "h323",
            "h323:otti@amt.example h323:xiomara.vandersloot alias=h323:otti@198.51.100.7:1720 n=1",
            &["otti", "xiomara", "vandersloot", "amt.example", "198.51.100.7"],
            &["1720", "n=1"],
        ),
        trap(
            "tel",
            "tel:+49-30-1234567 tel:7042;phone-context=amt.example n=1",
            &["+49 30 1234567", "amt.example"],
            &["n=1"],
        ),
        trap("xmpp and skype", "xmpp:otti@amt.example/desk im:otti@amt.example n=1", MAIL, &["n=1"]),
    ]
}

fn paths_and_directories() -> Vec<Trap> {
    vec![
        trap(
            "path: homes",
            "/home/xantipp3/x.log /Users/xantipp3/Library /var/home/xantipp3/.ssh /export/home/xantipp3 ~xantipp3/bin n=1",
            &["xantipp3"],
            &["x.log", "Library", ".ssh", "n=1"],
        ),
        trap(
            "path: Windows",
            r"C:\Users\xantipp3\AppData c:\users\xantipp3 C:\\Users\\xantipp3\\x D:/Users/xantipp3/y n=1",
            &["xantipp3"],
            &["AppData", "n=1"],
        ),
        trap(
            "path: Windows with a blank",
            r#"open "C:\Users\Xiomara Vandersloot\AppData\x.log" and C:\Documents and Settings\Xiomara Vandersloot\Desktop\y.log n=1"#,
            &["Xiomara", "Vandersloot"],
            &["AppData", "Desktop", "n=1"],
        ),
        trap(
            "path: file URLs",
            "file:///home/xantipp3/x.log file:///C:/Users/xantipp3/y.log file://kolibri17/home/xantipp3 n=1",
            &["xantipp3", "kolibri17"],
            &["x.log", "y.log", "n=1"],
        ),
        trap(
            "path: shares",
            r"\\kolibri17\home\xantipp3\x.log \\\\kolibri17\\users\\xantipp3\\y.log smb://kolibri17/users/xantipp3 n=1",
            &["kolibri17"],
            &["x.log", "n=1"],
        ),
        trap(
            "path: a server nobody named",
            r"copied \\zwiebelfs09\transfer\x.log n=1",
            &["zwiebelfs09"],
            &["transfer", "x.log", "n=1"],
        ),
        trap(
            "path: a known name",
            "/data/Ottilie Habersaat/x.log /data/Ottilie_Habersaat.log /srv/mühlenkamp/y n=1",
            &["Ottilie", "Habersaat", "Mühlenkamp"],
            &["/data/", "n=1"],
        ),
        trap("path: mail spool", "/var/mail/quirin7 /var/spool/cron/quirin7 n=1", &["quirin7"], &["/var/mail/", "n=1"]),
        trap(
            "ldap: dn",
            "CN=Xiomara Vandersloot,OU=Staff,DC=mercator,DC=example n=1\nuid=xantipp3,ou=people,dc=mercator,dc=example n=2\n",
            &["Xiomara", "Vandersloot", "xantipp3"],
            &["n=1", "n=2"],
        ),
        trap(
            "ldap: escaped comma",
            r"CN=Vandersloot\, Xiomara,OU=Staff,DC=mercator,DC=example n=1",
            &["Xiomara", "Vandersloot"],
            &["n=1"],
        ),
        trap(
            "ldap: LDIF",
            format!(
                "dn:: {}\ncn: Xiomara Vandersloot\nsn: Vandersloot\ngivenName: Xiomara\nmail: xio@amt.example\nn: 1\n",
                base64("cn=Jörg Mühlenkamp,ou=Staff,dc=mercator,dc=example")
            ),
            &["Xiomara", "Vandersloot", "Mühlenkamp", "xio"],
            &["n: 1"],
        ),
        trap(
            "ldap: filter",
            "search (&(objectClass=person)(sAMAccountName=xantipp3)(displayName=Xiomara Vandersloot)) n=1",
            &["xantipp3", "Xiomara", "Vandersloot"],
            &["objectClass=person", "n=1"],
        ),
        trap(
            "account with a domain",
            r#"MERCATOR\xantipp3 logged in, user="MERCATOR\\xantipp3" n=1"#,
            &["xantipp3"],
            &["n=1"],
        ),
    ]
}

fn lines() -> Vec<Trap> {
    vec![
        trap(
            "lines: folded header, name",
            "From: \"Ottilie\r\n Habersaat\" <sip:otti@amt.example>;tag=5\r\nX-N: 1\r\n",
            &["Ottilie", "Habersaat", "otti@amt.example"],
            &[";tag=5", "X-N: 1"],
        ),
        trap(
            "lines: folded header, a name nobody knows",
            "From: \"Xiomara\r\n\tVandersloot\" <sip:xio@amt.example>;tag=5\r\nX-N: 1\r\n",
            &["Xiomara", "Vandersloot"],
            &[";tag=5", "X-N: 1"],
        ),
        trap(
            "lines: folded before the address",
            "Contact: \"Xiomara Vandersloot\"\r\n <sip:xio@amt.example>;q=1\r\nX-N: 1\r\n",
            &["Xiomara", "Vandersloot", "xio"],
            &[";q=1", "X-N: 1"],
        ),
        trap(
            "lines: value after the key's line",
            "{\n  \"display_name\":\n    \"Xiomara Vandersloot\",\n  \"n\": 1\n}\n",
            &["Xiomara", "Vandersloot"],
            &["\"n\": 1"],
        ),
        trap(
            "lines: a log wrapped at a column",
            "2026-11-21 10:00:00 INFO the participant Ottilie\n    Habersaat has left, n=1\n",
            OTTI,
            &["n=1"],
        ),
        trap("lines: a known name over two lines", "the participant Jörg\nMühlenkamp has left, n=1\n", JOERG, &["n=1"]),
        trap(
            "lines: YAML block",
            "display_name: >-\n  Xiomara\n  Vandersloot\nn: 1\n",
            &["Xiomara", "Vandersloot"],
            &["n: 1"],
        ),
        trap("lines: a secret in YAML", "password: |\n  gehe1m-und-lang\nn: 1\n", &["gehe1m-und-lang"], &["n: 1"]),
        trap(
            "lines: carriage returns alone",
            "user=xantipp3\rfrom 198.51.100.7\rn=1\r",
            &["xantipp3", "198.51.100.7"],
            &["n=1"],
        ),
        trap(
            "lines: ^M",
            "Contact: <sip:xio@amt.example>^M From: Xiomara Vandersloot <sip:xio@amt.example>^M n=1",
            &["Xiomara", "Vandersloot", "xio"],
            &["^M", "n=1"],
        ),
        trap(
            "lines: Unicode's line ends",
            "user=xantipp3\u{2028}from 198.51.100.7\u{85}n=1",
            &["xantipp3", "198.51.100.7"],
            &["n=1"],
        ),
        trap(
            "lines: SIP fragments",
            "2026-11-21T10:00:00.000+00:00 conf 2026-11-21 10:00:00,000 Level=\"DEBUG\" Name=\"support.sip\" Message=\"Received SIP message\" Fragment-Id=\"9f31\" Fragment-Number=\"1\" Fragment-Total=\"2\" Detail=\"INVITE sip:room@amt.example SIP/2.0^M From: \\\"Xiomara Vander\"\n2026-11-21T10:00:00.000+00:00 conf 2026-11-21 10:00:00,000 Level=\"DEBUG\" Name=\"support.sip\" Message=\"Received SIP message\" Fragment-Id=\"9f31\" Fragment-Number=\"2\" Fragment-Total=\"2\" Detail=\"sloot\\\" <sip:xio@amt.example>;tag=5^M\" n=1\n",
            &["Xiomara", "Vander", "sloot", "xio", "Vandersloot"],
            &[";tag=5^M", "n=1"],
        ),
    ]
}

fn spellings() -> Vec<Trap> {
    vec![
        trap(
            "name: any case",
            "oTTiLiE hABERSAAT, HABERSAAT, jÖRG mÜHLENKAMP n=1",
            &["Ottilie", "Habersaat", "Jörg", "Mühlenkamp"],
            &["n=1"],
        ),
        trap("name: decomposed", "Jo\u{308}rg Mu\u{308}hlenkamp n=1", JOERG, &["n=1"]),
        trap(
            "name: order and initials",
            "Habersaat, Ottilie; O. Habersaat; Habersaat O.; HABERSAAT; Frau Habersaat; Habersaat's; n=1",
            OTTI,
            &["n=1"],
        ),
        trap(
            "name: joined",
            "ottilie.habersaat ottilie_habersaat Ottilie-Habersaat OttilieHabersaat ohabersaat habersaato o.habersaat n=1",
            &["Ottilie", "Habersaat", "ottiliehabersaat", "ohabersaat", "habersaato"],
            &["n=1"],
        ),
        trap(
            "name: without marks",
            "joerg.muehlenkamp Jorg Muhlenkamp JOERG MUEHLENKAMP n=1",
            &["muehlenkamp", "Muhlenkamp"],
            &["n=1"],
        ),
        trap("name: zero width", "Otti\u{200b}lie Haber\u{200d}saat n=1", OTTI, &["n=1"]),
        trap("name: soft hyphen", "Ottilie Haber\u{ad}saat n=1", OTTI, &["n=1"]),
        trap("name: a mark within", "Ottilie Haber\u{feff}saat n=1", OTTI, &["n=1"]),
        trap(
            "name: other blanks",
            "Ottilie\u{a0}Habersaat Ottilie\tHabersaat Ottilie  Habersaat Ottilie\u{2003}Habersaat n=1",
            OTTI,
            &["n=1"],
        ),
        trap(
            "name: full width",
            "Ｏｔｔｉｌｉｅ Ｈａｂｅｒｓａａｔ n=1",
            &["Ｏｔｔｉｌｉｅ", "Ｈａｂｅｒｓａａｔ"],
            &["n=1"],
        ),
        trap(
            "name: in brackets and marks",
            "(Habersaat) [Ottilie] „Habersaat“ «Ottilie» 'Habersaat' *Ottilie* <Habersaat> |Ottilie| #Habersaat n=1",
            OTTI,
            &["n=1"],
        ),
        trap(
            "name: camel case and numbers",
            "Habersaat1 habersaat_2 xHabersaatY n=1",
            &["Habersaat", "habersaat1"],
            &["n=1"],
        ),
        trap(
            "name: a stand-in's text",
            "Participant=\"person-1\" user=user-1 host=host-1 mail=u-1@d-1.invalid n=1",
            &[],
            &["n=1"],
        ),
    ]
}

fn structures() -> Vec<Trap> {
    vec![
        trap(
            "csv: a header that names somebody",
            "time,Ottilie Habersaat,198.51.100.7\n10:00,3,4\n",
            &["Ottilie", "Habersaat", "198.51.100.7"],
            &["time,", "10:00,3,4"],
        ),
        trap(
            "csv: columns",
            "display_name;remote_address;bandwidth\nXiomara Vandersloot;198.51.100.7;1920\n\"Brackenridge; Ragnhild\";198.51.100.8;768\nWendelin;198.51.100.9;64\n",
            &[
                "Xiomara",
                "Vandersloot",
                "Brackenridge",
                "Ragnhild",
                "Wendelin",
                "198.51.100.7",
                "198.51.100.8",
                "198.51.100.9",
            ],
            &["display_name;remote_address;bandwidth", "1920", "768"],
        ),
        trap(
            "csv: doubled quotation marks",
            "display_name,n\n\"Xiomara \"\"Xio\"\" Vandersloot\",1\n",
            &["Xiomara", "Xio", "Vandersloot"],
            &["display_name,n", ",1"],
        ),
        trap(
            "csv: a field over lines",
            "n,display_name,m\n1,\"Xiomara\nVandersloot\",2\n",
            &["Xiomara", "Vandersloot"],
            &["n,display_name,m", ",2"],
        ),
        trap(
            "tsv",
            "user\tip\tn\nxantipp3\t198.51.100.7\t17\nwendel4\t198.51.100.8\t18\n",
            &["xantipp3", "wendel4", "198.51.100.7"],
            &["user\tip\tn", "17", "18"],
        ),
        trap(
            "xml: elements and attributes",
            "<participant><display_name>Xiomara Vandersloot</display_name><p name=\"call\" user=\"xantipp3\" password='gehe1m77'/><n>1</n></participant>",
            &["Xiomara", "Vandersloot", "xantipp3", "gehe1m77"],
            &["<display_name>", "</display_name>", "<n>1</n>"],
        ),
        trap(
            "xml: cdata and entities",
            "<display_name><![CDATA[Xiomara Vandersloot]]></display_name><displayName>Zs&#243;fia &amp; Quistorp</displayName><n>1</n>",
            &["Xiomara", "Vandersloot", "Zsófia", "Quistorp"],
            &["<n>1</n>"],
        ),
        trap(
            "xml: an element over lines",
            "<organizer_name>\n  Xiomara Vandersloot\n</organizer_name>\n<n>1</n>\n",
            &["Xiomara", "Vandersloot"],
            &["<organizer_name>", "<n>1</n>"],
        ),
        trap(
            "yaml: lists",
            "users:\n  - xantipp3\n  - \"wendel4\"\nattendees: [Xiomara Vandersloot, 'Ragnhild Brackenridge']\nn: 1\n",
            &["xantipp3", "wendel4", "Xiomara", "Vandersloot", "Ragnhild", "Brackenridge"],
            &["users:", "n: 1"],
        ),
        trap(
            "json: lists over lines",
            "{\"attendees\": [\n  \"Xiomara Vandersloot\",\n  \"Ragnhild Brackenridge\"\n ],\n \"n\": 1}\n",
            &["Xiomara", "Vandersloot", "Ragnhild", "Brackenridge"],
            &["\"n\": 1"],
        ),
        trap(
            "json: a number under a secret's key",
            "[{\"token\":0,\"pin\":481516,\"birth_date\":19900102,\"n\":1},{\"pin\":481516}]",
            &["481516", "19900102"],
            &["\"n\":1"],
        ),
        trap(
            "json: objects within",
            "{\"user\":{\"name\":\"Xiomara Vandersloot\",\"id\":7},\"participant\":{\"display_name\":\"Wendelin\"},\"n\":1}",
            &["Xiomara", "Vandersloot", "Wendelin"],
            &["\"n\":1"],
        ),
        trap(
            "ini",
            "[ldap]\nbind_dn = cn=Xiomara Vandersloot,dc=mercator,dc=example\nbind_password = gehe1m und lang\nserver = kolibri17.amt.example\nport = 636\n",
            &["Xiomara", "Vandersloot", "gehe1m", "lang", "kolibri17", "amt.example"],
            &["[ldap]", "port = 636"],
        ),
        trap(
            "passwd",
            "xantipp3:x:1001:1001:Xiomara Vandersloot,,+49 30 1234567,:/home/xantipp3:/bin/bash\nroot:x:0:0:root:/root:/bin/bash\n",
            &["xantipp3", "Xiomara", "Vandersloot", "+49 30 1234567"],
            &[":/bin/bash", "root:x:0:0:root:/root:/bin/bash"],
        ),
        trap(
            "shadow",
            "xantipp3:$6$abcdefgh$QzLw82kPmX4vtQ9zLw82kPmX4vtQ9zLw82kPmX4v:19000:0:99999:7:::\n",
            &["xantipp3", "QzLw82kPmX4vtQ9zLw82kPmX4vtQ9zLw82kPmX4v"],
            &["19000:0:99999:7:::"],
        ),
        trap(
            "hosts",
            "198.51.100.7 kolibri18.amt.example kolibri18\n127.0.0.1 localhost\n",
            &["198.51.100.7", "kolibri18", "amt.example"],
            &["127.0.0.1 localhost"],
        ),
        trap(
            "journal export",
            "__REALTIME_TIMESTAMP=1700000000000000\n_HOSTNAME=kolibri18\n_CMDLINE=sshd: xantipp3 [priv]\n_UID=1001\nMESSAGE=Accepted password for xantipp3 from 198.51.100.7 port 50022 ssh2\n\n",
            &["kolibri18", "xantipp3", "198.51.100.7"],
            &["__REALTIME_TIMESTAMP=1700000000000000", "_UID=1001", "port 50022"],
        ),
        trap(
            "a key no longer at the value's side",
            "| display_name        | bandwidth |\n|---------------------|-----------|\n| Xiomara Vandersloot | 1920      |\n",
            &["Xiomara", "Vandersloot"],
            &["1920"],
        ),
        trap(
            "environment",
            "USER=xantipp3 HOME=/home/xantipp3 DB_PASSWORD=gehe1m77 SSH_CONNECTION=\"198.51.100.7 50022 10.1.2.3 22\" n=1",
            &["xantipp3", "gehe1m77", "198.51.100.7", "10.1.2.3"],
            &["50022", "n=1"],
        ),
    ]
}

/// What is left of a trap, and what it lost.
fn complaints(trap: &Trap) -> Vec<String> {
    let rules = Rules::default();
    let items = [item("people.log", PEOPLE.as_bytes()), item("trap", &trap.bytes)];
    let mut survey = Survey::new(&rules);
    survey.read(&items[0]).unwrap();
    if let Err(left_out) = survey.read(&items[1]) {
        return vec![format!("left out: {:?}", left_out.reason)];
    }
    let redactor = Redactor::new(rules, survey.finish(), key());
    let (out, _) = match read(&redactor, &items[1]) {
        Ok(done) => done,
        Err(error) => return vec![format!("refused: {error}")],
    };
    let text = String::from_utf8_lossy(&out).into_owned();
    let mut complaints: Vec<String> = Search::new(trap.gone.iter().copied())
        .found(&out)
        .iter()
        .map(|value| format!("{value:?} is readable"))
        .collect();
    complaints.extend(trap.kept.iter().filter(|kept| !text.contains(**kept)).map(|kept| format!("{kept:?} is lost")));
    let json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).is_ok();
    if json(&trap.bytes) && !json(&out) {
        complaints.push("it is no JSON any more".to_owned());
    }
    match read(&redactor, &item("trap", &out)) {
        Ok((twice, _)) if twice == out => {}
        Ok((twice, _)) => complaints.push(format!("redacting twice gives {:?}", String::from_utf8_lossy(&twice))),
        Err(error) => complaints.push(format!("redacting twice: {error}")),
    }
    if !complaints.is_empty() {
        complaints.push(format!("in {text:?}"));
    }
    complaints
}

fn open_traps() -> Vec<(&'static str, String)> {
    traps()
        .iter()
        .map(|trap| (trap.name, complaints(trap).join("; ")))
        .filter(|(_, complaints)| !complaints.is_empty())
        .collect()
}

#[test]
fn what_the_table_says_vanishes_and_stays() {
    let failed: Vec<String> = open_traps()
        .into_iter()
        .filter(|(name, _)| !OPEN.contains(name))
        .map(|(name, complaint)| format!("{name}: {complaint}"))
        .collect();
    assert!(failed.is_empty(), "{} traps are open:\n{}", failed.len(), failed.join("\n"));
}

#[test]
#[ignore = "lists what is open: cargo test --test redact -- --ignored open"]
fn no_trap_is_open() {
    let failed = open_traps();
    for (name, complaint) in &failed {
        println!("{name}\n    {complaint}");
    }
    assert!(failed.is_empty(), "{} traps are open", failed.len());
}

#[test]
fn every_open_trap_is_in_the_table() {
    let names: Vec<&str> = traps().iter().map(|trap| trap.name).collect();
    for name in OPEN {
        assert!(names.contains(name), "{name}");
    }
    for (place, name) in names.iter().enumerate() {
        assert!(!names[..place].contains(name), "{name} stands twice");
    }
}

#[test]
fn every_chunk_size_gives_the_same_for_every_trap() {
    for trap in traps() {
        let rules = Rules::default();
        let items = [item("people.log", PEOPLE.as_bytes()), item("trap", &trap.bytes)];
        let run = |size: usize, items: &[Item]| {
            let mut survey = Survey::new(&rules).with_chunk_size(size);
            let readable = items.iter().all(|item| survey.read(item).is_ok());
            let redactor = Redactor::new(rules.clone(), survey.finish(), key()).with_chunk_size(size);
            readable.then(|| read(&redactor, &items[1]).ok()).flatten().map(|(bytes, _)| bytes)
        };
        let expected = run(1 << 20, &items);
        for size in [1, 2, 5, 13, 34, trap.bytes.len().saturating_sub(1).max(1)] {
            let got = run(size, &items);
            assert!(
                got == expected,
                "{}, chunks of {size}:\n{}\n{}",
                trap.name,
                plain(&String::from_utf8_lossy(&got.unwrap_or_default())),
                plain(&String::from_utf8_lossy(&expected.unwrap_or_default())),
            );
        }
    }
}

#[test]
fn a_value_that_is_the_whole_file_goes() {
    for value in [
        "198.51.100.7",
        "2a02:7:8::9",
        "otti@amt.example",
        "3c:a8:2a:01:02:03",
        "+49 30 1234567",
        "sip:otti@amt.example",
        "Ottilie Habersaat",
        "Habersaat",
        "quirin7",
        "/home/quirin7",
        "kolibri17",
    ] {
        for text in [
            value.to_owned(),
            format!("{value}\n"),
            format!("{value}\r\n"),
            format!("\u{feff}{value}"),
            format!("\n{value}"),
            format!("\0\0\0\0{value}"),
        ] {
            let rules = Rules::default();
            let items = [item("people.log", PEOPLE.as_bytes()), item("trap", text.as_bytes())];
            let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key());
            let (out, _) = read(&redactor, &items[1]).unwrap();
            let found = Search::new([value.trim_start_matches("/home/").trim_start_matches("sip:")]).found(&out);
            assert!(found.is_empty(), "{value} in {:?}", String::from_utf8_lossy(&out));
        }
    }
}

#[test]
fn values_go_from_the_names_of_files() {
    let rules = Rules::default();
    let items = [item("people.log", PEOPLE.as_bytes())];
    for (path, gone) in [
        ("data/Ottilie Habersaat.log", &["Ottilie", "Habersaat"][..]),
        ("data/habersaat_ottilie/x.log", &["Ottilie", "Habersaat"]),
        ("data/Jo\u{308}rg Mu\u{308}hlenkamp.txt", &["Jörg", "Mühlenkamp"]),
        ("mail/otti@amt.example.json", &["otti", "amt.example"]),
        ("hosts/198.51.100.7.log", &["198.51.100.7"]),
        ("hosts/198-51-100-7/x", &["198.51.100.7"]),
        ("leases/3c-a8-2a-01-02-03.conf", &["3c:a8:2a:01:02:03"]),
        ("home/xantipp3/.bash_history", &["xantipp3"]),
        ("srv/quirin7.tar", &["quirin7"]),
        ("logs/kolibri17.amt.example.log", &["kolibri17"]),
        ("q/J%C3%B6rg%20M%C3%BChlenkamp.log", &["Jörg", "Mühlenkamp"]),
    ] {
        if PATHS.contains(&path) {
            continue;
        }
        let item = item(path, b"x\n");
        let mut survey = Survey::new(&rules);
        survey.read(&items[0]).unwrap();
        survey.learn_path(&item.path);
        let redactor = Redactor::new(rules.clone(), survey.finish(), key());
        let out = redactor.path(&item.path);
        let found = Search::new(gone.iter().copied()).found(out.as_str().as_bytes());
        assert!(found.is_empty(), "{found:?} in {out}");
        assert_eq!(redactor.redact(&item).unwrap().path(), &out);
    }
}

#[test]
fn values_at_every_place_of_a_very_long_line_go() {
    let rules = Rules::default();
    let value = "peer 198.51.100.7 otti@amt.example Ottilie Habersaat [2a02:7:8::9]:443; ";
    for offset in 0..value.len() {
        let mut text = "x".repeat(offset) + " ";
        while text.len() < 600 << 10 {
            text.push_str(value);
            text.push_str("codec=H264 bandwidth=1920 ssrc=2864434397 state=connected, ");
        }
        // Some places are enough for one run; together the pieces of the line end at many places of a value.
        if offset % 16 != 3 {
            continue;
        }
        let items = [item("people.log", PEOPLE.as_bytes()), item("trap", text.as_bytes())];
        let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key());
        let out = String::from_utf8(read(&redactor, &items[1]).unwrap().0).unwrap();
        for gone in ["198.51.100", "otti", "amt.example", "Ottilie", "Habersaat", "2a02"] {
            assert!(!out.contains(gone), "{gone} with offset {offset}");
        }
    }
}
