//! What people change of their own account.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::json;

use super::answer::{Refusal, done, told, with_cookies};
use super::form::Form;
use super::frame::{Frame, page};
use super::visitor::Visitor;
use super::words::When;
use crate::clock::Timestamp;
use crate::portal::api::{self, factor, session};
use crate::portal::app::App;
use crate::track::policy::Zone;
use crate::wire::List;

const HERE: &str = "/account";

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    /// New codes for paper, told this once.
    codes: Vec<String>,
    passkeys: Vec<Passkey>,
    /// Whether the portal takes more.
    has_passkeys: bool,
}

/// A passkey, as it is shown.
pub(super) struct Passkey {
    id: String,
    name: String,
    created: When,
    used: Option<When>,
}

/// The passkeys of a person.
pub(super) async fn passkeys(app: &Arc<App>, visitor: &Visitor) -> Result<Vec<Passkey>, Refusal> {
    #[derive(Deserialize)]
    struct Told {
        id: String,
        name: String,
        created: Timestamp,
        used: Option<Timestamp>,
    }
    let answer = api::passkeys::list(State(app.clone()), visitor.0.clone()).await;
    let (told, _) = told::<List<Told>>(answer).await?;
    let zone = Zone::utc();
    let shown = |passkey: Told| Passkey {
        id: passkey.id,
        name: passkey.name,
        created: When::new(passkey.created, &zone),
        used: passkey.used.map(|used| When::new(used, &zone)),
    };
    Ok(told.items.into_iter().map(shown).collect())
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let asked = Form::of_query(query.as_deref());
    shown(&app, &visitor, asked.text("done"), Vec::new()).await
}

async fn shown(app: &Arc<App>, visitor: &Visitor, word: &str, codes: Vec<String>) -> Result<Response, Refusal> {
    Ok(page(&AccountPage {
        frame: Frame::of(visitor, HERE, "Your account").after(word),
        codes,
        passkeys: passkeys(app, visitor).await?,
        has_passkeys: app.authority.passkeys.is_some(),
    })?)
}

pub(super) async fn remove_passkey(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    done(api::passkeys::remove(State(app), visitor.0, Path(id)).await)?;
    Ok(Redirect::to("/account?done=passkey-removed").into_response())
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
    done(factor::change_password(State(app), visitor.0, Body::from(asked.to_string())).await)?;
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
    let (paper, _) = told::<Paper>(factor::renew_codes(State(app.clone()), visitor.0.clone(), asked).await).await?;
    shown(&app, &visitor, "", paper.recovery_codes).await
}

pub(super) async fn sign_out_everywhere(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Refusal> {
    let headers = done(session::sign_out_everywhere(State(app), visitor.0).await)?;
    Ok(with_cookies(Redirect::to("/sign-in?done=signed-out").into_response(), &headers))
}
