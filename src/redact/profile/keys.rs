//! Every key a profile may have: read from here, documented from here.

/// A key of a profile.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The table it stands in; empty for the top.
    pub table: &'static str,
    /// Its name; in angle brackets when any name may stand there.
    pub name: &'static str,
    /// What may stand behind it.
    pub kind: &'static str,
    /// What holds when it is absent.
    pub default: &'static str,
    /// A value, as it is written.
    pub example: &'static str,
    /// What it says.
    pub says: &'static str,
}

const fn key(
    table: &'static str,
    name: &'static str,
    kind: &'static str,
    default: &'static str,
    example: &'static str,
    says: &'static str,
) -> Key {
    Key { table, name, kind, default, example, says }
}

/// Marks keys that must be there.
pub(super) const REQUIRED: &str = "required";

/// The keys, in the order of the reference.
pub const KEYS: &[Key] = &[
    key("", "schema", "number", REQUIRED, "1", "the version of this format; 1 is the only one"),
    key("", "name", "text", REQUIRED, "\"our-site\"", "what the profile is called in reviews"),
    key("", "title", "text", "the name", "\"Video platform of our site\"", "what it is for, in a few words"),
    key(
        "",
        "purpose",
        "text",
        "none",
        "\"fault finding by the vendor\"",
        "why such snapshots are sent; stands in the review",
    ),
    key(
        "",
        "extends",
        "text",
        "none",
        "\"pexip-infinity\"",
        "the built-in profile it adds to; its own rules come first",
    ),
    key(
        "redact",
        "bare_numbers",
        "`true`",
        "off",
        "true",
        "takes plain digits that pass some country's check digit for national ids; of other numbers of 9 to 13 digits up to a third go too",
    ),
    key(
        "redact.actions",
        "<category>",
        "`stand-in`, `drop`, `keep`; for `phone` also `keep-country`",
        "by category",
        "\"drop\"",
        "what is done with values of the category",
    ),
    key(
        "redact.keys",
        "<key>",
        "category",
        "none",
        "\"person\"",
        "what stands behind this key in logs and structured files; case, `_`, `-` and `.` make no difference",
    ),
    key("redact.limits", "opened", "size", "20GiB", "\"2GiB\"", "most bytes one compressed file may grow to"),
    key("redact.limits", "ratio", "number", "100", "1000", "most opened bytes for each compressed byte, past `free`"),
    key("redact.limits", "free", "size", "256MiB", "\"64MiB\"", "opened bytes that are always allowed"),
    key("redact.limits", "depth", "number", "3", "4", "how deep archives may lie in archives, from 0 to 8"),
    key("redact.limits", "members", "number", "100000", "1000", "most members of all archives in one item"),
    key(
        "redact.limits",
        "database",
        "size",
        "512MiB",
        "\"64MiB\"",
        "largest database that is opened; it lies in memory",
    ),
    key(
        "redact.column",
        "table",
        "glob",
        "`*`",
        "\"cdr*\"",
        "the tables: of databases; of CSV files, their file names",
    ),
    key(
        "redact.column",
        "column",
        "glob",
        REQUIRED,
        "\"*password*\"",
        "the columns; without a line of names, their number from 1",
    ),
    key(
        "redact.column",
        "treat",
        "category or `scan`",
        REQUIRED,
        "\"secret\"",
        "what their cells are; `scan` looks into them as into any text",
    ),
    key(
        "redact.file",
        "path",
        "glob",
        REQUIRED,
        "\"opt/app/config/default.db\"",
        "the files, by the end of their path, also within archives",
    ),
    key(
        "redact.file",
        "leave_out",
        "text",
        "this or `scan`",
        "\"login data of administrators\"",
        "leaves them out unread, for this reason",
    ),
    key(
        "redact.file",
        "scan",
        "`true`",
        "this or `leave_out`",
        "true",
        "reads and redacts them although a later rule leaves them out",
    ),
    key("redact.pattern", "name", "text", REQUIRED, "\"case number\"", "what the pattern is called"),
    key(
        "redact.pattern",
        "regex",
        "regular expression",
        REQUIRED,
        "'CASE-(?<value>\\d{6})'",
        "what its values look like; the group `value`, where there is one, is what goes",
    ),
    key("redact.pattern", "category", "category", REQUIRED, "\"national-id\"", "what its values are"),
];
