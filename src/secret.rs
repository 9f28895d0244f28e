//! Secrets: wiped when dropped, never printed.

use std::fmt;

use zeroize::Zeroize;

/// Holds a secret: `Debug` prints `***`, and the bytes are overwritten when it is dropped.
///
/// [`expose`](Self::expose) is the only way in; it stands on a line of its own so that a reader can find every use.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes the secret in. The caller must not keep another copy.
    pub const fn new(secret: T) -> Self {
        Self(secret)
    }

    /// Shows the secret to code that needs its bytes.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Shows the secret for filling in place.
    pub const fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::new(String::from("swordfish"));
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(secret.expose(), "swordfish");
    }
}
