//! Secrets: in one place, kept out of swap, wiped when dropped, never printed.

use std::fmt;

use zeroize::{Zeroize, zeroize_stack};

/// Bytes of stack that making, sealing to and opening with a key uses at most. Optimised, the whole program makes keys, seals,
/// signs and opens within `ulimit -s 163`, this included when it was 128.
const DEEP: usize = if cfg!(debug_assertions) { 512 * 1024 } else { 192 * 1024 };
/// Bytes of stack that a cipher with its key at hand uses at most.
const SHALLOW: usize = if cfg!(debug_assertions) { 32 * 1024 } else { 8 * 1024 };

/// Holds a secret: `Debug` prints `***`, and the bytes are overwritten when it is dropped.
///
/// It stays where it was first put, however often its owner moves, so no copy of it is left in a stack frame; and the system
/// is asked to keep that place out of swap. [`expose`](Self::expose) is the only way in; it stands on a line of its own so
/// that a reader can find every use.
///
/// A text or vector in it must have room for all of itself from the beginning: one that grows leaves a copy behind.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T: Zeroize>(Box<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes the secret in. The caller must not keep another copy; what is drawn or read is best put in place with
    /// [`expose_mut`](Self::expose_mut).
    pub fn new(secret: T) -> Self {
        let secret = Box::new(secret);
        keep_in_memory(&*secret);
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

/// Asks the system never to write the memory at `place` to a swap file; no more can be done where it refuses.
///
/// Whole pages are locked, and other secrets may stand on the same one, so they stay locked until they are given back.
pub(crate) fn keep_in_memory<T>(place: &T) {
    if let Ok(lock) = region::lock(place, size_of::<T>()) {
        std::mem::forget(lock);
    }
}

/// Does `work` and overwrites the stack it has used: key exchanges and derivations leave copies of keys in their frames.
pub(crate) fn on_clean_stack<T>(work: impl FnOnce() -> T) -> T {
    let result = apart(work);
    zeroize_stack::<DEEP>();
    result
}

/// The same for one run of a cipher, which is short and uses little stack: this takes a fraction of a microsecond.
pub(crate) fn on_clean_frame<T>(work: impl FnOnce() -> T) -> T {
    let result = apart(work);
    zeroize_stack::<SHALLOW>();
    result
}

/// Keeps the frames of `work` below the caller's, where they are overwritten.
#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
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

    #[test]
    fn a_secret_stays_in_its_place_when_its_owner_moves() {
        let secret = Secret::new([7; 32]);
        let place = secret.expose().as_ptr();
        let moved = Some(Box::new(secret));
        assert_eq!(moved.as_ref().unwrap().expose().as_ptr(), place);
    }

    #[test]
    fn a_clone_is_a_secret_of_its_own() {
        let secret = Secret::new([7; 32]);
        let clone = secret.clone();
        drop(secret);
        assert_eq!(clone.expose(), &[7; 32]);
    }
}
