//! Names that only their neighbours say to be a person's: `name` beside `email`, `userId` or `first_name`, in an object of JSON
//! or among settings on one line, and the names in a list of `members` or `owners`.
//!
//! A `name` by itself is that of anything: of a module, a file, a room. So what stands there must also read like a person's, the
//! more so the less its neighbours say; and beside `pid` or `port` it is a program's or a server's unless nothing else fits.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::super::common::{is_common, is_nobody, is_service};
use super::super::keys::KeyClass;
use super::super::text::{self, DIGIT, HIGH, IDENT, SPACE, byte, is, run, run_back};
use super::json::{Token, blank};
use super::{Sink, is_mark};

/// Deepest nesting that is followed.
const DEEPEST: usize = 32;
/// Most strings within each other in which objects are looked for.
const MOST_LAYERS: usize = 2;
/// Most texts in a line that begin like an object and are none.
const MOST_FLAWS: usize = 3;
/// Longest name, in bytes, and most words of one.
const LONGEST: usize = 80;
const MOST_WORDS: usize = 5;
/// Longest key that is known.
const LONGEST_KEY: usize = 24;

/// What a key says about the name beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Name,
    /// It is a person's: an address of mail, a part of a name, a login.
    Strong,
    /// It is a part of the name itself.
    Part,
    /// It may be one's.
    Weak,
    /// An account's number or login from elsewhere; its value goes as well.
    Foreign,
    /// It is something else's.
    Against,
    /// What is listed there has names.
    People,
    Other,
}

const STRONG: &str = "email emailaddress mail useremail username login loginname samaccountname userprincipalname displayname fullname jobtitle phonenumber dateofbirth";
const PART: &str = "firstname givenname lastname surname familyname middlename forename";
const WEAK: &str =
    "userid role ispresenter ismoderator isguest ishost joinedat avatar avatarurl presenter moderator guest";
const FOREIGN: &str = "extuserid externaluserid externuserid";
const AGAINST: &str = "pid level msg logger loglevel kind apiversion namespace version file filename path host hostname port url \
    uri server database driver image module package service container labels replicas schedule";
const PEOPLE: &str = "members owners accounts people persons maintainers authors contributors teachers students employees \
    staff contacts speakers leaders reviewers subscribers";

impl Key {
    fn of(key: &[u8]) -> Self {
        if key.is_empty() || key.len() > LONGEST_KEY {
            return Self::Other;
        }
        let letters = |b: &u8| !matches!(b, b'_' | b'-' | b'.');
        let folded: Vec<u8> = key.iter().filter(|b| letters(b)).map(u8::to_ascii_lowercase).collect();
        let any = |list: &str| list.split_ascii_whitespace().any(|word| word.as_bytes() == folded);
        match folded.as_slice() {
            b"name" if key.len() == 4 => Self::Name,
            _ if any(STRONG) => Self::Strong,
            _ if any(PART) => Self::Part,
            _ if any(WEAK) => Self::Weak,
            _ if any(FOREIGN) => Self::Foreign,
            _ if any(AGAINST) => Self::Against,
            _ if any(PEOPLE) => Self::People,
            _ => Self::Other,
        }
    }
}

/// What the keys beside a name say together.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    strong: bool,
    part: bool,
    weak: u8,
    against: bool,
    /// The name stands in a list of people.
    listed: bool,
}

impl Said {
    fn take(&mut self, key: Key) {
        match key {
            Key::Strong => self.strong = true,
            Key::Part => (self.strong, self.part) = (true, true),
            Key::Weak | Key::Foreign => self.weak = self.weak.saturating_add(1),
            Key::Against => self.against = true,
            Key::Name | Key::People | Key::Other => {}
        }
    }

    /// What a name is, by how it reads.
    fn class(self, name: &[u8]) -> Option<KeyClass> {
        let strong = self.strong || self.weak > 1 || self.listed;
        if !strong && self.weak == 0 || name.len() > LONGEST {
            return None;
        }
        if self.part && !self.against && is_of_letters(&letters(name)) {
            // The other part may be any word.
            return Some(KeyClass::Person);
        }
        let reads = Reading::of(name)?;
        let fits = match reads {
            _ if self.against => reads == Reading::Full { ordinary: false },
            _ if !strong => matches!(reads, Reading::Full { .. }),
            Reading::Word => self.strong,
            _ => true,
        };
        fits.then_some(if reads == Reading::Word { KeyClass::User } else { KeyClass::Person })
    }
}

/// How a name reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// Words with capitals; whether one of them is an ordinary word.
    Full { ordinary: bool },
    /// One word with a capital that is no ordinary word.
    Capital,
    /// A few small words, not all of them ordinary.
    Small,
    /// One small word that is none.
    Word,
}

impl Reading {
    /// Nothing for what no person is called.
    fn of(name: &[u8]) -> Option<Self> {
        let name = letters(name);
        if !is_of_letters(&name) {
            return None;
        }
        let words: Vec<&[u8]> = name.split(|b| matches!(b, b' ' | b',')).filter(|word| !word.is_empty()).collect();
        let capital = |word: &[u8]| word[0].is_ascii_uppercase() || is(word[0], HIGH);
        let particle = |word: &&[u8]| word.len() <= 4 && !capital(word);
        let ordinary = |word: &[u8]| {
            let folded = text::fold(word);
            is_common(&folded) || is_service(&folded) || is_nobody(&folded)
        };
        let full = words.iter().filter(|word| capital(word)).count();
        let telling: Vec<&&[u8]> = words.iter().filter(|word| full == 0 || !particle(word)).collect();
        let (first, last) = (words.first()?, words.last()?);
        if words.len() > MOST_WORDS || telling.iter().all(|word| ordinary(word)) {
            return None;
        }
        if words.len() == 1 {
            let shouted = first.len() > 1 && first.iter().all(u8::is_ascii_uppercase);
            return match capital(first) {
                true => (!shouted && text::fold(first).chars().count() >= 2).then_some(Self::Capital),
                false => (first.len() >= 3 && first.iter().all(u8::is_ascii_alphabetic)).then_some(Self::Word),
            };
        }
        if full == 0 {
            return Some(Self::Small);
        }
        let fits = full >= 2 && capital(last) && words.iter().all(|word| capital(word) || particle(word));
        fits.then(|| Self::Full { ordinary: telling.iter().any(|word| ordinary(word)) })
    }
}

/// Whether a text has letters, and nothing but what stands in names.
fn is_of_letters(name: &[u8]) -> bool {
    let letter = |b: &u8| b.is_ascii_alphabetic() || is(*b, HIGH);
    name.iter().any(letter) && name.iter().all(|b| letter(b) || matches!(b, b' ' | b'-' | b'\'' | b'.' | b','))
}

/// A text in which letters that JSON escapes (`\u0142`) stand as one byte of a letter outside ASCII.
fn letters(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    let mut at = 0;
    while at < name.len() {
        let slashes = name[at..].iter().take_while(|&&b| b == b'\\').count();
        let hex = at + slashes + 1;
        if slashes > 0 && byte(name, at + slashes) == b'u' && run(name, hex, text::HEX) >= hex + 4 {
            out.push(0xc3);
            at = hex + 4;
        } else {
            out.push(name[at]);
            at += 1;
        }
    }
    out
}

/// Finds such names in a line.
pub(super) fn find(line: &[u8], sink: &mut Sink<'_, '_>) {
    static NAME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("name"));
    if NAME.find(line).is_none() {
        return;
    }
    if sink.signs.opens {
        objects(line, 0, sink, 0);
    }
    settings(line, sink);
}

/// Finds the names in the objects that begin in a text.
fn objects(line: &[u8], mut at: usize, sink: &mut Sink<'_, '_>, layer: usize) {
    let mut flaws = 0;
    while let Some(length) = line.get(at..).and_then(|rest| memchr::memchr(b'{', rest)) {
        at += length;
        match object(line, at, sink, layer) {
            Some(end) => at = end.max(at + 1),
            None => {
                flaws += 1;
                at += 1;
                if flaws == MOST_FLAWS {
                    return;
                }
            }
        }
    }
}

/// A list or object that is being read.
#[derive(Default)]
struct Frame {
    list: bool,
    /// What the next text is the value of.
    awaits: Option<Key>,
    said: Said,
    name: Option<(usize, usize)>,
    foreign: Option<(usize, usize)>,
}

impl Frame {
    /// Says what was found when all keys are known.
    fn judge(&self, line: &[u8], sink: &mut Sink<'_, '_>) {
        let Some((start, end)) = self.name else { return };
        let Some(class) = self.said.class(&line[start..end]) else { return };
        sink.named(start, end, class);
        if let Some((start, end)) = self.foreign {
            sink.named(start, end, KeyClass::User);
        }
    }
}

/// Reads an object to its end, or as far as the line goes; nothing when it is none.
fn object(line: &[u8], from: usize, sink: &mut Sink<'_, '_>, layer: usize) -> Option<usize> {
    let mut frames: Vec<Frame> = Vec::new();
    let mut at = from;
    loop {
        at = blank(line, at);
        let sign = match line.get(at) {
            Some(&sign) => sign,
            None => {
                frames.iter().for_each(|frame| frame.judge(line, sink));
                return Some(at);
            }
        };
        match sign {
            b'[' if is_mark(line, at) => at += memchr::memchr(b']', &line[at..])? + 1,
            b'{' | b'[' => {
                if frames.len() == DEEPEST {
                    return None;
                }
                let outer = frames.last();
                let listed =
                    outer.is_some_and(|outer| outer.awaits == Some(Key::People) || outer.list && outer.said.listed);
                frames.push(Frame {
                    list: sign == b'[',
                    said: Said {
                        listed: listed && !outer.is_some_and(|outer| outer.list && sign == b'['),
                        ..Said::default()
                    },
                    ..Frame::default()
                });
                at += 1;
            }
            b'}' | b']' => {
                frames.pop()?.judge(line, sink);
                if let Some(outer) = frames.last_mut() {
                    outer.awaits = None;
                }
                at += 1;
            }
            b',' | b':' | b'=' | b'>' => {
                if let (b',', Some(frame)) = (sign, frames.last_mut()) {
                    frame.awaits = None;
                }
                at += 1;
            }
            _ => {
                let token = Token::at(line, at);
                if token.end == usize::MAX {
                    return None;
                }
                take(line, &token, frames.last_mut()?, sink, layer);
                at = token.after;
            }
        }
        if frames.is_empty() {
            return Some(at);
        }
    }
}

fn take(line: &[u8], token: &Token, frame: &mut Frame, sink: &mut Sink<'_, '_>, layer: usize) {
    let text = &line[token.start..token.end];
    let next = blank(line, token.after);
    let sign = byte(line, next) == b':' || byte(line, next) == b'=' && byte(line, next + 1) == b'>';
    if !frame.list && frame.awaits.is_none() && sign {
        let key = Key::of(text);
        frame.said.take(key);
        frame.awaits = Some(key);
        return;
    }
    match frame.awaits.take() {
        Some(Key::Name) => frame.name = Some((token.start, token.end)),
        Some(Key::Foreign) => frame.foreign = Some((token.start, token.end)),
        None if frame.list && frame.said.listed => {
            if let Some(class) = frame.said.class(text) {
                sink.named(token.start, token.end, class);
            }
        }
        _ if layer < MOST_LAYERS && text.contains(&b'{') => objects(&line[..token.end], token.start, sink, layer + 1),
        _ => {}
    }
}

/// Finds `name="Ana Krol" email="…"` on a line, also as the attributes of one element or the arguments of one call.
fn settings(line: &[u8], sink: &mut Sink<'_, '_>) {
    let mut frame = Frame::default();
    let mut from = 0;
    for sign in memchr::memchr_iter(b'=', line) {
        if sign < from {
            continue;
        }
        if memchr::memchr2(b'<', b'>', &line[from..sign]).is_some() {
            std::mem::take(&mut frame).judge(line, sink);
        }
        from = sign + 1;
        let key = run_back(line, sign.saturating_sub(LONGEST_KEY + 1), sign, IDENT);
        let apart =
            key == 0 || is(line[key - 1], SPACE) || matches!(line[key - 1], b'(' | b',' | b';' | b'{' | b'[' | b'|');
        if !apart || key == sign {
            continue;
        }
        let known = Key::of(&line[key..sign]);
        frame.said.take(known);
        if known == Key::Name && frame.name.is_none() {
            frame.name = value(line, sign + 1);
            from = frame.name.map_or(from, |(_, end)| end);
        }
    }
    frame.judge(line, sink);
}

/// A value in quotation marks, or one word.
fn value(line: &[u8], at: usize) -> Option<(usize, usize)> {
    let slashes = line.get(at..)?.iter().take(4).take_while(|&&b| b == b'\\').count();
    if matches!(byte(line, at + slashes), b'"' | b'\'') {
        let token = Token::at(line, at);
        return (token.end != usize::MAX && token.end - token.start <= LONGEST).then_some((token.start, token.end));
    }
    let ends = |b: &u8| {
        is(*b, SPACE) || matches!(b, b',' | b';' | b')' | b'"' | b'\'' | b'&' | b'|' | b'<' | b'>' | b'}' | b']')
    };
    let length = line[at..].iter().take(LONGEST).position(ends).unwrap_or(line.len() - at);
    (length > 0 && length <= LONGEST && !is(line[at], DIGIT)).then_some((at, at + length))
}

#[cfg(test)]
mod tests {
    use super::super::tests::finds;

    #[test]
    fn a_name_beside_what_only_people_have_is_a_persons() {
        let ada = [("Ada Love", "person")];
        for text in [
            r#"{"userId":"u1","name":"Ada Love"}"#,
            r#"{"name":"Ada Love","email":"x"}"#,
            r#"User joined: {"meetingId":"m","extUserId":7,"name":"Ada Love","role":"VIEWER"}"#,
            r#"{"msg":"joined {\"userId\":\"u1\",\"name\":\"Ada Love\"}"}"#,
            r#"{"data":[{"n":1},{"name":"Ada Love","role":"x"}]}"#,
            r#"{"members":[{"name":"Ada Love"},{"name":"etcd-1"}],"owners":["team-a"]}"#,
            r#"name="Ada Love" email="x" n=1"#,
            r#"User(id=7, name='Ada Love', email='x')"#,
            r#"<x name="Ada Love" email=""/><x name="stays"/>"#,
        ] {
            finds("", text, &ada);
        }
        finds("", r#"{"first_name":"Ada","name":"Love"}"#, &[("Love", "person")]);
        finds("", r#"{"name":"adalove","email":"x"}"#, &[("adalove", "user")]);
        finds("", r#"{"name":"Pawe\u0142 Kowal","email":"x"}"#, &[(r"Pawe\u0142 Kowal", "person")]);
        finds("", r#"{"extUserId":"adal","name":"Ada Love"}"#, &[("adal", "user"), ("Ada Love", "person")]);
    }

    #[test]
    fn a_name_of_something_else_stays() {
        for text in [
            r#"{"name":"Ada Love","n":1}"#,
            r#"{"name":"myapp","hostname":"","pid":1,"level":30,"email":"x","msg":"y"}"#,
            r#"{"name":"page_view","userId":"u1"}"#,
            r#"{"name":"Weekly Meeting","userId":"u1"}"#,
            r#"{"name":"Opus","role":"codec"}"#,
            r#"{"name":"node-3","role":"leader","host":"x"}"#,
            r#"{"members":[{"name":"etcd-1"},{"name":"rs0"}],"n":["Ada Love"]}"#,
            r#"{"user_id":7,"system":{"name":"Ada Love"}}"#,
            r#"{"name":"Main Database","username":"","port":5432}"#,
            r#"name=eth0 role=uplink email=none"#,
            r#"level=info msg=x name=worker user_id=7"#,
            r#"<x email=""/><x name="Ada Love"/>"#,
            "{'it's no object, name: {{{{{",
        ] {
            finds("", text, &[]);
        }
    }
}
