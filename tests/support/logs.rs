//! Makes logs to test and measure with: the same seed gives the same bytes, and every personal value that was planted is
//! listed, as is every string that must stay readable. All people, hosts and numbers are invented.
#![allow(dead_code, clippy::allow_attributes, reason = "each test target uses another part")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// How much personal data the lines hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// A server's usual log: about one line in four holds a personal value.
    Typical,
    /// Every kind of log in turn: about two lines in three do.
    Heavy,
    /// Several values in every line.
    Dense,
}

/// A personal value that stands somewhere in the log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Planted {
    /// As it stands in the log.
    pub value: String,
    /// Its category, by the name users see.
    pub category: &'static str,
}

/// A log with what must go and what must stay.
pub struct Log {
    /// The text; ends with a line end.
    pub bytes: Vec<u8>,
    /// Every personal value in it, once each.
    pub planted: Vec<Planted>,
    /// Strings that must still be there after redaction, once each.
    pub kept: Vec<String>,
}

const FIRST: [&str; 16] = [
    "Ottilie",
    "Björn",
    "Zsófia",
    "Quirin",
    "Annegret",
    "Thibault",
    "Xiomara",
    "Lidwien",
    "Ragnhild",
    "Casimir",
    "Yolande",
    "Ferdinand",
    "Saoirse",
    "Wendelin",
    "Ingeborg",
    "Leocadia",
];
const LAST: [&str; 16] = [
    "Habersaat",
    "Mühlenkamp",
    "Quistorp",
    "Vandersloot",
    "Oyelaran",
    "Petrusic",
    "Lindqvist",
    "Zabrowski",
    "Tchoumi",
    "Brackenridge",
    "Übelacker",
    "Castelnau",
    "Ferreirinha",
    "Okonjima",
    "Dravecky",
    "Haugland",
];
const DOMAINS: [&str; 4] = ["mercator-amt.example", "nordlicht.example", "vidya-labs.example", "quarzwerk.example"];
const HOSTS: [&str; 6] = ["pexmgr01", "pexconf02", "nodus17", "bastion9", "webfront3", "kolibri"];
const ROOMS: [&str; 4] = ["Weekly Sync", "Board Room", "Project Kickoff", "Training Session"];
const CODECS: [&str; 4] = ["H264", "opus/48000", "VP8", "G722"];

struct Person {
    name: String,
    first: &'static str,
    last: &'static str,
    user: String,
    email: String,
    phone: String,
}

struct Maker {
    rng: StdRng,
    out: String,
    planted: BTreeSet<Planted>,
    kept: BTreeSet<String>,
    people: Vec<Person>,
    second: u32,
}

/// Makes at least `length` bytes of log, whole lines, from `seed`.
pub fn generate(mix: Mix, length: usize, seed: u64) -> Log {
    let mut maker = Maker::new(seed, length);
    while maker.out.len() < length {
        let roll = maker.rng.random_range(0..100_u32);
        match mix {
            Mix::Typical if roll < 74 => maker.plain_line(),
            Mix::Dense => maker.dense_line(),
            Mix::Heavy if roll < 30 => maker.plain_line(),
            _ => maker.personal_line(),
        }
    }
    Log {
        bytes: maker.out.into_bytes(),
        planted: maker.planted.into_iter().collect(),
        kept: maker.kept.into_iter().collect(),
    }
}

fn ascii(text: &str) -> String {
    text.to_lowercase().replace('ü', "ue").replace('ö', "oe").replace('ó', "o")
}

impl Maker {
    fn new(seed: u64, length: usize) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let count = (length / 40_000).clamp(8, 200);
        let people = (0..count)
            .map(|number| {
                let first = FIRST[rng.random_range(0..FIRST.len())];
                let last = LAST[rng.random_range(0..LAST.len())];
                let domain = DOMAINS[rng.random_range(0..DOMAINS.len())];
                Person {
                    name: format!("{first} {last}"),
                    first,
                    last,
                    user: format!("{}{}{number:02}", &ascii(first)[..3], &ascii(last)[..4]),
                    email: format!("{}.{}{number}@{domain}", ascii(first), ascii(last)),
                    phone: format!("+49 30 {:07}", 1_000_000 + rng.random_range(0..8_999_999_u32)),
                }
            })
            .collect();
        Self { rng, out: String::new(), planted: BTreeSet::new(), kept: BTreeSet::new(), people, second: 0 }
    }

    fn plant(&mut self, value: &str, category: &'static str) -> String {
        self.planted.insert(Planted { value: value.to_owned(), category });
        value.to_owned()
    }

    fn keep(&mut self, value: String) -> String {
        self.kept.insert(value.clone());
        value
    }

    fn below(&mut self, end: u32) -> u32 {
        self.rng.random_range(0..end)
    }

    fn person(&mut self) -> usize {
        self.rng.random_range(0..self.people.len())
    }

    fn clock(&mut self) -> (u32, u32, u32) {
        self.second = (self.second + 1 + self.below(2)) % 86_400;
        (self.second / 3600, self.second / 60 % 60, self.second % 60)
    }

    fn host(&mut self) -> String {
        let host = HOSTS[self.rng.random_range(0..HOSTS.len())];
        self.plant(host, "host")
    }

    fn syslog_head(&mut self, program: &str) {
        let (h, m, s) = self.clock();
        let host = self.host();
        let pid = 100 + self.below(32_000);
        let _ = write!(self.out, "Nov 21 {h:02}:{m:02}:{s:02} {host} {program}[{pid}]: ");
    }

    fn iso(&mut self) -> String {
        let (h, m, s) = self.clock();
        let stamp = format!("2026-11-21T{h:02}:{m:02}:{s:02}.{:03}Z", self.below(1000));
        self.keep(stamp)
    }

    fn uuid(&mut self) -> String {
        let a: u128 = self.rng.random();
        let hex = format!("{a:032x}");
        let id = format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
        self.keep(id)
    }

    fn ip4(&mut self) -> String {
        let ip = match self.below(3) {
            0 => format!("10.{}.{}.{}", self.below(32), self.below(256), 1 + self.below(254)),
            1 => format!("192.168.{}.{}", self.below(32), 1 + self.below(254)),
            _ => format!("{}.{}.{}.{}", 80 + self.below(20), self.below(256), self.below(64), 1 + self.below(254)),
        };
        self.plant(&ip, "ip")
    }

    fn ip6(&mut self) -> String {
        let ip = format!("2a02:{:x}:{:x}::{:x}", 0x100 + self.below(64), self.below(0x400), 1 + self.below(0xfffe));
        self.plant(&ip, "ip")
    }

    fn mac(&mut self) -> String {
        let (a, b, c) = (self.below(256), self.below(256), self.below(256));
        let mac = format!("3c:a8:2a:{a:02x}:{b:02x}:{c:02x}");
        self.plant(&mac, "mac")
    }

    fn plain_line(&mut self) {
        match self.below(5) {
            0 => {
                let (stamp, id) = (self.iso(), self.uuid());
                let (size, took) = (self.below(90_000), self.below(900));
                let _ = writeln!(
                    self.out,
                    "{stamp} INFO worker.queue: job {id} finished, size={size} took={took}ms retries=0 state=done"
                );
            }
            1 => {
                self.syslog_head("kernel");
                let tick = self.below(9_999_999);
                let _ =
                    writeln!(self.out, "[{tick}.204117] eth0: link becomes ready, mtu 1500 qdisc fq_codel state UP");
            }
            2 => {
                let stamp = self.iso();
                let codec = CODECS[self.rng.random_range(0..CODECS.len())];
                let ssrc = 1_000_000_000 + self.below(2_000_000_000);
                let ssrc = self.keep(ssrc.to_string());
                let _ = writeln!(
                    self.out,
                    "{stamp} DEBUG media.stream: codec={codec} ssrc={ssrc} jitter=0.0{}ms lost=0 bitrate=1920000",
                    ssrc.len()
                );
            }
            3 => {
                let stamp = self.iso();
                let minor = self.below(9);
                let version = self.keep(format!("7.{minor}.4.{}", 3000 + self.second % 90));
                let _ = writeln!(self.out, "{stamp} INFO update.check: running version {version}, nothing newer found");
            }
            _ => {
                let stamp = self.iso();
                let id = self.uuid();
                let code = 200 + self.below(300);
                let _ = writeln!(
                    self.out,
                    "{{\"ts\":\"{stamp}\",\"level\":\"info\",\"logger\":\"http\",\"trace\":\"{id}\",\"status\":{code},\"ms\":{}}}",
                    code % 97
                );
            }
        }
    }

    fn personal_line(&mut self) {
        match self.below(7) {
            0 => self.ssh(),
            1 => self.nginx(),
            2 => self.pexip(),
            3 => self.json(),
            4 => self.sip(),
            5 => self.dhcp(),
            _ => self.prose(),
        }
    }

    fn ssh(&mut self) {
        self.syslog_head("sshd");
        let who = self.person();
        let user = self.people[who].user.clone();
        let (user, ip) = (self.plant(&user, "user"), self.ip4());
        let port = 1024 + self.below(60_000);
        let _ = match self.below(3) {
            0 => writeln!(self.out, "Accepted publickey for {user} from {ip} port {port} ssh2"),
            1 => writeln!(self.out, "Failed password for invalid user {user} from {ip} port {port} ssh2"),
            _ => writeln!(self.out, "pam_unix(sshd:session): session opened for user {user} by (uid=0)"),
        };
        // The third shape names no address; one more line keeps the planted list true.
        let _ = writeln!(self.out, "peer {ip} done");
    }

    fn nginx(&mut self) {
        let (h, m, s) = self.clock();
        let who = self.person();
        let user = self.people[who].user.clone();
        let (user, ip) = (self.plant(&user, "user"), self.ip4());
        let size = self.below(100_000);
        let _ = writeln!(
            self.out,
            "{ip} - {user} [21/Nov/2026:{h:02}:{m:02}:{s:02} +0000] \"GET /api/v2/rooms?page=3 HTTP/1.1\" 200 {size} \"-\" \
             \"Mozilla/5.0 (X11; Linux x86_64) Chrome/118.0.0.0\""
        );
    }

    fn pexip(&mut self) {
        let (h, m, s) = self.clock();
        let who = self.person();
        let (name, email) = (self.people[who].name.clone(), self.people[who].email.clone());
        let (name, email, ip) = (self.plant(&name, "person"), self.plant(&email, "email"), self.ip4());
        let (host, call) = (self.host(), self.uuid());
        let room = ROOMS[self.rng.random_range(0..ROOMS.len())];
        let milli = self.below(1000);
        let _ = writeln!(
            self.out,
            "2026-11-21T{h:02}:{m:02}:{s:02}.{milli:03}+00:00 {host} 2026-11-21 {h:02}:{m:02}:{s:02},{milli:03} Level=\"INFO\" \
             Name=\"administrator.conference\" Message=\"Participant has joined.\" Conference=\"{room}\" \
             Participant=\"{name}\" Participant-alias=\"sip:{email}\" Call-id=\"{call}\" Remote-address=\"{ip}\""
        );
        self.kept.insert(format!("Conference=\"{room}\""));
    }

    fn json(&mut self) {
        let stamp = self.iso();
        let who = self.person();
        let (name, email) = (self.people[who].name.clone(), self.people[who].email.clone());
        let (name, email, ip) = (self.plant(&name, "person"), self.plant(&email, "email"), self.ip6());
        let secret = format!("tk{:x}Zq{:x}", self.below(u32::MAX), self.below(u32::MAX));
        let secret = self.plant(&secret, "secret");
        let _ = writeln!(
            self.out,
            "{{\"ts\":\"{stamp}\",\"event\":\"login\",\"display_name\":\"{name}\",\"email\":\"{email}\",\
             \"remote\":\"[{ip}]:443\",\"access_token\":\"{secret}\"}}"
        );
    }

    fn sip(&mut self) {
        let who = self.person();
        let (name, email) = (self.people[who].name.clone(), self.people[who].email.clone());
        let (name, email, ip) = (self.plant(&name, "person"), self.plant(&email, "email"), self.ip4());
        let (call, port) = (self.uuid(), 1024 + self.below(60_000));
        let seq = self.below(9999);
        let _ = write!(
            self.out,
            "INVITE sip:{email} SIP/2.0\r\nVia: SIP/2.0/TLS {ip}:{port};branch=z9hG4bK{seq}\r\nMax-Forwards: 70\r\n\
             From: \"{name}\" <sip:{email}>;tag={seq}\r\nCall-ID: {call}@{ip}\r\nCSeq: {seq} INVITE\r\n\
             a=rtpmap:97 H264/90000\r\n\r\n"
        );
    }

    fn dhcp(&mut self) {
        self.syslog_head("dhcpd");
        let (ip, mac) = (self.ip4(), self.mac());
        let _ = writeln!(self.out, "DHCPACK on {ip} to {mac} via eth0");
    }

    fn prose(&mut self) {
        let stamp = self.iso();
        let who = self.person();
        let (first, last) = (self.people[who].first, self.people[who].last);
        let (name, phone) = (self.people[who].name.clone(), self.people[who].phone.clone());
        let (name, phone) = (self.plant(&name, "person"), self.plant(&phone, "phone"));
        let _ = writeln!(self.out, "{stamp} INFO call.leg: {last}, {first} answered from {phone} after 4 s");
        let _ = writeln!(self.out, "{stamp} INFO call.leg: display_name=\"{name}\" state=connected");
    }

    fn dense_line(&mut self) {
        let who = self.person();
        let (user, email) = (self.people[who].user.clone(), self.people[who].email.clone());
        let (user, email) = (self.plant(&user, "user"), self.plant(&email, "email"));
        let (a, b, mac, c) = (self.ip4(), self.ip4(), self.mac(), self.ip6());
        let _ = writeln!(self.out, "user={user} mail={email} src={a} dst={b}:5060 hw={mac} via=[{c}]:443 ok");
    }
}
