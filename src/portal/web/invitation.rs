//! Taking up an invitation: name and password, the authenticator app, the codes for paper. The first person to do so is the
//! administrator, by the link that the portal printed at its first start.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Refusal, problem, sentence, told, with_cookies};
use super::form::Form;
use super::frame::{Frame, page, role};
use crate::portal::api::invitations;
use crate::portal::app::{App, RequestId};
use crate::portal::auth::{Client, Role};
use crate::portal::error::ApiError;

/// The side of the QR code in pixels, at least.
const SIDE: u32 = 220;

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage<'a> {
    frame: Frame,
    invitation: &'a str,
    name: &'a str,
    fault: Option<String>,
}

/// The form. The invitation itself is behind the `#` of the link, which no browser sends: a script puts it into its field, and
/// without one it is pasted there.
pub(super) async fn show() -> Result<Response, Refusal> {
    Ok(page(&InvitationPage { frame: welcome(), invitation: "", name: "", fault: None })?)
}

fn welcome() -> Frame {
    Frame::open("Welcome: make your account")
}

#[derive(Deserialize)]
struct Enrol {
    name: String,
    secret: String,
    address: String,
}

#[derive(Template)]
#[template(path = "enrol.html")]
struct EnrolPage<'a> {
    frame: Frame,
    invitation: &'a str,
    name: &'a str,
    /// What the app is told: typed, and as a picture. Absent when the code was wrong: it is told once.
    secret: Option<(String, String)>,
    fault: Option<String>,
}

/// Takes name and password, and shows what the authenticator app must know.
pub(super) async fn choose(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Client>,
    body: Body,
) -> Result<Response, Refusal> {
    let form = Form::read(body).await?;
    let (invitation, name, password) = (form.text("invitation"), form.text("name"), form.whole("password"));
    if password != form.whole("again") {
        let fault = Some(String::from("The two passwords are not the same."));
        return Ok(page(&InvitationPage { frame: welcome(), invitation, name, fault })?);
    }
    let asked = json!({ "invitation": invitation, "name": name, "password": password });
    let asked = Body::from(asked.to_string());
    match told::<Enrol>(invitations::choose(State(app), Extension(client), asked).await).await {
        Ok((enrol, _)) => {
            let frame = Frame::open("Welcome: your second factor");
            let secret = Some((grouped(&enrol.secret), picture(&enrol.address)?));
            Ok(page(&EnrolPage { frame, invitation, name: &enrol.name, secret, fault: None })?)
        }
        Err(refusal) => {
            let (status, problem) = problem(refusal).await;
            let fault = Some(format!("{}. {}", sentence(&problem.title), problem.detail));
            let mut response = page(&InvitationPage { frame: welcome(), invitation, name, fault })?;
            *response.status_mut() = status;
            Ok(response)
        }
    }
}

/// A secret in groups of four letters, for typing.
fn grouped(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join(" ")
}

/// A QR code as SVG, black on white whatever the page looks like.
fn picture(address: &str) -> Result<String, ApiError> {
    let code = QrCode::new(address.as_bytes()).map_err(ApiError::fault)?;
    let picture = code.render::<svg::Color<'_>>().min_dimensions(SIDE, SIDE).build();
    let begins = picture.find("<svg").ok_or_else(|| ApiError::fault("a QR code that is no SVG"))?;
    Ok(picture[begins..].to_owned())
}

#[derive(Deserialize)]
struct Joined {
    role: Role,
    recovery_codes: Vec<String>,
}

#[derive(Template)]
#[template(path = "joined.html")]
struct JoinedPage {
    frame: Frame,
    role: &'static str,
    is_admin: bool,
    codes: Vec<String>,
}

/// Takes the first code of the app: the account is there, and its person signed in.
pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Client>,
    Extension(request): Extension<RequestId>,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let form = Form::read(body).await?;
    let (invitation, name) = (form.text("invitation"), form.text("name"));
    let asked = json!({ "invitation": invitation, "code": form.text("code"), "cookie": true });
    let asked = Body::from(asked.to_string());
    let answer = invitations::confirm(State(app), Extension(client), Extension(request), method, headers, asked).await;
    match told::<Joined>(answer).await {
        Ok((joined, headers)) => {
            let frame = Frame::open("Welcome: keep these codes");
            let is_admin = joined.role == Role::Admin;
            let shown = JoinedPage { frame, role: role(joined.role), is_admin, codes: joined.recovery_codes };
            Ok(with_cookies(page(&shown)?, &headers))
        }
        Err(refusal) => {
            let (status, problem) = problem(refusal).await;
            let fault = Some(format!("{}. {}", sentence(&problem.title), problem.detail));
            let frame = Frame::open("Welcome: your second factor");
            let mut response = page(&EnrolPage { frame, invitation, name, secret: None, fault })?;
            *response.status_mut() = status;
            Ok(response)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_no_script_and_no_style() {
        let svg = picture("otpauth://totp/tarseal%20acme:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=tarseal")
            .unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
        for word in ["style", "script", "href", "<?xml"] {
            assert!(!svg.contains(word), "{word}");
        }
    }

    #[test]
    fn a_secret_is_typed_in_groups() {
        assert_eq!(grouped("GEZDGNBVGY"), "GEZD GNBV GY");
    }
}
