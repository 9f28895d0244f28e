use super::*;
use crate::clock::ManualClock;
use crate::portal::config::Config;
use crate::portal::deadlines;
use crate::portal::store::shares::ShareRow;
use crate::portal::store::{tickets, uploads};
use crate::secret::Secret;
use crate::track::receipt::verify;

const SHARE: [u8; 32] = *b"the canary that must not survive";

async fn open(data: &std::path::Path, now: &str) -> Arc<App> {
    let config = Config::new(data, ([127, 0, 0, 1], 0).into());
    let clock = Arc::new(ManualClock::at(now.parse().unwrap()));
    Arc::new(App::open(&config, clock).await.unwrap())
}

/// Puts one snapshot of a closed ticket into a new directory.
async fn one_stored(data: &std::path::Path) -> (TenantId, FileId) {
    let app = open(data, "2026-11-21T14:20:00Z").await;
    let tenant: TenantId = "default".parse().unwrap();
    let ticket: TicketId = "4711".parse().unwrap();
    let (id, now) = (FileId([7; 16]), app.clock.now());
    let snapshot = Snapshot {
        share: Some(crate::ids::ShareId([9; 16])),
        ..Snapshot::announced(&tenant, id, &ticket, 6, "ab".repeat(32))
    };
    let upload = uploads::Upload {
        tenant: tenant.clone(),
        id: random_id(),
        snapshot: id,
        received: 6,
        expires_at: now.plus_days(7),
    };
    let share = ShareRow { id: crate::ids::ShareId([9; 16]), secret: Secret::new(SHARE), not_after: Timestamp::MAX };
    let mut transaction = app.store.begin_across().await.unwrap();
    tickets::add(&mut transaction, &tenant, &ticket, now).await.unwrap();
    snapshots::add(&mut transaction, &snapshot, "token", now).await.unwrap();
    uploads::add(&mut transaction, &upload).await.unwrap();
    shares::put(&mut app.store.shares_across().await.unwrap(), &tenant, &id, &share).await.unwrap();
    snapshots::set_stored(&mut transaction, &tenant, &id, now).await.unwrap();
    tickets::set_closed_at(&mut transaction, &tenant, &ticket, Some(now)).await.unwrap();
    deadlines::count_snapshot(&app, &mut transaction, &tenant, &id).await.unwrap();
    transaction.commit().await.unwrap();
    let name = crate::portal::blobs::Name { tenant: &tenant, id: &id, longest: 6 };
    let mut file = app.blobs.go_on(name, crate::portal::blobs::Mark::default()).unwrap();
    file.write(b"sealed").unwrap();
    file.finish().unwrap();
    app.store.close().await;
    (tenant, id)
}

#[tokio::test]
async fn a_deletion_goes_on_from_every_step_at_which_it_was_cut_off() {
    for cut in 0..=PHASES.len() {
        for half_done in [false, true] {
            let directory = tempfile::tempdir().unwrap();
            let (tenant, id) = one_stored(directory.path()).await;

            let app = open(directory.path(), "2027-02-20T00:00:00Z").await;
            let mut transaction = app.store.begin_across().await.unwrap();
            let trusted = clock::look(&app, &mut transaction).await.unwrap().unwrap();
            assert_eq!(begin_due(&mut transaction, trusted, None).await.unwrap(), 1);
            transaction.commit().await.unwrap();
            for phase in &PHASES[..cut] {
                assert_eq!(advance(&app, *phase, false).await.unwrap(), (1, 0));
            }
            if let (true, Some(phase)) = (half_done, PHASES.get(cut)) {
                // The step was done, but its record never came.
                let found = snapshots::find(&mut app.store.read_across().await.unwrap(), &tenant, &id).await.unwrap();
                work(&app, &found.unwrap(), phase.next_of_deletion().unwrap()).await.unwrap();
            }
            app.store.close().await;
            drop(app);

            let app = open(directory.path(), "2027-02-20T00:05:00Z").await;
            let swept = run(&app, false).await.unwrap();
            assert_eq!(swept, Swept { deleted: u64::from(cut < PHASES.len()), failed: 0, expired: 0 });
            let mut connection = app.store.read_across().await.unwrap();
            let found = snapshots::find(&mut connection, &tenant, &id).await.unwrap().unwrap();
            assert_eq!((found.phase, found.share), (Phase::Deleted, None));
            let steps = receipts::steps(&mut connection, &tenant, &id).await.unwrap();
            let order: Vec<_> = steps.iter().map(|step| step.step).collect();
            assert_eq!(order, &PHASES[1..], "cut after {cut}");
            assert_eq!(steps[0].method, "erased");
            crate::portal::audit::sequence::advance(&app.store, &app.key).await.unwrap();
            let signed = receipts::of_snapshot(&mut connection, &id, Kind::Deletion).await.unwrap().unwrap();
            assert_eq!(verify(&signed.note, &app.key.portal_key()).unwrap().steps, steps);
            assert!(app.blobs.is_absent(&tenant, &id).unwrap());
            for entry in std::fs::read_dir(directory.path()).unwrap() {
                let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
                assert!(!bytes.windows(SHARE.len()).any(|part| part == SHARE), "the share is still on the disk");
            }
            drop(connection);
            app.store.close().await;
        }
    }
}

#[tokio::test]
async fn a_step_that_fails_waits_longer_each_time() {
    let directory = tempfile::tempdir().unwrap();
    let (tenant, id) = one_stored(directory.path()).await;
    let name = id.to_string();
    let blob = directory.path().join("blobs/default").join(&name[..2]).join(format!("{name}.tarseal"));
    std::fs::remove_file(&blob).unwrap();
    std::fs::create_dir(&blob).unwrap();
    let app = open(directory.path(), "2027-02-20T00:00:00Z").await;
    assert_eq!(run(&app, false).await.unwrap(), Swept { deleted: 0, failed: 1, expired: 0 });
    assert_eq!(run(&app, false).await.unwrap(), Swept::default(), "it waits");
    assert_eq!(run(&app, true).await.unwrap().failed, 1, "unless it is asked for");
    let found = snapshots::find(&mut app.store.read_across().await.unwrap(), &tenant, &id).await.unwrap().unwrap();
    assert_eq!((found.phase, found.attempts), (Phase::ShareDestroyed, 2));
    app.store.close().await;
}
