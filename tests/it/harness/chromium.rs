//! A real Chromium, driven by its own chromedriver, where both are installed. It ends with the test.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::de::DeserializeOwned;
use serde_json::json;
use thirtyfour::extensions::cdp::ChromeDevTools;
use thirtyfour::prelude::*;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::{eventually, eventually_or_none};

/// What a browser in a container needs, without a screen; without what it would load by itself.
const ARGUMENTS: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--mute-audio",
    "--window-size=1920,1080",
];

/// chromedriver, which ends with the value, and the browsers that it started with it.
pub struct Chromedriver {
    _process: Child,
    url: String,
    chromium: PathBuf,
}

/// A window.
pub struct Chromium(pub WebDriver);

impl Chromedriver {
    /// Starts chromedriver. `None`, after printing why: there is none.
    pub async fn start() -> Option<Self> {
        let Some((driver, chromium)) = installed() else {
            eprintln!("skipped: chromedriver is not installed (Debian: apt-get install chromium-driver)");
            return None;
        };
        let mut child = Command::new(driver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("it can be run");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let port = loop {
            let line = lines.next_line().await.expect("text").expect("it says its port");
            let words = line.trim_end_matches('.').rsplit_once("on port ");
            if let Some(port) = words.and_then(|(_, port)| port.parse::<u16>().ok()).filter(|port| *port != 0)
            {
                break port;
            }
        };
        // Read on: a full pipe would block it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Some(Self { _process: child, url: format!("http://127.0.0.1:{port}"), chromium })
    }

    /// Opens a window of a browser of its own, without cookies. `arguments` are further ones of Chromium.
    pub async fn open(&self, arguments: &[&str]) -> Chromium {
        let mut capabilities = DesiredCapabilities::chrome();
        capabilities.set_binary(self.chromium.to_str().expect("a path")).expect("a capability");
        for argument in ARGUMENTS.iter().chain(arguments) {
            capabilities.add_arg(argument).expect("a capability");
        }
        Chromium(WebDriver::new(&self.url, capabilities).await.expect("a browser starts"))
    }
}

/// Where chromedriver and Chromium are: of the path, or of a Debian package that was unpacked there.
fn installed() -> Option<(PathBuf, PathBuf)> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let driver =
        std::env::split_paths(&path).map(|folder| folder.join("chromedriver")).find(|file| file.is_file())?;
    // The file in the path is a script that names the folder where it would be installed.
    let unpacked = driver.parent()?.join("../lib/chromium/chromium");
    let chromium =
        [unpacked, PathBuf::from("/usr/lib/chromium/chromium")].into_iter().find(|file| file.is_file())?;
    Some((driver, chromium))
}

impl Chromium {
    /// Opens a page.
    pub async fn goto(&self, url: &str) {
        self.0.goto(url).await.expect("the page opens");
    }

    /// As in a window that is so wide and high, in pixels.
    pub async fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        let tools = ChromeDevTools::new(self.0.handle.clone());
        let resized = tools.execute_cdp_with_params("Emulation.setDeviceMetricsOverride", size).await;
        resized.expect("a size");
    }

    /// What a script gives.
    pub async fn run<T: DeserializeOwned>(&self, script: &str) -> T {
        let given = self.0.execute(script, vec![]).await.unwrap_or_else(|error| panic!("{script}: {error}"));
        given.convert().unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits until an expression is true.
    pub async fn until(&self, expression: &str) {
        let script = format!("return Boolean({expression})");
        let came = eventually_or_none(|| async { self.run::<bool>(&script).await.then_some(()) }).await;
        if came.is_none() {
            let page: String = self.run("return location.href + '\\n' + document.body.innerText").await;
            panic!("not in time: {expression}\n{page}");
        }
    }

    /// Waits until there is such an element.
    pub async fn find(&self, selector: &str) -> WebElement {
        let what = format!("an element {selector}");
        eventually(&what, || async { self.0.find(By::Css(selector)).await.ok() }).await
    }

    /// Clicks on it.
    pub async fn click(&self, selector: &str) {
        // An element that the page replaces at this moment is found again.
        let what = format!("a click on {selector}");
        eventually(&what, || async { self.0.find(By::Css(selector)).await.ok()?.click().await.ok() }).await;
    }

    /// Types into whatever has the focus.
    pub async fn type_keys(&self, keys: impl AsRef<str>) {
        self.0.action_chain().send_keys(keys.as_ref()).perform().await.expect("typed");
    }

    /// Ends it.
    pub async fn close(self) {
        self.0.quit().await.expect("it ends");
    }
}

/// The script of axe-core, where `npm ci` has brought it (`tests/axe`). `None`, after printing why: it is not there.
pub fn axe() -> Option<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/axe/node_modules/axe-core/axe.min.js");
    let script = std::fs::read_to_string(&file).ok();
    if script.is_none() {
        eprintln!("skipped: axe-core is not there (npm ci --prefix tests/axe)");
    }
    script
}
