//! Ends of a channel that do not keep it open.

use super::{Receiver, Sender, real};
use crate::tasks::objects::Channel;
use std::fmt;
use std::sync::Arc;

macro_rules! weak {
    ($($(#[$doc:meta])* $Weak:ident $End:ident;)+) => {$(
        $(#[$doc])*
        pub struct $Weak<T> {
            real: real::$Weak<T>,
            shared: Arc<Channel>,
        }

        impl<T> $Weak<T> {
            pub(super) fn new(real: real::$Weak<T>, shared: Arc<Channel>) -> Self {
                Self { real, shared }
            }

            /// The end itself, if the channel is still open.
            pub fn upgrade(&self) -> Option<$End<T>> {
                self.real.upgrade().map(|real| $End::another(real, &self.shared))
            }
        }

        impl<T> Clone for $Weak<T> {
            fn clone(&self) -> Self {
                Self { real: self.real.clone(), shared: Arc::clone(&self.shared) }
            }
        }

        impl<T> fmt::Debug for $Weak<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.real.fmt(f)
            }
        }
    )+};
}

weak! {
    /// A sender that does not keep the channel open.
    WeakSender Sender;
    /// A receiver that does not keep the channel open.
    WeakReceiver Receiver;
}
