//! A headless Chromium, driven by `chromedriver` as the `WebDriver` standard of the W3C says: one JSON request for each command.
//!
//! chromedriver is found by `TARSEAL_CHROMEDRIVER` or in the `PATH`. Elsewhere a test says on standard error that it was
//! skipped; with `TARSEAL_REQUIRE_PEERS=1` it fails instead.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use reqwest::blocking::Client;
use serde_json::{Value, json};

/// The name that the standard gives the reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How long something that is to appear may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Browser {
    driver: Child,
    client: Client,
    session: String,
    _profile: tempfile::TempDir,
}

/// How the browser is to be.
#[derive(Clone, Copy, Default)]
pub struct Wish {
    pub without_scripts: bool,
}

impl Browser {
    /// Starts one; `None` where there is none.
    pub fn start(test: &str, wish: Wish) -> Option<Self> {
        let command = env::var("TARSEAL_CHROMEDRIVER").unwrap_or_else(|_| String::from("chromedriver"));
        // Names of files are UTF-8, whatever the locale of those who test.
        let started = Command::new(command)
            .arg("--port=0")
            .env("LC_ALL", "C.UTF-8")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut driver) = started else {
            assert_ne!(env::var("TARSEAL_REQUIRE_PEERS").as_deref(), Ok("1"), "{test} needs chromedriver and Chromium");
            eprintln!("skipped: {test} needs chromedriver and Chromium");
            return None;
        };
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.unwrap();
            Some(line.strip_suffix('.')?.rsplit_once("on port ")?.1.to_owned())
        });
        // What it says later is read and dropped, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(120)).build().unwrap();
        let profile = tempfile::tempdir().unwrap();
        let mut browser =
            Self { driver, client, session: format!("http://127.0.0.1:{}", port.unwrap()), _profile: profile };
        let directory = format!("--user-data-dir={}", browser._profile.path().display());
        let scripts = if wish.without_scripts { 2 } else { 1 };
        let options = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "goog:chromeOptions": {
                "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                         "--window-size=1000,900", "--no-proxy-server", directory],
                "prefs": {
                    "profile.managed_default_content_settings.javascript": scripts,
                    "credentials_enable_service": false,
                    "download.default_directory": browser._profile.path().join("downloads"),
                },
            },
        } } });
        let made = browser.ask("POST", "/session", &options);
        browser.session = format!("{}/session/{}", browser.session, made["sessionId"].as_str().unwrap());
        // Chromium's own first page is not ours.
        browser.go("about:blank");
        browser.asked_for();
        Some(browser)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        self.try_to(method, path, body).unwrap_or_else(|fault| panic!("{method} {path}: {fault}"))
    }

    fn try_to(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let request = self.client.request(method.parse().unwrap(), format!("{}{path}", self.session));
        let request = if method == "POST" { request.body(body.to_string()) } else { request };
        let answer = request.header("content-type", "application/json").send().unwrap();
        let good = answer.status().is_success();
        let told: Value = serde_json::from_str(&answer.text().unwrap()).unwrap();
        if good { Ok(told["value"].clone()) } else { Err(told["value"]["message"].to_string()) }
    }

    /// Opens a page and waits until it is there.
    pub fn go(&self, url: &str) {
        self.ask("POST", "/url", &json!({ "url": url }));
    }

    pub fn url(&self) -> String {
        self.ask("GET", "/url", &Value::Null).as_str().unwrap().to_owned()
    }

    /// What can be read on the page.
    fn all(&self) -> String {
        self.find("body").map_or_else(|fault| fault, |body| self.text_of(&body).unwrap_or_default())
    }

    fn text_of(&self, element: &str) -> Option<String> {
        let text = self.try_to("GET", &format!("/element/{element}/text"), &Value::Null).ok()?;
        text.as_str().map(str::to_owned)
    }

    fn find(&self, css: &str) -> Result<String, String> {
        let found = self.try_to("POST", "/element", &json!({ "using": "css selector", "value": css }))?;
        Ok(found[ELEMENT].as_str().unwrap().to_owned())
    }

    /// The element that a selector finds, when it is there.
    fn element(&self, css: &str) -> String {
        let begun = Instant::now();
        loop {
            match self.find(css) {
                Ok(element) => return element,
                Err(fault) if begun.elapsed() > PATIENCE => {
                    panic!("{css} on {}: {fault}: {}", self.url(), self.all())
                }
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    pub fn is_there(&self, css: &str) -> bool {
        self.find(css).is_ok()
    }

    pub fn click(&self, css: &str) {
        let element = self.element(css);
        self.ask("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// Types into a field; for a field of files, the paths of files.
    pub fn type_in(&self, css: &str, text: &str) {
        let element = self.element(css);
        self.ask("POST", &format!("/element/{element}/value"), &json!({ "text": text }));
    }

    /// Presses keys where the focus is.
    pub fn press(&self, keys: &str) {
        let mut actions = Vec::new();
        for key in keys.chars() {
            actions.push(json!({ "type": "keyDown", "value": key }));
            actions.push(json!({ "type": "keyUp", "value": key }));
        }
        self.ask("POST", "/actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] }));
    }

    /// The visible text of an element.
    pub fn text(&self, css: &str) -> String {
        let element = self.element(css);
        self.text_of(&element).unwrap()
    }

    /// Waits until the visible text of an element has a part.
    pub fn wait_for(&self, css: &str, part: &str) {
        let begun = Instant::now();
        let mut last = String::new();
        while begun.elapsed() < PATIENCE * 2 {
            if let Some(text) = self.find(css).ok().and_then(|element| self.text_of(&element)) {
                last = text;
                if last.contains(part) {
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{css} on {} says {last:?} and not {part:?}", self.url());
    }

    /// Runs a script of the test within the page.
    pub fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.ask("POST", "/execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// The same for a script that calls its last argument when it is done.
    pub fn run_and_wait(&self, script: &str, arguments: &[Value]) -> Value {
        self.ask("POST", "/execute/async", &json!({ "script": script, "args": arguments }))
    }

    /// Gives a command of the Chrome `DevTools` protocol.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.ask("POST", "/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// Drags files over an element and lets them fall there, as a hand does: Chromium finds what lies under the place.
    pub fn drop_files(&self, css: &str, paths: &[&Path]) {
        let script = "const box = document.querySelector(arguments[0]).getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]";
        let place = self.run(script, &[json!(css)]);
        for kind in ["dragEnter", "dragOver", "drop"] {
            let data = json!({ "items": [], "files": paths, "dragOperationsMask": 1 });
            let event = json!({ "type": kind, "x": place[0], "y": place[1], "data": data });
            self.devtools("Input.dispatchDragEvent", &event);
        }
    }

    /// Makes the page as wide as that many CSS pixels.
    pub fn set_width(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Lets the page be light or dark, as somebody may have set their computer.
    pub fn set_scheme(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// A picture of what is seen, as PNG.
    pub fn picture(&self) -> Vec<u8> {
        BASE64_STANDARD.decode(self.ask("GET", "/screenshot", &Value::Null).as_str().unwrap()).unwrap()
    }

    /// What the console was told since the last time, apart from what is expected.
    pub fn complaints(&self, expected: &[&str]) -> Vec<String> {
        let said = self.ask("POST", "/se/log", &json!({ "type": "browser" }));
        let said = said.as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap().to_owned());
        said.filter(|message| !expected.iter().any(|part| message.contains(part))).collect()
    }

    /// The addresses that were asked for since the last time.
    pub fn asked_for(&self) -> Vec<String> {
        let said = self.ask("POST", "/se/log", &json!({ "type": "performance" }));
        let said = said.as_array().unwrap().iter();
        let events = said.map(|entry| serde_json::from_str::<Value>(entry["message"].as_str().unwrap()).unwrap());
        let sent = events.filter(|event| event["message"]["method"] == "Network.requestWillBeSent");
        sent.map(|event| event["message"]["params"]["request"]["url"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.try_to("DELETE", "", &Value::Null));
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}
