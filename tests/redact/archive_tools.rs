//! Archives that other tools made are redacted, and other tools read what comes out. A tool that is not on this computer is
//! skipped, with a note.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::containers::{BARE, LEARNED, assert_gone, one};

/// Whether the tool is there; says so when it is not.
fn has(tool: &str) -> bool {
    let found = Command::new(tool).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("skipped: there is no {tool} on this computer");
    }
    found
}

/// Runs a command of a shell in a directory; its output.
fn sh(directory: &Path, command: &str) -> Vec<u8> {
    let output = Command::new("sh").args(["-c", command]).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A directory with two logs and a link.
fn logs() -> tempfile::TempDir {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let deep = directory.path().join("logs").join("d".repeat(120));
    fs::create_dir_all(&deep).unwrap();
    fs::write(directory.path().join("logs/a.log"), LEARNED).unwrap();
    fs::write(deep.join("habersaat.log"), BARE).unwrap();
    directory
}

fn redacted(directory: &Path, name: &str) -> Vec<String> {
    let (bytes, left_out) = one(name, &fs::read(directory.join(name)).unwrap()).unwrap();
    let out = directory.join("out");
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join(name), bytes).unwrap();
    left_out.into_iter().map(|entry| entry.path).collect()
}

/// What was unpacked below `out`: the name is hidden in both logs.
fn assert_unpacked(out: &Path) {
    let all = sh(out, "find . -type f -name '*.log' -exec cat {} +");
    let text = String::from_utf8(all).unwrap();
    assert_eq!(text.matches("person-1").count(), 2, "{text}");
    assert_gone(&sh(out, "find ."));
    sh(out, "rm -r ./*");
}

#[test]
fn tar_reads_what_tar_wrote() {
    if !has("tar") {
        return;
    }
    let directory = logs();
    let out = directory.path().join("out");
    for (name, options) in [
        ("gnu.tar", "--format=gnu"),
        ("pax.tar", "--format=pax"),
        ("posix.tar", "--format=posix --xattrs"),
        ("ustar.tar", "--format=ustar --transform 's,d\\{120\\},d,'"),
        ("v7.tar", "--format=v7 --transform 's,d\\{120\\},d,'"),
        ("all.tgz", "-z"),
    ] {
        sh(directory.path(), &format!("tar -cf {name} {options} ./logs"));
        assert!(redacted(directory.path(), name).is_empty(), "{name}");
        let listing = String::from_utf8(sh(&out, &format!("tar -tvf {name} --numeric-owner"))).unwrap();
        assert!(listing.lines().all(|line| line.contains(" 0/0 ")), "{listing}");
        assert!(listing.contains(" ./logs/\n"), "{listing}");
        sh(&out, &format!("tar -xf {name} && rm {name}"));
        assert_unpacked(&out);
    }
    sh(directory.path(), "truncate -s 1M logs/lastlog && ln -s a.log logs/current && ln logs/a.log logs/hard");
    sh(
        directory.path(),
        "tar -cf all.tar --sparse --format=gnu logs && tar -rf all.tar --sparse --format=gnu logs/a.log",
    );
    let mut left_out = redacted(directory.path(), "all.tar");
    left_out.sort();
    assert_eq!(left_out.len(), 3, "{left_out:?}");
    sh(&out, "tar -xf all.tar && rm all.tar");
    sh(directory.path(), "tar -cf all.tar --sparse --format=pax --sparse-version=1.0 logs");
    assert!(redacted(directory.path(), "all.tar").contains(&"all.tar!logs/lastlog".to_owned()));
}

#[test]
fn unzip_and_python_read_what_zip_wrote() {
    if !has("zip") || !has("unzip") || !has("python3") {
        return;
    }
    let directory = logs();
    let out = directory.path().join("out");
    for (name, command) in [
        ("all.zip", "zip -qr all.zip logs"),
        ("stored.zip", "zip -q0r stored.zip logs"),
        ("commented.zip", "zip -qrz commented.zip logs < logs/a.log"),
        ("streamed.zip", "zip -qrfd - logs | cat > streamed.zip"),
        ("python.zip", "python3 -m zipfile -c python.zip logs"),
        (
            "lzma.zip",
            "python3 -c \"import zipfile as z; z.ZipFile('lzma.zip','w',z.ZIP_BZIP2).write('logs/a.log'); \
            f = z.ZipFile('lzma.zip','a'); f.write('logs/$(ls logs | tail -1)/habersaat.log', 'logs/b.log'); f.close()\"",
        ),
    ] {
        sh(directory.path(), command);
        assert!(redacted(directory.path(), name).is_empty(), "{name}");
        assert_gone(&sh(&out, &format!("zipinfo -z {name}")));
        sh(&out, &format!("python3 -m zipfile -t {name} && unzip -tq {name}"));
        sh(&out, &format!("unzip -q {name} && rm {name}"));
        assert_unpacked(&out);
    }
    sh(
        directory.path(),
        "zip -qrP secret all.zip logs/a.log && ln -s a.log logs/current && zip -qy all.zip logs/current",
    );
    let mut left_out = redacted(directory.path(), "all.zip");
    left_out.sort();
    assert_eq!(left_out, ["all.zip!logs/a.log", "all.zip!logs/current"]);
}

#[test]
fn a_zip_of_the_wide_kind_is_read_and_written() {
    if !has("python3") || !has("unzip") {
        return;
    }
    let directory = logs();
    let make = "import zipfile as z
f = z.ZipFile('wide.zip', 'w', z.ZIP_DEFLATED)
with f.open('a.log', 'w', force_zip64=True) as member: member.write(open('logs/a.log', 'rb').read())
f.close()";
    fs::write(directory.path().join("make.py"), make).unwrap();
    sh(directory.path(), "python3 make.py");
    assert!(redacted(directory.path(), "wide.zip").is_empty());
    let check = "import zipfile as z
f = z.ZipFile('out/wide.zip')
assert f.testzip() is None
assert b'person-1' in f.read('a.log')";
    fs::write(directory.path().join("check.py"), check).unwrap();
    sh(directory.path(), "python3 check.py && unzip -tq out/wide.zip");
}

#[test]
fn compressors_read_what_they_wrote() {
    let directory = logs();
    for (tool, name, options) in [
        ("gzip", "a.gz", "-9"),
        ("xz", "a.xz", "-9 --check=sha256"),
        ("xz", "b.xz", "-1 -T2 --block-size=4096 --check=none"),
        ("bzip2", "a.bz2", ""),
        ("zstd", "a.zst", "-q -19"),
    ] {
        if !has(tool) {
            continue;
        }
        sh(directory.path(), &format!("for n in $(seq 500); do cat logs/a.log; done | {tool} {options} > {name}"));
        sh(directory.path(), &format!("{tool} {options} < logs/a.log >> {name}"));
        assert!(redacted(directory.path(), name).is_empty());
        let text = sh(&directory.path().join("out"), &format!("{tool} -t {name} && {tool} -dc {name}"));
        assert_eq!(String::from_utf8(text).unwrap().matches("person-1").count(), 501, "{name}");
    }
}
