//! The collect room.
