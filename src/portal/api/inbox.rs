//! The one-shot door: `PUT /in/{ticket}/{name}` with a sealed file as its body, for curl, `sos upload` and scripts.
//!
//! Nothing has to be announced: the file id stands in the file's own header, and the digest is told beside it (`Repr-Digest`,
//! RFC 9530) or not at all. The file is stored by the answer, or nothing of it is. The name at the end of the path is for the
//! sender's own use and is not kept: names tell of people.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use headers::HeaderMapExt as _;
use headers::authorization::{Authorization, Basic};
use sfv::{BareItem, Dictionary, ListEntry, Parser};
use sha2::{Digest as _, Sha256};

use super::known_ticket;
use super::openapi::Octets;
use super::receipts::proved;
use crate::format::Header;
use crate::ids::{FileId, TicketId};
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Object, Principal, authorize};
use crate::portal::error::ApiError;
use crate::portal::receive::{Door, Small, TOO_LONG, Writing, collect, discard, is_small, next, pour};
use crate::portal::store::snapshots::Snapshot;
use crate::portal::store::uploads::Upload;
use crate::portal::store::{Connection, receipts, snapshots, tickets, uploads};
use crate::portal::together::{self, Proof};
use crate::track::Phase;
use crate::track::receipt::Kind;
use crate::wire;

/// How long the rows of an upload by this door are kept when the portal went down under it, in days.
const KEPT_DAYS: i64 = 1;

/// How often a file is taken over from an older request that still sends it.
const TRIES: usize = 3;

/// Whoever sends, as proved by a bearer token, or by Basic with the ticket as user and the token as password.
pub(crate) struct Sender(Principal);

impl FromRequestParts<Arc<App>> for Sender {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let mut ticket = None;
        if let Some(Authorization(basic)) = parts.headers.typed_get::<Authorization<Basic>>() {
            let bearer = Authorization::bearer(basic.password()).map_err(|_| refused(ApiError::TokenRefused))?;
            parts.headers.typed_insert(bearer);
            ticket = Some(basic.username().to_owned());
        }
        let principal = Principal::from_request_parts(parts, app).await.map_err(refused)?;
        if let Some(ticket) = ticket {
            let Path((of_path, _)) = Path::<(String, String)>::from_request_parts(parts, app)
                .await
                .map_err(|_| refused(ApiError::TicketUnknown))?;
            if ticket != of_path {
                return Err(refused(ApiError::TokenRefused));
            }
        }
        Ok(Self(principal))
    }
}

fn refused(fault: ApiError) -> Response {
    let mut response = fault.into_response();
    if response.status() == StatusCode::UNAUTHORIZED {
        let basic = HeaderValue::from_static("Basic realm=\"ticket and token\", charset=\"UTF-8\"");
        response.headers_mut().append(header::WWW_AUTHENTICATE, basic);
    }
    response
}

/// Stores a sealed file whole.
///
/// Whatever can be refused without the body is refused before it is asked for (`Expect: 100-continue`). The name at the end of
/// the path is for the sender's own use and is not kept. A file that is there already is answered with 200.
#[utoipa::path(
    put, path = "/in/{ticket}/{name}", request_body(content = Octets, content_type = "application/octet-stream"),
    params(
        ("Repr-Digest" = Option<String>, Header, description = "`sha-256=:BASE64:` of the file (RFC 9530)"),
        ("Content-Digest" = Option<String>, Header, description = "The same; a sealed file comes as it is"),
    ),
    responses(
        (status = 200, description = "It was there already", body = wire::Received, headers(("Location" = String))),
        (status = 201, description = "It is stored", body = wire::Received, headers(("Location" = String))),
    ),
    extensions(("x-problems" = json!([
        "bad-request", "bad-request 408", "bad-request 413", "bad-request 415", "bad-request 422", "digest-mismatch 400",
        "not-sealed", "ticket-closed", "snapshot-differs", "upload-begun", "expired", "store-away",
    ]))),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    Sender(principal): Sender,
    Path((ticket, _)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let ticket = known_ticket(&app, &principal, &ticket).await?;
    authorize(&principal, Action::Upload, Object::Ticket(&principal.tenant, &ticket))?;
    if headers.contains_key(header::CONTENT_RANGE) {
        return Err(ApiError::bad("A file comes whole by this door, not in ranges."));
    }
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(ApiError::Bad(StatusCode::UNSUPPORTED_MEDIA_TYPE, "A sealed file comes as it is, not encoded."));
    }
    let sha256 = digest_of(&headers)?;
    let length = headers.typed_get::<headers::ContentLength>().map(|length| length.0);
    if is_small(&app, length) && !headers.contains_key(header::EXPECT) {
        let (bytes, found) = collect(body).await?;
        if let Some(stored) = shortly(&app, &principal, &ticket, (sha256, found), &bytes).await? {
            return told(&app, StatusCode::CREATED, &stored).await;
        }
        let longest = limit(&app, &principal, &ticket, length).await?;
        return take(&app, &principal, &ticket, (sha256, length, longest), Body::from(bytes)).await;
    }
    let longest = limit(&app, &principal, &ticket, length).await?;
    take(&app, &principal, &ticket, (sha256, length, longest), body).await
}

/// Stores a small file the short way; `None`, and nothing was done, when it is out of the ordinary.
async fn shortly(
    app: &Arc<App>,
    principal: &Principal,
    ticket: &TicketId,
    (told, found): (Option<[u8; 32]>, [u8; 32]),
    bytes: &Bytes,
) -> Result<Option<Snapshot>, ApiError> {
    let whole = Header::told_length(bytes).is_some_and(|length| bytes.len() >= length);
    let header = whole.then(|| Header::read(&mut &bytes[..]).ok()).flatten();
    let Some(header) = header.filter(|header| header.share.is_none() && told.is_none_or(|told| told == found)) else {
        return Ok(None);
    };
    let small = Small {
        ticket: ticket.clone(),
        id: header.file_id,
        bytes: bytes.clone(),
        sha256: found,
        share: None,
        upload: None,
    };
    small.store(app, principal).await
}

/// How long the file may be: as long as it says, when there is room for that.
async fn limit(app: &App, principal: &Principal, ticket: &TicketId, length: Option<u64>) -> Result<u64, ApiError> {
    let mut connection = app.store.read(&principal.tenant).await?;
    let found = tickets::find(&mut connection, &principal.tenant, ticket).await?.ok_or(ApiError::TicketUnknown)?;
    if found.closed_at.is_some() {
        return Err(ApiError::TicketClosed);
    }
    let left = match principal.max_bytes {
        None => u64::MAX,
        Some(most) => {
            most.saturating_sub(snapshots::bytes_of_token(&mut connection, &principal.tenant, &principal.token).await?)
        }
    };
    let longest = left.min(app.max_snapshot_bytes);
    let awaited = snapshots::bytes_awaited(&mut connection, Some(&principal.tenant)).await?;
    if length.is_some_and(|length| length > longest) {
        Err(TOO_LONG)
    } else if !app.blobs.has_room_for(awaited.saturating_add(length.unwrap_or(0)))? {
        Err(ApiError::NoRoom)
    } else {
        Ok(length.unwrap_or(longest))
    }
}

async fn take(
    app: &Arc<App>,
    principal: &Principal,
    ticket: &TicketId,
    (sha256, length, longest): (Option<[u8; 32]>, Option<u64>, u64),
    mut body: Body,
) -> Result<Response, ApiError> {
    let (file, begun) = beginning(&mut body).await?;
    if file.share.is_some() {
        return Err(ApiError::Bad(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The file opens only with a share that the portal keeps, and a share cannot come by this door. Use `tarseal upload`.",
        ));
    }
    let mut tries = 0;
    let (upload, snapshot, turn, progress) = loop {
        match announce(app, principal, ticket, &file, length.unwrap_or(0)).await? {
            Announced::Stored(known) => return again(app, &known, sha256, begun, body).await,
            Announced::Busy(older) => {
                // Whoever still sends this file has lost its client, or is about to: the newer one takes over.
                let turn = app.desk.take(&older.tenant, &older.id, 0);
                let ended = turn.begin().await;
                if ended.is_some() {
                    discard(app, &older, Actor::Token(principal), Act::Store, Outcome::Broken).await?;
                }
                tries += 1;
                if tries == TRIES {
                    return Err(ApiError::UploadBegun);
                }
            }
            Announced::New(upload, mut snapshot) => {
                snapshot.size = longest;
                let turn = app.desk.ask(&upload.tenant, &upload.id, 0, 0).map_err(|_| ApiError::UploadBegun)?;
                let Some(progress) = turn.begin().await else { return Err(ApiError::UploadBegun) };
                // Only now nobody else writes; a newer request may have ended this one before it began.
                if uploads::find(&mut *app.store.read(&principal.tenant).await?, &upload.tenant, &upload.id)
                    .await?
                    .is_none()
                {
                    return Err(ApiError::UploadBegun);
                }
                break (upload, snapshot, turn, progress);
            }
        }
    };
    let id = snapshot.id;
    let door = Door::OneShot { sha256 };
    let writing = Writing { app: app.clone(), upload, snapshot, who: principal.clone(), door };
    match pour(writing, (turn, progress), begun, body, longest).await {
        Err(ApiError::OffsetMismatch(_) | ApiError::UploadUnknown) => Err(ApiError::UploadBegun),
        Err(fault) => Err(fault),
        Ok(_) => {
            let stored =
                snapshots::find(&mut *app.store.read(&principal.tenant).await?, &principal.tenant, &id).await?;
            told(app, StatusCode::CREATED, &stored.ok_or(ApiError::SnapshotUnknown)?).await
        }
    }
}

/// Reads until the file's header is whole. Nothing is announced and nothing written before it is known what comes.
async fn beginning(body: &mut Body) -> Result<(Header, Bytes), ApiError> {
    let mut begun = Vec::new();
    loop {
        if let Some(bytes) = next(body).await? {
            begun.extend_from_slice(&bytes);
        } else {
            return Err(ApiError::NotSealed);
        }
        if begun.len() >= Header::NAMED && Header::named(&begun).is_none() {
            return Err(ApiError::NotSealed);
        }
        if Header::told_length(&begun).is_some_and(|length| begun.len() >= length) {
            let header = Header::read(&mut begun.as_slice()).map_err(|_| ApiError::NotSealed)?;
            return Ok((header, begun.into()));
        }
    }
}

/// What the portal does with a file whose header came.
enum Announced {
    /// Its bytes are awaited.
    New(Upload, Snapshot),
    /// Another request by this door is sending it.
    Busy(Upload),
    /// It is there.
    Stored(Snapshot),
}

async fn announce(
    app: &Arc<App>,
    principal: &Principal,
    ticket: &TicketId,
    file: &Header,
    size: u64,
) -> Result<Announced, ApiError> {
    let (owner, principal, ticket, id) = (app.clone(), principal.clone(), ticket.clone(), file.file_id);
    let claim = app.claims.claim(&principal.tenant, &id).await;
    let tenant = principal.tenant.clone();
    let announced = together::act(app, &tenant, Proof::Later, move |connection| {
        Box::pin(async move {
            let announced = announced(&owner, connection, &principal, &ticket, (id, size)).await?;
            // Held until the act is durable.
            Ok((announced, claim))
        })
    });
    announced.await.map(|(announced, _)| announced)
}

async fn announced(
    app: &App,
    connection: &mut Connection,
    principal: &Principal,
    ticket: &TicketId,
    (id, size): (FileId, u64),
) -> Result<Announced, ApiError> {
    let (tenant, now) = (&principal.tenant, app.clock.now());
    let found = tickets::find(connection, tenant, ticket).await?.ok_or(ApiError::TicketUnknown)?;
    if let Some(known) = snapshots::find(connection, tenant, &id).await? {
        return match known.phase {
            _ if known.ticket != *ticket => Err(ApiError::SnapshotDiffers),
            Phase::Uploading if uploads::is_ending(connection, tenant, &id).await? => Err(ApiError::Ending),
            Phase::Uploading if known.is_one_shot() => {
                let upload = uploads::of_snapshot(connection, tenant, &id).await?;
                Ok(Announced::Busy(upload.ok_or(ApiError::UploadUnknown)?))
            }
            Phase::Uploading => Err(ApiError::UploadBegun),
            _ if known.is_readable(now) => Ok(Announced::Stored(known)),
            _ => Err(ApiError::Expired),
        };
    }
    if found.closed_at.is_some() {
        return Err(ApiError::TicketClosed);
    }
    let snapshot = Snapshot::announced(tenant, id, ticket, size, String::new());
    let upload = Upload::new(tenant, id, now.plus_days(KEPT_DAYS));
    snapshots::add(connection, &snapshot, &principal.token, now).await?;
    uploads::add(connection, &upload).await?;
    let act = (Act::Announce, On::Snapshot(&id), Outcome::Done);
    record(connection, tenant, now, Actor::Token(principal), act, None).await?;
    Ok(Announced::New(upload, snapshot))
}

/// Answers for a file that is there already: reads what comes and says whether it is the same.
async fn again(
    app: &App,
    known: &Snapshot,
    sha256: Option<[u8; 32]>,
    begun: Bytes,
    mut body: Body,
) -> Result<Response, ApiError> {
    let mut hash = Sha256::new_with_prefix(&begun);
    let mut length = begun.len() as u64;
    while let Some(bytes) = next(&mut body).await? {
        hash.update(&bytes);
        length += bytes.len() as u64;
        if length > known.size {
            return Err(ApiError::SnapshotDiffers);
        }
    }
    let digest = hash.finalize();
    if sha256.is_some_and(|told| digest.as_slice() != told) {
        Err(ApiError::DigestDiffers)
    } else if hex::encode(digest) == known.sha256 {
        told(app, StatusCode::OK, known).await
    } else {
        Err(ApiError::SnapshotDiffers)
    }
}

async fn told(app: &App, status: StatusCode, stored: &Snapshot) -> Result<Response, ApiError> {
    let receipt = receipts::of_snapshot(&mut *app.store.read(&stored.tenant).await?, &stored.id, Kind::Upload).await?;
    let receipt = receipt.ok_or_else(|| ApiError::fault("a stored snapshot has no receipt"))?;
    let received = wire::Received {
        id: stored.id,
        ticket: stored.ticket.clone(),
        size: stored.size,
        sha256: stored.sha256.clone(),
        due_at: stored.due_at,
        receipt: proved(app, receipt).await?,
    };
    let mut response = (status, Json(received)).into_response();
    let location = HeaderValue::try_from(format!("/v1/snapshots/{}", stored.id)).map_err(ApiError::fault)?;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// The SHA-256 that the file must have, out of `Repr-Digest` or `Content-Digest` (RFC 9530): the file comes as it is, so both are
/// the same. A digest of another kind alone is refused rather than passed over.
fn digest_of(headers: &HeaderMap) -> Result<Option<[u8; 32]>, ApiError> {
    const WRONG: ApiError = ApiError::bad("A digest is told as sha-256=:BASE64:.");
    let mut found = None;
    for name in ["repr-digest", "content-digest"].map(HeaderName::from_static) {
        let mut fields = headers.get_all(&name).iter().peekable();
        if fields.peek().is_none() {
            continue;
        }
        let mut digests = Dictionary::new();
        for field in fields {
            digests.extend(Parser::new(field.as_bytes()).parse::<Dictionary>().map_err(|_| WRONG)?);
        }
        let Some(ListEntry::Item(item)) = digests.get("sha-256") else { return Err(WRONG) };
        let BareItem::ByteSequence(bytes) = &item.bare_item else { return Err(WRONG) };
        let digest: [u8; 32] = bytes.as_slice().try_into().map_err(|_| WRONG)?;
        if found.is_some_and(|other| other != digest) {
            return Err(ApiError::bad("Repr-Digest and Content-Digest say different things of one file."));
        }
        found = Some(digest);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(fields: &[(&'static str, &str)]) -> Result<Option<[u8; 32]>, ApiError> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        digest_of(&headers)
    }

    #[test]
    fn a_digest_is_read_out_of_either_field_and_must_be_sha_256() {
        let zero = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:";
        let other = "sha-256=:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:";
        assert_eq!(digest(&[]).unwrap(), None);
        assert_eq!(digest(&[("repr-digest", zero)]).unwrap(), Some([0; 32]));
        assert_eq!(digest(&[("content-digest", zero), ("repr-digest", zero)]).unwrap(), Some([0; 32]));
        assert_eq!(digest(&[("repr-digest", "md5=:AAAA:"), ("repr-digest", zero)]).unwrap(), Some([0; 32]));
        assert!(digest(&[("content-digest", other), ("repr-digest", zero)]).is_err());
        for wrong in ["", "md5=:AAAA:", "sha-256=AAAA", "sha-256=:AAAA:", "sha-256=:!:", "sha-256", "sha-256=(:AAAA:)"]
        {
            assert!(digest(&[("repr-digest", wrong)]).is_err(), "{wrong:?}");
        }
    }
}
