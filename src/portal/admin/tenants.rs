//! Tenants: adding and listing them.

use super::Admin;
use crate::ids::TenantId;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::error::PortalError;
use crate::portal::store::tenants;
use crate::track::RetentionPolicy;

impl Admin {
    /// Adds a tenant with the default retention policy, its days counted in the policy's zone.
    pub fn new_tenant(&self, tenant: &TenantId, policy: &RetentionPolicy) -> Result<(), PortalError> {
        self.runtime.block_on(async {
            let now = self.app.clock.now();
            let mut transaction = self.app.store.begin(tenant).await?;
            if !tenants::add(&mut transaction, tenant, policy, now).await? {
                return Err(PortalError::TenantExists(tenant.clone()));
            }
            let act = (Act::AddTenant, On::Tenant(tenant.as_str()), Outcome::Done);
            record(&mut transaction, tenant, now, Actor::Operator, act, None).await?;
            Ok(transaction.commit().await?)
        })
    }

    /// Every tenant by name.
    pub fn tenants(&self) -> Result<Vec<TenantId>, PortalError> {
        self.runtime.block_on(async { Ok(tenants::all(&mut *self.app.store.read_across().await?).await?) })
    }

    /// The tenant, while there is only one to be meant.
    pub(super) fn only_tenant(&self) -> Result<TenantId, PortalError> {
        match <[TenantId; 1]>::try_from(self.tenants()?) {
            Ok([tenant]) => Ok(tenant),
            Err(_) => Err(PortalError::TenantNeeded),
        }
    }
}
