//! What a reader puts up with before it calls an archive hostile.

/// Directories of a snapshot, the ones that paths imply. A path can imply 63 of them, each a call to the file system.
pub(crate) const DIRECTORIES: usize = 1 << 16;

/// The most a snapshot may be. The packer keeps to the default, so whatever it writes can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of tar in all, after decompression.
    pub total: u64,
    /// Bytes of tar for each compressed byte, once [`ratio_from`](Self::ratio_from) is passed.
    pub ratio: u64,
    /// Bytes of tar from which on the ratio counts.
    pub ratio_from: u64,
    /// Zstd frames, padding included.
    pub frames: u64,
    /// Bytes of tar in one frame.
    pub frame: usize,
    /// Largest window of a frame, as a power of two in bytes.
    pub window_log: u8,
    /// Files, the manifest included.
    pub entries: u64,
    /// Bytes of one pax header.
    pub pax: usize,
    /// Bytes of the manifest.
    pub manifest: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: 64 << 30,
            ratio: 1000,
            ratio_from: 16 << 20,
            frames: 1 << 20,
            frame: 16 << 20,
            window_log: 24,
            entries: 1_000_000,
            pax: 64 << 10,
            manifest: 32 << 20,
        }
    }
}
