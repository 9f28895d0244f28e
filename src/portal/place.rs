//! Which database a data directory goes with.
//!
//! A directory whose database is `PostgreSQL` says so in a file of its own, `database`, without the password. So a command that
//! is not told of a database finds the right one, and one that is told of another does not make a second portal by mistake.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::blobs::Place;
use super::config::Config;
use super::draft;
use super::error::PortalError;
use super::store::{DatabaseUrl, Store};

/// The file beneath the data directory: the address of the database, and of the shares' database on a second line.
const FILE: &str = "database";

/// What a new portal on `SQLite` makes first.
const SQLITE: &str = "portal.db";

/// Opens the database of a data directory that exists: the configured one, else the one that the directory goes with, else the
/// files in it.
pub(crate) async fn open(config: &Config) -> Result<Store, PortalError> {
    let known = read(&config.data)?;
    let Some((portal, shares)) = of(config, known.as_ref())? else {
        return Ok(Store::open(&config.data).await?);
    };
    let store = Store::open_postgres(&portal, shares.as_ref()).await?;
    if known.is_none() {
        write(&config.data, &portal, shares.as_ref()).map_err(PortalError::Data)?;
    }
    Ok(store)
}

/// Whether other processes may use the same directory: when neither the database nor the sealed files are in it.
pub(crate) fn is_shared(config: &Config) -> Result<bool, PortalError> {
    Ok(Place::of(config)? != Place::Directory && (config.database.is_some() || read(&config.data)?.is_some()))
}

type Places = (DatabaseUrl, Option<DatabaseUrl>);

fn of(config: &Config, known: Option<&Places>) -> Result<Option<Places>, PortalError> {
    let told = config.database.clone().map(|portal| (portal, config.shares_database.clone()));
    match (told, known) {
        (None, None) if config.shares_database.is_some() => Err(PortalError::OtherDatabase(String::from("files"))),
        (None, known) => Ok(known.cloned()),
        (Some(told), None) if !config.data.join(SQLITE).exists() => Ok(Some(told)),
        (Some(_), None) => Err(PortalError::OtherDatabase(String::from("files"))),
        (Some((portal, shares)), Some((known, known_shares))) => {
            let same_shares = match (&shares, known_shares) {
                (Some(shares), Some(known)) => shares.is_same_place(known),
                (shares, known) => shares.is_none() && known.is_none(),
            };
            if portal.is_same_place(known) && same_shares {
                Ok(Some((portal, shares)))
            } else {
                Err(PortalError::OtherDatabase(known.to_string()))
            }
        }
    }
}

fn read(data: &Path) -> Result<Option<Places>, PortalError> {
    let text = match fs::read_to_string(data.join(FILE)) {
        Ok(text) => text,
        Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(None),
        Err(fault) => return Err(PortalError::Data(fault)),
    };
    let parsed = |line: &str| {
        let invalid = |fault| PortalError::Data(std::io::Error::new(ErrorKind::InvalidData, fault));
        line.trim().parse::<DatabaseUrl>().map_err(invalid)
    };
    let mut lines = text.lines();
    let portal = parsed(lines.next().unwrap_or_default())?;
    Ok(Some((portal, lines.next().map(parsed).transpose()?)))
}

fn write(data: &Path, portal: &DatabaseUrl, shares: Option<&DatabaseUrl>) -> std::io::Result<()> {
    let shares = shares.map_or_else(String::new, |shares| format!("{shares}\n"));
    draft::write(data, FILE, format!("{portal}\n{shares}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "postgres://tarseal:hunter2@db.example.org/portal";
    const THERE: &str = "postgres://tarseal@db.example.org/other";

    fn config(data: &Path, database: Option<&str>, shares: Option<&str>) -> Config {
        let mut config = Config::new(data, ([127, 0, 0, 1], 0).into());
        config.database = database.map(|url| url.parse().unwrap());
        config.shares_database = shares.map(|url| url.parse().unwrap());
        config
    }

    #[test]
    fn a_directory_goes_with_one_database_whose_password_it_does_not_know() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path();
        let decide = |database, shares| {
            let found = of(&config(data, database, shares), read(data).unwrap().as_ref())?;
            Ok::<_, PortalError>(found.map(|(portal, shares)| (portal.to_string(), shares.map(|url| url.to_string()))))
        };
        assert_eq!(decide(None, None).unwrap(), None);
        assert!(decide(None, Some(HERE)).is_err(), "shares alone cannot be elsewhere");
        write(data, &HERE.parse().unwrap(), Some(&THERE.parse().unwrap())).unwrap();
        assert!(!fs::read_to_string(data.join(FILE)).unwrap().contains("hunter2"));
        let both = Some((HERE.replace(":hunter2", ""), Some(THERE.to_owned())));
        assert_eq!(decide(None, None).unwrap(), both);
        assert_eq!(decide(Some(HERE), Some(THERE)).unwrap(), both);
        for (database, shares) in [(Some(THERE), Some(THERE)), (Some(HERE), None), (Some(HERE), Some(HERE))] {
            assert!(decide(database, shares).is_err(), "{database:?} {shares:?}");
        }
    }

    #[test]
    fn a_directory_with_files_is_not_given_another_database() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(SQLITE), b"").unwrap();
        assert!(of(&config(directory.path(), Some(HERE), None), None).is_err());
        assert!(of(&config(directory.path(), None, None), None).unwrap().is_none());
    }
}
