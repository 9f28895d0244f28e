//! The portal room.
