//! Traps of keys and their values: what a key takes, and beside each rule what looks alike and stays.

use tarseal::redact::{Redactor, Rules};

use super::table::{Trap, trap};
use crate::{item, key, read, survey};

/// A text that stays as it is.
fn stays(name: &'static str, text: &'static str) -> Trap {
    trap(name, text, &[], Vec::leak(vec![text]))
}

pub(super) fn traps() -> Vec<Trap> {
    let mut all = Vec::new();
    all.extend(aligned());
    all.extend(bare_names());
    all.extend(queries());
    all.extend(sessions_and_sources());
    all.extend(callers());
    all.extend(values_that_are_code());
    all.extend(accounts());
    all.extend(short_keys());
    all
}

fn aligned() -> Vec<Trap> {
    vec![
        trap(
            "aligned: blanks before =",
            "password   = Xk7Geheim\nlevel      = 3\n",
            &["Xk7Geheim"],
            &["level      = 3"],
        ),
        trap("aligned: tabs before =", "sasl_passwd\t\t= Xk7Geheim\n", &["Xk7Geheim"], &["sasl_passwd\t\t= "]),
        trap(
            "aligned: words behind :",
            "smtp_password    : Xk7 Geheim\n",
            &["Xk7", "Geheim"],
            &["smtp_password    : "],
        ),
        trap(
            "aligned: a listing of PowerShell",
            "SamAccountName    : zbvdbeke\nDisplayName       : Thijs van der Beke\nEnabled           : True\n",
            &["zbvdbeke", "Thijs", "Beke"],
            &["SamAccountName    : ", "Enabled           : True"],
        ),
        trap(
            "aligned: quoted",
            "{\n  \"password\"      : \"Xk7Geheim\",\n  \"codec\"         : \"H264\"\n}\n",
            &["Xk7Geheim"],
            &["\"codec\"         : \"H264\""],
        ),
        stays("aligned: other keys", "codec      = H264\nbitrate    : 1920\nmode\t\t= active\n"),
        stays(
            "aligned: a key far away",
            "the last user                                                : 3 were seen\n",
        ),
    ]
}

fn bare_names() -> Vec<Trap> {
    vec![
        trap(
            "bare name: particles, and the surname elsewhere",
            "Display Name: Thijs van der Beke\nBeke left, level=info\n",
            &["Thijs", "van der", "Beke"],
            &[" left, level=info"],
        ),
        trap("bare name: los", "fullname = Maria de los Santillanas\n", &["Maria", "Santillanas"], &["fullname = "]),
        trap("bare name: bin", "full_name: Ahmed bin Raschidi, x=1\n", &["Ahmed", "Raschidi"], &[", x=1"]),
        trap(
            "bare name: da, with marks",
            "Full name: Maria da Concei\u{e7}\u{e3}o Ferreirinha\n",
            &["Concei\u{e7}\u{e3}o", "Ferreirinha"],
            &["Full name: "],
        ),
        trap(
            "bare name: an apostrophe",
            "Participant=Rossana D'Annunziola level=info\n",
            &["Rossana", "Annunziola"],
            &[" level=info"],
        ),
        trap(
            "bare name: of an account",
            "userName=Gon\u{e7}alo Figueir\u{ea}do isHost=1\n",
            &["Gon\u{e7}alo", "Figueir\u{ea}do"],
            &[" isHost=1"],
        ),
        trap(
            "bare name: of an owner",
            "Owner: Annika Lindqvist\nLindqvist called\n",
            &["Annika", "Lindqvist"],
            &["Owner: ", " called"],
        ),
        trap(
            "bare name: in a sentence",
            "LDAP user Thijs van der Beke authenticated\nCreating new user \u{411}\u{43e}\u{440}\u{438}\u{441}\u{43b}\u{430}\u{432}\u{430} \u{425}\u{440}\u{438}\u{441}\u{442}\u{43e}\u{432}\u{430} from LDAP\n",
            &[
                "Thijs",
                "Beke",
                "\u{411}\u{43e}\u{440}\u{438}\u{441}\u{43b}\u{430}\u{432}\u{430}",
                "\u{425}\u{440}\u{438}\u{441}\u{442}\u{43e}\u{432}\u{430}",
            ],
            &["LDAP user ", " authenticated", " from LDAP"],
        ),
        trap(
            "bare name: the words behind it",
            "User: Xaverius Logged in from desk 3\n",
            &["Xaverius"],
            &[" Logged in from desk 3"],
        ),
        trap(
            "bare name: a key behind it",
            "user=Xaverius Level=INFO Codec=H264\n",
            &["Xaverius"],
            &[" Level=INFO Codec=H264"],
        ),
        trap(
            "bare name: a protocol behind it",
            "participant: Xaverius HTTP/1.1 200\n",
            &["Xaverius"],
            &[" HTTP/1.1 200"],
        ),
        trap(
            "bare name: a particle that is a word",
            "owner=Xaverius de facto leads\n",
            &["Xaverius"],
            &[" de facto leads"],
        ),
        stays("bare name: a team", "Contact: Technical Support\nUser: Unknown Error\n"),
    ]
}

fn queries() -> Vec<Trap> {
    vec![
        trap(
            "query: a guest's name",
            "GET /webapp/home?conference=weekly&name=Gra%C5%BCyna%20Kwasniewska&role=guest HTTP/1.1 200\nKwasniewska left\n",
            &["Gra\u{17c}yna", "Kwasniewska"],
            &["conference=weekly&name=", "&role=guest HTTP/1.1 200", " left"],
        ),
        trap(
            "query: in a column of its own",
            "GET /webapp/home name=Sini+Ahokas&role=guest 443 -\n",
            &["Sini", "Ahokas"],
            &["&role=guest 443 -"],
        ),
        trap(
            "query: one word of a guest",
            "GET /join?name=xaverius HTTP/1.1\n",
            &["xaverius"],
            &["/join?name=", " HTTP/1.1"],
        ),
        trap(
            "query: the protocol behind it",
            "\"GET /x?displayName=Xaverius HTTP/1.1\" 200\n",
            &["Xaverius"],
            &[" HTTP/1.1\" 200"],
        ),
        trap(
            "query: nicknames",
            "<nick xmlns='x'>Tieu Longinh</nick> nick=Tieu Longinh id=7\n",
            &["Tieu", "Longinh"],
            &[" id=7"],
        ),
        stays(
            "query: names of things",
            "GET /api/v1/query?name=up&x=1 /api/nodes?name=eth0 /metrics?name=cpu_load&y /pods?name=Calico\n",
        ),
        stays("query: how a page is shown", "GET /oauth?display=popup&x=1 HTTP/1.1\n"),
        stays("query: no query", "name=Calico, display=block, name: Kubernetes\n"),
    ]
}

fn sessions_and_sources() -> Vec<Trap> {
    vec![
        trap("session: drawn by lot", "session_id=Zq81kLm2Nn77 n=1\n", &["Zq81kLm2Nn77"], &[" n=1"]),
        trap(
            "session: without its pair",
            "Session-ID: ab30317f1a784dc48ff824d0d3715d86\n",
            &["ab30317f1a784dc48ff824d0d3715d86"],
            &["Session-ID: "],
        ),
        trap("session: a cookie", "JSESSIONID=77f0a1b2-0d4a-4c5b-9e6f-aabbccddeeff\n", &["77f0a1b2"], &["JSESSIONID="]),
        stays(
            "session: of a call",
            "Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2\n",
        ),
        stays(
            "session: named",
            "session_id=77f0a1b2-0d4a-4c5b-9e6f-aabbccddeeff sid=PA_x7k2p {\"session_id\":3481516,\"sid\":\"RM_abc123\"}\n",
        ),
        trap("source: an address", "dsn=postgres://app:geh3im@db/x\n", &["geh3im"], &["dsn="]),
        trap("source: words", "dsn=\"host=db password=geh3im\"\n", &["geh3im"], &["dsn="]),
        stays("source: a status", "delay=0.77, dsn=5.1.1, status=bounced {\"dsn\":\"4.4.1\"}\n"),
        trap(
            "reply: a code",
            "said: 550 5.1.1 <xaver@amt.example>: Recipient rejected\n",
            &["xaver", "amt.example"],
            &["said: 550 5.1.1 <"],
        ),
        trap(
            "reply: a counted thing",
            "Call leg 17 <sip:xaver@amt.example> connected\n",
            &["xaver", "amt.example"],
            &["Call leg 17 <"],
        ),
        trap("reply: a number to dial", "From: 030 1234567 <sip:xaver@amt.example>\n", &["030 1234567"], &["From: "]),
    ]
}

fn callers() -> Vec<Trap> {
    vec![
        stays(
            "caller: a place in a program",
            "caller=main.go:77 x\n{\"caller\":\"pkg/service/room.go:412\"}\npanic at pkg/service/room.go:412\ncaller=com.gov.meet.Room.join\n",
        ),
        stays("caller: a channel", "caller=SIP/7041-00000077 callee=PJSIP/7042\n"),
        trap(
            "caller: a person",
            "caller=Xaverius Pirrip caller=j.k.xaver\n",
            &["Xaverius", "Pirrip", "j.k.xaver"],
            &["caller="],
        ),
        stays("caller: an endpoint", "participant=3fa2bc11 epId=3fa2bc11 {\"participantSid\":\"PA_x7k2p\"}\n"),
        trap(
            "caller: a part of a call",
            "Caller-Caller-ID-Name: [Mehmet \u{d6}zt\u{fc}rko\u{11f}lu]\nvariable_sip_from_user: kbondar3\n",
            &["Mehmet", "kbondar3"],
            &["Caller-Caller-ID-Name: ["],
        ),
        stays("caller: nobody in particular", "Caller-Callee-ID-Name: Outbound Call\nOutbound Call to x\n"),
    ]
}

fn values_that_are_code() -> Vec<Trap> {
    vec![
        trap(
            "code: a key as a value",
            "Login: user=<zetterqvist7>, method=PLAIN\n",
            &["zetterqvist7"],
            &["Login: user=<", ">, method=PLAIN"],
        ),
        trap(
            "code: a new user",
            "new user: name=zetterqvist7, UID=1005\n",
            &["zetterqvist7"],
            &["new user: name=", ", UID=1005"],
        ),
        trap(
            "code: a call",
            "    user = User(name='Xaver Pirrip', age=44)\n",
            &["Xaver", "Pirrip"],
            &["user = User(name='", "', age=44)"],
        ),
        stays("code: calls", "account = Account.objects.get(pk=77)\nuser = current_user()\n"),
        trap("code: a number in brackets", "user=zetterqvist7(1000) x\n", &["zetterqvist7"], &["(1000) x"]),
    ]
}

fn accounts() -> Vec<Trap> {
    vec![
        trap(
            "account: of a program's settings",
            "JVB_AUTH_USER: jvbuser77\nbind_user=svcpir7\n",
            &["jvbuser77", "svcpir7"],
            &["JVB_AUTH_USER: "],
        ),
        stays("account: of a service", "NGINX_USER=nginx\nper_user=shared\nmax_user=4\ncurrentUser = users[0]\n"),
        trap(
            "account: numbers of employees",
            "employeeNumber: 884211\nemployeeID: 884212\n",
            &["884211", "884212"],
            &["employeeNumber: "],
        ),
        trap(
            "account: numbers of Windows",
            "TargetUserSid: S-1-5-21-1111111111-2222222222-3333333333-1106\n\tSecurity ID:\t\tGOVDOM\\xpirrip\n",
            &["3333333333-1106", "xpirrip"],
            &["Security ID:\t\tGOVDOM\\"],
        ),
        stays(
            "account: of Windows itself",
            "UserID=\"S-1-5-18\"\n\tSecurity ID:\t\tNULL SID\n\tAccount Name:\t\tNT AUTHORITY\\SYSTEM\n",
        ),
        trap(
            "account: words to join with",
            "attendeePW=apGeheim77&moderatorPW=mpGeheim88\n",
            &["apGeheim77", "mpGeheim88"],
            &["attendeePW=", "&moderatorPW="],
        ),
        trap(
            "account: names of calls",
            "calledPartyName='M\u{f6}ller-\u{d8}sterg\u{e5}rd \u{c5}se' calledParty=7042\n",
            &["M\u{f6}ller", "\u{d8}sterg\u{e5}rd"],
            &["calledParty=7042"],
        ),
        stays("account: an appointment", "BEGIN:VCALENDAR\nUID:040000008200E00074C5B7101A82E008\nEND:VCALENDAR\n"),
    ]
}

fn short_keys() -> Vec<Trap> {
    vec![
        trap("short key: cards", "pan=4929123412341230 cvv=737 x=1\n", &["4929123412341230", "737"], &[" x=1"]),
        trap("short key: hidden in part", "pan=492912******1230 x=1\n", &["492912"], &[" x=1"]),
        trap(
            "short key: numbers of people",
            "ssn: 078-05-1120\nnino=AB123456C\nnie=X1234567L\n",
            &["078-05-1120", "AB123456C", "X1234567L"],
            &["ssn: "],
        ),
        trap("short key: in groups", "nino: AB 12 34 56 C\n", &["12 34 56"], &["nino: "]),
        trap("short key: a vehicle", "vin=WVWZZZ1JZXW000001 x=1\n", &["WVWZZZ1JZXW000001"], &[" x=1"]),
        trap("short key: a bank", "bic=GEBABEBB x=1\n", &["GEBABEBB"], &[" x=1"]),
        stays(
            "short key: what cameras and meters say",
            "Message=\"FECC\" pan=\"12\" PTZ pan=1200 {\"pan\":120} pan: left; vin=12.1 nie=3 ssn=2 cnp=2 cvc=3\n",
        ),
        stays("short key: easing, numbers", "bic=\"cubic\" company=0 department=0 egn=1\n"),
        trap("short key: a company", "company=Pirrip Works\n", &["Pirrip"], &["company="]),
    ]
}

#[test]
fn aligned_keys_are_keys_in_files_of_every_kind() {
    for (path, text, kept) in [
        ("a.json", "{\n  \"password\"      : \"Xk7Geheim\",\n  \"n\"             : 1\n}\n", "\"n\"             : 1"),
        ("a.yaml", "password       : Xk7Geheim\nlevel          : 3\n", "level          : 3"),
        ("a.ini", "[ldap]\nbind_password      = Xk7Geheim\nport               = 389\n", "port               = 389"),
        ("a.conf", "bind_password\t= Xk7Geheim\nport\t\t= 389\n", "port\t\t= 389"),
        ("a.log", "x\nsmtp_password    : Xk7Geheim\ny\n", "\ny\n"),
    ] {
        let rules = Rules::default();
        let items = [item(path, text.as_bytes())];
        let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key());
        let out = String::from_utf8(read(&redactor, &items[0]).unwrap().0).unwrap();
        assert!(!out.contains("Xk7Geheim") && out.contains(kept), "{path}: {out}");
        assert_eq!(read(&redactor, &item(path, out.as_bytes())).unwrap().0, out.as_bytes(), "{path}");
    }
}
