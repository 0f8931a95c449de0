//! alert view
