//! XML and what looks like it: text of elements, values of attributes.
//!
//! What a value is, is said by the element's name (`<displayName>`), by an attribute's within an element (`<user name=…>`), by
//! a name in an attribute (`<param name="password" value=…>`, `<Data Name="TargetUserName">`, SAML's `<Attribute Name=…>` for
//! the `<AttributeValue>` within) or by the element before (`<key>Password</key><string>…`, `<name>…</name><value>…`).

use super::super::category::Category;
use super::super::keys::KeyClass;
use super::super::text::{IDENT, SPACE, byte, is, run};
use super::{Sink, State};

/// Deepest nesting that is followed.
const DEEPEST: usize = 64;
/// Lines an element of a log may go on for.
const LINES_IN_TEXT: usize = 64;

/// What is open at the end of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Open {
    /// What the elements are about, from the outside in.
    stack: Vec<Option<KeyClass>>,
    /// Elements that are open beyond [`DEEPEST`].
    deeper: usize,
    within: Within,
    tag: Tag,
    /// What the last `<key>` says about the next element.
    key: Option<KeyClass>,
    /// The text is that of a `<key>`.
    in_key: bool,
    lines: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Text,
    Tag,
    /// In the value of an attribute, up to this quotation mark.
    Value(u8, Option<KeyClass>),
    Data,
    Comment,
    Other,
}

/// The tag that is being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tag {
    /// What its name says.
    class: Option<KeyClass>,
    /// What a name in an attribute says.
    key: Option<KeyClass>,
    is_key: bool,
}

/// Reads a line of XML.
pub(super) fn line(line: &[u8], state: &mut State, sink: &mut Sink<'_, '_>) {
    if !matches!(state, State::Xml(_)) {
        *state = State::Xml(Open::default());
    }
    if let State::Xml(open) = state {
        open.read(line, 0, sink);
    }
}

/// Finds elements in a line of any text; what is open at its end, when the line looks as if it were of XML.
pub(super) fn begin(line: &[u8], sink: &mut Sink<'_, '_>) -> Option<Open> {
    let first = memchr::memchr_iter(b'<', line).find(|&at| is_name(byte(line, at + 1)))?;
    let all = line[..first].trim_ascii().is_empty();
    let closed = memchr::memchr_iter(b'/', &line[first..])
        .any(|at| line[first + at - 1] == b'<' || byte(line, first + at + 1) == b'>');
    if !all && !closed {
        return None;
    }
    let mut open = Open::default();
    let walls = sink.walls();
    if closed || all && line.trim_ascii_end().ends_with(b">") || all && open_tag(&line[first..]) {
        open.read_in_text(line, first, sink);
    }
    let goes_on = all && (open.stack.last().copied().flatten().is_some() || open.within == Within::Tag);
    if !all {
        // In the middle of a line nothing begins that goes on: a value that holds markup is one value.
        sink.keep_walls(walls);
    }
    (goes_on && open.stack.len() <= 2).then_some(open)
}

/// Whether a tag begins that has an attribute, and does not end.
fn open_tag(line: &[u8]) -> bool {
    let name = run(line, 1, IDENT);
    (name == line.trim_ascii_end().len() || is(byte(line, name), SPACE))
        && !line.contains(&b'>')
        && !line.contains(&b'@')
}

/// Reads the next line of a text; whether it belongs to the element.
pub(super) fn go_on(line: &[u8], open: &mut Open, sink: &mut Sink<'_, '_>) -> bool {
    open.lines += 1;
    let idle = open.within == Within::Text && open.stack.iter().all(Option::is_none);
    if idle || open.lines > LINES_IN_TEXT {
        return false;
    }
    let first = line.trim_ascii_start();
    // In a tag stand attributes; a log's line ends it.
    let attribute = matches!(byte(first, run(first, 0, IDENT)), b'=' | b':');
    if open.within == Within::Tag && !attribute && !matches!(first.first(), Some(b'>' | b'/') | None) {
        return false;
    }
    open.read(line, 0, sink);
    true
}

/// Notes that `start..end` begins or ends markup, and gives its end. No finding goes over it, so that what was open behind a
/// line is open behind the redacted line.
fn mark(start: usize, end: usize, sink: &mut Sink<'_, '_>) -> usize {
    sink.wall(start, end);
    end
}

fn is_name(b: u8) -> bool {
    b.is_ascii_alphabetic() || b == b'_'
}

impl Open {
    /// Reads a line of which only what ends in it is an element.
    fn read_in_text(&mut self, line: &[u8], from: usize, sink: &mut Sink<'_, '_>) {
        self.read(line, from, sink);
    }

    fn read(&mut self, line: &[u8], from: usize, sink: &mut Sink<'_, '_>) {
        let mut at = from;
        while at < line.len() {
            at = match self.within {
                Within::Text => self.text(line, at, sink),
                Within::Tag => self.attribute(line, at, sink),
                Within::Value(quote, class) => {
                    let end = memchr::memchr(quote, &line[at..]).map(|length| at + length);
                    if let Some(class) = class {
                        sink.named(at, end.unwrap_or(line.len()), class);
                    }
                    if end.is_some() {
                        self.within = Within::Tag;
                    }
                    end.map_or(line.len(), |end| end + 1)
                }
                Within::Data => {
                    let end = memchr::memmem::find(&line[at..], b"]]>").map(|length| at + length);
                    self.value(line, at, end.unwrap_or(line.len()), sink);
                    self.skip(line, end, 3, sink)
                }
                Within::Comment => {
                    let end = memchr::memmem::find(&line[at..], b"-->").map(|length| at + length);
                    self.skip(line, end, 3, sink)
                }
                Within::Other => {
                    let end = memchr::memchr(b'>', &line[at..]).map(|length| at + length);
                    self.skip(line, end, 1, sink)
                }
            };
        }
    }

    /// Goes behind what ends at `end`, or to the end of the line.
    fn skip(&mut self, line: &[u8], end: Option<usize>, length: usize, sink: &mut Sink<'_, '_>) -> usize {
        let Some(end) = end else { return line.len() };
        self.within = Within::Text;
        mark(end, end + length, sink)
    }

    /// The text of an element, and the beginning of the next tag.
    fn text(&mut self, line: &[u8], at: usize, sink: &mut Sink<'_, '_>) -> usize {
        let end = memchr::memchr(b'<', &line[at..]).map_or(line.len(), |length| at + length);
        if end > at {
            self.value(line, at, end, sink);
        }
        if end == line.len() {
            return end;
        }
        let rest = &line[end..];
        if rest.starts_with(b"<![CDATA[") {
            self.within = Within::Data;
            return mark(end, end + 9, sink);
        }
        if rest.starts_with(b"<!--") {
            self.within = Within::Comment;
            return mark(end, end + 4, sink);
        }
        if rest.starts_with(b"</") {
            if self.deeper > 0 {
                self.deeper -= 1;
            } else {
                self.stack.pop();
            }
            self.in_key = false;
            self.within = Within::Other;
            return mark(end, end + 2, sink);
        }
        if !is_name(byte(rest, 1)) {
            if matches!(byte(rest, 1), b'?' | b'!') {
                self.within = Within::Other;
                return mark(end, end + 2, sink);
            }
            return end + 1;
        }
        let mut name = mark(end, end + 1, sink);
        let mut stop = run(line, name, IDENT);
        if byte(line, stop) == b':' && is_name(byte(line, stop + 1)) {
            name = stop + 1;
            stop = run(line, name, IDENT);
        }
        self.tag = self.tag(&line[name..stop], sink);
        self.within = Within::Tag;
        stop
    }

    fn tag(&mut self, name: &[u8], sink: &Sink<'_, '_>) -> Tag {
        let outer = self.stack.last().copied().flatten();
        // A `name` within something known is the name of that.
        let is_key = matches!(name, b"key" | b"Key") || matches!(name, b"name" | b"Name") && outer.is_none();
        if is_key {
            self.key = None;
        }
        let of_list =
            matches!(name, b"string" | b"integer" | b"data" | b"array" | b"date" | b"value" | b"Value" | b"values");
        let class = match self.key.take().filter(|_| of_list) {
            Some(class) => Some(class),
            None if name.eq_ignore_ascii_case(b"NameID") => Some(KeyClass::User),
            None => sink.class_of_member(outer, name),
        };
        Tag { class: class.filter(|_| !is_key), key: None, is_key }
    }

    /// A value between tags.
    fn value(&mut self, line: &[u8], start: usize, end: usize, sink: &mut Sink<'_, '_>) {
        let text = line[start..end].trim_ascii();
        if text.is_empty() || self.deeper > 0 {
            return;
        }
        if self.in_key {
            self.key = sink.class_of(text);
        } else if let Some(class) = self.stack.last().copied().flatten() {
            let start = start + (line[start..end].len() - line[start..end].trim_ascii_start().len());
            sink.named(start, start + text.len(), class);
        }
    }

    /// The next attribute, or the end of the tag.
    fn attribute(&mut self, line: &[u8], at: usize, sink: &mut Sink<'_, '_>) -> usize {
        let at = run(line, at, SPACE);
        match byte(line, at) {
            b'>' => {
                let tag = std::mem::take(&mut self.tag);
                if self.stack.len() < DEEPEST {
                    self.stack.push(tag.key.or(tag.class));
                } else {
                    self.deeper += 1;
                }
                self.in_key = tag.is_key;
                self.within = Within::Text;
                return mark(at, at + 1, sink);
            }
            b'/' if byte(line, at + 1) == b'>' => {
                self.within = Within::Text;
                return mark(at, at + 2, sink);
            }
            b'<' => {
                // No tag: `<` stands for itself.
                self.within = Within::Text;
                return at;
            }
            _ => {}
        }
        let end = run(line, at, IDENT);
        if end == at {
            return (at + 1).max(1);
        }
        let local = end;
        let (name, end) = if byte(line, end) == b':' { (local + 1, run(line, local + 1, IDENT)) } else { (at, end) };
        let name = &line[name..end];
        let sign = run(line, end, SPACE);
        if byte(line, sign) != b'=' {
            return end;
        }
        let start = run(line, sign + 1, SPACE);
        let quote = byte(line, start);
        if !matches!(quote, b'"' | b'\'') {
            return start.max(end + 1);
        }
        let class = self.class_of_attribute(name, sink);
        let start = start + 1;
        let Some(length) = memchr::memchr(quote, &line[start.min(line.len())..]) else {
            if let Some(class) = class {
                sink.named(start, line.len(), class);
            }
            self.within = Within::Value(quote, class);
            return line.len();
        };
        let text = &line[start..start + length];
        if is_naming(name) && self.tag.key.is_none() {
            self.tag.key = class_of_name(text, sink);
        }
        if name == b"Format" && text.ends_with(b":transient") {
            // Such a NameID is another one in every session.
            self.tag.class = None;
        }
        if let Some(class) = class {
            // What an element is called says what it is, unless the name is itself a key.
            if self.tag.key.is_none() || !is_naming(name) {
                sink.named(start, start + length, class);
            }
        }
        start + length + 1
    }

    fn class_of_attribute(&self, name: &[u8], sink: &Sink<'_, '_>) -> Option<KeyClass> {
        if is_value(name) && self.tag.key.is_some() {
            return self.tag.key;
        }
        if name == b"id" || name == b"type" {
            return None;
        }
        sink.class_of_member(self.tag.class, name)
    }
}

/// Attributes whose text names what the element is.
fn is_naming(name: &[u8]) -> bool {
    matches!(
        name.to_ascii_lowercase().as_slice(),
        b"name" | b"friendlyname" | b"key" | b"id" | b"k" | b"field" | b"param" | b"property"
    )
}

/// What a name in an attribute says: that of a claim or an attribute of a directory is an address or a number, of which the
/// last part, or a list, says what it is (SAML attribute profiles 8.2; RFC 4519, RFC 2798).
fn class_of_name(text: &[u8], sink: &Sink<'_, '_>) -> Option<KeyClass> {
    if let Some(class) = sink.class_of(text) {
        return Some(class);
    }
    let claim = text.starts_with(b"http") || text.starts_with(b"urn:") || text.contains(&b'/');
    let last = if claim { text.rsplit(|&b| matches!(b, b'/' | b':')).next().unwrap_or_default() } else { text };
    let known = match last.to_ascii_lowercase().as_slice() {
        b"cn" | b"sn" | b"2.5.4.3" | b"2.5.4.4" | b"2.5.4.42" | b"2.16.840.1.113730.3.1.241" => KeyClass::Person,
        b"0.9.2342.19200300.100.1.1"
        | b"1.3.6.1.4.1.5923.1.1.1.6"
        | b"edupersonprincipalname"
        | b"upn"
        | b"nameidentifier"
        | b"windowsaccountname"
        | b"uniquename" => KeyClass::User,
        b"2.5.4.20" => KeyClass::Phone,
        b"name" if claim => KeyClass::User,
        _ if claim => return sink.class_of(last).filter(|class| *class != KeyClass::Drop(Category::Secret)),
        _ => return None,
    };
    Some(known)
}

/// Attributes that hold what the element is about.
fn is_value(name: &[u8]) -> bool {
    matches!(
        name.to_ascii_lowercase().as_slice(),
        b"value" | b"data" | b"val" | b"v" | b"content" | b"default" | b"text"
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::finds;

    #[test]
    fn an_elements_name_says_what_its_text_is() {
        let text = "<displayName>Ada Love</displayName> <codec>Opus</codec>";
        finds("", text, &[("Ada Love", "person")]);
        finds("", &format!("Nov 21 x: {text}"), &[("Ada Love", "person")]);
        finds("", "<ns:password><![CDATA[a<b]]></ns:password>", &[("a<b", "secret")]);
        finds("", "<user><name>anna</name><shell><name>bash</name></shell></user>", &[("anna", "user")]);
        finds(
            "a.xml",
            "<?xml version=\"1.0\"?>\n<displayName>\n  Ada\n  Love\n</displayName>\n<x>y</x>",
            &[("Ada", "person"), ("Love", "person")],
        );
        finds("", "usage: x <user>\nnext <host>\n <user>\nNov 21", &[("Nov 21", "person")]);
    }

    #[test]
    fn attributes_say_what_values_and_elements_are() {
        finds("", "<param name=\"auth_pass\" value=\"x1y2z3\"/>", &[("x1y2z3", "secret")]);
        finds("", "<user name=\"anna\" shell=\"bash\"/>", &[("anna", "user")]);
        finds("", "<Data Name='TargetUserName'>anna</Data><Data Name='State'>on</Data>", &[("anna", "user")]);
        finds("a.xml", "<a>\n<param\n name=\"password\"\n value=\"x1y2z3\"\n/>\n<b>c</b></a>", &[("x1y2z3", "secret")]);
    }

    #[test]
    fn the_key_before_says_what_a_string_is() {
        let text = "<dict>\n<key>Password</key>\n<string>x1y2z3</string>\n<key>Level</key><string>info</string>\n\
            <key>Attendees</key><array><string>Ada</string><string>Bo</string></array></dict>";
        finds("a.plist", text, &[("x1y2z3", "secret"), ("Ada", "person"), ("Bo", "person")]);
        finds("", "<entry><key>password</key><value>x1y2z3</value></entry>", &[("x1y2z3", "secret")]);
        finds("", "<p><name>db.password</name><value>x1y2z3</value></p><value>7</value>", &[("x1y2z3", "secret")]);
        finds("", "<p><name>db.timeout</name><value>30</value></p>", &[]);
    }

    #[test]
    fn an_attribute_of_saml_says_what_its_values_are() {
        let ada = [("Ada Love", "person")];
        for name in [
            r#"Name="displayName""#,
            r#"Name="urn:oid:2.16.840.1.113730.3.1.241""#,
            r#"FriendlyName="givenName" Name="x""#,
            r#"Name="http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname""#,
            r#"Name="http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name""#,
        ] {
            let value = r#"<saml:AttributeValue xsi:type="xs:string">Ada Love</saml:AttributeValue>"#;
            finds("", &format!("<saml:Attribute {name}>{value}</saml:Attribute>"), &ada);
            finds("a.xml", &format!("<?xml version=\"1.0\"?>\n<a:Attribute {name}>\n {value}\n</a:Attribute>"), &ada);
        }
        for name in ["roles", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/role", "urn:oid:2.5.4.11"] {
            finds(
                "",
                &format!("<Attribute Name=\"{name}\"><AttributeValue>Chair Person</AttributeValue></Attribute>"),
                &[],
            );
        }
        finds("", r"<saml2:NameID>GOV\adal</saml2:NameID>", &[("adal", "user")]);
        let transient =
            r#"<NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient">_ce3d2948b4cf</NameID>"#;
        finds("", transient, &[]);
    }
}
