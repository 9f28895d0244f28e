//! Erases what opens the commitments of records that are older than the tenant's policy allows.

use super::{Act, Actor, On, Outcome, record};
use crate::portal::app::App;
use crate::portal::error::ApiError;
use crate::portal::store::{audit, tenants};

/// Erases for every tenant what is too old. That it was done is a record of its own.
pub(crate) async fn run(app: &App) -> Result<u64, ApiError> {
    let now = app.clock.now();
    let tenants = tenants::all(&mut *app.store.read().await?).await?;
    let mut erased = 0;
    for tenant in tenants {
        let policy = app.policy(&mut *app.store.read().await?, &tenant).await?;
        let before = now.plus_days(-i64::from(policy.audit_days));
        if !audit::any_opening(&mut *app.store.read().await?, &tenant, before).await? {
            continue;
        }
        let mut transaction = app.store.begin().await?;
        erased += audit::erase_openings(&mut transaction, &tenant, before).await?;
        let what = (Act::EraseOpenings, On::Tenant(tenant.as_str()), Outcome::Done);
        record(&mut transaction, &tenant, now, Actor::Worker, what, None).await?;
        transaction.commit().await?;
    }
    Ok(erased)
}
