//! `demo`: the whole way on this computer.
//!
//! The same commands that people type run here one after the other, each with a home of its own for sender, technician and
//! operator, against a real portal on loopback. Only the clock is the demo's: it is handed in, so it can be moved on 91 days.
//! This file is the script; the [`stage`] on which it is played has the directory, the clock and the portal.

mod stage;

use std::fs;
use std::path::{Path, PathBuf};

use self::stage::Stage;
use crate::cli::Desk;
use crate::cli::args::DemoArguments;
use crate::cli::exit::{Exit, Failure, Outcome};

/// The ticket of the demo.
const TICKET: &str = "4711";

const SENDER: &str = "sender";
const TECHNICIAN: &str = "technician";
const OPERATOR: &str = "operator";

/// Shows the whole way and says where everything is.
pub fn run(arguments: &DemoArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let dir = match &arguments.dir {
        Some(dir) => dir.clone(),
        None => desk.home.directory("demo")?.join(desk.world.clock.now().to_string().replace(':', "")),
    };
    let mut stage = Stage::build(&dir, desk)?;
    let logs = stage.logs(&arguments.paths, desk)?;

    desk.output.say("\n1  The operator starts the portal; the technician makes a key; each gets a token.");
    stage.start_portal()?;
    stage.say_portal(desk);
    let recipient = stage.play(TECHNICIAN, &["key", "new", "-o", &stage.file("technician/me.key")], desk)?;
    stage.put("sender/recipient", recipient.out.as_bytes())?;
    stage.token("technician", &["--role", "technician", "--expires", "200d"], desk)?;
    stage.token("sender", &["--role", "upload", "--ticket", TICKET, "--expires", "200d"], desk)?;

    desk.output.say("\n2  The sender sends the logs of a meeting platform and of this computer.");
    let mut send = vec!["send".into(), stage.file("meeting")];
    send.extend(logs);
    send.extend(["--ticket".into(), TICKET.into(), "--yes".into()]);
    stage.play(SENDER, &borrowed(&send), desk)?;

    desk.output.say("\n3  The technician fetches and opens it: the personal values are gone, the rest is as it was.");
    let opened = stage.file("opened");
    let key = stage.file("technician/me.key");
    let fetch = ["fetch", TICKET, "--reason", "audio drops after ten minutes", "--key", &key, "-o", &opened];
    stage.play(TECHNICIAN, &fetch, desk)?;
    stage.compare(desk);

    desk.output.say("\n4  A second copy stays sealed, as it would in a mailbox or a backup.");
    let copies = stage.file("copies");
    let reason = "a copy for the archive";
    stage.play(TECHNICIAN, &["fetch", TICKET, "--reason", reason, "-o", &copies], desk)?;

    desk.output.say("\n5  The ticket is closed.");
    stage.play(TECHNICIAN, &["close", TICKET], desk)?;
    stage.play(SENDER, &["sync"], desk)?;
    stage.play(SENDER, &["status"], desk)?;

    desk.output.say("\n6  91 days later (the clock is the demo's own).");
    stage.forward(91)?;
    stage.play(SENDER, &["sync"], desk)?;
    stage.play(SENDER, &["status"], desk)?;
    let copy = first_file(Path::new(&copies))?;
    let again = stage.file("opened-again");
    let late = stage.play_to(
        TECHNICIAN,
        &["open", &copy, "--key", &key, "--reason", "to look again", "-o", &again],
        Exit::Expired,
        desk,
    )?;
    debug_assert_eq!(late.code, Exit::Expired.code());

    desk.output.say("\n7  The receipt of the deletion, checked without the portal.");
    stage.stop_portal();
    let receipt = newest_receipt(&dir.join("sender/receipts"))?;
    stage.play(SENDER, &["receipt", "verify", &receipt], desk)?;

    desk.output.say(format!("\nEverything is in {}", dir.display()));
    desk.output.say("  meeting/    what was sent          opened/   what the technician got");
    desk.output.say("  portal/     what the portal keeps  sender/   ledger, vault and receipts");
    Ok(Outcome::done("shown").with("directory", &dir).with("opened", &opened).with("receipt", receipt))
}

fn borrowed(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

fn first_file(dir: &Path) -> Result<String, Failure> {
    let mut names: Vec<PathBuf> = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    names.sort();
    names
        .into_iter()
        .find(|path| path.is_file())
        .map(|path| path.display().to_string())
        .ok_or_else(|| Failure::new(Exit::Bug, format_args!("There is no file in {}.", dir.display())))
}

fn newest_receipt(dir: &Path) -> Result<String, Failure> {
    let deleted = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().contains("deletion"));
    deleted
        .map(|path| path.display().to_string())
        .ok_or_else(|| Failure::new(Exit::Bug, "The portal gave no receipt of the deletion."))
}
