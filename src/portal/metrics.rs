//! Numbers for whoever watches the portal, in the text form of `OpenMetrics`, which Prometheus reads, on a listener of their own.
//!
//! Counters count since the start of this process. Gauges are looked up when they are asked for and are the same at every process
//! of one portal. No label names a tenant, a ticket, a person, an address or a file, and no label's values grow with what is sent.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{Method, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::app::App;
use super::blobs::free;
use super::error::ApiError;
use super::jobs::delete;
use super::store::{audit, clock, deletions, log, snapshots};

/// The media type of the text.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The bounds of the times that answers take, in seconds.
const BOUNDS: [f64; 8] = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0];

/// From how far behind its deadline on a deletion is late and the portal calls itself degraded, in seconds.
pub(crate) const LATE: i64 = 3600;

/// What is counted.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    seconds: Family<Route, Histogram>,
    problems: Family<Problem, Counter>,
    uploads: Counter,
    upload_bytes: Counter,
    deletions: Family<Deletion, Counter>,
    failed_steps: Counter,
    gauges: Gauges,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    route: String,
    method: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Problem {
    problem: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Deletion {
    /// `in-time`, or `late`: more than an hour after the deadline.
    kept: &'static str,
}

/// What is looked up.
#[derive(Default)]
struct Gauges {
    due: Gauge,
    late: Gauge,
    lag: Gauge,
    stuck: Gauge,
    awaited: Gauge,
    free: Gauge,
    clock: Gauge,
    records: Gauge,
    waiting: Gauge,
}

impl Metrics {
    /// Begins to count.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("tarseal");
        registry.register("build", "The version that runs", Info::new([("version", env!("CARGO_PKG_VERSION"))]));

        let requests = Family::default();
        registry.register("requests", "Requests that were answered", requests.clone());
        let seconds: Family<Route, Histogram> = Family::new_with_constructor(|| Histogram::new(BOUNDS));
        let told = "Time from the headers of a request to those of its answer";
        registry.register_with_unit("request", told, Unit::Seconds, seconds.clone());
        let problems = Family::default();
        registry.register("problems", "Answers that told a problem, by its type", problems.clone());
        let uploads = Counter::default();
        registry.register("uploads", "Snapshots that were stored", uploads.clone());
        let upload_bytes = Counter::default();
        let told = "Bytes of snapshots that were stored";
        registry.register_with_unit("upload", told, Unit::Bytes, upload_bytes.clone());
        let deletions = Family::default();
        registry.register("deletions", "Snapshots that were deleted", deletions.clone());
        let failed_steps = Counter::default();
        let told = "Steps of deletions that failed and are tried again";
        registry.register("deletion_steps_failed", told, failed_steps.clone());
        let gauges = Gauges::new(&mut registry);
        Self { registry, requests, seconds, problems, uploads, upload_bytes, deletions, failed_steps, gauges }
    }

    /// Counts a request that was answered. `route` is its path as the router has it.
    pub(crate) fn answered(&self, route: &str, method: &Method, response: &Response, took: Duration) {
        let known = matches!(
            *method,
            Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE | Method::OPTIONS
        );
        let method = if known { method.as_str() } else { "other" };
        let request =
            Request { route: route.to_owned(), method: method.to_owned(), status: response.status().as_u16() };
        self.requests.get_or_create(&request).inc();
        self.seconds.get_or_create(&Route { route: route.to_owned() }).observe(took.as_secs_f64());
        if let Some(kind) = response.extensions().get::<&'static super::problem::Kind>() {
            self.problems.get_or_create(&Problem { problem: kind.word() }).inc();
        }
    }

    /// Counts a snapshot of so many bytes that was stored.
    pub(crate) fn stored(&self, size: u64) {
        self.uploads.inc();
        self.upload_bytes.inc_by(size);
    }

    /// Counts a snapshot that was deleted, so many seconds after its deadline.
    pub(crate) fn deleted(&self, behind: i64) {
        let kept = if behind > LATE { "late" } else { "in-time" };
        self.deletions.get_or_create(&Deletion { kept }).inc();
    }

    /// Counts a step of a deletion that failed.
    pub(crate) fn step_failed(&self) {
        self.failed_steps.inc();
    }
}

impl Gauges {
    fn new(registry: &mut Registry) -> Self {
        let gauges = Self::default();
        let told = "Snapshots whose deletion should have ended or be under way";
        registry.register("deletions_due", told, gauges.due.clone());
        let told = "Snapshots that are more than an hour behind their deadline";
        registry.register("deletions_late", told, gauges.late.clone());
        let told = "How far the oldest snapshot that should be gone is behind its deadline";
        registry.register_with_unit("deletion_lag", told, Unit::Seconds, gauges.lag.clone());
        let told = "Deletions that failed five times or more in a row";
        registry.register("deletions_stuck", told, gauges.stuck.clone());
        let told = "Bytes that were announced and have not arrived";
        registry.register_with_unit("upload_awaited", told, Unit::Bytes, gauges.awaited.clone());
        let told = "Space that is free on the disk of the data directory";
        registry.register_with_unit("free_space", told, Unit::Bytes, gauges.free.clone());
        let told = "1 while a jump of the clock waits for an operator: nothing is deleted";
        registry.register("clock_unverified", told, gauges.clock.clone());
        registry.register("audit_records", "Records in the tree of the audit log", gauges.records.clone());
        let told = "Records that have no place in the tree yet";
        registry.register("audit_records_waiting", told, gauges.waiting.clone());
        gauges
    }

    /// Looks everything up.
    async fn look(&self, app: &App) -> Result<(), ApiError> {
        let now = app.clock.now();
        let mut connection = app.store.read_across().await?;
        let outstanding = deletions::outstanding(&mut connection, now).await?;
        let lag = outstanding.oldest.map_or(0, |oldest| (now.seconds() - oldest.seconds()).max(0));
        self.due.set(signed(outstanding.due));
        self.lag.set(lag);
        self.late.set(signed(snapshots::late(&mut connection, now.plus_seconds(-LATE)).await?));
        self.stuck.set(signed(deletions::stuck(&mut connection, delete::ALARM).await?));
        self.awaited.set(signed(snapshots::bytes_awaited(&mut connection, None).await?));
        let jumped = matches!(clock::mark(&mut connection).await?, Some((_, Some(_))));
        self.clock.set(i64::from(jumped));
        let size = log::checkpoint(&mut connection).await?.map_or(0, |checkpoint| checkpoint.size);
        self.records.set(signed(size));
        self.waiting.set(signed(audit::count_waiting(&mut connection).await?));
        self.free.set(signed(free(&app.data)?));
        Ok(())
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What the listener of the metrics answers.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new().route("/metrics", get(show)).with_state(app)
}

async fn show(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    app.metrics.gauges.look(&app).await?;
    let mut text = String::new();
    encode(&mut text, &app.metrics.registry).map_err(ApiError::fault)?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}
