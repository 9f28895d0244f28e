//! The pages: what people see of the portal in a browser.
//!
//! A page is a client of the API within the same process: it turns a form into the request that the API takes, calls the same
//! handler with the same principal, and shows the answer as HTML. So a page can do nothing that the API would refuse, and
//! shows nothing that it would not tell. What somebody may not do is not on their page.
//!
//! Forms are plain forms and answers are whole pages: everything but the upload works without scripts. `htmx` only fetches a
//! part of a page in place. No page has a script or style within, and none asks another host for anything (`answer::POLICY`).

mod answer;
mod files;
mod form;
mod frame;
mod visitor;
mod words;

mod account;
mod audit;
mod grants;
mod holds;
mod invitation;
mod people;
mod policies;
mod questions;
mod readings;
mod receipts;
mod records;
mod requests;
mod sign_in;
mod snapshot;
mod start;
mod subject_request;
mod subject_requests;
mod ticket;
mod tickets;
mod tokens;
mod upload;

use axum::http::Method;

pub(crate) use answer::around;

use super::router::Routes;

const GET: Method = Method::GET;
const POST: Method = Method::POST;

/// Adds the pages to the routes. Each has its rows in `auth/table.txt`, as every route has.
pub(crate) fn pages(routes: Routes) -> Routes {
    routes
        .page(GET, "/", tickets::home)
        .public_page(GET, "/static/{name}", files::give)
        .public_page(GET, "/sign-in", sign_in::show)
        .public_page(POST, "/sign-in", sign_in::sign_in)
        .page(POST, "/sign-out", sign_in::sign_out)
        .page(GET, "/code", sign_in::ask_code)
        .page(POST, "/code", sign_in::take_code)
        .public_page(GET, "/invitation", invitation::show)
        .public_page(POST, "/invitation", invitation::choose)
        .public_page(POST, "/invitation/confirm", invitation::confirm)
        .page(GET, "/account", account::show)
        .page(POST, "/account/password", account::change_password)
        .page(POST, "/account/paper", account::renew_codes)
        .page(POST, "/account/passkeys/{id}/remove", account::remove_passkey)
        .page(POST, "/account/sign-out", account::sign_out_everywhere)
        .page(GET, "/tickets", tickets::list)
        .page(POST, "/tickets", tickets::open)
        .page(GET, "/tickets/{ticket}", ticket::show)
        .page(POST, "/tickets/{ticket}/close", ticket::close)
        .page(POST, "/tickets/{ticket}/reopen", ticket::reopen)
        .page(POST, "/tickets/{ticket}/token", tokens::make)
        .page(POST, "/tickets/{ticket}/tokens/{id}/revoke", tokens::revoke)
        .page(POST, "/tickets/{ticket}/requests/{id}/revoke", requests::revoke)
        .page(POST, "/tickets/{ticket}/assign", ticket::assign)
        .page(POST, "/tickets/{ticket}/unassign", ticket::unassign)
        .page(GET, "/tickets/{ticket}/upload", upload::show)
        .public_page(GET, "/upload", upload::show_to_sender)
        .page(GET, "/snapshots/{id}", snapshot::show)
        .page(POST, "/snapshots/{id}/download", snapshot::download)
        .page(POST, "/snapshots/{id}/hold", holds::hold)
        .page(POST, "/snapshots/{id}/lift", holds::lift)
        .page(POST, "/snapshots/{id}/extend", snapshot::extend)
        .page(POST, "/snapshots/{id}/withdraw", snapshot::withdraw)
        .page(GET, "/snapshots/{id}/questions", questions::list)
        .page(POST, "/snapshots/{id}/questions", questions::ask)
        .page(GET, "/snapshots/{id}/questions/{question}", questions::show)
        .page(POST, "/snapshots/{id}/questions/{question}/answer", questions::answer)
        .page(GET, "/snapshots/{id}/grants", grants::list)
        .page(POST, "/snapshots/{id}/grants/{grant}/revoke", grants::revoke)
        .page(GET, "/snapshots/{id}/readings", readings::show)
        .page(GET, "/snapshots/{id}/receipt", receipts::show)
        .page(POST, "/snapshots/{id}/receipt", receipts::check)
        .public_page(GET, "/receipt", receipts::ask)
        .public_page(POST, "/receipt", receipts::check_text)
        .page(GET, "/audit", audit::show)
        .page(POST, "/audit/verify", audit::verify)
        .page(GET, "/subject-requests", subject_requests::list)
        .page(POST, "/subject-requests", subject_requests::lodge)
        .page(GET, "/subject-requests/new", subject_requests::ask)
        .page(GET, "/subject-requests/{id}", subject_request::show)
        .page(POST, "/subject-requests/{id}/decide", subject_request::decide)
        .page(POST, "/subject-requests/{id}/refuse", subject_request::refuse)
        .page(POST, "/subject-requests/{id}/extend", subject_request::extend)
        .page(POST, "/subject-requests/{id}/finish", subject_request::finish)
        .page(POST, "/subject-requests/{id}/lift", subject_request::lift)
        .page(GET, "/subject-requests/{id}/export", subject_request::export)
        .page(GET, "/records", records::show)
        .page(POST, "/records", records::say)
        .page(GET, "/records/document", records::document)
        .page(GET, "/start", start::show)
        .page(GET, "/policy", policies::show)
        .page(POST, "/policy", policies::propose)
        .page(POST, "/policy/preview", policies::preview)
        .page(POST, "/policy/approve", policies::approve)
        .page(GET, "/people", people::show)
        .page(POST, "/people/invite", people::invite)
        .page(POST, "/people/{id}/role", people::set_role)
        .page(POST, "/people/{id}/reset", people::reset)
        .page(POST, "/people/{id}/disable", people::disable)
        .page(POST, "/people/{id}/enable", people::enable)
}
