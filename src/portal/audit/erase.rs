//! Erases what opens the commitments of records: of those that are older than the tenant's policy allows, and of one value when
//! the person whose it is asks for that.

use super::{Act, Actor, On, Outcome, record};
use crate::ids::TenantId;
use crate::portal::app::App;
use crate::portal::error::ApiError;
use crate::portal::store::{audit, tenants};
use crate::track::log::Field;

/// Erases for every tenant what is too old. That it was done is a record of its own.
pub(crate) async fn run(app: &App) -> Result<u64, ApiError> {
    let now = app.clock.now();
    let tenants = tenants::all(&mut *app.store.read_across().await?).await?;
    let mut erased = 0;
    for tenant in tenants {
        let policy = app.policy(&mut *app.store.read(&tenant).await?, &tenant).await?;
        let before = now.plus_days(-i64::from(policy.audit_days));
        if !audit::any_opening(&mut *app.store.read(&tenant).await?, &tenant, before).await? {
            continue;
        }
        let mut transaction = app.store.begin(&tenant).await?;
        erased += audit::erase_openings(&mut transaction, &tenant, before).await?;
        let what = (Act::EraseOpenings, On::Tenant(tenant.as_str()), Outcome::Done);
        record(&mut transaction, &tenant, now, Actor::Worker, what, None).await?;
        transaction.commit().await?;
    }
    Ok(erased)
}

/// Erases a name, an address or a reason wherever a tenant's records commit to it, and from the files of the database; gives how
/// many commitments can no longer be opened. That it was done is a record of its own, without the value.
pub(crate) async fn value(app: &App, tenant: &TenantId, field: Field, value: &str) -> Result<u64, ApiError> {
    let mut transaction = app.store.begin_across().await?;
    let erased = audit::erase_value(&mut transaction, tenant, field, value).await?;
    let what = (Act::EraseOpenings, On::Tenant(tenant.as_str()), Outcome::Done);
    record(&mut transaction, tenant, app.clock.now(), Actor::Operator, what, None).await?;
    transaction.commit().await?;
    app.store.rewrite_openings().await?;
    Ok(erased)
}
