//! Adds to each operation what the router and the code around every handler know.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use serde_json::{Map, Value, json};

use crate::portal::problem::{KINDS, Kind};
use crate::portal::router::Route;
use crate::wire::PROBLEM_MEDIA_TYPE;

/// Where several paths share one handler: the path whose description the others have as well.
const SHARED: [(&str, &str, &str); 2] =
    [("options", "/v1/uploads", "/v1/uploads/{id}"), ("options", "/v1/tickets/{ticket}/snapshots", "/v1/uploads/{id}")];

/// What everyone can be told.
const ALWAYS: [&str; 4] = ["fault", "busy", "no-room", "too-many-requests"];
/// What whoever must prove who they are can be told.
const PROVED: [&str; 4] = ["token-refused", "cross-site", "not-allowed", "person-needed"];
/// What follows from a body of JSON.
const JSON: [&str; 3] = ["bad-request 408", "bad-request 413", "bad-request 422"];
/// What follows from `Idempotency-Key`.
const ONCE: [&str; 4] = ["bad-request", "bad-request 409", "bad-request 413", "bad-request 422"];

/// Completes the document.
pub(super) fn complete(document: &mut Value, routes: &[Route]) {
    let mut components = Map::new();
    for (method, path, like) in SHARED {
        let shared = document["paths"][like][method].clone();
        document["paths"][path][method] = shared;
    }
    for route in routes {
        let path = documented(route.path);
        let method = route.method.as_str().to_ascii_lowercase();
        // A route that is described nowhere is found by a test.
        let Some(operation) = document.pointer_mut(&pointer(&path, &method)) else { continue };
        let Some(operation) = operation.as_object_mut() else { continue };
        name(operation, route);
        parameters(operation, route, &path);
        security(operation, route);
        problems(operation, route, &mut components);
        headers(operation);
    }
    document["components"]["responses"] = Value::Object(components);
    document["components"]["securitySchemes"] = schemes();
    document["components"]["headers"]["X-Request-Id"] = json!({
        "description": "Names the request: as it was sent, if it was 32 hexadecimal digits or a UUID in lower case.",
        "required": true,
        "schema": { "type": "string", "pattern": "^([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$" },
    });
}

/// A path of the router as `OpenAPI` spells it.
pub(super) fn documented(path: &str) -> String {
    path.replace("{*", "{")
}

/// Where an operation stands in the document (RFC 6901).
pub(super) fn pointer(path: &str, method: &str) -> String {
    format!("/paths/{}/{method}", path.replace('~', "~0").replace('/', "~1"))
}

/// The names in a path, in their order.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// Whether an answer is kept under `Idempotency-Key`: see `once`.
fn is_once(route: &Route) -> bool {
    route.method == Method::POST
        && !route.public
        && route.path.starts_with("/v1/")
        && !route.path.ends_with("/snapshots")
}

/// Names the operation by the handler's file and function.
fn name(operation: &mut Map<String, Value>, route: &Route) {
    let function = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
    let function = function.trim_end_matches(|last: char| last.is_ascii_digit()).trim_end_matches('_');
    let file = operation.get("tags").and_then(|tags| tags[0].as_str()).unwrap_or_default();
    let shared = SHARED
        .iter()
        .position(|(method, path, _)| route.method.as_str().eq_ignore_ascii_case(method) && route.path == *path);
    let more = shared.map(|which| format!("_{which}")).unwrap_or_default();
    let id = if file.is_empty() { function.to_owned() } else { format!("{file}_{function}{more}") };
    operation.insert(String::from("operationId"), id.into());
}

fn parameters(operation: &mut Map<String, Value>, route: &Route, path: &str) {
    let list = operation.entry("parameters").or_insert_with(|| json!([]));
    let Some(list) = list.as_array_mut() else { return };
    list.retain(|parameter| parameter["in"] != "path" || names(path).any(|name| parameter["name"] == name));
    for name in names(path) {
        if !list.iter().any(|parameter| parameter["name"] == name && parameter["in"] == "path") {
            list.push(json!({ "name": name, "in": "path", "required": true, "schema": path_schema(path, name) }));
        }
    }
    list.push(json!({
        "name": "X-Request-Id",
        "in": "header",
        "description": "Names the request in the answer, the log and the audit log; the portal draws one when absent.",
        "schema": { "type": "string" },
    }));
    if is_once(route) {
        list.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The same request with the same key is done once within a day.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
        }));
    }
}

/// How a part of a path looks.
fn path_schema(path: &str, name: &str) -> Value {
    match name {
        "ticket" => json!({ "$ref": "#/components/schemas/TicketId" }),
        "id" if path.starts_with("/v1/snapshots/") => json!({ "$ref": "#/components/schemas/FileId" }),
        "id" if path.contains("/tokens/") || path.starts_with("/v1/invitations/") => {
            json!({ "type": "string", "pattern": "^[0-9a-f]{16}$" })
        }
        "id" | "user" | "grant" | "question" => json!({ "type": "string", "pattern": "^[0-9a-f]{32}$" }),
        _ => json!({ "type": "string", "minLength": 1 }),
    }
}

fn security(operation: &mut Map<String, Value>, route: &Route) {
    let ways = if route.public {
        json!([])
    } else if route.path.starts_with("/in/") {
        json!([{ "basic": [] }, { "bearer": [] }, { "session": [] }])
    } else {
        json!([{ "bearer": [] }, { "session": [] }])
    };
    operation.insert(String::from("security"), ways);
}

fn schemes() -> Value {
    json!({
        "bearer": { "type": "http", "scheme": "bearer", "description": "A token, or the session of a person." },
        "basic": {
            "type": "http",
            "scheme": "basic",
            "description": "The ticket as user and its upload token as password, at the one-shot door alone.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "__Host-tarseal-session",
            "description": "The session of a person, for the portal's own pages.",
        },
    })
}

/// Adds the problems that can be told, by status, each set once among the components.
fn problems(operation: &mut Map<String, Value>, route: &Route, components: &mut Map<String, Value>) {
    let own = operation.remove("x-problems");
    let own = own.as_ref().and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let told: BTreeSet<&str> = own.chain(implied(operation, route)).collect();
    let mut by_status: BTreeMap<u16, BTreeSet<&'static str>> = BTreeMap::new();
    for (kind, status) in told.into_iter().filter_map(meant) {
        by_status.entry(status).or_default().insert(kind.word());
    }
    let Some(responses) = operation.entry("responses").or_insert_with(|| json!({})).as_object_mut() else { return };
    for (status, words) in by_status {
        let words: Vec<&str> = words.into_iter().collect();
        let name = format!("{status}.{}", words.join("."));
        let response = components.entry(&name).or_insert_with(|| response(status, &words));
        match responses.get_mut(&status.to_string()) {
            // The handler has an answer of its own with that status.
            Some(answer) => answer["content"][PROBLEM_MEDIA_TYPE] = response["content"][PROBLEM_MEDIA_TYPE].clone(),
            None => {
                responses.insert(status.to_string(), json!({ "$ref": format!("#/components/responses/{name}") }));
            }
        }
    }
}

/// What follows from where the route is and what it takes.
fn implied(operation: &Map<String, Value>, route: &Route) -> Vec<&'static str> {
    let mut told = ALWAYS.to_vec();
    if !route.public {
        told.extend(PROVED);
    }
    let takes_json = operation.get("requestBody").is_some_and(|body| !body["content"]["application/json"].is_null());
    if takes_json {
        told.extend(JSON);
    }
    if is_once(route) {
        told.extend(ONCE);
    }
    let parameters = operation.get("parameters").and_then(Value::as_array);
    // A query that no text can hold is refused everywhere.
    told.push("bad-request");
    if parameters.is_some_and(|list| list.iter().any(|parameter| parameter["in"] == "path")) {
        told.push("page-unknown");
    }
    for (part, word) in [
        ("{ticket}", "ticket-unknown"),
        ("/v1/snapshots/{id}", "snapshot-unknown"),
        ("/v1/uploads/{id}", "upload-unknown"),
        ("/v1/receipts/{id}", "receipt-unknown"),
        ("/v1/users/{id}", "user-unknown"),
        ("/v1/invitations/{id}", "invitation-unknown"),
        ("/tokens/{id}", "token-unknown"),
        ("/v1/subject-requests/{id}", "request-unknown"),
        ("{grant}", "grant-unknown"),
        ("{question}", "question-unknown"),
    ] {
        if route.path.contains(part) {
            told.push(word);
        }
    }
    told
}

/// The kind and the status that a word means: `ticket-closed`, `bad-request 409`. `None` when there is no such kind.
pub(super) fn meant(told: &str) -> Option<(&'static Kind, u16)> {
    let (word, status) = told.split_once(' ').map_or((told, None), |(word, status)| (word, Some(status)));
    let kind = KINDS.iter().find(|kind| kind.word() == word)?;
    let status = match status {
        None => *kind.statuses.first()?,
        Some(status) => status.parse().ok().filter(|status| kind.statuses.contains(status))?,
    };
    Some((kind, status))
}

fn response(status: u16, words: &[&str]) -> Value {
    let paths: Vec<String> = words.iter().map(|word| format!("/problems/{word}")).collect();
    let schema = json!({
        "allOf": [{ "$ref": "#/components/schemas/Problem" }],
        "properties": { "type": { "enum": paths }, "status": { "const": status } },
    });
    let mut headers = json!({ "X-Request-Id": { "$ref": "#/components/headers/X-Request-Id" } });
    let mut more = |name: &str, description: &str, schema: Value| {
        headers[name] = json!({ "description": description, "required": true, "schema": schema });
    };
    match status {
        401 => more("WWW-Authenticate", "How to prove who one is.", json!({ "type": "string" })),
        429 | 503 | 507 => {
            more("Retry-After", "After how many seconds to try again.", json!({ "type": "integer", "minimum": 0 }));
        }
        _ => {}
    }
    json!({
        "description": words.join(", "),
        "headers": headers,
        "content": { PROBLEM_MEDIA_TYPE: { "schema": schema } },
    })
}

/// Adds the headers that every answer has.
fn headers(operation: &mut Map<String, Value>) {
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for response in responses.values_mut().filter(|response| response.get("$ref").is_none()) {
        response["headers"]["X-Request-Id"] = json!({ "$ref": "#/components/headers/X-Request-Id" });
    }
}
