//! What lies below an error.

use std::error::Error;
use std::io;

/// The error and all below it. An `io::Error` made from another error hides that one from `source`; here it is told.
pub(crate) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>() {
        Some(outer) => outer.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_within_an_io_error_is_told_after_it() {
        let inner = "x".parse::<u8>().unwrap_err();
        let outer = io::Error::other(io::Error::other(inner.clone()));
        let told: Vec<String> = causes(&outer).map(ToString::to_string).collect();
        assert_eq!(told.len(), 3);
        assert_eq!(told.last(), Some(&inner.to_string()));
    }
}
