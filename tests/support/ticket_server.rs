//! A ticket system on loopback that answers what a test says, and remembers what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use tokio::runtime::Runtime;

/// One request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Path and query.
    pub path: String,
    pub headers: HeaderMap,
}

/// One answer.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    /// How long it takes.
    pub wait: Duration,
    /// Announces more bytes than come.
    pub breaks_off: bool,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), ..Self::default() }
    }

    pub fn ok(body: impl Into<String>) -> Self {
        Self::new(200, body)
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

type Answers = Arc<Mutex<BTreeMap<String, Reply>>>;

/// It answers a request with what stands beside the longest beginning of its path and query, and with 404 otherwise.
pub struct TicketServer {
    pub url: String,
    answers: Answers,
    asked: Arc<Mutex<Vec<Asked>>>,
    _runtime: Runtime,
}

impl TicketServer {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (answers, asked) = (Answers::default(), Arc::new(Mutex::new(Vec::new())));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (known, seen) = (answers.clone(), asked.clone());
        let answer = move |request: Request| {
            let (known, seen) = (known.clone(), seen.clone());
            async move {
                let path = request.uri().path_and_query().unwrap().to_string();
                seen.lock().unwrap().push(Asked { path: path.clone(), headers: request.headers().clone() });
                let found = {
                    let known = known.lock().unwrap();
                    known
                        .iter()
                        .filter(|(beginning, _)| path.starts_with(*beginning))
                        .map(|(_, reply)| reply.clone())
                        .next_back()
                };
                respond(found.unwrap_or_else(|| Reply::new(404, "{}"))).await
            }
        };
        runtime.spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        Self { url, answers, asked, _runtime: runtime }
    }

    /// From now on it answers so.
    pub fn answer(&self, beginning: impl Into<String>, reply: Reply) {
        self.answers.lock().unwrap().insert(beginning.into(), reply);
    }

    /// How often it was asked for what begins so.
    pub fn asked(&self, beginning: &str) -> usize {
        self.requests().iter().filter(|asked| asked.path.starts_with(beginning)).count()
    }

    /// Everything it was asked.
    pub fn requests(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn respond(reply: Reply) -> Response<Body> {
    tokio::time::sleep(reply.wait).await;
    let mut response = Response::builder().status(reply.status).header("content-type", "application/json");
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    if !reply.breaks_off {
        return response.body(Body::from(reply.body)).unwrap();
    }
    let begun =
        futures_util::stream::iter([Ok(reply.body.into_bytes()), Err(std::io::Error::other("the line is cut"))]);
    response.body(Body::from_stream(begun)).unwrap()
}
