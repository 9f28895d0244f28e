//! The real way: tus 1.0 with the checksum extension, over HTTP.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName};

use crate::ids::{FileId, TicketId};
use crate::send::address::UploadUrl;
use crate::send::answer;
use crate::send::client::Client;
use crate::send::error::SendError;
use crate::send::transport::{Announced, Offset, Piece, Transport};
use crate::wire::{NewSnapshot, OFFSET_MEDIA_TYPE, Snapshot};

const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");

impl Transport for Client {
    fn announce(&self, ticket: &TicketId, snapshot: &NewSnapshot) -> Result<Announced, SendError> {
        Client::announce(self, ticket, snapshot)
    }

    fn offset(&self, upload: &UploadUrl) -> Result<Offset, SendError> {
        let response = self.send(self.tus(Method::HEAD, upload), &[200, 204])?;
        let offset = answer::number(response.headers(), &UPLOAD_OFFSET)
            .ok_or_else(|| SendError::Unexpected(format!("{} does not say how far the upload is", self.host())))?;
        Ok(Offset { offset, length: answer::number(response.headers(), &UPLOAD_LENGTH) })
    }

    fn append(&self, upload: &UploadUrl, piece: Piece) -> Result<u64, SendError> {
        let request = self
            .tus(Method::PATCH, upload)
            .header(CONTENT_TYPE, OFFSET_MEDIA_TYPE)
            .header(UPLOAD_OFFSET, piece.offset)
            .header(UPLOAD_CHECKSUM, format!("sha256 {}", STANDARD.encode(piece.sha256)))
            .body(piece.bytes);
        let response = self.send(request, &[200, 204])?;
        answer::number(response.headers(), &UPLOAD_OFFSET)
            .ok_or_else(|| SendError::Unexpected(format!("{} does not say what it kept", self.host())))
    }

    fn snapshot(&self, id: &FileId) -> Result<Snapshot, SendError> {
        Client::snapshot(self, id)
    }

    fn receipt(&self, id: &FileId) -> Result<String, SendError> {
        Client::receipt(self, id)
    }
}
