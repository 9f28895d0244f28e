//! The SQL of a schema: names, literals and comments in it are redacted, everything else stays.
//!
//! A schema is text that people wrote: a default value may be a person's, a view may ask for one user, a table may be named
//! after somebody. Every token is redacted by itself, as a function of its text, so a name that goes goes in every statement
//! alike and the statements still fit together. Keywords are never touched. A literal is a value of the column whose
//! definition it stands in, or of the name before it: `sex IN ('f', 'm')` becomes what the cells become.

use crate::redact::error::RedactError;
use crate::redact::keys::KeyClass;

/// What a token may hold that is personal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// A bare word: a keyword, a name, a type, a function.
    Word,
    /// A name in `"`, `` ` `` or `[]`; or a string in `"`, which SQLite allows.
    Quoted,
    /// A string in `'`.
    Text,
    /// `x'…'`.
    Blob,
    /// Digits.
    Number,
    Comment,
    /// Blanks and signs.
    Other,
}

/// Gives what stands for a text; `None` when it stays.
pub(super) type Replace<'r> = dyn FnMut(&str, Option<KeyClass>) -> Result<Option<String>, RedactError> + 'r;

/// Gives a statement redacted. `class` says what a column of this name holds.
pub(super) fn rewrite(
    sql: &str,
    class: &dyn Fn(&str) -> Option<KeyClass>,
    replace: &mut Replace<'_>,
) -> Result<String, RedactError> {
    let mut out = String::with_capacity(sql.len());
    let mut context = Context::default();
    for (kind, token) in tokens(sql) {
        let name = match kind {
            Kind::Word => Some(token.to_owned()).filter(|word| !is_keyword(word)),
            Kind::Quoted => Some(content(token)),
            _ => None,
        };
        context.step(kind, token, name.as_deref(), class);
        let new = match kind {
            Kind::Word | Kind::Quoted => match name {
                Some(name) => replace(&name, None)?.map(|new| format!("\"{}\"", new.replace('"', "\"\""))),
                None => None,
            },
            Kind::Text => {
                replace(&content(token), context.class())?.map(|new| format!("'{}'", new.replace('\'', "''")))
            }
            Kind::Comment => replace(token, None)?,
            // A short one counts something.
            Kind::Number if token.len() < 5 => None,
            Kind::Number => replace(token, context.class())?.map(|_| "0".to_owned()),
            Kind::Blob => match hex::decode(token.get(2..token.len() - 1).unwrap_or_default()).map(String::from_utf8) {
                Ok(Ok(text)) => {
                    replace(&text, context.class())?.map(|new| format!("x'{}'", hex::encode(new.as_bytes())))
                }
                _ => Some("x''".to_owned()),
            },
            Kind::Other => None,
        };
        out.push_str(new.as_deref().unwrap_or(token));
    }
    Ok(out)
}

/// Where in a statement a token stands.
#[derive(Default)]
struct Context {
    /// Whether the statement makes a table, so that items in its brackets are columns.
    table: bool,
    words: usize,
    depth: usize,
    item_begins: bool,
    column: Option<KeyClass>,
    nearest: Option<KeyClass>,
}

impl Context {
    fn step(&mut self, kind: Kind, token: &str, name: Option<&str>, class: &dyn Fn(&str) -> Option<KeyClass>) {
        match (kind, token) {
            (Kind::Other, "(") => {
                self.depth += 1;
                self.item_begins = self.depth == 1;
            }
            (Kind::Other, ")") => self.depth = self.depth.saturating_sub(1),
            (Kind::Other, ",") if self.depth == 1 && self.table => {
                (self.item_begins, self.column, self.nearest) = (true, None, None);
            }
            (Kind::Other, ";") => self.nearest = None,
            (Kind::Word | Kind::Quoted, _) => {
                self.words += 1;
                self.table |= self.words == 2 && token.eq_ignore_ascii_case("table");
                if token.eq_ignore_ascii_case("and") || token.eq_ignore_ascii_case("or") {
                    self.nearest = None;
                }
                let Some(name) = name else {
                    self.item_begins = false;
                    return;
                };
                if std::mem::take(&mut self.item_begins) && self.table {
                    self.column = class(name);
                }
                self.nearest = class(name).or(self.nearest);
            }
            _ => {}
        }
    }

    fn class(&self) -> Option<KeyClass> {
        self.nearest.or(self.column)
    }
}

/// The text of a quoted token.
fn content(token: &str) -> String {
    let quote = token.chars().next().unwrap_or_default();
    let inner = token.get(1..).unwrap_or_default();
    let close = if quote == '[' { ']' } else { quote };
    let inner = inner.strip_suffix(close).unwrap_or(inner);
    if quote == '[' { inner.to_owned() } else { inner.replace(&format!("{quote}{quote}"), &quote.to_string()) }
}

/// The tokens of a statement; together they are all of it.
fn tokens(sql: &str) -> impl Iterator<Item = (Kind, &str)> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let bytes = rest.as_bytes();
        let second = bytes.get(1).copied().unwrap_or_default();
        let run =
            |from: usize, of: fn(char) -> bool| from + rest[from..].find(|c: char| !of(c)).unwrap_or(rest.len() - from);
        let (kind, length) = match first {
            '\'' => (Kind::Text, closing(bytes, 0)),
            '"' | '`' => (Kind::Quoted, closing(bytes, 0)),
            '[' => (Kind::Quoted, rest.find(']').map_or(rest.len(), |at| at + 1)),
            'x' | 'X' if second == b'\'' => (Kind::Blob, closing(bytes, 1)),
            '-' if second == b'-' => (Kind::Comment, rest.find('\n').unwrap_or(rest.len())),
            '/' if second == b'*' => (Kind::Comment, rest[2..].find("*/").map_or(rest.len(), |at| at + 4)),
            '0'..='9' => (Kind::Number, run(0, |c| c.is_ascii_alphanumeric() || c == '.' || c == '_')),
            _ if is_name(first) => (Kind::Word, run(0, is_name)),
            _ => (Kind::Other, first.len_utf8()),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        Some((kind, token))
    })
}

/// Where the quotation ends whose quote stands at `at`; a doubled quote does not end it.
fn closing(bytes: &[u8], at: usize) -> usize {
    let quote = bytes[at];
    let mut next = at + 1;
    while let Some(length) = memchr::memchr(quote, &bytes[next..]) {
        next += length + 1;
        if bytes.get(next) != Some(&quote) {
            return next;
        }
        next += 1;
    }
    bytes.len()
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii()
}

fn is_keyword(word: &str) -> bool {
    KEYWORDS.split_whitespace().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

/// SQLite's keywords, and the names of its usual types.
const KEYWORDS: &str = "abort action add after all alter always analyze and as asc attach autoincrement before begin between \
    by cascade case cast check collate column commit conflict constraint create cross current current_date current_time \
    current_timestamp database default deferrable deferred delete desc detach distinct do drop each else end escape except \
    exclude exclusive exists explain fail filter first following for foreign from full generated glob group groups having if \
    ignore immediate in index indexed initially inner insert instead intersect into is isnull join key last left like limit \
    match materialized natural no not nothing notnull null nulls of offset on or order others outer over partition plan \
    pragma preceding primary query raise range recursive references regexp reindex release rename replace restrict returning \
    right rollback row rows savepoint select set strict table temp temporary then ties to transaction trigger unbounded union \
    unique update using vacuum values view virtual when where window with within without rowid stored text integer int real \
    blob numeric any varchar char boolean datetime date timestamp bigint smallint float double decimal binary nocase rtrim \
    new old true false";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::category::Category;

    fn rewritten(sql: &str) -> String {
        let class = |name: &str| match name {
            "sex" => Some(KeyClass::Drop(Category::Sex)),
            "owner" => Some(KeyClass::User),
            _ => None,
        };
        let mut replace = |text: &str, class: Option<KeyClass>| {
            Ok(match class {
                Some(KeyClass::Drop(_)) => Some("[sex]".to_owned()),
                Some(KeyClass::User) => Some("user-1".to_owned()),
                _ => Some(text.replace("quirin", "user-1")).filter(|new| new != text),
            })
        };
        rewrite(sql, &class, &mut replace).unwrap()
    }

    #[test]
    fn names_literals_and_comments_go_and_the_rest_stays() {
        for (sql, expected) in [
            ("CREATE TABLE t(a TEXT DEFAULT 'it''s', b INT)", "CREATE TABLE t(a TEXT DEFAULT 'it''s', b INT)"),
            ("CREATE TABLE quirin_notes(a)", "CREATE TABLE \"user-1_notes\"(a)"),
            ("CREATE TABLE [quirin x](a) -- for quirin\n", "CREATE TABLE \"user-1 x\"(a) -- for user-1\n"),
            (
                "CREATE TABLE t(sex TEXT CHECK(sex IN ('f','m')), n)",
                "CREATE TABLE t(sex TEXT CHECK(sex IN ('[sex]','[sex]')), n)",
            ),
            ("CREATE TABLE t(sex DEFAULT 'f', n DEFAULT 'f')", "CREATE TABLE t(sex DEFAULT '[sex]', n DEFAULT 'f')"),
            (
                "CREATE VIEW v AS SELECT 'a' FROM t WHERE owner = 'x' OR n='y'",
                "CREATE VIEW v AS SELECT 'a' FROM t WHERE owner = 'user-1' OR n='y'",
            ),
            ("CREATE TABLE t(a DEFAULT x'71756972696e')", "CREATE TABLE t(a DEFAULT x'757365722d31')"),
            ("CREATE TABLE t(a DEFAULT x'ff00')", "CREATE TABLE t(a DEFAULT x'')"),
            ("SELECT /* quirin */ \"quirin\", `quirin`", "SELECT /* user-1 */ \"user-1\", \"user-1\""),
            ("'open quirin", "'open user-1'"),
        ] {
            assert_eq!(rewritten(sql), expected);
        }
    }

    #[test]
    fn tokens_together_are_the_statement() {
        for sql in ["", "'", "\"a\"\"b\" [c", "x'00", "/* open", "-- end", "1e5.x'y' é$_ ::", "a'b''c'd"] {
            assert_eq!(tokens(sql).map(|(_, token)| token).collect::<String>(), sql);
        }
    }
}
