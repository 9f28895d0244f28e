//! The tenant's people, for those who may know them; invited, given roles and put out by its administrator.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::json;

use super::answer::{Refusal, done, told};
use super::form::{Form, query};
use super::frame::{Frame, page, role};
use super::visitor::{Visitor, address};
use super::words::When;
use crate::clock::Timestamp;
use crate::portal::api::{invitations, users};
use crate::portal::app::App;
use crate::portal::auth::{Action, Object, Role};
use crate::track::policy::Zone;
use crate::wire::List;

const HERE: &str = "/people";

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    frame: Frame,
    people: Vec<Person>,
    roles: Vec<(&'static str, &'static str)>,
    can_manage: bool,
    /// A link that was just made, told this once.
    link: Option<(String, When)>,
}

struct Person {
    id: String,
    name: String,
    role: &'static str,
    since: When,
    is_disabled: bool,
    is_self: bool,
}

/// Somebody of the tenant, as the API tells of them.
#[derive(Deserialize)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) role: Role,
    created: Timestamp,
    pub(super) disabled: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Made {
    invitation: String,
    expires: Timestamp,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let word = Form::of_query(query.as_deref()).text("done").to_owned();
    shown(&app, &visitor, &word, None).await
}

async fn shown(
    app: &Arc<App>,
    visitor: &Visitor,
    word: &str,
    made: Option<(String, Timestamp)>,
) -> Result<Response, Refusal> {
    let zone = Zone::utc();
    let people = everyone(app, visitor).await?.into_iter().map(|user| Person {
        is_self: user.id == visitor.0.token,
        id: user.id,
        name: user.name,
        role: role(user.role),
        since: When::new(user.created, &zone),
        is_disabled: user.disabled.is_some(),
    });
    let roles = Role::ALL.into_iter().filter(|role| *role != Role::Upload).map(|one| (one.word(), role(one)));
    Ok(page(&PeoplePage {
        people: people.collect(),
        roles: roles.collect(),
        can_manage: visitor.may(Action::ManageUsers, Object::Tenant),
        link: made.map(|(link, expires)| (link, When::new(expires, &zone))),
        frame: Frame::of(visitor, HERE, "People").after(word),
    })?)
}

/// The tenant's people, the first ten thousand.
pub(super) async fn everyone(app: &Arc<App>, visitor: &Visitor) -> Result<Vec<User>, Refusal> {
    let (mut people, mut after) = (Vec::new(), None);
    for _ in 0..10 {
        let mut wanted = vec![("limit", String::from("1000"))];
        wanted.extend(after.map(|after| ("after", after)));
        let answer = users::list(State(app.clone()), visitor.0.clone(), query(&wanted)?).await;
        let (part, _) = told::<List<User>>(answer).await?;
        people.extend(part.items);
        after = part.next;
        if after.is_none() {
            break;
        }
    }
    Ok(people)
}

/// Invites somebody new and shows the link, this once.
pub(super) async fn invite(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let asked = asked_role(&Form::read(body).await?);
    let answer = invitations::make(State(app.clone()), visitor.0.clone(), asked).await;
    let (made, _) = told::<Made>(answer).await?;
    shown(&app, &visitor, "", Some((link(&app, &headers, &made.invitation), made.expires))).await
}

/// Invites a user to choose a new password and second factor.
pub(super) async fn reset(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let answer = users::reset(State(app.clone()), visitor.0.clone(), Path(id)).await;
    let (made, _) = told::<Made>(answer).await?;
    shown(&app, &visitor, "", Some((link(&app, &headers, &made.invitation), made.expires))).await
}

/// The link of an invitation, at the address under which the browser knows the portal.
fn link(app: &App, headers: &HeaderMap, invitation: &str) -> String {
    format!("{}/invitation#{invitation}", address(app, headers))
}

fn asked_role(form: &Form) -> Body {
    Body::from(json!({ "role": form.text("role") }).to_string())
}

pub(super) async fn set_role(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    let asked = asked_role(&Form::read(body).await?);
    done(users::set_role(State(app), visitor.0, Path(id), asked).await)?;
    back("role")
}

pub(super) async fn disable(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    done(users::disable(State(app), visitor.0, Path(id)).await)?;
    back("disabled")
}

pub(super) async fn enable(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    done(users::enable(State(app), visitor.0, Path(id)).await)?;
    back("enabled")
}

fn back(word: &str) -> Result<Response, Refusal> {
    Ok(Redirect::to(&format!("/people?done={word}")).into_response())
}
