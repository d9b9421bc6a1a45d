//! What threads meet at: the standard library's, or a model of it that tries every order.

#[cfg(not(feature = "model"))]
pub(super) use std::{
    sync::{Condvar, Mutex, MutexGuard},
    thread,
};

#[cfg(feature = "model")]
pub(super) use shuttle::{
    sync::{Condvar, Mutex, MutexGuard},
    thread,
};
