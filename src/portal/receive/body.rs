//! A request's body on its way to the thread that writes it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedMutexGuard, mpsc};

use super::{Frame, Writing};
use crate::portal::desk::{Progress, Turn};
use crate::portal::error::ApiError;

/// How long the next bytes of a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many frames of a body wait for the disk.
const WAITING_FRAMES: usize = 8;

/// More came than may.
pub(crate) const TOO_LONG: ApiError =
    ApiError::Bad(StatusCode::PAYLOAD_TOO_LARGE, "The file would be longer than was announced, or than is allowed.");

/// The next bytes of a body, never none of them; `None` at its end.
pub(crate) async fn next(body: &mut Body) -> Result<Option<Bytes>, ApiError> {
    loop {
        let frame = tokio::time::timeout(PATIENCE, body.frame()).await.map_err(|_| ApiError::Stalled)?;
        let Some(frame) = frame else { return Ok(None) };
        match frame.map_err(|_| ApiError::BrokeOff)?.into_data() {
            Ok(bytes) if !bytes.is_empty() => return Ok(Some(bytes)),
            _ => {}
        }
    }
}

/// Writes `begun` and then a body, at most `room` bytes in all, and returns the offset that was reached.
pub(crate) async fn pour(
    writing: Writing,
    (turn, progress): (Turn, OwnedMutexGuard<Progress>),
    begun: Bytes,
    body: Body,
    room: u64,
) -> Result<u64, ApiError> {
    let turn = Arc::new(turn);
    let (sender, frames) = mpsc::channel(WAITING_FRAMES);
    let writers = writing.app.clone();
    let written = writers.writers.spawn_blocking({
        let turn = turn.clone();
        move || writing.run(&turn, progress, frames)
    });
    let broken = carry(begun, body, room, &turn, &sender).await.err();
    if broken.is_none() {
        // Nobody listens any more only when the writing failed; its result says why.
        drop(sender.send(Frame::End).await);
    }
    drop(sender);
    match (written.await.map_err(ApiError::fault)?, broken) {
        (Ok(reached), Some(Broken::Superseded)) => Err(ApiError::OffsetMismatch(reached)),
        (Err(ApiError::BrokeOff), Some(Broken::Superseded)) => Err(ApiError::OffsetMismatch(0)),
        (Ok(_) | Err(ApiError::BrokeOff), Some(Broken::Fault(fault))) => Err(fault),
        (written, _) => written,
    }
}

/// Why a body did not arrive whole.
enum Broken {
    Superseded,
    Fault(ApiError),
}

/// Carries a body's frames to the thread that writes them.
async fn carry(
    begun: Bytes,
    mut body: Body,
    mut room: u64,
    turn: &Turn,
    sender: &mpsc::Sender<Frame>,
) -> Result<(), Broken> {
    let mut waiting = Some(begun).filter(|bytes| !bytes.is_empty());
    loop {
        let bytes = match waiting.take() {
            Some(bytes) => bytes,
            None => tokio::select! {
                biased;
                () = turn.stop.cancelled() => return Err(Broken::Superseded),
                bytes = next(&mut body) => match bytes.map_err(Broken::Fault)? {
                    Some(bytes) => bytes,
                    None => return Ok(()),
                },
            },
        };
        let length = bytes.len() as u64;
        room = room.checked_sub(length).ok_or(Broken::Fault(TOO_LONG))?;
        if !turn.accept(length) {
            return Err(Broken::Superseded);
        }
        if sender.send(Frame::Bytes(bytes)).await.is_err() {
            return Ok(());
        }
    }
}
