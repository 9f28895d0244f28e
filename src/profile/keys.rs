//! Every key a profile may have: read from here, documented from here.

/// A key of a profile.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The table it stands in; empty for the top.
    pub table: &'static str,
    /// Its name; in angle brackets when any name may stand there.
    pub name: &'static str,
    /// What may stand behind it.
    pub shape: Shape,
    /// What holds when it is absent.
    pub default: &'static str,
    /// A value, as it is written.
    pub example: &'static str,
    /// What it says.
    pub says: &'static str,
}

impl Key {
    /// Whether its table may stand there any number of times, each written `[[…]]`.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        LISTED.contains(&self.table)
    }
}

/// Tables that may stand there any number of times.
pub(super) const LISTED: [&str; 9] = [
    "redact.column",
    "redact.file",
    "redact.pattern",
    "collect.file",
    "collect.command",
    "collect.journal",
    "collect.container",
    "collect.kubernetes",
    "collect.archive",
];

/// What may stand behind a key.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Any text.
    Text,
    /// A glob.
    Glob,
    /// A list of globs.
    Globs,
    /// A list of texts.
    Texts,
    /// A regular expression.
    Regex,
    /// A path within the snapshot.
    Path,
    /// `true`.
    True,
    /// A whole number from the first to the second.
    Number(u64, u64),
    /// A number with KiB, MiB, GiB or TiB.
    Size,
    /// A number with s, m, h or d.
    Time,
    /// A category.
    Category,
    /// A category or `scan`.
    CategoryOrScan,
    /// An action.
    Action,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// The name of a built-in profile.
    BuiltIn,
    /// The name of a time zone.
    Zone,
}

impl Shape {
    /// In a few words, for the reference.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Text | Self::BuiltIn => "text".into(),
            Self::Glob => "glob".into(),
            Self::Globs => "list of globs".into(),
            Self::Texts => "list of texts".into(),
            Self::Regex => "regular expression".into(),
            Self::Path => "path".into(),
            Self::True => "`true`".into(),
            Self::Number(..) => "number".into(),
            Self::Size => "size".into(),
            Self::Time => "time".into(),
            Self::Category => "category".into(),
            Self::CategoryOrScan => "category or `scan`".into(),
            Self::Action => "`stand-in`, `drop`, `keep`; for `phone` also `keep-country`".into(),
            Self::OneOf(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
            Self::Zone => "time zone".into(),
        }
    }
}

const fn key(
    table: &'static str,
    name: &'static str,
    shape: Shape,
    default: &'static str,
    example: &'static str,
    says: &'static str,
) -> Key {
    Key { table, name, shape, default, example, says }
}

/// Marks keys that must be there.
pub(super) const REQUIRED: &str = "required";

/// Priorities, as `journalctl` knows them.
pub(super) const PRIORITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
/// Forms of the journal that can be redacted.
pub(super) const FORMATS: [&str; 5] = ["short-iso-precise", "short-iso", "short-full", "export", "json"];
/// Programs that know containers.
pub(super) const RUNTIMES: [&str; 2] = ["docker", "podman"];

/// The keys, in the order of the reference.
pub const KEYS: &[Key] = &[
    key("", "schema", Shape::Number(1, 1), REQUIRED, "1", "the version of this format; 1 is the only one"),
    key("", "name", Shape::Text, REQUIRED, "\"our-site\"", "what the profile is called in reviews"),
    key("", "title", Shape::Text, "the name", "\"Video platform of our site\"", "what it is for, in a few words"),
    key(
        "",
        "purpose",
        Shape::Text,
        "none",
        "\"fault finding by the vendor\"",
        "why such snapshots are sent; stands in the review",
    ),
    key(
        "",
        "extends",
        Shape::BuiltIn,
        "none",
        "\"pexip-infinity\"",
        "the built-in profile it adds to; its own rules come first",
    ),
    key(
        "redact",
        "bare_numbers",
        Shape::True,
        "off",
        "true",
        "takes plain digits that pass some country's check digit for national ids; of other numbers of 9 to 13 digits up to a third go too",
    ),
    key(
        "redact.actions",
        "<category>",
        Shape::Action,
        "by category",
        "\"drop\"",
        "what is done with values of the category",
    ),
    key(
        "redact.keys",
        "<key>",
        Shape::Category,
        "none",
        "\"person\"",
        "what stands behind this key in logs and structured files; case, `_`, `-` and `.` make no difference",
    ),
    key("redact.limits", "opened", Shape::Size, "20GiB", "\"2GiB\"", "most bytes one compressed file may grow to"),
    key(
        "redact.limits",
        "ratio",
        Shape::Number(1, 1_000_000),
        "100",
        "1000",
        "most opened bytes for each compressed byte, past `free`",
    ),
    key("redact.limits", "free", Shape::Size, "256MiB", "\"64MiB\"", "opened bytes that are always allowed"),
    key("redact.limits", "depth", Shape::Number(0, 8), "3", "4", "how deep archives may lie in archives, from 0 to 8"),
    key(
        "redact.limits",
        "members",
        Shape::Number(0, 10_000_000),
        "100000",
        "1000",
        "most members of all archives in one item",
    ),
    key(
        "redact.limits",
        "database",
        Shape::Size,
        "512MiB",
        "\"64MiB\"",
        "largest database that is opened; it lies in memory",
    ),
    key(
        "redact.column",
        "table",
        Shape::Glob,
        "`*`",
        "\"cdr*\"",
        "the tables: of databases; of CSV files, their file names",
    ),
    key(
        "redact.column",
        "column",
        Shape::Glob,
        REQUIRED,
        "\"*password*\"",
        "the columns; without a line of names, their number from 1",
    ),
    key(
        "redact.column",
        "treat",
        Shape::CategoryOrScan,
        REQUIRED,
        "\"secret\"",
        "what their cells are; `scan` looks into them as into any text",
    ),
    key(
        "redact.file",
        "path",
        Shape::Glob,
        REQUIRED,
        "\"opt/app/config/default.db\"",
        "the files, by the end of their path, also within archives",
    ),
    key(
        "redact.file",
        "leave_out",
        Shape::Text,
        "this or `scan`",
        "\"login data of administrators\"",
        "leaves them out unread, for this reason",
    ),
    key(
        "redact.file",
        "scan",
        Shape::True,
        "this or `leave_out`",
        "true",
        "reads and redacts them although a later rule leaves them out",
    ),
    key("redact.pattern", "name", Shape::Text, REQUIRED, "\"case number\"", "what the pattern is called"),
    key(
        "redact.pattern",
        "regex",
        Shape::Regex,
        REQUIRED,
        "'CASE-(?<value>\\d{6})'",
        "what its values look like; the group `value`, where there is one, is what goes",
    ),
    key("redact.pattern", "category", Shape::Category, REQUIRED, "\"national-id\"", "what its values are"),
    key(
        "collect",
        "own_only",
        Shape::True,
        "off",
        "true",
        "the sources and limits of the profile it extends are not taken over",
    ),
    key(
        "collect.window",
        "last",
        Shape::Time,
        "all",
        "\"24h\"",
        "how far back logs go; `--last`, `--since` and `--until` come before it",
    ),
    key(
        "collect.window",
        "slack",
        Shape::Time,
        "0s",
        "\"5m\"",
        "makes the window wider at both ends, because clocks differ",
    ),
    key(
        "collect.window",
        "zone",
        Shape::Zone,
        "this computer's",
        "\"Europe/Brussels\"",
        "how stamps without an offset are read",
    ),
    key("collect.limits", "total", Shape::Size, "1GiB", "\"500MiB\"", "most bytes of all sources; the newest stay"),
    key("collect.limits", "source", Shape::Size, "256MiB", "\"100MiB\"", "most bytes of each source; the newest stay"),
    key("collect.limits", "item_time", Shape::Time, "60s", "\"30s\"", "how long one item may take"),
    key(
        "collect.limits",
        "source_time",
        Shape::Time,
        "5m",
        "\"2m\"",
        "how long one source may take, and one search in it",
    ),
    key("collect.limits", "total_time", Shape::Time, "15m", "\"10m\"", "how long all sources may take"),
    key(
        "collect.limits",
        "parallel",
        Shape::Number(1, 16),
        "4",
        "2",
        "how many items are worked on at once, from 1 to 16",
    ),
    key(
        "collect.limits",
        "full_speed",
        Shape::True,
        "off",
        "true",
        "runs with ordinary priority, and not behind everything else",
    ),
    key(
        "collect.file",
        "paths",
        Shape::Globs,
        REQUIRED,
        "[\"/var/log/app/*.log*\"]",
        "files, directories with all beneath them, globs; absolute or from `~/`",
    ),
    key(
        "collect.file",
        "exclude",
        Shape::Globs,
        "none",
        "[\"*.key\"]",
        "what of them is not wanted, by the end of its path",
    ),
    key(
        "collect.file",
        "window",
        Shape::True,
        "off",
        "true",
        "lines outside the window go, and files that were last changed before it",
    ),
    key("collect.file", "network", Shape::True, "off", "true", "enters network file systems, which may not answer"),
    key(
        "collect.file",
        "name",
        Shape::Text,
        "its first path",
        "\"the application\"",
        "what the source is called in reports",
    ),
    key(
        "collect.file",
        "required",
        Shape::True,
        "off",
        "true",
        "without anything of it the snapshot is incomplete (exit code 3)",
    ),
    key("collect.file", "low", Shape::True, "off", "true", "gives way first when the limit of all sources is reached"),
    key("collect.file", "limit", Shape::Size, "`limits.source`", "\"25MiB\"", "most bytes of this source"),
    key(
        "collect.command",
        "run",
        Shape::Texts,
        REQUIRED,
        "[\"uname\", \"-a\"]",
        "the program and its arguments; there is no shell",
    ),
    key(
        "collect.command",
        "save_as",
        Shape::Path,
        "`commands/…`",
        "\"commands/kernel.txt\"",
        "where its output stands in the snapshot",
    ),
    key(
        "collect.command",
        "environment",
        Shape::Texts,
        "none",
        "[\"HOME\"]",
        "variables it gets besides `PATH`, `LC_ALL` and `TZ`",
    ),
    key("collect.command", "window", Shape::True, "off", "true", "lines of its output outside the window go"),
    key(
        "collect.command",
        "time",
        Shape::Time,
        "`limits.item_time`",
        "\"10s\"",
        "how long it may take before it is ended with everything it started",
    ),
    key(
        "collect.command",
        "name",
        Shape::Text,
        "the command",
        "\"the application\"",
        "what the source is called in reports",
    ),
    key(
        "collect.command",
        "required",
        Shape::True,
        "off",
        "true",
        "without anything of it the snapshot is incomplete (exit code 3)",
    ),
    key(
        "collect.command",
        "low",
        Shape::True,
        "off",
        "true",
        "gives way first when the limit of all sources is reached",
    ),
    key("collect.command", "limit", Shape::Size, "`limits.source`", "\"25MiB\"", "most bytes of this source"),
    key("collect.journal", "units", Shape::Texts, "all", "[\"app.service\", \"app-*\"]", "units, also with `*`"),
    key("collect.journal", "priority", Shape::OneOf(&PRIORITIES), "all", "\"info\"", "the least important priority"),
    key(
        "collect.journal",
        "format",
        Shape::OneOf(&FORMATS),
        "`short-iso-precise`",
        "\"export\"",
        "the form, as `journalctl --output` knows it",
    ),
    key(
        "collect.journal",
        "name",
        Shape::Text,
        "journal",
        "\"the application\"",
        "what the source is called in reports",
    ),
    key(
        "collect.journal",
        "required",
        Shape::True,
        "off",
        "true",
        "without anything of it the snapshot is incomplete (exit code 3)",
    ),
    key(
        "collect.journal",
        "low",
        Shape::True,
        "off",
        "true",
        "gives way first when the limit of all sources is reached",
    ),
    key("collect.journal", "limit", Shape::Size, "`limits.source`", "\"25MiB\"", "most bytes of this source"),
    key(
        "collect.container",
        "runtime",
        Shape::OneOf(&RUNTIMES),
        REQUIRED,
        "\"podman\"",
        "the program that knows the containers",
    ),
    key("collect.container", "containers", Shape::Globs, "all", "[\"app-*\"]", "the names of the containers"),
    key(
        "collect.container",
        "name",
        Shape::Text,
        "the program",
        "\"the application\"",
        "what the source is called in reports",
    ),
    key(
        "collect.container",
        "required",
        Shape::True,
        "off",
        "true",
        "without anything of it the snapshot is incomplete (exit code 3)",
    ),
    key(
        "collect.container",
        "low",
        Shape::True,
        "off",
        "true",
        "gives way first when the limit of all sources is reached",
    ),
    key("collect.container", "limit", Shape::Size, "`limits.source`", "\"25MiB\"", "most bytes of this source"),
    key(
        "collect.kubernetes",
        "namespaces",
        Shape::Texts,
        REQUIRED,
        "[\"video\"]",
        "the namespaces; they are asked with your own rights, by `kubectl`",
    ),
    key(
        "collect.kubernetes",
        "selector",
        Shape::Text,
        "all",
        "\"app in (web, turn)\"",
        "which pods, as a label selector",
    ),
    key(
        "collect.kubernetes",
        "previous",
        Shape::True,
        "off",
        "true",
        "logs of containers before they were started again, too",
    ),
    key(
        "collect.kubernetes",
        "resources",
        Shape::Texts,
        "none",
        "[\"pods\", \"events\"]",
        "kinds of resources that are described, without values of variables; secrets never",
    ),
    key(
        "collect.kubernetes",
        "name",
        Shape::Text,
        "kubernetes",
        "\"the application\"",
        "what the source is called in reports",
    ),
    key(
        "collect.kubernetes",
        "required",
        Shape::True,
        "off",
        "true",
        "without anything of it the snapshot is incomplete (exit code 3)",
    ),
    key(
        "collect.kubernetes",
        "low",
        Shape::True,
        "off",
        "true",
        "gives way first when the limit of all sources is reached",
    ),
    key("collect.kubernetes", "limit", Shape::Size, "`limits.source`", "\"25MiB\"", "most bytes of this source"),
    key(
        "collect.archive",
        "paths",
        Shape::Globs,
        REQUIRED,
        "[\"~/Downloads/diagnostic_*.tgz\"]",
        "where the archives are; absolute or from `~/`",
    ),
    key(
        "collect.archive",
        "what",
        Shape::Text,
        REQUIRED,
        "\"a Pexip snapshot\"",
        "what such an archive is called, with its article",
    ),
    key(
        "collect.archive",
        "must_hold",
        Shape::Texts,
        "nothing",
        "[\"var/log/app.log\"]",
        "what must be inside, by the end of its path; any other archive is refused (exit code 6)",
    ),
    key("collect.archive", "all", Shape::True, "the newest", "true", "takes all that match, and not the newest alone"),
    key(
        "collect.archive",
        "logs",
        Shape::Globs,
        "none",
        "[\"var/log/**\"]",
        "members whose lines outside the window go",
    ),
    key("collect.archive", "exclude", Shape::Globs, "none", "[\"*.core\"]", "members that are not wanted"),
    key(
        "collect.archive",
        "low_members",
        Shape::Globs,
        "none",
        "[\"var/log/debug.log*\"]",
        "members that give way first when the limit is reached",
    ),
    key(
        "collect.archive",
        "name",
        Shape::Text,
        "what it is",
        "\"the application\"",
        "what the source is called in reports",
    ),
    key(
        "collect.archive",
        "required",
        Shape::True,
        "off",
        "true",
        "without anything of it the snapshot is incomplete (exit code 3)",
    ),
    key(
        "collect.archive",
        "low",
        Shape::True,
        "off",
        "true",
        "gives way first when the limit of all sources is reached",
    ),
    key("collect.archive", "limit", Shape::Size, "`limits.source`", "\"25MiB\"", "most bytes of this source"),
];
