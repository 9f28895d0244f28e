//! Standard input, kept so that it can be read twice.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use super::{Bytes, Candidate, Found, Start};
use crate::collect::{CollectError, CollectOptions};
use crate::item::Content;
use crate::spool::{Spool, SpoolReader};

/// Bytes of standard input kept in memory before a sealed file takes over.
const IN_MEMORY: usize = 8 << 20;

pub(super) struct StandardInput;

impl Start for StandardInput {
    fn find(
        self: Box<Self>,
        options: Option<&mut CollectOptions<'_>>,
        found: &mut Found<'_>,
    ) -> Result<(), CollectError> {
        let Some(options) = options else { return Err(CollectError::NotFound("-".into())) };
        let failed = |source| CollectError::Read { path: PathBuf::from("-"), source };
        let mut spool = Spool::new(&options.spool_directory, IN_MEMORY, options.rng);
        let mut buffer = vec![0; 128 << 10];
        loop {
            let length = match options.standard_input.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(error)),
            };
            spool.write_all(&buffer[..length]).map_err(failed)?;
        }
        let item = Candidate {
            path: options.standard_input_name.clone(),
            size: spool.length(),
            modified: None,
            bytes: Bytes::Kept(Box::new(Spooled(Arc::new(spool)))),
        };
        found.item(item, None)
    }
}

struct Spooled(Arc<Spool>);

impl Content for Spooled {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(SpoolReader::new(Arc::clone(&self.0))))
    }
}
