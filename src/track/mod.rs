//! Keeps the promise "deleted 90 days after the ticket is closed": how long a snapshot is kept ([`policy`]), when its ticket
//! was closed ([`history`], [`idle`]), what stops its deletion ([`hold`]), the instant by which it must be gone ([`deadline`]),
//! by when a person who asks must be answered ([`answer`]),
//! where it is on its way there ([`state`]), the signed statement that it is gone ([`receipt`]) and the log in which every act
//! is recorded ([`log`]).
//!
//! The portal and the sender's ledger use the same code, so both count the same days.

pub mod answer;
pub mod deadline;
pub mod extension;
pub mod history;
pub mod hold;
pub mod idle;
#[cfg(feature = "cli")]
pub mod ledger;
pub mod log;
mod phase;
pub mod policy;
pub mod receipt;
pub mod state;

pub use history::History;
pub use phase::Phase;
pub use policy::RetentionPolicy;
pub use receipt::{PortalKey, Receipt, ReceiptKey};
pub use state::{Event, State};
