//! Values as JSON text.

use serde::Serialize;

/// Any serialisable value as JSON on one line: what the runtime tells of itself as well as the user's own types.
///
/// ```
/// assert_eq!(loopbook::json(&vec![Some(1), None]), "[1,null]");
/// println!("{}", loopbook::json(&loopbook::all_tasks()));
/// ```
///
/// # Panics
/// If the value has no form in JSON: a map whose keys are not strings or numbers, or a `Serialize` of the user's that
/// fails.
#[track_caller]
pub fn json<T: Serialize + ?Sized>(value: &T) -> String {
    match serde_json::to_string(value) {
        Ok(text) => text,
        Err(error) => panic!("a `{}` cannot be written as JSON: {error}", std::any::type_name::<T>()),
    }
}
