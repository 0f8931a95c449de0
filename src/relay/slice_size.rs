//! How much of a sliced batch is evaluated in one transaction.
//!
//! Before: `relay::reaction` measures each slice. After: `store::outbox::evaluate_slice`. Promise: a slice comes to take about
//! [`TARGET`], and [`MAX`] at most, so that nobody waits much longer for a lock of its devices.

use std::time::Duration;

/// How long a slice may take. Whoever waits for a lock of one of its devices waits this long at most, most of the time.
const TARGET: Duration = Duration::from_millis(150);

/// How long it may take where it cannot be less: planning takes its time for one device as for sixteen.
const MAX: Duration = Duration::from_secs(1);

/// Bounds of the number of devices.
const DEVICES: (i32, i32) = (1, 1024);

/// Fewer at a time only where a slice takes longer than [`MAX`].
const FEW_DEVICES: i32 = 16;

/// Rows a device: what a watch sends in a few hours.
const ROWS_PER_DEVICE: i32 = 200;

/// The size of the next slice.
#[derive(Debug, Clone, Copy)]
pub(super) struct SliceSize {
    devices: i32,
}

impl Default for SliceSize {
    fn default() -> Self {
        Self { devices: FEW_DEVICES }
    }
}

impl SliceSize {
    pub(super) fn devices(self) -> i32 {
        self.devices
    }

    pub(super) fn rows(self) -> i32 {
        self.devices * ROWS_PER_DEVICE
    }

    /// A slice of this size took so long.
    pub(super) fn took(&mut self, time: Duration) {
        if time > MAX || (time > TARGET && self.devices > FEW_DEVICES) {
            self.devices = (self.devices / 2).max(DEVICES.0);
        } else if time < TARGET / 2 {
            self.devices = (self.devices * 2).min(DEVICES.1);
        }
    }

    /// A slice of this size took too long and was cancelled. False: it was the smallest.
    pub(super) fn was_cancelled(&mut self) -> bool {
        let was = std::mem::replace(&mut self.devices, DEVICES.0);
        was > DEVICES.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_grow_while_they_are_quick_and_shrink_when_they_are_slow() {
        let mut size = SliceSize::default();
        size.took(Duration::from_millis(10));
        assert_eq!((size.devices(), size.rows()), (32, 6400));
        size.took(Duration::from_millis(100));
        assert_eq!(size.devices(), 32);
        for _ in 0..20 {
            size.took(Duration::from_millis(500));
        }
        assert_eq!(size.devices(), 16);
        for _ in 0..20 {
            size.took(Duration::from_secs(2));
        }
        assert_eq!(size.devices(), 1);
        assert!(!size.was_cancelled(), "there is no smaller one");
        for _ in 0..20 {
            size.took(Duration::ZERO);
        }
        assert_eq!(size.devices(), 1024);
        assert!(size.was_cancelled());
        assert_eq!(size.devices(), 1);
    }
}
