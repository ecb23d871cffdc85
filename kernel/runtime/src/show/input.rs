//! `input` and `password`: asking the user.

use crate::InputError;
use crate::tasks::outbox;

/// Asks for a line through the notebook's input box. Other tasks run on while it waits.
///
/// ```no_run
/// # async fn cell() -> Result<(), loopbook::InputError> {
/// let name = loopbook::input("Your name? ").await?;
/// println!("Hello {name}");
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`InputError::NotAllowed`] where nobody can answer (a notebook that is executed by `nbconvert`, for example),
/// [`InputError::Interrupted`] if the cell is interrupted, [`InputError::Closed`] if the kernel shuts down.
pub async fn input(prompt: impl Into<String>) -> Result<String, InputError> {
    outbox::ask_input(&prompt.into(), false).await
}

/// Like [`input`], but what is typed is not shown.
///
/// ```no_run
/// # async fn cell() -> Result<(), loopbook::InputError> {
/// let token = loopbook::password("Token: ").await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// As [`input`].
pub async fn password(prompt: impl Into<String>) -> Result<String, InputError> {
    outbox::ask_input(&prompt.into(), true).await
}
