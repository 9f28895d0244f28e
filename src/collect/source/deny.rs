//! What never leaves a computer, however it is asked for.

use std::path::Path;

use rustix::fd::AsFd;

/// Directories that hold no files but the kernel's own view of things.
const KERNEL: [&str; 3] = ["/proc", "/sys", "/dev"];
/// File systems that are such views wherever they are mounted: proc, sysfs, devpts, debugfs, tracefs, securityfs, cgroup,
/// cgroup2, pstore, efivarfs, bpf (`linux/magic.h`).
const KERNEL_FILE_SYSTEMS: [i64; 11] = [
    0x9fa0,
    0x6265_6572,
    0x1cd1,
    0x6462_6720,
    0x7472_6163,
    0x7363_6673,
    0x27_e0eb,
    0x6367_7270,
    0x6165_676c,
    0xde5e_81e4,
    0xcafe_4a11,
];
/// Names of files that hold keys or passwords, compared without case.
const NAMES: [&str; 14] = [
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
    "id_ed25519_sk",
    "id_xmss",
    "shadow",
    "shadow-",
    "gshadow",
    "gshadow-",
    "secring.gpg",
    "krb5.keytab",
    "master.passwd",
];
/// Endings of such names.
const ENDINGS: [&str; 9] = [".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".kdb", ".keytab", ".ppk", ".tarseal-key"];
/// Only files up to this size are looked into; a key file is small.
pub(super) const LOOKED_INTO: u64 = 64 << 10;
/// A file with one of these at the beginning of a line is a key, whatever it is called.
const KEYS: [&[u8]; 2] = [b"TARSEAL-SECRET-KEY-", b"AGE-SECRET-KEY-"];

/// Whether a directory, by its true path, lies in the kernel's view.
pub(super) fn directory(path: &Path) -> bool {
    KERNEL.iter().any(|kernel| path.starts_with(kernel))
}

/// Whether a file or directory that is open lies on one of the kernel's file systems.
pub(super) fn file_system(file: impl AsFd) -> bool {
    #[cfg(target_os = "linux")]
    {
        #[expect(clippy::useless_conversion, reason = "the width of f_type differs between architectures")]
        rustix::fs::fstatfs(file).is_ok_and(|stat| KERNEL_FILE_SYSTEMS.contains(&i64::from(stat.f_type)))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let (_, _) = (file, KERNEL_FILE_SYSTEMS);
        false
    }
}

/// Whether a file or directory that is open lies on the far side of a network, which may not answer: NFS, SMB, CIFS, AFS,
/// Coda, Ceph (`linux/magic.h`).
pub(super) fn network(file: impl AsFd) -> bool {
    #[cfg(target_os = "linux")]
    {
        const NETWORK_FILE_SYSTEMS: [u32; 7] =
            [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x5346_414f, 0x7375_7245, 0x00c3_6400];
        #[expect(clippy::useless_conversion, reason = "the width of f_type differs between architectures")]
        rustix::fs::fstatfs(file).is_ok_and(|stat| {
            let kind = i64::from(stat.f_type);
            NETWORK_FILE_SYSTEMS.iter().any(|&known| i64::from(known) == kind || i64::from(known.cast_signed()) == kind)
        })
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = file;
        false
    }
}

/// Whether a file's name says that it holds keys or passwords.
pub(super) fn name(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    NAMES.iter().any(|forbidden| name == forbidden.as_bytes())
        || ENDINGS.iter().any(|ending| name.ends_with(ending.as_bytes()))
        || (name.starts_with(b"ssh_host_") && name.ends_with(b"_key"))
}

/// Whether a small file's content says that it is a key: an identity of tarseal or age, or a private key in PEM with
/// nothing before it. A key in the middle of a log is for redaction to find.
pub(super) fn content(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.clone().find(|line| !line.is_empty()).unwrap_or_default();
    let pem = first.starts_with(b"-----BEGIN ") && first.ends_with(b" PRIVATE KEY-----");
    let plain = first == b"-----BEGIN PRIVATE KEY-----";
    pem || plain || lines.any(|line| KEYS.iter().any(|key| line.to_ascii_uppercase().starts_with(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_files_are_known_by_their_names() {
        for forbidden in ["id_ed25519", "ID_RSA", "shadow", "store.P12", "ssh_host_rsa_key", "my.tarseal-key"] {
            assert!(name(forbidden.as_bytes()), "{forbidden}");
        }
        for fine in ["id_ed25519.pub", "shadow.log", "ssh_host_rsa_key.pub", "p12", "keyboard.log", "app.key.log"] {
            assert!(!name(fine.as_bytes()), "{fine}");
        }
    }

    #[test]
    fn key_files_are_known_by_their_content() {
        assert!(content(b"# created: 2026\n# recipient: tarseal1xyz\nTARSEAL-SECRET-KEY-1QQQ\n"));
        assert!(content(b"\n-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n"));
        assert!(content(b"-----BEGIN PRIVATE KEY-----\r\nabc\n"));
        assert!(!content(b"-----BEGIN CERTIFICATE-----\nabc\n"));
        assert!(!content(b"12:00 read key\n-----BEGIN PRIVATE KEY-----\nabc\n"));
        assert!(!content(b""));
    }

    #[test]
    fn the_kernels_view_is_known_by_path_and_by_file_system() {
        assert!(
            directory(Path::new("/proc/1")) && directory(Path::new("/dev")) && !directory(Path::new("/procession"))
        );
        #[cfg(target_os = "linux")]
        {
            assert!(file_system(std::fs::File::open("/proc/self").unwrap()));
            assert!(!file_system(std::fs::File::open(".").unwrap()));
        }
    }
}
