//! Snapshots: announcing one, and what is known of them.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;
use utoipa::IntoParams;

use super::openapi::{Octets, TusVersion};
use super::page::{Page, Pages};
use super::{known_ticket, read_json, snapshot_of, uploads as tus};
use crate::format::Header;
use crate::ids::{FileId, TicketId};
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Object, Principal, authorize};
use crate::portal::error::ApiError;
use crate::portal::receive::{KEPT_DAYS, Small, collect, is_small};
use crate::portal::store::shares::ShareRow;
use crate::portal::store::snapshots::Snapshot;
use crate::portal::store::uploads::Upload;
use crate::portal::store::{Connection, shares, snapshots, tickets, uploads};
use crate::portal::together::{self, Proof};
use crate::secret::Secret;
use crate::track::Phase;
use crate::wire;

/// What the portal does with an announced file.
enum Announced {
    /// Its bytes are awaited; 0 have arrived.
    New(Upload, Snapshot),
    /// It was announced before; some bytes have arrived.
    Begun(Upload, Snapshot),
    /// It is there.
    Stored(Snapshot),
}

/// Takes an announcement, as JSON or as a tus creation.
///
/// With `Tus-Resumable` it is a creation of tus 1.0: `Upload-Metadata` carries `file_id`, `sha256` and, as JSON, `share`, and the
/// body is empty or the first bytes. Told twice, it answers the second time where the first stands.
#[utoipa::path(
    post, path = "/v1/tickets/{ticket}/snapshots",
    request_body(content((wire::NewSnapshot = "application/json"), (Octets = "application/offset+octet-stream"))),
    params(
        ("Tus-Resumable" = Option<TusVersion>, Header, description = "The version of tus, for a creation"),
        ("Upload-Length" = Option<u64>, Header, description = "For a creation: the length of the file in bytes"),
        ("Upload-Metadata" = Option<String>, Header, description = "For a creation: names and Base64"),
        ("Upload-Checksum" = Option<String>, Header, description = "`sha256 BASE64` of the bytes in this request"),
    ),
    responses(
        (status = 200, description = "The file is there already", body = wire::Snapshot),
        (status = 201, description = "Its bytes are awaited", body = wire::Snapshot, headers(
            ("Location" = String, description = "The upload's own address, for tus"),
            ("Upload-Offset" = u64, description = "How many bytes have arrived"),
            ("Upload-Expires" = String, description = "Until when the next byte is awaited"),
            ("Tus-Resumable" = TusVersion),
        )),
    ),
    extensions(("x-problems" = json!([
        "bad-request", "bad-request 412", "ticket-closed", "snapshot-differs", "upload-begun", "offset-mismatch", "expired",
        "upload-unknown", "digest-mismatch", "not-sealed", "store-away", "code-used",
    ]))),
)]
pub(crate) async fn announce(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let ticket = known_ticket(&app, &principal, &ticket).await?;
    authorize(&principal, Action::Upload, Object::Ticket(&principal.tenant, &ticket))?;
    let is_tus = headers.contains_key(tus::TUS_RESUMABLE);
    let (new, mut bytes) =
        if is_tus { (tus::announced(&headers)?, Some(body)) } else { (read_json(body).await?, None) };
    let now = app.clock.now();
    bytes = bytes.filter(|_| tus::carries_bytes(&headers));
    if !principal.once && is_small(&app, Some(new.size)) && tus::brings_all(&headers, new.size) {
        let (all, sha256) = collect(bytes.take().unwrap_or_default()).await?;
        if let Some((upload, stored)) = shortly(&app, &principal, &ticket, &new, (&all, sha256)).await? {
            return created(&upload, stored.to_wire(now), stored.size);
        }
        bytes = Some(Body::from(all));
    }
    match take(&app, &principal, &ticket, new).await? {
        Announced::Stored(snapshot) => Ok((StatusCode::OK, Json(snapshot.to_wire(now))).into_response()),
        Announced::New(upload, snapshot) | Announced::Begun(upload, snapshot) => {
            let told = snapshot.to_wire(now);
            let mut offset = upload.received;
            if let Some(bytes) = bytes {
                offset = tus::append(&app, &principal, upload.clone(), snapshot, &headers, bytes).await?;
            }
            created(&upload, told, offset)
        }
    }
}

fn created(upload: &Upload, told: wire::Snapshot, offset: u64) -> Result<Response, ApiError> {
    let location = HeaderValue::try_from(format!("/v1/uploads/{}", upload.id)).map_err(ApiError::fault)?;
    let mut response = (StatusCode::CREATED, Json(told)).into_response();
    let answered = response.headers_mut();
    answered.insert(header::LOCATION, location);
    answered.insert(tus::UPLOAD_OFFSET, HeaderValue::from(offset));
    answered.insert(HeaderName::from_static("upload-expires"), tus::expires(upload));
    answered.insert(tus::TUS_RESUMABLE, HeaderValue::from_static(wire::TUS_VERSION));
    Ok(response)
}

/// Stores a small file that comes with its announcement the short way; `None`, and nothing was done, when something about it is
/// out of the ordinary.
async fn shortly(
    app: &Arc<App>,
    principal: &Principal,
    ticket: &TicketId,
    new: &wire::NewSnapshot,
    (bytes, sha256): (&Bytes, [u8; 32]),
) -> Result<Option<(Upload, Snapshot)>, ApiError> {
    check(app, new)?;
    let is_announced = Header::named(bytes) == Some(new.file_id) && hex::encode(sha256) == new.sha256;
    if !is_announced || bytes.len() as u64 != new.size {
        return Ok(None);
    }
    let upload = Upload::new(&principal.tenant, new.file_id, app.clock.now().plus_days(KEPT_DAYS));
    let small = Small {
        ticket: ticket.clone(),
        id: new.file_id,
        bytes: bytes.clone(),
        sha256,
        share: new.share.as_ref().map(share_of).transpose()?.map(Arc::new),
        upload: Some(upload.clone()),
    };
    Ok(small.store(app, principal).await?.map(|stored| (upload, stored)))
}

async fn take(
    app: &Arc<App>,
    principal: &Principal,
    ticket: &TicketId,
    new: wire::NewSnapshot,
) -> Result<Announced, ApiError> {
    check(app, &new)?;
    let (owner, principal, ticket) = (app.clone(), principal.clone(), ticket.clone());
    let claim = app.claims.claim(&principal.tenant, &new.file_id).await;
    let tenant = principal.tenant.clone();
    let announced = together::act(app, &tenant, Proof::Later, move |connection| {
        Box::pin(async move {
            let announced = announced(&owner, connection, &principal, &ticket, &new).await?;
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
    new: &wire::NewSnapshot,
) -> Result<Announced, ApiError> {
    let share = new.share.as_ref().map(share_of).transpose()?;
    let (tenant, id, now) = (&principal.tenant, &new.file_id, app.clock.now());
    let found = tickets::find(connection, tenant, ticket).await?.ok_or(ApiError::TicketUnknown)?;

    if let Some(known) = snapshots::find(connection, tenant, id).await? {
        let same = known.ticket == *ticket && known.size == new.size && known.sha256 == new.sha256;
        return match known.phase {
            Phase::Uploading if uploads::is_ending(connection, tenant, id).await? => Err(ApiError::Ending),
            Phase::Uploading if known.is_one_shot() => Err(ApiError::UploadBegun),
            _ if !same => Err(ApiError::SnapshotDiffers),
            Phase::Uploading => {
                if !same_share(app, &known, share.as_ref()).await? {
                    return Err(ApiError::SnapshotDiffers);
                }
                let upload = uploads::of_snapshot(connection, tenant, id).await?;
                Ok(Announced::Begun(upload.ok_or(ApiError::UploadUnknown)?, known))
            }
            _ if known.is_readable(now) => {
                if same_share(app, &known, share.as_ref()).await? {
                    Ok(Announced::Stored(known))
                } else {
                    Err(ApiError::SnapshotDiffers)
                }
            }
            _ => Err(ApiError::Expired),
        };
    }
    if found.closed_at.is_some() {
        return Err(ApiError::TicketClosed);
    }
    if let Some(most) = principal.max_bytes {
        let used = snapshots::bytes_of_token(connection, tenant, &principal.token).await?;
        if used.saturating_add(new.size) > most {
            return Err(ApiError::Bad(StatusCode::PAYLOAD_TOO_LARGE, "The token is not good for that many bytes."));
        }
    }
    if principal.once && !snapshots::of_token(connection, tenant, ticket, &principal.token).await?.is_empty() {
        return Err(ApiError::CodeUsed);
    }
    let awaited = snapshots::bytes_awaited(connection, Some(tenant)).await?;
    if !app.blobs.has_room_for(awaited.saturating_add(new.size))? {
        return Err(ApiError::NoRoom);
    }

    let mut snapshot = Snapshot::announced(tenant, *id, ticket, new.size, new.sha256.clone());
    snapshot.share = share.as_ref().map(|share| share.id);
    let upload = Upload::new(tenant, *id, now.plus_days(KEPT_DAYS));
    // The share first: a snapshot that says it has one always has it. One without a snapshot is swept at the next start.
    if let Some(share) = &share {
        shares::put(&mut *app.store.shares(tenant).await?, tenant, id, share).await?;
    }
    snapshots::add(connection, &snapshot, &principal.token, now).await?;
    uploads::add(connection, &upload).await?;
    let act = (Act::Announce, On::Snapshot(id), Outcome::Done);
    record(connection, tenant, now, Actor::Token(principal), act, None).await?;
    Ok(Announced::New(upload, snapshot))
}

fn check(app: &App, new: &wire::NewSnapshot) -> Result<(), ApiError> {
    let is_digest =
        new.sha256.len() == 64 && new.sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if new.size == 0 {
        Err(ApiError::bad("A sealed file is never empty."))
    } else if new.size > app.max_snapshot_bytes {
        Err(ApiError::Bad(StatusCode::PAYLOAD_TOO_LARGE, "The file is longer than the portal takes."))
    } else if !is_digest {
        Err(ApiError::bad("The digest is 64 hexadecimal digits in lower case."))
    } else {
        Ok(())
    }
}

fn share_of(share: &wire::NewShare) -> Result<ShareRow, ApiError> {
    let secret = BASE64_STANDARD.decode(share.secret.as_str()).ok().map(Secret::new);
    let bytes = secret.as_ref().and_then(|secret| <[u8; 32]>::try_from(secret.expose().as_slice()).ok());
    match bytes {
        Some(bytes) => Ok(ShareRow { id: share.id, secret: Secret::new(bytes), not_after: share.not_after }),
        None => Err(ApiError::bad("A share is 32 bytes in Base64.")),
    }
}

/// Whether an announcement that is repeated brings the share it brought the first time.
async fn same_share(app: &App, known: &Snapshot, share: Option<&ShareRow>) -> Result<bool, ApiError> {
    let kept = shares::find(&mut *app.store.shares(&known.tenant).await?, &known.tenant, &known.id).await?;
    Ok(match (kept, share) {
        (None, None) => true,
        (Some(kept), Some(share)) => {
            let secret = kept.secret.expose();
            kept.id == share.id && bool::from(secret.ct_eq(share.secret.expose()))
        }
        _ => false,
    })
}

/// Which page of the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// The snapshots of that ticket alone.
    ticket: Option<String>,
    /// The most items of the page; 100 when absent.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Lists snapshots, the oldest first: those of one ticket, or all within reach.
#[utoipa::path(
    get, path = "/v1/snapshots", params(Which),
    responses((status = 200, description = "A page of the list", body = wire::List<wire::Snapshot>)),
    extensions(("x-problems" = json!(["ticket-unknown"]))),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    which: Result<Query<Which>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(which) =
        which.map_err(|_| ApiError::bad("The list can be asked for with ?ticket=, ?limit= and ?after=."))?;
    let page: Page<i64> = Pages::of("snapshots").asked(which.limit.as_deref(), which.after.as_deref())?;
    let ticket = match which.ticket {
        Some(ticket) => Some(known_ticket(&app, &principal, &ticket).await?),
        None => None,
    };
    let mut connection = app.store.read(&principal.tenant).await?;
    match &ticket {
        None => authorize(&principal, Action::SeeSnapshot, Object::Reached)?,
        Some(ticket) => {
            let on_ticket = authorize(&principal, Action::SeeSnapshot, Object::Ticket(&principal.tenant, ticket));
            // Whoever was granted snapshots sees those of the ticket that were.
            let granted = principal.session.as_ref().is_some_and(|session| !session.granted.is_empty());
            if !granted {
                on_ticket?;
                tickets::find(&mut connection, &principal.tenant, ticket).await?.ok_or(ApiError::TicketUnknown)?;
            }
        }
    }
    let now = app.clock.now();
    let (on, range) = (principal.limit(), (page.after.unwrap_or(0), page.rows()));
    let found = snapshots::page(&mut connection, &principal.tenant, ticket.as_ref(), on, range).await?;
    if let (true, Some(ticket)) = (found.is_empty() && page.after.is_none(), &ticket) {
        // Nothing of it was granted: it is there for those who are on it alone.
        authorize(&principal, Action::SeeSnapshot, Object::Ticket(&principal.tenant, ticket))?;
        tickets::find(&mut connection, &principal.tenant, ticket).await?.ok_or(ApiError::TicketUnknown)?;
    }
    let query = [("ticket", ticket.as_ref().map(TicketId::as_str))];
    page.answer(found, |row| row.0, |row| row.1.to_wire(now), ("/v1/snapshots", &query))
}

/// Tells what the portal has of a snapshot, also after its deletion.
#[utoipa::path(
    get, path = "/v1/snapshots/{id}",
    responses((status = 200, description = "The snapshot", body = wire::Snapshot)),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<wire::Snapshot>, ApiError> {
    let snapshot = reach(&app, &principal, Action::SeeSnapshot, snapshot_of(&id)?).await?;
    Ok(Json(snapshot.to_wire(app.clock.now())))
}

/// The snapshot of that id, for someone who may do `action` to it. Asking for what few may have is audited when it is refused.
pub(crate) async fn reach(app: &App, principal: &Principal, action: Action, id: FileId) -> Result<Snapshot, ApiError> {
    let tenant = &principal.tenant;
    let found =
        snapshots::find(&mut *app.store.read(tenant).await?, tenant, &id).await?.ok_or(ApiError::SnapshotUnknown)?;
    let allowed = authorize(principal, action, Object::Snapshot(&found.tenant, &found.ticket, &found.id));
    let act = match action {
        Action::ReadContent => Some(Act::ReadContent),
        Action::GetShare => Some(Act::GiveShare),
        Action::Hold => Some(Act::AskHold),
        Action::Grant => Some(Act::Grant),
        Action::ReadAnswer => Some(Act::ReadAnswer),
        _ => None,
    };
    if let (Err(_), Some(act)) = (&allowed, act) {
        refused(app, principal, &id, act, Outcome::Denied).await?;
    }
    allowed.map(|()| found)
}

/// Audits that a reading was refused.
pub(crate) async fn refused(
    app: &App,
    principal: &Principal,
    id: &FileId,
    act: Act,
    outcome: Outcome,
) -> Result<(), ApiError> {
    let mut transaction = app.store.begin(&principal.tenant).await?;
    let what = (act, On::Snapshot(id), outcome);
    record(&mut transaction, &principal.tenant, app.clock.now(), Actor::Token(principal), what, None).await?;
    transaction.commit().await?;
    Ok(())
}
