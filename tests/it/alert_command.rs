//! `vitals alerts`.
