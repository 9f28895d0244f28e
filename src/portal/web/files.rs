//! The style, the scripts and the icon of the pages. What was written by others is in `static/vendored`, as it came.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use headers::{ETag, HeaderMapExt as _, IfNoneMatch};
use sha2::{Digest as _, Sha256};

use crate::portal::error::ApiError;

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A file by its name.
fn file(name: &str) -> Option<(&'static str, &'static [u8])> {
    Some(match name {
        "style.css" => (CSS, include_bytes!("static/style.css")),
        "icon.svg" => (SVG, include_bytes!("static/icon.svg")),
        "page.js" => (JS, include_bytes!("static/page.js")),
        "parts.js" => (JS, include_bytes!("static/parts.js")),
        "passkeys.js" => (JS, include_bytes!("static/passkeys.js")),
        "sealed.js" => (JS, include_bytes!("static/sealed.js")),
        "upload.js" => (JS, include_bytes!("static/upload.js")),
        "htmx.min.js" => (JS, include_bytes!("static/vendored/htmx.min.js")),
        "tus.min.js" => (JS, include_bytes!("static/vendored/tus.min.js")),
        // SHA-256, of the modules that import one another by these names.
        "sha2.js" => (JS, include_bytes!("static/vendored/sha2.js")),
        "_md.js" => (JS, include_bytes!("static/vendored/_md.js")),
        "_u64.js" => (JS, include_bytes!("static/vendored/_u64.js")),
        "utils.js" => (JS, include_bytes!("static/vendored/utils.js")),
        _ => return None,
    })
}

/// Gives a file. A browser asks each time whether its copy is still the one.
pub(crate) async fn give(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, ApiError> {
    let (media, bytes) = file(&name).ok_or(ApiError::PageUnknown)?;
    let tag: ETag = format!("\"{}\"", hex::encode(Sha256::digest(bytes))).parse().map_err(ApiError::fault)?;
    let known = headers.typed_get::<IfNoneMatch>().is_some_and(|condition| !condition.precondition_passes(&tag));
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { bytes.into_response() };
    let answered = response.headers_mut();
    answered.typed_insert(tag);
    answered.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media));
    answered.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-cache"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_as_it_came() {
        let list = include_str!("static/vendored/README.md");
        for name in ["htmx.min.js", "tus.min.js", "sha2.js", "_md.js", "_u64.js", "utils.js"] {
            let digest = hex::encode(Sha256::digest(file(name).unwrap().1));
            assert!(list.contains(&format!("| `{name}` |")) && list.contains(&digest), "{name} {digest}");
        }
    }

    #[test]
    fn nothing_but_these_files_is_given() {
        for name in ["", "mod.rs", "../page.js", "vendored/tus.min.js", "README.md"] {
            assert!(file(name).is_none(), "{name}");
        }
    }
}
