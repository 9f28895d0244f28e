use super::*;
use crate::clock::Timestamp;
use crate::ids::ShareId;

const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a.tarseal"), b"sealed").unwrap();
        Self { directory }
    }

    fn state(&self) -> PathBuf {
        Checkpoint::path_in(self.directory.path(), &FileId([7; 16]))
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("a.tarseal")
    }

    fn begin(&self) -> Checkpoint {
        let snapshot = NewSnapshot {
            file_id: FileId([7; 16]),
            size: 6,
            sha256: hex::encode(Sha256::digest(b"sealed")),
            share: Some(NewShare {
                id: ShareId([8; 16]),
                secret: SECRET.to_owned().into(),
                not_after: Timestamp::EPOCH,
            }),
        };
        let portal = "https://support.vendor.example".parse().unwrap();
        Checkpoint::create(&self.state(), &portal, &"4711".parse().unwrap(), &self.file(), snapshot).unwrap()
    }
}

#[test]
fn what_was_written_is_read_back() {
    let place = Place::new();
    let mut begun = place.begin();
    let url = UploadUrl::parse(begun.portal(), "/v1/uploads/7").unwrap();
    begun.uploading_to(&url).unwrap();
    let back = Checkpoint::load(&place.state()).unwrap();
    assert_eq!((back.ticket(), back.portal(), back.file()), (begun.ticket(), begun.portal(), place.file().as_path()));
    assert_eq!(back.upload_url(), Some(url));
    assert_eq!(back.announcement().share.unwrap().secret.as_str(), SECRET);
    assert!(!back.is_stored());
    assert!(back.open_file().is_ok());
}

#[test]
fn the_share_is_out_of_the_file_once_it_is_stored() {
    let place = Place::new();
    let mut begun = place.begin();
    assert!(fs::read_to_string(place.state()).unwrap().contains(SECRET));
    assert!(!format!("{begun:?}").contains(SECRET));
    begun.stored().unwrap();
    assert!(!fs::read_to_string(place.state()).unwrap().contains(SECRET));
    assert!(begun.announcement().share.is_none());
    assert!(Checkpoint::load(&place.state()).unwrap().is_stored());
    begun.remove().unwrap();
    assert!(!place.state().exists());
}

#[test]
fn two_uploads_do_not_share_a_state_file() {
    let place = Place::new();
    let begun = place.begin();
    let again = Checkpoint::create(&place.state(), begun.portal(), begun.ticket(), begun.file(), begun.announcement());
    assert!(matches!(again, Err(SendError::Checkpoint { .. })));
}

#[test]
fn a_file_changed_since_sealing_is_refused() {
    let place = Place::new();
    let begun = place.begin();
    fs::write(place.file(), b"sealeD").unwrap();
    let back = Checkpoint::load(&place.state()).unwrap();
    assert!(matches!(back.open_file(), Err(SendError::FileChanged(_))));
    fs::write(place.file(), b"sealed and more").unwrap();
    assert!(matches!(begun.open_file(), Err(SendError::FileChanged(_))));
    fs::remove_file(place.file()).unwrap();
    assert!(matches!(begun.open_file(), Err(SendError::Local { .. })));
}

#[cfg(unix)]
#[test]
fn the_state_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    drop(place.begin());
    assert_eq!(fs::metadata(place.state()).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(place.state(), fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(Checkpoint::load(&place.state()), Err(SendError::Checkpoint { .. })));
}

#[test]
fn every_truncation_and_every_foreign_text_is_refused_without_repeating_it() {
    let place = Place::new();
    drop(place.begin());
    let whole = fs::read(place.state()).unwrap();
    for length in 0..whole.len() {
        fs::write(place.state(), &whole[..length]).unwrap();
        let error = Checkpoint::load(&place.state()).unwrap_err();
        assert!(!error.to_string().contains(&SECRET[..20]), "{error}");
    }
    let text = String::from_utf8(whole).unwrap();
    for (from, to) in [
        ("\"version\":1", "\"version\":2"),
        ("\"size\":6", "\"size\":0"),
        ("\"size\":6", "\"size\":-6"),
        ("https://support", "http://support"),
        ("\"stored\":false", "\"stored\":false,\"upload\":\"https://elsewhere.example/u\""),
        ("\"stored\":false", "\"stored\":false,\"token\":\"x\""),
    ] {
        assert!(text.contains(from));
        fs::write(place.state(), text.replace(from, to)).unwrap();
        assert!(Checkpoint::load(&place.state()).is_err(), "{to}");
    }
    fs::write(place.state(), vec![b' '; 70_000]).unwrap();
    assert!(Checkpoint::load(&place.state()).is_err());
}

#[test]
fn what_a_killed_run_left_beside_it_does_no_harm() {
    let place = Place::new();
    let mut sibling = place.state().into_os_string();
    sibling.push(".new");
    let sibling = PathBuf::from(sibling);
    fs::write(&sibling, b"half").unwrap();
    let mut begun = place.begin();
    fs::write(&sibling, b"half").unwrap();
    assert!(!Checkpoint::load(&place.state()).unwrap().is_stored(), "the old state is whole until the rename");
    begun.stored().unwrap();
    assert!(Checkpoint::load(&place.state()).unwrap().is_stored());
    assert!(!sibling.exists());
}

#[test]
fn unfinished_uploads_are_found_again() {
    let place = Place::new();
    assert_eq!(Checkpoint::all_in(place.directory.path()).unwrap(), [] as [PathBuf; 0]);
    drop(place.begin());
    assert_eq!(Checkpoint::all_in(place.directory.path()).unwrap(), [place.state()]);
    assert_eq!(Checkpoint::all_in(&place.directory.path().join("none")).unwrap(), [] as [PathBuf; 0]);
}
