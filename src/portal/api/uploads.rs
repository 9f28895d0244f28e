//! Uploads by tus 1.0 (<https://tus.io/protocols/resumable-upload>): core, creation, creation-with-upload, checksum
//! (sha256), termination, expiration.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::openapi::{Octets, TusVersion};
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, Outcome};
use crate::portal::auth::{Action, Object, Principal, authorize};
use crate::portal::error::ApiError;
use crate::portal::receive::{Door, TOO_LONG, Writing, discard, pour};
use crate::portal::store::snapshots::Snapshot;
use crate::portal::store::uploads::Upload;
use crate::portal::store::{snapshots, uploads};
use crate::track::Phase;
use crate::wire::{NewSnapshot, OFFSET_MEDIA_TYPE, TUS_VERSION};

pub(crate) const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
pub(crate) const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");

/// Says what the portal's tus can do.
#[utoipa::path(
    options, path = "/v1/uploads/{id}",
    responses((status = 204, description = "What it can do", headers(
        ("Tus-Resumable" = TusVersion),
        ("Tus-Version" = TusVersion),
        ("Tus-Extension" = String, description = "Separated by commas"),
        ("Tus-Checksum-Algorithm" = String),
        ("Tus-Max-Size" = u64, description = "The longest file in bytes"),
    ))),
)]
pub(crate) async fn options(State(app): State<Arc<App>>) -> Response {
    let longest = HeaderValue::from(app.max_snapshot_bytes);
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(TUS_RESUMABLE, HeaderValue::from_static(TUS_VERSION));
    headers.insert("tus-version", HeaderValue::from_static(TUS_VERSION));
    let extensions = "creation,creation-with-upload,checksum,termination,expiration";
    headers.insert("tus-extension", HeaderValue::from_static(extensions));
    headers.insert("tus-checksum-algorithm", HeaderValue::from_static("sha256"));
    headers.insert("tus-max-size", longest);
    response
}

/// Says how many bytes are durable. Whoever is still writing ends first: the one who asks is about to go on.
#[utoipa::path(
    head, path = "/v1/uploads/{id}",
    params(("Tus-Resumable" = TusVersion, Header, description = "The version of tus")),
    responses((status = 200, description = "How many bytes are there", headers(
        ("Tus-Resumable" = TusVersion),
        ("Upload-Offset" = u64, description = "How many bytes are durable"),
        ("Upload-Length" = u64, description = "How many there will be"),
        ("Upload-Expires" = Option<String>, description = "Until when the next byte is awaited"),
    ))),
    extensions(("x-problems" = json!(["bad-request 412", "store-away"]))),
)]
pub(crate) async fn head(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    check_version(&headers)?;
    let (upload, snapshot) = reach(&app, &principal, &id).await?;
    if snapshot.phase != Phase::Uploading {
        return Ok(stands(StatusCode::OK, &snapshot, &upload, snapshot.size));
    }
    let turn = app.desk.take(&upload.tenant, &upload.id, upload.received);
    let progress = turn.begin().await;
    let (upload, snapshot) = reach(&app, &principal, &id).await?;
    if progress.is_some() {
        turn.stands_at(upload.received);
    }
    let offset = if snapshot.phase == Phase::Uploading { upload.received } else { snapshot.size };
    Ok(stands(StatusCode::OK, &snapshot, &upload, offset))
}

/// Appends bytes at the offset they begin at.
#[utoipa::path(
    patch, path = "/v1/uploads/{id}",
    request_body(content = Octets, content_type = "application/offset+octet-stream"),
    params(
        ("Tus-Resumable" = TusVersion, Header, description = "The version of tus"),
        ("Upload-Offset" = u64, Header, description = "Where the bytes begin"),
        ("Upload-Checksum" = Option<String>, Header, description = "`sha256 BASE64` of the bytes in this request"),
    ),
    responses((status = 204, description = "They are durable", headers(
        ("Tus-Resumable" = TusVersion),
        ("Upload-Offset" = u64, description = "How many bytes are durable"),
        ("Upload-Length" = u64, description = "How many there will be"),
        ("Upload-Expires" = Option<String>, description = "Until when the next byte is awaited"),
    ))),
    extensions(("x-problems" = json!([
        "bad-request", "bad-request 412", "bad-request 415", "offset-mismatch", "digest-mismatch", "not-sealed", "store-away",
    ]))),
)]
pub(crate) async fn patch(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    check_version(&headers)?;
    if headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind != OFFSET_MEDIA_TYPE) {
        return Err(ApiError::Bad(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Bytes come as application/offset+octet-stream.",
        ));
    }
    let (upload, snapshot) = reach(&app, &principal, &id).await?;
    let offset = number(&headers, &UPLOAD_OFFSET).ok_or(ApiError::bad("Upload-Offset says where the bytes begin."))?;
    let stands_at = if snapshot.phase == Phase::Uploading { upload.received } else { snapshot.size };
    if snapshot.phase != Phase::Uploading {
        return if offset == stands_at && number(&headers, &header::CONTENT_LENGTH) == Some(0) {
            Ok(stands(StatusCode::NO_CONTENT, &snapshot, &upload, stands_at))
        } else {
            Err(ApiError::OffsetMismatch(stands_at))
        };
    }
    let begun = Upload { received: offset, ..upload.clone() };
    let reached = append_at(&app, &principal, (begun, upload.received), &snapshot, &headers, body).await?;
    Ok(stands(StatusCode::NO_CONTENT, &snapshot, &upload, reached))
}

/// Ends an unfinished upload for good.
#[utoipa::path(
    delete, path = "/v1/uploads/{id}",
    params(("Tus-Resumable" = TusVersion, Header, description = "The version of tus")),
    responses((status = 204, description = "It is gone", headers(("Tus-Resumable" = TusVersion)))),
    extensions(("x-problems" = json!(["bad-request 409", "bad-request 412", "offset-mismatch", "store-away"]))),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    check_version(&headers)?;
    let (upload, snapshot) = reach(&app, &principal, &id).await?;
    if snapshot.phase != Phase::Uploading {
        return Err(ApiError::Bad(StatusCode::CONFLICT, "The file is stored; ending its upload does not delete it."));
    }
    let turn = app.desk.take(&upload.tenant, &upload.id, upload.received);
    let Some(_progress) = turn.begin().await else { return Err(ApiError::OffsetMismatch(upload.received)) };
    discard(&app, &upload, Actor::Token(&principal), Act::EndUpload, Outcome::Done).await?;
    Ok((StatusCode::NO_CONTENT, [(TUS_RESUMABLE, TUS_VERSION)]).into_response())
}

/// Reads a tus creation as the announcement it is.
pub(crate) fn announced(headers: &HeaderMap) -> Result<NewSnapshot, ApiError> {
    const KEYS: ApiError = ApiError::bad("Upload-Metadata carries file_id and sha256, and share if there is one.");
    check_version(headers)?;
    let size = number(headers, &UPLOAD_LENGTH).ok_or(ApiError::bad("Upload-Length says how long the file is."))?;
    let metadata = headers.get(UPLOAD_METADATA).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let value = |wanted: &str| {
        let mut pairs = metadata.split(',').filter_map(|pair| pair.trim().split_once(' '));
        let (_, encoded) = pairs.find(|(key, _)| *key == wanted)?;
        String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()
    };
    let file_id = value("file_id").and_then(|id| id.parse().ok()).ok_or(KEYS)?;
    let sha256 = value("sha256").ok_or(KEYS)?;
    let share = value("share").map(|json| serde_json::from_str(&json)).transpose().map_err(|_| KEYS)?;
    Ok(NewSnapshot { file_id, size, sha256, share })
}

/// Whether a tus creation brings the first bytes along.
pub(crate) fn carries_bytes(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == OFFSET_MEDIA_TYPE)
}

/// Whether a tus creation brings all `size` bytes of the file along, and says nothing more of them.
pub(crate) fn brings_all(headers: &HeaderMap, size: u64) -> bool {
    carries_bytes(headers)
        && number(headers, &header::CONTENT_LENGTH) == Some(size)
        && !headers.contains_key(UPLOAD_CHECKSUM)
        && !headers.contains_key(header::EXPECT)
}

/// Appends a body to an upload where it stands.
pub(crate) async fn append(
    app: &Arc<App>,
    principal: &Principal,
    upload: Upload,
    snapshot: Snapshot,
    headers: &HeaderMap,
    body: Body,
) -> Result<u64, ApiError> {
    let known = upload.received;
    append_at(app, principal, (upload, known), &snapshot, headers, body).await
}

/// Until when an upload waits for its next byte, as a header says it.
pub(crate) fn expires(upload: &Upload) -> HeaderValue {
    let seconds = u64::try_from(upload.expires_at.seconds()).unwrap_or(0);
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
    HeaderValue::try_from(date).unwrap_or(HeaderValue::from_static("0"))
}

/// Appends a body from `upload.received` on, where `known` is what the database says has been received.
async fn append_at(
    app: &Arc<App>,
    principal: &Principal,
    (upload, known): (Upload, u64),
    snapshot: &Snapshot,
    headers: &HeaderMap,
    body: Body,
) -> Result<u64, ApiError> {
    let offset = upload.received;
    let room = snapshot.size.saturating_sub(offset);
    if number(headers, &header::CONTENT_LENGTH).is_some_and(|length| length > room) {
        return Err(if offset == known { TOO_LONG } else { ApiError::OffsetMismatch(known) });
    }
    let door = Door::Resumable { checksum: checksum_of(headers)? };
    if !app.blobs.has_room_for(0)? {
        return Err(ApiError::NoRoom);
    }
    let turn = app.desk.ask(&upload.tenant, &upload.id, offset, known).map_err(ApiError::OffsetMismatch)?;
    let Some(progress) = turn.begin().await else { return Err(ApiError::OffsetMismatch(offset)) };

    // Only now nobody else writes: what the database says is what is.
    let (upload, snapshot) = reach(app, principal, &upload.id).await?;
    if snapshot.phase != Phase::Uploading || upload.received != offset {
        let stands_at = if snapshot.phase == Phase::Uploading { upload.received } else { snapshot.size };
        turn.stands_at(stands_at);
        return Err(ApiError::OffsetMismatch(stands_at));
    }
    let writing = Writing { app: app.clone(), upload, snapshot, who: principal.clone(), door };
    pour(writing, (turn, progress), Bytes::new(), body, room).await
}

/// The upload of that id with its snapshot, for someone who may upload to its ticket.
async fn reach(app: &App, principal: &Principal, id: &str) -> Result<(Upload, Snapshot), ApiError> {
    let mut connection = app.store.read(&principal.tenant).await?;
    let upload = uploads::find(&mut connection, &principal.tenant, id).await?.ok_or(ApiError::UploadUnknown)?;
    let snapshot = snapshots::find(&mut connection, &upload.tenant, &upload.snapshot).await?;
    let snapshot = snapshot.ok_or(ApiError::UploadUnknown)?;
    authorize(principal, Action::Upload, Object::Upload(&snapshot.tenant, &snapshot.ticket))?;
    Ok((upload, snapshot))
}

fn stands(status: StatusCode, snapshot: &Snapshot, upload: &Upload, offset: u64) -> Response {
    let mut response = status.into_response();
    let headers = response.headers_mut();
    headers.insert(TUS_RESUMABLE, HeaderValue::from_static(TUS_VERSION));
    headers.insert(UPLOAD_OFFSET, HeaderValue::from(offset));
    headers.insert(UPLOAD_LENGTH, HeaderValue::from(snapshot.size));
    if offset < snapshot.size {
        headers.insert(UPLOAD_EXPIRES, expires(upload));
    }
    response
}

fn check_version(headers: &HeaderMap) -> Result<(), ApiError> {
    match headers.get(TUS_RESUMABLE) {
        Some(version) if version == TUS_VERSION => Ok(()),
        _ => Err(ApiError::TusVersion),
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

fn checksum_of(headers: &HeaderMap) -> Result<Option<[u8; 32]>, ApiError> {
    let Some(value) = headers.get(UPLOAD_CHECKSUM) else { return Ok(None) };
    let digest = value.to_str().ok().and_then(|text| text.strip_prefix("sha256 "));
    let bytes = digest.and_then(|digest| BASE64_STANDARD.decode(digest).ok());
    match bytes.and_then(|bytes| bytes.try_into().ok()) {
        Some(checksum) => Ok(Some(checksum)),
        None => Err(ApiError::bad("Upload-Checksum is \"sha256\" and the digest in Base64.")),
    }
}
