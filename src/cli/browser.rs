//! Opening a page in the person's browser.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use super::Desk;

/// Opens a page where a display is, by the desktop's own `xdg-open` and no shell; false where there is none. Nobody waits for it.
pub fn open(page: &Path, desk: &Desk<'_>) -> bool {
    let display = ["WAYLAND_DISPLAY", "DISPLAY"].iter().any(|name| desk.world.variable(name).is_some());
    let Some(program) = program("xdg-open", desk).filter(|_| display && desk.world.interactive) else { return false };
    let started =
        Command::new(program).arg(page).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = started else { return false };
    // It is waited for so that nothing is left of it.
    thread::spawn(move || drop(child.wait()));
    true
}

/// Where a program is, as `PATH` says.
pub fn program(name: &str, desk: &Desk<'_>) -> Option<PathBuf> {
    let path = desk.world.variable("PATH")?;
    let found = std::env::split_paths(&path).filter(|place| place.is_absolute()).map(|place| place.join(name));
    found.into_iter().find(|file| rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok() && file.is_file())
}
