//! Names of files, directories and members: they are redacted like text.

use super::engine::Engine;
use crate::item::ArchivePath;

impl Engine {
    /// The path with personal names in it replaced, component by component.
    ///
    /// A path that cannot be redacted safely, or is no path any more afterwards, is replaced as a whole.
    pub(crate) fn path(&self, path: &ArchivePath) -> ArchivePath {
        let whole = || {
            let hidden = self.stand_ins.path_id(path.as_str());
            format!("redacted-{hidden}").parse().expect("letters and digits are a path")
        };
        let Ok(text) = self.text(format!("/{path}").as_bytes()) else { return whole() };
        let Ok(text) = String::from_utf8(text) else { return whole() };
        text.strip_prefix('/').unwrap_or(&text).parse().unwrap_or_else(|_| whole())
    }

    /// A name redacted to be shown; it need not be a path in a snapshot.
    pub(crate) fn shown(&self, name: &str) -> String {
        match name.parse() {
            Ok(path) => self.path(&path).to_string(),
            Err(_) => self
                .text(name.as_bytes())
                .ok()
                .and_then(|text| String::from_utf8(text).ok())
                .unwrap_or_else(|| format!("redacted-{}", self.stand_ins.path_id(name))),
        }
    }
}
