//! What people change of their own account.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::json;

use super::answer::{Refusal, done, told, with_cookies};
use super::form::Form;
use super::frame::{Frame, page};
use super::visitor::Visitor;
use crate::portal::api::session;
use crate::portal::app::App;

const HERE: &str = "/account";

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    /// New codes for paper, told this once.
    codes: Vec<String>,
}

pub(super) async fn show(visitor: Visitor, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let asked = Form::of_query(query.as_deref());
    let frame = Frame::of(&visitor, HERE, "Your account").after(asked.text("done"));
    Ok(page(&AccountPage { frame, codes: Vec::new() })?)
}

pub(super) async fn change_password(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    body: Body,
) -> Result<Response, Refusal> {
    let form = Form::read(body).await?;
    let asked = json!({
        "password": form.whole("password"),
        "new_password": form.whole("new_password"),
        "code": form.text("code"),
    });
    done(session::change_password(State(app), visitor.0, Body::from(asked.to_string())).await)?;
    Ok(Redirect::to("/account?done=password").into_response())
}

#[derive(Deserialize)]
struct Paper {
    recovery_codes: Vec<String>,
}

pub(super) async fn renew_codes(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    body: Body,
) -> Result<Response, Refusal> {
    let form = Form::read(body).await?;
    let asked = Body::from(json!({ "code": form.text("code") }).to_string());
    let frame = Frame::of(&visitor, HERE, "Your account");
    let (paper, _) = told::<Paper>(session::renew_codes(State(app), visitor.0, asked).await).await?;
    Ok(page(&AccountPage { frame, codes: paper.recovery_codes })?)
}

pub(super) async fn sign_out_everywhere(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Refusal> {
    let headers = done(session::sign_out_everywhere(State(app), visitor.0).await)?;
    Ok(with_cookies(Redirect::to("/sign-in?done=signed-out").into_response(), &headers))
}
