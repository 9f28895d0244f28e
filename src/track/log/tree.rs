//! The tree over the records, in memory: only the tiles that are needed, wherever they are kept.
//!
//! The hashing, the shape of the tree and the proofs are those of the crate `tlog_tiles`; here is which tiles it needs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use tlog_tiles::{
    Error, HASH_SIZE, Hash, HashReader, Tile, check_record, check_tree, prove_record, prove_tree, record_hash,
    stored_hash_index, stored_hashes_for_record_hash, sub_tree_index, tree_hash,
};

use super::{Head, LogError};

/// The height of a tile: 256 hashes (<https://c2sp.org/tlog-tiles>).
const HEIGHT: u8 = 8;

/// The longest proof: one hash for each level of a tree of 2^63 records.
const MAX_PROOF: usize = 64;

/// Names a tile: its level and its number on that level.
pub type Place = (u8, u64);

/// Tiles by their places, each the hashes it holds so far, 32 bytes one after the other.
#[derive(Clone, Debug, Default)]
pub struct Tiles(HashMap<Place, Vec<u8>>);

impl Tiles {
    /// Puts a tile in.
    pub fn put(&mut self, place: Place, hashes: Vec<u8>) {
        self.0.insert(place, hashes);
    }

    /// True when the tile is there.
    #[must_use]
    pub fn holds(&self, place: Place) -> bool {
        self.0.contains_key(&place)
    }

    /// The hashes of a tile.
    #[must_use]
    pub fn tile(&self, place: Place) -> Option<&[u8]> {
        self.0.get(&place).map(Vec::as_slice)
    }
}

impl HashReader for Tiles {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let read = |index: &u64| {
            let tile = Tile::from_index(HEIGHT, *index);
            let hashes = self.0.get(&place_of(&tile)).ok_or(Error::InvalidTile)?;
            tile.hash_at_index(hashes, *index)
        };
        indexes.iter().map(read).collect()
    }
}

/// A tree that grows at its end.
#[derive(Debug)]
pub struct Tree {
    size: u64,
    tiles: Tiles,
    /// The hashes that came since it was made, by their index in storage.
    fresh: HashMap<u64, Hash>,
    changed: BTreeSet<Place>,
}

impl Tree {
    /// A tree of `size` records whose [`edge`] is in `tiles`.
    #[must_use]
    pub fn new(size: u64, tiles: Tiles) -> Self {
        Self { size, tiles, fresh: HashMap::new(), changed: BTreeSet::new() }
    }

    /// How many records it holds.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds the hash of a record at the end.
    pub fn append(&mut self, leaf: [u8; 32]) -> Result<(), LogError> {
        let number = self.size;
        let hashes = stored_hashes_for_record_hash(number, Hash(leaf), self).map_err(|_| LogError::Tile)?;
        for (level, hash) in (0_u8..).zip(hashes) {
            let number = number >> level;
            self.fresh.insert(stored_hash_index(level, number), hash);
            if level % HEIGHT == 0 {
                let place = (level / HEIGHT, number >> HEIGHT);
                let held = self.tiles.0.entry(place).or_default();
                if held.len() as u64 != (number % (1 << HEIGHT)) * HASH_SIZE as u64 {
                    return Err(LogError::Tile);
                }
                held.extend_from_slice(&hash.0);
                self.changed.insert(place);
            }
        }
        self.size += 1;
        Ok(())
    }

    /// The root of the tree, with its size.
    pub fn head(&self) -> Result<Head, LogError> {
        let root = tree_hash(self.size, self).map_err(|_| LogError::Tile)?;
        Ok(Head { size: self.size, root: root.0 })
    }

    /// Takes the tiles that changed, and forgets everything that is no longer needed to go on.
    pub fn take_changed(&mut self) -> BTreeMap<Place, Vec<u8>> {
        let changed: BTreeMap<Place, Vec<u8>> = std::mem::take(&mut self.changed)
            .into_iter()
            .filter_map(|place| self.tiles.tile(place).map(|hashes| (place, hashes.to_vec())))
            .collect();
        self.fresh.clear();
        let edge = edge(self.size);
        self.tiles.0.retain(|place, _| edge.contains(place));
        changed
    }
}

impl HashReader for Tree {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let read = |index: &u64| match self.fresh.get(index) {
            Some(hash) => Ok(*hash),
            None => self.tiles.read_hashes(std::slice::from_ref(index)).map(|mut found| found.remove(0)),
        };
        indexes.iter().map(read).collect()
    }
}

/// The hash of a record's line: a leaf of the tree.
#[must_use]
pub fn leaf(line: &str) -> [u8; 32] {
    record_hash(line.as_bytes()).0
}

/// The tiles that a tree of `size` records needs to grow, and to tell its root.
#[must_use]
pub fn edge(size: u64) -> BTreeSet<Place> {
    sub_tree_index(0, size, Vec::new()).into_iter().map(|index| place_of(&Tile::from_index(HEIGHT, index))).collect()
}

/// The tiles that an inclusion proof needs; none when there can be no proof.
#[must_use]
pub fn needed_for_inclusion(index: u64, size: u64) -> BTreeSet<Place> {
    planned(|plan| prove_record(size, index, plan).map(drop))
}

/// The tiles that a consistency proof needs; none when there can be no proof.
#[must_use]
pub fn needed_for_consistency(old: u64, new: u64) -> BTreeSet<Place> {
    planned(|plan| prove_tree(new, old, plan).map(drop))
}

/// Proves that the record at `index` stands in the tree of the first `size` records.
pub fn inclusion(index: u64, size: u64, tiles: &Tiles) -> Result<Vec<[u8; 32]>, LogError> {
    let hashes = prove_record(size, index, tiles).map_err(|_| LogError::Tile)?;
    Ok(hashes.into_iter().map(|hash| hash.0).collect())
}

/// Proves that the tree of the first `new` records begins with that of the first `old` ones.
pub fn consistency(old: u64, new: u64, tiles: &Tiles) -> Result<Vec<[u8; 32]>, LogError> {
    let hashes = prove_tree(new, old, tiles).map_err(|_| LogError::Tile)?;
    Ok(hashes.into_iter().map(|hash| hash.0).collect())
}

/// Says that the leaf stands at `index` in the tree of `head`.
pub fn check_inclusion(leaf: [u8; 32], index: u64, hashes: &[[u8; 32]], head: &Head) -> Result<(), LogError> {
    let proof = as_proof(hashes)?;
    check_record(&proof, head.size, Hash(head.root), index, Hash(leaf)).map_err(|_| LogError::NotInTree)
}

/// Says that the tree of `new` begins with the tree of `old`.
pub fn check_consistency(old: &Head, hashes: &[[u8; 32]], new: &Head) -> Result<(), LogError> {
    if old.size == 0 {
        return if hashes.is_empty() { Ok(()) } else { Err(LogError::NotTheSameLog) };
    }
    let proof = as_proof(hashes)?;
    check_tree(&proof, new.size, Hash(new.root), old.size, Hash(old.root)).map_err(|_| LogError::NotTheSameLog)
}

fn as_proof(hashes: &[[u8; 32]]) -> Result<Vec<Hash>, LogError> {
    if hashes.len() > MAX_PROOF {
        return Err(LogError::Malformed("the proof is too long"));
    }
    Ok(hashes.iter().map(|hash| Hash(*hash)).collect())
}

fn place_of(tile: &Tile) -> Place {
    (tile.level(), tile.level_index())
}

/// Asks what would be read, without reading.
struct Plan(RefCell<Vec<u64>>);

impl HashReader for Plan {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        self.0.borrow_mut().extend_from_slice(indexes);
        Ok(vec![Hash::default(); indexes.len()])
    }
}

fn planned(work: impl FnOnce(&Plan) -> Result<(), Error>) -> BTreeSet<Place> {
    let plan = Plan(RefCell::default());
    if work(&plan).is_err() {
        return BTreeSet::new();
    }
    let read = plan.0.into_inner();
    read.into_iter().map(|index| place_of(&Tile::from_index(HEIGHT, index))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree of `size` records, and every tile it ever wrote.
    fn grown(size: u64, step: u64) -> (Head, Tiles) {
        let (mut tree, mut kept) = (Tree::new(0, Tiles::default()), Tiles::default());
        while tree.size() < size {
            for _ in 0..step.min(size - tree.size()) {
                tree.append(leaf(&tree.size().to_string())).unwrap();
            }
            for (place, hashes) in tree.take_changed() {
                kept.put(place, hashes);
            }
            // What goes on is made from what was kept alone.
            let mut edge_tiles = Tiles::default();
            for place in edge(tree.size()) {
                edge_tiles.put(place, kept.tile(place).unwrap().to_vec());
            }
            tree = Tree::new(tree.size(), edge_tiles);
        }
        (tree.head().unwrap(), kept)
    }

    #[test]
    fn a_tree_is_the_same_however_it_grew() {
        for size in [0, 1, 2, 255, 256, 257, 1000, 65_535, 65_536, 65_537] {
            assert_eq!(grown(size, 1000).0, grown(size, 7777).0, "{size}");
        }
        assert_eq!(hex::encode(grown(0, 1).0.root), hex::encode(tlog_tiles::EMPTY_HASH.0));
    }

    /// The tree of the published example: RFC 6962, section 2.1.3, has its shape; the leaves and the root are those of the
    /// test vectors of certificate-transparency-go (`merkletree`), eight records.
    #[test]
    fn the_root_is_that_of_the_published_vectors() {
        let leaves =
            ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
        let mut tree = Tree::new(0, Tiles::default());
        for hexadecimal in leaves {
            tree.append(record_hash(&hex::decode(hexadecimal).unwrap()).0).unwrap();
        }
        assert_eq!(
            hex::encode(tree.head().unwrap().root),
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
        );
    }

    #[test]
    fn every_record_is_proved_and_no_other() {
        let (head, tiles) = grown(600, 100);
        for index in (0..600).step_by(7).chain([255, 256, 511, 512, 599]) {
            let needed = needed_for_inclusion(index, head.size);
            let mut few = Tiles::default();
            for place in needed {
                few.put(place, tiles.tile(place).unwrap().to_vec());
            }
            let proof = inclusion(index, head.size, &few).unwrap();
            let (right, wrong) = (leaf(&index.to_string()), leaf(&(index + 1).to_string()));
            check_inclusion(right, index, &proof, &head).unwrap();
            assert!(check_inclusion(wrong, index, &proof, &head).is_err());
            assert!(check_inclusion(right, index + 1, &proof, &head).is_err());
            assert!(check_inclusion(right, index, &proof[1..], &head).is_err());
        }
        assert!(inclusion(600, 600, &tiles).is_err());
        assert!(needed_for_inclusion(600, 600).is_empty());
        assert!(
            check_inclusion([0; 32], u64::MAX - 1, &[[0; 32]; 65], &Head { size: u64::MAX, root: [0; 32] }).is_err()
        );
        assert!(
            check_inclusion([0; 32], u64::MAX - 1, &[[0; 32]; 64], &Head { size: u64::MAX, root: [0; 32] }).is_err()
        );
    }

    #[test]
    fn a_tree_begins_with_every_earlier_one_and_with_no_other() {
        let (new, tiles) = grown(700, 33);
        for size in [1, 2, 3, 255, 256, 257, 500, 699, 700] {
            let old = grown(size, 100).0;
            let proof = consistency(size, new.size, &tiles).unwrap();
            check_consistency(&old, &proof, &new).unwrap();
            let other = Head { root: [7; 32], ..old };
            assert!(check_consistency(&other, &proof, &new).is_err());
        }
        check_consistency(&grown(0, 1).0, &[], &new).unwrap();
        assert!(check_consistency(&new, &[], &grown(5, 5).0).is_err(), "a log that became shorter");
    }

    #[test]
    fn a_tile_that_is_missing_or_cut_stops_the_tree() {
        let (_, tiles) = grown(300, 300);
        assert!(Tree::new(300, Tiles::default()).append([1; 32]).is_err());
        let mut cut = Tiles::default();
        for place in edge(300) {
            let hashes = tiles.tile(place).unwrap();
            cut.put(place, hashes[..hashes.len() - 32].to_vec());
        }
        assert!(Tree::new(300, cut).append([1; 32]).is_err());
    }
}
