//! What the environment says besides settings: this program, and the stack that is used.
//!
//! Before: the process. After: `demo`, which starts further instances of this program.

use std::io;
use std::path::PathBuf;

/// The file of this program.
///
/// # Errors
/// The system does not know it.
pub fn program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// The name of the stack that `docker/stack` works on; `None`: the nameless one.
pub fn stack_name() -> Option<String> {
    std::env::var("VITALS_STACK_NAME").ok().filter(|name| !name.is_empty())
}
