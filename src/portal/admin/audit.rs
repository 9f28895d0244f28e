//! Looking at the audit log on the host.

use super::Admin;
use crate::ids::TenantId;
use crate::portal::audit::{erase, sequence, verify};
use crate::portal::error::PortalError;
use crate::portal::store::tenants;
use crate::track::log::Field;

pub use crate::portal::audit::verify::Verified;

impl Admin {
    /// Compares every record, opening, receipt and tile with what was signed. With a checkpoint that was kept elsewhere, also
    /// says that the log still begins with what it was then. Changes nothing; a portal may serve the directory meanwhile.
    pub fn audit_verify(&self, witness: Option<&str>) -> Result<Verified, PortalError> {
        self.runtime
            .block_on(verify::verify(&self.app.store, &self.app.key, witness))
            .map_err(|fault| PortalError::Database(Box::new(fault)))
    }

    /// Erases a name, an address or a reason wherever the tenant's audit log commits to it; gives how many records that were. The
    /// records and their proofs stay. Fails when there is no such tenant.
    pub fn audit_erase(&self, tenant: &TenantId, field: Field, value: &str) -> Result<u64, PortalError> {
        self.runtime.block_on(async {
            let mut connection = self.app.store.read_across().await?;
            if tenants::policy(&mut connection, tenant).await?.is_none() {
                return Err(PortalError::TenantUnknown(tenant.clone()));
            }
            drop(connection);
            let erased = erase::value(&self.app, tenant, field, value).await;
            erased.map_err(|fault| PortalError::Database(Box::new(fault)))
        })
    }

    /// Makes the tiles anew from the records, when they give the root that was signed; gives how many records there are.
    pub fn audit_rebuild(&self) -> Result<u64, PortalError> {
        self.runtime
            .block_on(sequence::rebuild(&self.app.store, &self.app.key))
            .map_err(|fault| PortalError::Database(Box::new(fault)))
    }

    /// Gives every record its place in the log now; gives how many there were.
    pub fn audit_sequence(&self) -> Result<u64, PortalError> {
        self.runtime
            .block_on(sequence::advance(&self.app.store, &self.app.key))
            .map_err(|fault| PortalError::Database(Box::new(fault)))
    }
}
