//! Fetches a text that anyone may read, such as a vendor's key list.

use crate::send::address::PublicUrl;
use crate::send::answer;
use crate::send::client::{ClientOptions, connection};
use crate::send::error::SendError;
use crate::send::tls::network_error;

/// Fetches the text at `url`, at most 1 MiB. No token is sent, no redirect is followed.
pub fn fetch_text(url: &PublicUrl, options: &ClientOptions) -> Result<String, SendError> {
    let http = connection(url.url(), options)?;
    let response = http.get(url.url().clone()).send().map_err(|error| network_error(error, url.host()))?;
    let response = answer::expect(response, &[200], url.host())?;
    answer::text(response, options.answer_timeout, url.host())
}
