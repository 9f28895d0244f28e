//! Signing in and out, and showing the code again.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde_json::json;

use super::account;
use super::answer::{Refusal, done, problem, sentence, with_cookies};
use super::form::Form;
use super::frame::{Frame, page};
use super::visitor::Visitor;
use crate::portal::api::{factor, session};
use crate::portal::app::{App, FIRST_TENANT, RequestId};
use crate::portal::auth::Client;
use crate::portal::error::ApiError;

/// Where whoever signed in goes when they did not want to go anywhere.
const HOME: &str = "/tickets";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    frame: Frame,
    tenant: &'a str,
    name: &'a str,
    next: &'a str,
    /// Whether the portal takes passkeys.
    has_passkeys: bool,
    /// Why it did not work the last time.
    fault: Option<String>,
}

pub(super) async fn show(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let asked = Form::of_query(query.as_deref());
    let frame = Frame::open("Sign in").after(asked.text("done"));
    let tenant = asked.filled("tenant").unwrap_or(FIRST_TENANT);
    let next = asked.next().unwrap_or(HOME);
    let has_passkeys = app.authority.passkeys.is_some();
    Ok(page(&SignInPage { frame, tenant, name: "", next, has_passkeys, fault: None })?)
}

pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Client>,
    Extension(request): Extension<RequestId>,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let form = Form::read(body).await?;
    let next = form.next().unwrap_or(HOME);
    let has_passkeys = app.authority.passkeys.is_some();
    let asked = json!({
        "tenant": form.text("tenant"),
        "name": form.text("name"),
        "password": form.whole("password"),
        "code": form.text("code"),
        "cookie": true,
    });
    let asked = Body::from(asked.to_string());
    let answer = session::sign_in(State(app), Extension(client), Extension(request), method, headers, asked).await;
    match done(answer) {
        Ok(headers) => Ok(with_cookies(Redirect::to(next).into_response(), &headers)),
        Err(refusal) => {
            let again = refusal.header(&header::RETRY_AFTER);
            let (status, problem) = problem(refusal).await;
            let fault = Some(format!("{}. {}", sentence(&problem.title), problem.detail));
            let (tenant, name) = (form.text("tenant"), form.text("name"));
            let shown = SignInPage { frame: Frame::open("Sign in"), tenant, name, next, has_passkeys, fault };
            let mut response = page(&shown)?;
            *response.status_mut() = status;
            if let Some(again) = again {
                response.headers_mut().insert(header::RETRY_AFTER, again);
            }
            Ok(response)
        }
    }
}

pub(super) async fn sign_out(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Refusal> {
    let headers = done(session::sign_out(State(app), visitor.0).await)?;
    Ok(with_cookies(Redirect::to("/sign-in?done=signed-out").into_response(), &headers))
}

#[derive(Template)]
#[template(path = "code.html")]
struct CodePage<'a> {
    frame: Frame,
    next: &'a str,
    /// Whether the person has a passkey to show instead.
    has_passkeys: bool,
}

pub(super) async fn ask_code(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let asked = Form::of_query(query.as_deref());
    let has_passkeys = app.authority.passkeys.is_some() && !account::passkeys(&app, &visitor).await?.is_empty();
    let frame = Frame::of(&visitor, "", "Show your code");
    Ok(page(&CodePage { frame, next: asked.next().unwrap_or(HOME), has_passkeys })?)
}

/// Takes the code and goes on.
pub(super) async fn take_code(State(app): State<Arc<App>>, visitor: Visitor, body: Body) -> Result<Response, Refusal> {
    let form = Form::read(body).await?;
    show_code(&app, &visitor, form.text("code")).await?;
    Ok(Redirect::to(form.next().unwrap_or(HOME)).into_response())
}

/// Shows the code of a person: from now on it counts for a quarter of an hour.
pub(super) async fn show_code(app: &Arc<App>, visitor: &Visitor, code: &str) -> Result<Visitor, Refusal> {
    let asked = Body::from(json!({ "code": code }).to_string());
    done(factor::show_factor(State(app.clone()), visitor.0.clone(), asked).await)?;
    let mut principal = visitor.0.clone();
    let session = principal.session.as_mut().ok_or(ApiError::NotAllowed)?;
    session.factor_at = session.at;
    Ok(Visitor(principal))
}
