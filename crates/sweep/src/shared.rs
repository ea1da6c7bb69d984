//! A value that the futures of one run share.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A cell that can go from thread to thread with the future that holds it. Nobody waits for anybody here: the futures that
/// share one are polled one after the other, and none holds a guard while it waits.
#[derive(Default)]
pub struct Shared<T>(RwLock<T>);

impl<T> Shared<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(RwLock::new(value))
    }

    /// To be read. A panic elsewhere leaves the value as it is, and ends the run anyway.
    pub fn borrow(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be changed.
    pub fn borrow_mut(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a value in the place of the one that is there, and gives that.
    pub(crate) fn replace(&self, value: T) -> T {
        std::mem::replace(&mut *self.borrow_mut(), value)
    }
}

impl<T: Default> Shared<T> {
    /// Takes the value, and leaves the default one.
    pub fn take(&self) -> T {
        std::mem::take(&mut *self.borrow_mut())
    }
}

impl<T: Copy> Shared<T> {
    /// The value.
    pub(crate) fn get(&self) -> T {
        *self.borrow()
    }
}
