//! A ticket with everything that hangs on it, and the paths that lead there.

use crate::portal::app::random_id;

/// A ticket with everything that hangs on it.
pub(super) struct Thing {
    pub(super) ticket: String,
    pub(super) snapshot: String,
    pub(super) upload: String,
    pub(super) receipt: String,
    pub(super) user: String,
    pub(super) invitation: String,
    pub(super) token: String,
    pub(super) request: String,
    pub(super) asked: String,
    pub(super) grant: String,
    pub(super) question: String,
    /// The upload token itself.
    pub(super) bearer: String,
}

impl Thing {
    /// Names that nothing has.
    pub(super) fn nothing() -> Self {
        Self {
            ticket: String::from("no-such-ticket"),
            snapshot: random_id(),
            upload: random_id(),
            receipt: random_id(),
            user: random_id(),
            invitation: String::from("0011223344556677"),
            token: String::from("0011223344556677"),
            request: random_id(),
            asked: random_id(),
            grant: random_id(),
            question: random_id(),
            bearer: String::new(),
        }
    }

    /// The path with the names of this thing in it.
    pub(super) fn fill(&self, path: &str) -> String {
        let before = path.split("/{id}").next().unwrap_or_default();
        let id = match before.rsplit('/').next().unwrap_or_default() {
            "tokens" => &self.token,
            "requests" => &self.asked,
            "snapshots" => &self.snapshot,
            "uploads" => &self.upload,
            "receipts" => &self.receipt,
            "users" | "people" => &self.user,
            "invitations" => &self.invitation,
            "subject-requests" => &self.request,
            "passkeys" => "00112233445566778899aabbccddeeff",
            _ => "",
        };
        path.replace("{ticket}", &self.ticket)
            .replace("{user}", &self.user)
            .replace("{grant}", &self.grant)
            .replace("{question}", &self.question)
            .replace("{id}", id)
            .replace("{*path}", "0/000.p/1")
            .replace("{name}", "a.tarseal")
            .replace("{source}", "desk")
    }
}
