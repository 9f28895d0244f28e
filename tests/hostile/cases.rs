//! The attacks. Each stands between an honest file and a manifest that lists what a careless reader would have unpacked, so
//! that nothing but the attack is wrong.

use crate::archive::*;

/// An archive that must be refused.
pub struct Case {
    pub name: String,
    /// What the program says of it.
    pub says: &'static str,
    /// The plaintext of the sealed file.
    pub stream: Vec<u8>,
}

/// The file before every attack.
const GOOD: (&str, &[u8]) = ("good.log", b"all is well\n");

const UNSAFE: &str = "a path is not safe";
const DIALECT: &str = "a header is not written in the one dialect";
const IRREGULAR: &str = "an entry is not a regular file";
const TAKEN: &str = "cannot stand beside what came before it";
const MORE: &str = "a pax header says more than path and size";
const RECORD: &str = "a pax header cannot be read";
const NUMBER: &str = "a number in a header is not octal";
const DISAGREES: &str = "the manifest does not agree with what is there";

/// Every attack; `outside` is a directory that none of them may reach.
pub fn all(outside: &str) -> Vec<Case> {
    [names(outside), kinds(outside), blocks(), records(outside), collisions(), manifests(), ends(), frames(), tables()]
        .concat_cases()
}

trait Concat {
    fn concat_cases(self) -> Vec<Case>;
}

impl<const N: usize> Concat for [Vec<Case>; N] {
    fn concat_cases(self) -> Vec<Case> {
        self.into_iter().flatten().collect()
    }
}

fn case(name: impl Into<String>, says: &'static str, stream: Vec<u8>) -> Case {
    Case { name: name.into(), says, stream }
}

/// An attack within tar: the honest file, the attack, a manifest of both, the end, in honest frames.
fn within(name: impl Into<String>, says: &'static str, attack: &[u8], listed: &[(&str, &[u8])]) -> Case {
    let listed = [&[GOOD], listed].concat();
    case(name, says, framed(&[&file(GOOD.0, GOOD.1), attack, &manifest(&listed), &end()].concat()))
}

fn names(outside: &str) -> Vec<Case> {
    let deep = |depth: usize| format!("{}victim", "d/".repeat(depth - 1));
    let wide = format!("{}victim", "d/".repeat(2_100));
    let component = "x".repeat(256);
    let mut cases = Vec::new();
    let absolute = format!("{outside}/victim");
    for (what, name) in [
        ("the directory above", "../victim"),
        ("above, from inside", "a/../../victim"),
        ("above, back to itself", "a/../victim"),
        ("above, alone", ".."),
        ("above, far", "../../../../../../../../../../../../etc/victim"),
        ("the present directory", "."),
        ("the present directory, in front", "./victim"),
        ("the present directory, inside", "a/./victim"),
        ("an absolute path", absolute.as_str()),
        ("two slashes in front", "//victim"),
        ("two slashes inside", "a//victim"),
        ("a slash at the end", "victim/"),
        ("a slash alone", "/"),
        ("backslashes", "..\\..\\victim"),
        ("a backslash inside", "a\\victim"),
        ("a drive", "C:/victim"),
        ("a drive without a root", "c:victim"),
        ("a drive with a backslash", "C:\\victim"),
        ("a share of a server", "\\\\server\\share\\victim"),
        ("a sequence that clears the terminal", "\u{1b}[2Jvictim"),
        ("a sequence that sets the terminal's title", "\u{1b}]0;owned\u{7}victim"),
        ("a line end", "good.log\nOPENED. 1 file in safe"),
        ("a carriage return", "victim\rOPENED."),
        ("a backspace", "victim\u{8}\u{8}\u{8}"),
        ("a delete character", "vic\u{7f}tim"),
    ] {
        let block = Header::new(name, 0).block();
        let by_block = if name.len() <= 100 { block } else { long_file(name, b"") };
        cases.push(within(what, UNSAFE, &by_block, &[(name, b"")]));
        let by_record = [pax(&record("path", name.as_bytes())), Header::new("victim", 0).block()].concat();
        cases.push(within(format!("{what}, in a record"), UNSAFE, &by_record, &[(name, b"")]));
    }
    for (what, name) in [
        ("an empty component at the end of a long path", format!("{}/", "x".repeat(120))),
        ("65 components", deep(65)),
        ("2000 components", deep(2_000)),
        ("a path of 4200 bytes", wide),
        ("a component of 256 bytes", component),
        ("text that runs backwards", "log\u{202e}gpj.exe".into()),
        ("an isolated direction", "a\u{2066}b\u{2069}".into()),
        ("a mark of direction", "a\u{200f}b".into()),
        ("a control character of the second set", "a\u{9b}31mb".into()),
        ("a next line", "a\u{85}b".into()),
    ] {
        cases.push(within(what, UNSAFE, &long_file(&name, b""), &[(&name, b"")]));
    }
    cases.push(within("no name", UNSAFE, &Header::new("", 0).block(), &[("victim", b"")]));
    cases.push(within("a name that is not UTF-8", UNSAFE, &Header::new(b"v\xffctim", 0).block(), &[("victim", b"")]));
    cases.push(within("bytes behind the name", DIALECT, &Header::new(b"victim\0/../x", 0).block(), &[("victim", b"")]));
    let zero = [pax(&record("path", b"victim\0.log")), Header::new("victim", 0).block()].concat();
    cases.push(within("a zero byte in a record's path", UNSAFE, &zero, &[("victim", b"")]));
    cases
}

fn kinds(outside: &str) -> Vec<Case> {
    let victim = format!("{outside}/victim");
    let link = |kind, name: &str, target: &str| Header::new(name, 0).kind(kind).link(target).block();
    let mut cases = vec![
        within("a symbolic link out", IRREGULAR, &link(b'2', "link", outside), &[]),
        within("a symbolic link up", IRREGULAR, &link(b'2', "link", ".."), &[]),
        within(
            "a file through a symbolic link",
            IRREGULAR,
            &[link(b'2', "link", outside), file("link/victim", b"x")].concat(),
            &[("link/victim", b"x")],
        ),
        within(
            "a file over a symbolic link",
            IRREGULAR,
            &[link(b'2', "link", &victim), file("link", b"x")].concat(),
            &[("link", b"x")],
        ),
        within(
            "a link through a link",
            IRREGULAR,
            &[link(b'2', "a", "."), link(b'2', "a/b", ".."), file("b/victim", b"x")].concat(),
            &[("b/victim", b"x")],
        ),
        within("a hard link out", IRREGULAR, &link(b'1', "link", "/etc/passwd"), &[("link", b"")]),
        within("a hard link to an earlier file", IRREGULAR, &link(b'1', "link", "good.log"), &[("link", GOOD.1)]),
        within(
            "a hard link that a file is written through",
            IRREGULAR,
            &[link(b'1', "link", &victim), file("link", b"x")].concat(),
            &[("link", b"x")],
        ),
        within("a target on a regular file", DIALECT, &link(b'0', "victim", "/etc/passwd"), &[("victim", b"")]),
        within(
            "a device with numbers",
            IRREGULAR,
            &Header::new("null", 0).kind(b'3').put(329, b"0000001\x000000003\0").block(),
            &[("null", b"")],
        ),
        within(
            "device numbers on a regular file",
            DIALECT,
            &Header::new("null", 0).put(329, b"0000001\x000000003\0").block(),
            &[("null", b"")],
        ),
    ];
    for (what, kind) in [
        ("the old kind of a file", 0),
        ("a character device", b'3'),
        ("a block device", b'4'),
        ("a directory", b'5'),
        ("a pipe", b'6'),
        ("a contiguous file", b'7'),
        ("a header for all files", b'g'),
        ("GNU: a long name", b'L'),
        ("GNU: a long target", b'K'),
        ("GNU: a sparse file", b'S'),
        ("GNU: a second volume", b'M'),
        ("GNU: a volume's name", b'V'),
        ("GNU: a directory's list", b'D'),
        ("GNU: names to rename", b'N'),
        ("Solaris: an access list", b'A'),
        ("Solaris: extended records", b'X'),
        ("a kind of a vendor", b'Z'),
        ("a kind that no one knows", 0xff),
    ] {
        cases.push(within(what, IRREGULAR, &Header::new("victim", 0).kind(kind).block(), &[("victim", b"")]));
    }
    for (what, name) in [("GNU: a long name that leads out", "../victim"), ("GNU: a long name", "victim")] {
        let long = format!("{}{name}", "d/".repeat(100));
        let told =
            [Header::new("././@LongLink", long.len() as u64).kind(b'L').block(), padded(long.as_bytes())].concat();
        cases.push(within(what, IRREGULAR, &[told, file("short", b"x")].concat(), &[("short", b"x")]));
    }
    for (what, mode) in [
        ("setuid", b"0004755"),
        ("setgid", b"0002755"),
        ("sticky", b"0001777"),
        ("for everyone", b"0000666"),
        ("executable", b"0000755"),
        ("for no one", b"0000000"),
        ("a mode with a file's kind", b"0100644"),
    ] {
        let block = Header::new("victim", 0).mode(mode).block();
        cases.push(within(what, DIALECT, &block, &[("victim", b"")]));
    }
    cases
}

fn blocks() -> Vec<Case> {
    let spoilt = |at: usize, bytes: &[u8]| Header::new("victim", 0).put(at, bytes).block();
    let mut checksum = Header::new("victim", 0).block();
    checksum[148..154].copy_from_slice(b"000000");
    let mut signed = Header::new("victim", 0).block();
    signed[148..156].copy_from_slice(b"-12345\0 ");
    let mut spaces = Header::new("victim", 0).block();
    spaces.copy_within(149..154, 148);
    spaces[153..156].copy_from_slice(b"\0 \0");
    let mut dirty = file("victim", b"x");
    *dirty.last_mut().unwrap() = 1;
    let base_256 = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let huge = [0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let body = [&file(GOOD.0, GOOD.1)[..], &Header::new("victim", 0o77_777_777_777).block(), b"x"].concat();
    let listed: &[(&str, &[u8])] = &[("victim", b"")];
    vec![
        within("a checksum that does not fit", DIALECT, &checksum, listed),
        within("a checksum with a sign", DIALECT, &signed, listed),
        within("a checksum of other padding", DIALECT, &spaces, listed),
        within("an owner", DIALECT, &spoilt(108, b"0001750"), listed),
        within("a group", DIALECT, &spoilt(116, b"0001750"), listed),
        within("the name of an owner", DIALECT, &spoilt(265, b"root"), listed),
        within("the name of a group", DIALECT, &spoilt(297, b"root"), listed),
        within("a prefix that leads out", DIALECT, &spoilt(345, b"../../.."), listed),
        within("a prefix", DIALECT, &spoilt(345, b"etc"), listed),
        within("bytes behind the fields", DIALECT, &spoilt(500, b"x"), listed),
        within("the magic of GNU", DIALECT, &spoilt(257, b"ustar  \0"), listed),
        within("no magic", DIALECT, &spoilt(257, &[0; 8]), listed),
        within("a size in base 256", NUMBER, &spoilt(124, &base_256), listed),
        within("a huge size in base 256", NUMBER, &spoilt(124, &huge), listed),
        within("a negative size in base 256", NUMBER, &spoilt(124, &[0xff; 12]), listed),
        within("a negative size", NUMBER, &spoilt(124, b"-0000000001"), listed),
        within("a size with a sign", DIALECT, &spoilt(124, b"+0000000000"), listed),
        within("a size with spaces", NUMBER, &spoilt(124, b"          0"), listed),
        within("a size of twelve digits", DIALECT, &spoilt(124, b"000000000000"), listed),
        within("a size that is no number", NUMBER, &spoilt(124, b"9zzzzzzzzzz"), listed),
        within("no size", NUMBER, &spoilt(124, &[0; 12]), listed),
        within("a negative time", NUMBER, &spoilt(136, b"-0000000001"), listed),
        within("a time in base 256", NUMBER, &spoilt(136, &[0xff; 12]), listed),
        within("content in the padding", "the room after an entry is not empty", &dirty, &[("victim", b"x")]),
        case("a size past the end", "the archive ends early", framed(&body)),
    ]
}

fn records(outside: &str) -> Vec<Case> {
    let victim = format!("{outside}/victim");
    let wide = "Zo\u{eb}";
    let path = || record("path", wide.as_bytes());
    // A header with these records before an honest block of the file `Zoë`.
    let with = |records: &[u8]| [pax(records), Header::new("Zo?", 0).block()].concat();
    let more = |key: &str, value: &str| [path(), record(key, value.as_bytes())].concat();
    let listed: &[(&str, &[u8])] = &[(wide, b"")];
    let mut cases = Vec::new();
    for (what, key, value) in [
        ("a target", "linkpath", victim.as_str()),
        ("the time", "mtime", "1.5"),
        ("a negative time", "mtime", "-1"),
        ("an owner", "uid", "0"),
        ("an owner past every number", "uid", "99999999999999999999999999"),
        ("the name of an owner", "uname", "root"),
        ("a character set", "hdrcharset", "BINARY"),
        ("a character set of the content", "charset", "ISO-IR 8859 1 1998"),
        ("a comment", "comment", "\u{1b}[2J"),
        ("a sparse file", "GNU.sparse.major", "1"),
        ("a sparse file's name", "GNU.sparse.name", "../victim"),
        ("a sparse file's size", "GNU.sparse.realsize", "10000000000000"),
        ("a sparse file's map", "GNU.sparse.map", "0,1,9999999999,1"),
        ("an attribute", "SCHILY.xattr.user.x", "y"),
        ("a capability", "SCHILY.xattr.security.capability", "x"),
        ("an access list", "SCHILY.acl.access", "user::rwx"),
        ("a device", "SCHILY.dev", "1"),
        ("a kind of libarchive", "LIBARCHIVE.symlinktype", "dir"),
        ("a key of no letters", "", "x"),
        ("a path in other letters", "PATH", "../victim"),
        ("a path once more", "path", "../victim"),
    ] {
        cases.push(within(format!("a record with {what}"), MORE, &with(&more(key, value)), listed));
    }
    for (what, says, records) in [
        ("a size that is no number", "a size is not a number", more("size", "x")),
        ("a negative size", "a size is not a number", more("size", "-1")),
        ("a size past 64 bits", "a size is not a number", more("size", "99999999999999999999")),
        ("a size without digits", "a size is not a number", more("size", "")),
        ("a size that the block can say", DIALECT, more("size", "5")),
        ("a size with a sign", DIALECT, more("size", "+8589934592")),
        ("a size before the path", DIALECT, [record("size", b"8589934592"), path()].concat()),
        ("a path that needs no record", DIALECT, record("path", b"victim")),
        ("a length that is too short", RECORD, record_of_length("9", "path", wide.as_bytes())),
        ("a length that is too long", RECORD, record_of_length("900", "path", wide.as_bytes())),
        ("a length of nothing", RECORD, record_of_length("0", "path", wide.as_bytes())),
        ("a length that is negative", RECORD, record_of_length("-13", "path", wide.as_bytes())),
        ("a length past 64 bits", RECORD, record_of_length("18446744073709551629", "path", wide.as_bytes())),
        ("a length of 200 digits", RECORD, record_of_length(&"9".repeat(200), "path", wide.as_bytes())),
        ("a length with a zero in front", DIALECT, record_of_length("014", "path", wide.as_bytes())),
        ("a length with a sign", DIALECT, record_of_length("+14", "path", wide.as_bytes())),
        ("no length", RECORD, b"path=Zo\xc3\xab\n".to_vec()),
        ("no equals sign", RECORD, b"9 pathxx\n".to_vec()),
        ("no line end", RECORD, b"12 path=victim".to_vec()),
        ("nothing but a line end", RECORD, b"\n".to_vec()),
        ("zeros behind the records", RECORD, [path(), vec![0; 40]].concat()),
    ] {
        cases.push(within(format!("records with {what}"), says, &with(&records), listed));
    }
    let mut dirty = pax(&path());
    *dirty.last_mut().unwrap() = 1;
    let block = Header::new("Zo?", 0).block();
    let endless = pax_header(0o77_777_777_777).block();
    cases.extend([
        within("two headers of records", IRREGULAR, &[pax(&path()), with(&path())].concat(), listed),
        within("no records in their header", "a pax header is too long", &pax(b""), &[]),
        within("records of 65 KiB", "a pax header is too long", &with(&record("path", &[b'x'; 66_560])), listed),
        within("records of 8 GiB", "a pax header is too long", &endless, listed),
        within("content in the records' padding", DIALECT, &[dirty, block.clone()].concat(), listed),
        within(
            "records before a directory",
            IRREGULAR,
            &[pax(&path()), Header::new("Zo?", 0).kind(b'5').block()].concat(),
            listed,
        ),
        within(
            "records before another name",
            DIALECT,
            &[pax(&path()), Header::new("other", 0).block()].concat(),
            listed,
        ),
        within(
            "records with a name of their own",
            DIALECT,
            &[
                Header::new("PaxHeaders/victim", path().len() as u64).mode(b"0000000").kind(b'x').block(),
                padded(&path()),
                block.clone(),
            ]
            .concat(),
            listed,
        ),
        within(
            "records for everyone to read",
            DIALECT,
            &[pax_header(path().len() as u64).mode(b"0000644").block(), padded(&path()), block].concat(),
            listed,
        ),
        case(
            "records at the end",
            "an entry is not a regular file",
            framed(&[file(GOOD.0, GOOD.1), pax(&path()), end()].concat()),
        ),
    ]);
    cases
}

fn collisions() -> Vec<Case> {
    [
        ("twice", "dir/a", "dir/a"),
        ("twice, the first one", "good.log", "x"),
        ("in other case", "dir/a", "DIR/A"),
        ("a directory in other case", "dir/a", "Dir/a"),
        ("in other composition", "Zo\u{eb}", "Zoe\u{308}"),
        ("in other composition and case", "ZO\u{cb}", "zoe\u{308}"),
        ("a sharp s", "STRASSE", "stra\u{df}e"),
        ("a final sigma", "\u{3a3}", "\u{3c2}"),
        ("a kelvin sign", "k", "\u{212a}"),
        ("a file that becomes a directory", "a", "a/b"),
        ("a directory that becomes a file", "a/b", "a"),
        ("a file that becomes a directory in other case", "a", "A/b"),
        ("the first file as a directory", "good.log/x", "y"),
    ]
    .into_iter()
    .map(|(what, one, other)| {
        let any =
            |name: &str, content: &[u8]| if name.is_ascii() { file(name, content) } else { long_file(name, content) };
        within(what, TAKEN, &[any(one, b"1"), any(other, b"2")].concat(), &[(one, b"1"), (other, b"2")])
    })
    .chain(
        [".tarseal/other", ".tarseal", ".TARSEAL/manifest.json", ".Tarseal/x/y", ".tarseal/manifest.json/x"].map(
            |name| within(format!("a place of the snapshot's own: {name}"), TAKEN, &file(name, b""), &[(name, b"")]),
        ),
    )
    .collect()
}

fn manifests() -> Vec<Case> {
    let good = || file(GOOD.0, GOOD.1);
    let text = manifest_text(&[GOOD]);
    let listing = |what: &str, says, listed: &[(&str, &[u8])]| {
        case(what, says, framed(&[good(), manifest(listed), end()].concat()))
    };
    let with = |what: &str, says, text: &str| {
        case(what, says, framed(&[good(), file(MANIFEST, text.as_bytes()), end()].concat()))
    };
    let replaced = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let wrong = "manifest cannot be read: line 1, column";
    let nested = format!("{{\"later\":{}", "[".repeat(1_000_000));
    let lone = replaced("\"tarseal test\"", "\"\\ud800\"");
    vec![
        listing("a manifest without a file", DISAGREES, &[]),
        listing("a manifest with a file too many", DISAGREES, &[GOOD, ("other", b"")]),
        listing("a manifest with another name", DISAGREES, &[("other.log", GOOD.1)]),
        listing("a manifest with another size", DISAGREES, &[("good.log", b"all is well")]),
        listing("a manifest with another digest", DISAGREES, &[("good.log", b"all is bad!\n")]),
        listing("a manifest that lists a file twice", DISAGREES, &[GOOD, GOOD]),
        listing("a manifest that lists itself", DISAGREES, &[GOOD, (MANIFEST, b"")]),
        case(
            "a manifest in another order",
            DISAGREES,
            framed(&[good(), file("b", b""), manifest(&[("b", b""), GOOD]), end()].concat()),
        ),
        case("no manifest", "it has no manifest", framed(&[good(), end()].concat())),
        case("nothing at all", "it has no manifest", framed(&end())),
        case(
            "two manifests",
            "an entry follows the manifest",
            framed(&[good(), manifest(&[GOOD]), manifest(&[GOOD]), end()].concat()),
        ),
        case(
            "a file behind the manifest",
            "an entry follows the manifest",
            framed(&[manifest(&[GOOD]), good(), end()].concat()),
        ),
        case(
            "a manifest as a link",
            IRREGULAR,
            framed(&[good(), Header::new(MANIFEST, 0).kind(b'2').link("good.log").block(), end()].concat()),
        ),
        case(
            "a manifest of 33 MiB",
            "its manifest is too large",
            framed(&[good(), Header::new(MANIFEST, 33 << 20).block()].concat()),
        ),
        case(
            "a manifest of 8 GiB",
            "its manifest is too large",
            framed(&[good(), Header::new(MANIFEST, 0o77_777_777_777).block()].concat()),
        ),
        with("a manifest that is empty", wrong, ""),
        with("a manifest that is no JSON", wrong, "all is well"),
        with("a manifest that is a list", wrong, "[]"),
        with("a manifest that is cut off", wrong, &text[..text.len() - 1]),
        with("a manifest with more behind it", wrong, &format!("{text}{text}")),
        with("a manifest of version 2", wrong, &replaced("\"version\":1", "\"version\":2")),
        with("a manifest of version 1e400", wrong, &replaced("\"version\":1", "\"version\":1e400")),
        with("a manifest with a member twice", wrong, &replaced("\"version\":1", "\"version\":1,\"version\":1")),
        with("a manifest with a path that leads out", wrong, &replaced("good.log", "../good.log")),
        with(
            "a manifest with a terminal sequence",
            wrong,
            &replaced("\"redacted\":true", "\"redacted\":\"\\u001b[2J\""),
        ),
        with("a manifest with a negative size", wrong, &replaced("\"size\":12", "\"size\":-12")),
        with("a manifest with a size past 64 bits", wrong, &replaced("\"size\":12", "\"size\":18446744073709551628")),
        with("a manifest with half a character", wrong, &lone),
        with("a manifest that is nested a million deep", wrong, &nested),
        with(
            "a manifest with a time past the calendar",
            wrong,
            &replaced("2026-11-21T14:20:01Z", "99999-01-01T00:00:00Z"),
        ),
    ]
}

fn ends() -> Vec<Case> {
    let tar = [file(GOOD.0, GOOD.1), manifest(&[GOOD]), end()].concat();
    let cut = |length: usize| framed(&tar[..tar.len() - length]);
    let early = "the archive ends early";
    let follows = "bytes follow the archive's end";
    vec![
        case("no end", early, cut(2 * BLOCK)),
        case("half an end", early, cut(BLOCK)),
        case("an end that is cut", early, cut(1)),
        case(
            "a block between the ends",
            "an entry follows the archive's end",
            framed(&[&tar[..tar.len() - BLOCK], &file("x", b"")].concat()),
        ),
        case("zeros behind the end", follows, framed(&[&tar[..], &[0; BLOCK]].concat())),
        case("a record's worth of zeros behind the end", follows, framed(&[&tar[..], &[0; 20 * BLOCK]].concat())),
        case("a second archive behind the end", follows, framed(&[&tar[..], &tar].concat())),
        case("a byte behind the end", follows, framed(&[&tar[..], b"x"].concat())),
        case("an end in front", "it has no manifest", framed(&[&end()[..], &tar].concat())),
        case("a header that is cut", early, framed(&tar[..300])),
        case("content that is cut", early, framed(&tar[..520])),
        case("no archive", early, table(&[])),
        case("nothing", "it ends early", Vec::new()),
    ]
}

fn frames() -> Vec<Case> {
    let tar = [file(GOOD.0, GOOD.1), manifest(&[GOOD]), end()].concat();
    let honest = frame(&tar);
    let alone =
        |what: &str, says, frame: &[u8]| case(what, says, [frame, &table(&[(frame.len(), tar.len())])].concat());
    let raw = |descriptor: u8, rest: &[u8]| [&FRAME_MAGIC[..], &[descriptor], rest].concat();
    let skipped = |what: &str, says, magic, content: &[u8]| {
        let skipped = skippable(magic, content);
        let table = table(&[(skipped.len(), 0), (honest.len(), tar.len())]);
        case(what, says, [skipped, honest.clone(), table].concat())
    };
    let flag = "a frame has a checksum, a dictionary or an unknown flag";
    let begin = "a frame does not begin where it should";
    let memory = "a frame needs too much memory";
    let large = "a frame is too large";
    let broken = "a frame cannot be decompressed";
    let changed = |at: usize, byte: u8| {
        let mut frame = honest.clone();
        frame[at] = byte;
        frame
    };
    // Four bytes of magic, one of flags, two of length in these frames, then the first block's header.
    let first_block = 7;
    assert_eq!(honest[4] >> 6, 1, "the length stands in two bytes");
    let lie = |length: usize| {
        let mut frame = honest.clone();
        frame[5..7].copy_from_slice(&u16::try_from(length - 256).unwrap().to_le_bytes());
        frame
    };
    vec![
        alone("a frame with a checksum", flag, &frame_with(&tar, |c| c.include_checksum(true).unwrap())),
        alone(
            "a frame that does not say its length",
            "a frame does not say how long its content is",
            &frame_with(&tar, |c| c.include_contentsize(false).unwrap()),
        ),
        alone("a frame with a dictionary's number", flag, &raw(0x21, &[7, 10, 1, 0, 0])),
        alone("a frame with a reserved bit", flag, &changed(4, honest[4] | 0x08)),
        alone("a frame with an unused bit", flag, &changed(4, honest[4] | 0x10)),
        alone("a frame whose window is 2 GiB", memory, &raw(0x80, &[0xa8, 100, 0, 0, 0, 1, 0, 0])),
        alone("a frame whose window is 3.75 TiB", memory, &raw(0x80, &[0xff, 100, 0, 0, 0, 1, 0, 0])),
        alone("a frame whose window is 32 MiB", memory, &raw(0x80, &[0x78, 100, 0, 0, 0, 1, 0, 0])),
        alone("a frame of 17 MiB", large, &frame(&vec![0; 17 << 20])),
        alone("a frame that says 16 EiB", large, &raw(0xe0, &[0xff; 11])),
        alone("a frame that says nothing", "a frame is empty", &raw(0x20, &[0, 1, 0, 0])),
        alone("a frame that says less than it holds", broken, &lie(tar.len() - 1)),
        alone("a frame that says more than it holds", broken, &lie(tar.len() + 1)),
        alone(
            "a frame with a block of a reserved kind",
            "a frame has a block of no known kind",
            &changed(first_block, honest[first_block] | 6),
        ),
        alone(
            "a frame with a block of 2 MiB",
            "a frame is longer than it may be",
            &raw(0xa0, &[0, 0, 16, 0, 1, 0, 0xff]),
        ),
        alone("a frame that ends within a block", broken, &honest[..honest.len() - 5]),
        alone("a frame with a spoilt block", broken, &changed(first_block + 5, !honest[first_block + 5])),
        alone("a frame of another compression", begin, b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0"),
        alone("a frame of an early zstd", begin, &[&0xFD2F_B527_u32.to_le_bytes()[..], &honest[4..]].concat()),
        alone("tar without a frame", begin, &tar),
        alone("a byte before a frame", begin, &[b"\0", &honest[..]].concat()),
        alone("a byte behind a frame", begin, &[&honest[..], b"\0"].concat()),
        skipped("hidden text", "its padding is not empty", PADDING_MAGIC, b"hidden"),
        skipped("padding of 65 KiB", "its padding is too long", PADDING_MAGIC, &[0; 66_560]),
        skipped("a skippable frame of another kind", begin, 0x184D_2A51_u32.to_le_bytes(), b""),
        skipped("a skippable frame of the last kind", begin, 0x184D_2A5F_u32.to_le_bytes(), b""),
        case("padding of 4 GiB", "its padding is too long", [&PADDING_MAGIC[..], &[0xff; 4]].concat()),
        case("a frame twice", "bytes follow the archive's end", {
            let lengths = (honest.len(), tar.len());
            [&honest[..], &honest, &table(&[lengths, lengths])].concat()
        }),
    ]
}

fn tables() -> Vec<Case> {
    let tar = [file(GOOD.0, GOOD.1), manifest(&[GOOD]), end()].concat();
    let (one, other) = (frame(&tar[..700]), frame(&tar[700..]));
    let (first, second) = ((one.len(), 700), (other.len(), tar.len() - 700));
    let frames = [one.clone(), other.clone()].concat();
    let with = |what: &str, says, table: &[u8]| case(what, says, [&frames[..], table].concat());
    let lies = "the seek table does not fit the frames";
    let honest = table(&[first, second]);
    let spoilt = |at: usize| {
        let mut table = honest.clone();
        table[at] ^= 1;
        table
    };
    let wide =
        |by: usize| [&honest[..4], &u32::try_from(honest.len() - 8 + by).unwrap().to_le_bytes(), &honest[8..]].concat();
    vec![
        with("no seek table", "it ends early", b""),
        with("a seek table that is cut", "it ends early", &honest[..honest.len() - 1]),
        with("an empty seek table", "it ends early", &table(&[])),
        with("a seek table without a frame", "it ends early", &table(&[first])),
        with("a seek table with a frame too many", lies, &table(&[first, second, first])),
        with("a seek table in another order", lies, &table(&[second, first])),
        with("a seek table with another length", lies, &table(&[(first.0 + 1, first.1), (second.0 - 1, second.1)])),
        with("a seek table with other content", lies, &table(&[(first.0, first.1 + 1), (second.0, second.1 - 1)])),
        with("a seek table with 4 GiB", lies, &table(&[(u32::MAX as usize, first.1), second])),
        with("a seek table with another number", lies, &spoilt(honest.len() - 9)),
        with("a seek table with checksums", lies, &spoilt(honest.len() - 5)),
        with("a seek table with another end", lies, &spoilt(honest.len() - 1)),
        with("a seek table that is longer than it is", lies, &wide(4)),
        with("a seek table twice", "bytes follow its end", &[&honest[..], &honest].concat()),
        with("a byte behind the seek table", "bytes follow its end", &[&honest[..], b"\0"].concat()),
        with("a frame behind the seek table", "bytes follow its end", &[&honest[..], &one].concat()),
        case("a seek table in front", "the seek table does not fit the frames", [&honest[..], &frames].concat()),
        case(
            "a seek table in the middle",
            "the seek table does not fit the frames",
            [&one[..], &honest, &other].concat(),
        ),
    ]
}
