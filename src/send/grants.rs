//! Grants: passing a snapshot on to one more key, and what becomes of that; and taking a snapshot back.

use reqwest::Method;

use crate::ids::FileId;
use crate::send::answer;
use crate::send::client::{Client, reason_value};
use crate::send::error::SendError;
use crate::wire::{Grant, List, NewGrant, REASON_HEADER, SealedShare, ShareRequest, Snapshot};

impl Client {
    /// Passes the vendor's part of a snapshot's key on. The portal writes down who did and the `reason`.
    pub fn grant(&self, id: &FileId, grant: &NewGrant, reason: &str) -> Result<Grant, SendError> {
        let url = self.address().below(&["v1", "snapshots", &id.to_string(), "grants"]);
        let request = self.request(Method::POST, url).header(REASON_HEADER, reason_value(reason)?).json(grant);
        answer::json(self.send(request, &[201])?, self.answer_timeout(), self.host())
    }

    /// The grants of a snapshot, revoked ones too, in the order they were made.
    pub fn grants(&self, id: &FileId) -> Result<Vec<Grant>, SendError> {
        // A portal keeps at most a hundred of them.
        let list: List<Grant> = self.get_json(&["v1", "snapshots", &id.to_string(), "grants"], &[("limit", "1000")])?;
        Ok(list.items)
    }

    /// Revokes a grant. One that is revoked already is no error.
    pub fn revoke_grant(&self, id: &FileId, grant: &str) -> Result<(), SendError> {
        let url = self.address().below(&["v1", "snapshots", &id.to_string(), "grants", grant]);
        self.send(self.request(Method::DELETE, url), &[204]).map(drop)
    }

    /// Asks for the share of a snapshot that was granted to `recipient`, together with the part that was granted.
    ///
    /// [`SendError::NotFound`] when nothing was granted to that key, or not any more.
    pub fn granted_share(&self, id: &FileId, recipient: &str, reason: &str) -> Result<SealedShare, SendError> {
        self.share_with(id, &ShareRequest { recipient: recipient.to_owned(), granted: true }, reason)
    }

    /// Takes a snapshot back: its deletion begins at once. Whoever is not its sender says why.
    pub fn withdraw(&self, id: &FileId, reason: Option<&str>) -> Result<Snapshot, SendError> {
        let mut request = self.request(Method::DELETE, self.address().below(&["v1", "snapshots", &id.to_string()]));
        if let Some(reason) = reason {
            request = request.header(REASON_HEADER, reason_value(reason)?);
        }
        answer::json(self.send(request, &[200])?, self.answer_timeout(), self.host())
    }
}
