//! The sealed bytes of a snapshot, whole or in part.

use std::ops::Bound;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use headers::{
    AcceptRanges, ContentLength, ContentRange, ContentType, ETag, HeaderMapExt as _, IfNoneMatch, IfRange, Range,
};

use super::openapi::{Octets, Reason};
use super::snapshots::{reach, refused};
use super::{reason_of, snapshot_of};
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Principal};
use crate::portal::error::ApiError;
use crate::portal::reading::Reading;
use crate::portal::store::snapshots::Snapshot;
use crate::portal::store::{audit, snapshots, tickets};
use crate::track::Phase;

/// Gives the sealed bytes out.
///
/// The reading is in the audit log before the first byte leaves; from the deadline on, and from the moment deletion begins, the
/// answer is 410 whatever is still on the disk, and one that is on its way breaks off. `HEAD` tells the length.
#[utoipa::path(
    get, path = "/v1/snapshots/{id}/content",
    params(
        ("Tarseal-Reason" = Reason, Header, description = "Why it is read"),
        ("Range" = Option<String>, Header, description = "Which bytes (RFC 9110, section 14.2); one range"),
        ("If-None-Match" = Option<String>, Header, description = "The tag of what is there already"),
        ("If-Range" = Option<String>, Header, description = "The tag of what the range is to go on from"),
    ),
    responses(
        (status = 200, description = "The whole file", body = Octets, content_type = "application/octet-stream",
            headers(("ETag" = String, description = "SHA-256 of the whole file"), ("Accept-Ranges" = String))),
        (status = 206, description = "A part of it", body = Octets, content_type = "application/octet-stream",
            headers(("ETag" = String, description = "SHA-256 of the whole file"), ("Content-Range" = String))),
        (status = 304, description = "It is there already", headers(("ETag" = String))),
    ),
    extensions(("x-problems" = json!([
        "bad-request", "bad-request 416", "second-factor-needed", "not-assigned", "restricted", "expired", "store-away",
    ]))),
)]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let snapshot = reach(&app, &principal, Action::ReadContent, snapshot_of(&id)?).await?;
    let reason = reason_of(&headers)?;
    readable(&app, &principal, &snapshot, Act::ReadContent).await?;

    let tag: ETag = format!("\"{}\"", snapshot.sha256).parse().map_err(ApiError::fault)?;
    if headers.typed_get::<IfNoneMatch>().is_some_and(|condition| !condition.precondition_passes(&tag)) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        response.headers_mut().typed_insert(tag);
        return Ok(response);
    }
    let unchanged = headers.typed_get::<IfRange>().is_none_or(|condition| !condition.is_modified(Some(&tag), None));
    let range = headers.typed_get::<Range>().filter(|_| unchanged && method == Method::GET);
    let Some((first, end)) = part(range, snapshot.size) else {
        let mut response = ApiError::Bad(StatusCode::RANGE_NOT_SATISFIABLE, "There are no such bytes.").into_response();
        response.headers_mut().typed_insert(ContentRange::unsatisfied_bytes(snapshot.size));
        return Ok(response);
    };

    let whole = first == 0 && end == snapshot.size;
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        let bytes = app.blobs.read(&snapshot.tenant, &snapshot.id, first, end).await?;
        note(&app, &principal, &snapshot, first, &reason).await?.give(bytes, end - first)
    };

    let mut response = Response::new(body);
    let answered = response.headers_mut();
    answered.typed_insert(ContentType::octet_stream());
    answered.typed_insert(ContentLength(end - first));
    answered.typed_insert(AcceptRanges::bytes());
    answered.typed_insert(tag);
    if !whole {
        answered.typed_insert(ContentRange::bytes(first..end, snapshot.size).map_err(ApiError::fault)?);
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// Refuses, and audits the refusal, when a snapshot may not be read any more; one that is still arriving is not there yet.
pub(crate) async fn readable(app: &App, principal: &Principal, snapshot: &Snapshot, act: Act) -> Result<(), ApiError> {
    if snapshot.phase == Phase::Uploading {
        return Err(ApiError::SnapshotUnknown);
    }
    if snapshot.is_readable(app.clock.now()) {
        return Ok(());
    }
    refused(app, principal, &snapshot.id, act, Outcome::Expired).await?;
    Err(if snapshot.is_restricted(app.clock.now()) { ApiError::Restricted } else { ApiError::Expired })
}

/// Writes the reading down, and begins it. One that begins with the first byte counts as a reading, and so does the first one of
/// whoever has read nothing of it yet; the others are parts of one.
async fn note(
    app: &Arc<App>,
    principal: &Principal,
    snapshot: &Snapshot,
    first: u64,
    reason: &str,
) -> Result<Reading, ApiError> {
    let (tenant, id) = (&snapshot.tenant, &snapshot.id);
    let now = app.clock.now();
    let mut transaction = app.store.begin(tenant).await?;
    let still = snapshots::find(&mut transaction, tenant, id).await?;
    if !still.is_some_and(|snapshot| snapshot.is_readable(now)) {
        return Err(ApiError::Expired);
    }
    let act = Act::ReadContent;
    if first == 0 || !audit::has_done(&mut transaction, tenant, &principal.token, (act.word(), snapshot)).await? {
        snapshots::count_read(&mut transaction, tenant, id).await?;
        tickets::touch(&mut transaction, tenant, &snapshot.ticket, now).await?;
    }
    let act = (act, On::Snapshot(id), Outcome::Done);
    record(&mut transaction, tenant, now, Actor::Token(principal), act, Some(reason)).await?;
    let reading = Reading::begin(app, &mut transaction, snapshot, now).await?;
    transaction.commit().await?;
    Ok(reading)
}

/// The first byte and the byte after the last of what is asked for. All of it when nothing, or more than one part, is asked
/// for; `None` when there are no such bytes.
fn part(range: Option<Range>, size: u64) -> Option<(u64, u64)> {
    let Some(range) = range else { return Some((0, size)) };
    let mut parts = range.satisfiable_ranges(size);
    let (from, to) = parts.next()?;
    if parts.next().is_some() {
        return Some((0, size));
    }
    let first = match from {
        Bound::Included(first) => first,
        Bound::Excluded(before) => before.checked_add(1)?,
        Bound::Unbounded => 0,
    };
    let end = match to {
        Bound::Included(last) => last.saturating_add(1).min(size),
        Bound::Excluded(end) => end.min(size),
        Bound::Unbounded => size,
    };
    (first < end).then_some((first, end))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn asked(text: &str) -> Option<(u64, u64)> {
        let mut headers = HeaderMap::new();
        headers.insert("range", HeaderValue::from_str(text).unwrap());
        part(headers.typed_get::<Range>(), 100)
    }

    #[test]
    fn a_range_is_the_bytes_it_names() {
        assert_eq!(asked("bytes=0-"), Some((0, 100)));
        assert_eq!(asked("bytes=0-0"), Some((0, 1)));
        assert_eq!(asked("bytes=10-19"), Some((10, 20)));
        assert_eq!(asked("bytes=90-200"), Some((90, 100)));
        assert_eq!(asked("bytes=-10"), Some((90, 100)));
        assert_eq!(asked("bytes=99-"), Some((99, 100)));
    }

    #[test]
    fn bytes_that_are_not_there_are_no_range() {
        for none in ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=20-10"] {
            assert_eq!(asked(none), None, "{none}");
        }
    }

    #[test]
    fn several_ranges_or_another_unit_give_the_whole() {
        assert_eq!(asked("bytes=0-1,5-6"), Some((0, 100)));
        assert_eq!(asked("lines=0-1"), Some((0, 100)));
    }
}
