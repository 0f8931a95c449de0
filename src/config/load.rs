//! Reading the settings from a file and the environment.
//!
//! Before: the command line may name a file. After: valid [`Settings`], or the reason why there are none.

use std::ffi::OsString;
use std::path::Path;

use confique::Config;

use super::{Settings, names};

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file or a variable cannot be read.
    #[error("settings: {0:#}")]
    Unreadable(#[from] confique::Error),
    /// A value, or a combination of values, is invalid.
    #[error("settings: {0}")]
    Invalid(String),
}

impl Settings {
    /// Reads `file` (if any) and the environment, and checks all settings.
    ///
    /// # Errors
    /// Names the setting and what is wrong with it.
    pub fn load(file: Option<&Path>) -> Result<Self, SettingsError> {
        let text =
            |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let environment = std::env::vars_os().filter_map(text).collect();
        names::refuse_unknown_variables(&environment)?;
        let mut builder = Self::builder().env().preloaded(names::from_old_variables(&environment)?);
        if let Some(file) = file {
            if !file.is_file() {
                return Err(SettingsError::Invalid(format!("no such file: {}", file.display())));
            }
            names::refuse_unknown_keys(file)?;
            builder = builder.file(file);
        }
        let settings = builder.load()?;
        settings.check()?;
        Ok(settings)
    }

    /// The settings without any file or environment.
    pub fn defaults() -> Self {
        Self::builder().load().expect("every setting has a default")
    }
}
