//! Passphrases: secrets that people remember, made expensive to guess (Argon2id, RFC 9106).

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroizing;

use super::error::{KeyError, NoMemory};
use crate::secret::Secret;

/// Bytes of the salt that each use of a passphrase draws.
pub(crate) const SALT: usize = 16;

/// What it costs to try one passphrase, in Argon2id's three numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    memory: u32,
    passes: u32,
    lanes: u8,
}

impl Cost {
    /// 64 MiB, 8 passes, 4 lanes: what RFC 9106 recommends where memory is short (section 4, second choice), with 8 passes
    /// instead of 3. Memory is what a snapshot must not take more of; time, half a second on one slow core, is there.
    pub const DEFAULT: Self = Self { memory: 64 * 1024, passes: 8, lanes: 4 };

    /// Most memory in KiB.
    pub const MAX_MEMORY: u32 = 1 << 20;
    /// Most passes over it.
    pub const MAX_PASSES: u32 = 16;
    /// Most lanes.
    pub const MAX_LANES: u8 = 16;

    /// Bytes of the three numbers in a file.
    pub(crate) const LENGTH: usize = 4 + 4 + 1;

    /// Takes a cost from 8 KiB for each lane to 1 GiB, 1 to 16 passes and 1 to 16 lanes; `None` for any other.
    #[must_use]
    pub const fn new(memory_kib: u32, passes: u32, lanes: u8) -> Option<Self> {
        match Self::check(memory_kib, passes, lanes) {
            Ok(cost) => Some(cost),
            Err(_) => None,
        }
    }

    const fn check(memory: u32, passes: u32, lanes: u8) -> Result<Self, &'static str> {
        if memory > Self::MAX_MEMORY {
            return Err("its passphrase asks for more than 1 GiB of memory");
        }
        if passes > Self::MAX_PASSES {
            return Err("its passphrase asks for more than 16 passes");
        }
        if lanes > Self::MAX_LANES {
            return Err("its passphrase asks for more than 16 lanes");
        }
        if lanes == 0 || passes == 0 || memory < 8 * lanes as u32 {
            return Err("its passphrase asks for less than Argon2 can do");
        }
        Ok(Self { memory, passes, lanes })
    }

    pub(crate) fn encode(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..4].copy_from_slice(&self.memory.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.passes.to_be_bytes());
        bytes[8] = self.lanes;
        bytes
    }

    /// Reads the three numbers and refuses, before anything is computed, what passes a limit.
    pub(crate) const fn decode(bytes: &[u8; Self::LENGTH]) -> Result<Self, &'static str> {
        let [m0, m1, m2, m3, t0, t1, t2, t3, lanes] = *bytes;
        Self::check(u32::from_be_bytes([m0, m1, m2, m3]), u32::from_be_bytes([t0, t1, t2, t3]), lanes)
    }
}

/// A passphrase to seal with or to open with. It is wiped when dropped and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase {
    text: Secret<Vec<u8>>,
    cost: Cost,
}

impl Passphrase {
    /// Most bytes of a passphrase.
    pub const MAX_LENGTH: usize = 4096;

    /// Takes a passphrase as it was typed or as a file holds it: one line end at its end is not part of it, everything else
    /// is. It must have 1 to 4096 bytes.
    pub fn new(text: &[u8]) -> Result<Self, KeyError> {
        let text = text.strip_suffix(b"\n").map_or(text, |text| text.strip_suffix(b"\r").unwrap_or(text));
        if text.is_empty() {
            return Err(KeyError::Passphrase("it is empty"));
        }
        if text.len() > Self::MAX_LENGTH {
            return Err(KeyError::Passphrase("it is longer than 4096 bytes"));
        }
        Ok(Self { text: Secret::new(text.to_vec()), cost: Cost::DEFAULT })
    }

    /// Seals at another cost than [`Cost::DEFAULT`]. What is opened says its own.
    #[must_use]
    pub const fn with_cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    pub(crate) const fn cost(&self) -> Cost {
        self.cost
    }

    /// Argon2id, version 0x13, to 32 bytes. Takes as much memory as the cost says, and gives it back wiped.
    pub(crate) fn derive(&self, salt: &[u8; SALT], cost: Cost) -> Result<Secret<[u8; 32]>, NoMemory> {
        let params = Params::new(cost.memory, cost.passes, cost.lanes.into(), Some(32))
            .expect("a Cost is within what Argon2 allows");
        let mut memory = Zeroizing::new(Vec::new());
        memory.try_reserve_exact(params.block_count()).map_err(|_| NoMemory { mib: cost.memory / 1024 })?;
        memory.resize(params.block_count(), Block::new());
        let mut key = Secret::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(self.text.expose(), salt, key.expose_mut(), memory.as_mut_slice())
            .expect("a Passphrase, its salt and 32 bytes have lengths that Argon2 allows");
        Ok(key)
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(***)")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const CHEAP: Cost = Cost { memory: 32, passes: 3, lanes: 4 };

    #[test]
    fn one_line_end_is_not_part_of_a_passphrase_and_everything_else_is() {
        let bytes = |text: &[u8]| Passphrase::new(text).unwrap().text.expose().clone();
        assert_eq!(bytes(b"correct horse"), b"correct horse");
        assert_eq!(bytes(b"correct horse\n"), b"correct horse");
        assert_eq!(bytes(b"correct horse\r\n"), b"correct horse");
        assert_eq!(bytes(b"correct horse\n\n"), b"correct horse\n");
        assert_eq!(bytes(b" correct horse \r"), b" correct horse \r");
        // Composed and decomposed are two passphrases: nothing is normalised.
        assert_ne!(bytes("Ødegård".as_bytes()), bytes("Ødega\u{30a}rd".as_bytes()));
        for empty in [b"".as_slice(), b"\n", b"\r\n"] {
            assert_eq!(Passphrase::new(empty).unwrap_err(), KeyError::Passphrase("it is empty"));
        }
        assert!(Passphrase::new(&[b'x'; 4096]).is_ok());
        assert!(Passphrase::new(&[b'x'; 4097]).is_err());
    }

    #[test]
    fn a_cost_within_the_limits_comes_back_and_no_other_is_taken() {
        for cost in [Cost::DEFAULT, CHEAP, Cost::new(1 << 20, 16, 16).unwrap(), Cost::new(8, 1, 1).unwrap()] {
            assert_eq!(Cost::decode(&cost.encode()), Ok(cost));
        }
        for (memory, passes, lanes) in [
            ((1 << 20) + 1, 1, 1),
            (1 << 22, 1, 1),
            (u32::MAX, 1, 1),
            (64, 17, 1),
            (64, u32::MAX, 1),
            (1024, 1, 17),
            (1024, 1, 255),
            (64, 1, 0),
            (64, 0, 1),
            (7, 1, 1),
            (0, 1, 1),
            (127, 1, 16),
        ] {
            assert_eq!(Cost::new(memory, passes, lanes), None, "{memory} {passes} {lanes}");
        }
    }

    #[test]
    fn the_published_vector_of_argon2id_holds() {
        // RFC 9106, section 5.3, has a secret and associated data, which this format does not use; it is computed here to
        // know that the library at hand is Argon2id, version 0x13.
        let params = argon2::ParamsBuilder::new()
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .data(argon2::AssociatedData::new(&[4; 12]).unwrap())
            .build()
            .unwrap();
        let argon2 = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
        let mut tag = [0; 32];
        argon2.hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
        assert_eq!(hex::encode(tag), "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
    }

    #[test]
    fn a_key_depends_on_everything_and_on_nothing_else() {
        let one = Passphrase::new(b"correct horse").unwrap();
        let key = one.derive(&[1; SALT], CHEAP).unwrap();
        assert_eq!(one.derive(&[1; SALT], CHEAP).unwrap(), key);
        assert_ne!(one.derive(&[2; SALT], CHEAP).unwrap(), key);
        assert_ne!(one.derive(&[1; SALT], Cost { passes: 4, ..CHEAP }).unwrap(), key);
        assert_eq!(one.derive(&[1; SALT], CHEAP).unwrap(), key);
        assert_ne!(Passphrase::new(b"correct hors").unwrap().derive(&[1; SALT], CHEAP).unwrap(), key);
        assert_eq!(Passphrase::new(b"correct horse").unwrap().derive(&[1; SALT], CHEAP).unwrap(), key);
    }

    #[test]
    fn a_passphrase_is_not_printed() {
        assert_eq!(format!("{:?}", Passphrase::new(b"swordfish").unwrap()), "Passphrase(***)");
    }

    /// Says what the default costs: `cargo test --release --no-default-features --lib -- --ignored --nocapture what_the_default_costs`.
    #[test]
    #[ignore = "measures"]
    fn what_the_default_costs() {
        let passphrase = Passphrase::new(b"correct horse").unwrap();
        for (round, cost) in [Cost { passes: 3, ..Cost::DEFAULT }, Cost::DEFAULT, Cost::DEFAULT].into_iter().enumerate()
        {
            let start = Instant::now();
            passphrase.derive(&[u8::try_from(round).unwrap(); SALT], cost).unwrap();
            eprintln!("{cost:?}: {:?}", start.elapsed());
        }
    }
}
