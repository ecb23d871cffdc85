//! Values looked at without knowing their types.

use crate::support::brief::Items;
use std::{any::TypeId, borrow::Cow, fmt::Debug, rc::Rc, sync::Arc};

/// A value that is looked at without knowing its type: only this much of it is compiled anew for each type.
pub(crate) struct Erased<'a> {
    type_id: TypeId,
    address: *const (),
    bytes: usize,
    debug: &'a dyn Debug,
    items: Option<&'a dyn Items>,
}

impl<'a> Erased<'a> {
    /// `debug` is the value again, or a reference to it if it is unsized.
    pub(crate) fn new<T: ?Sized>(value: &'a T, debug: &'a dyn Debug) -> Self {
        let bytes = size_of_val(value);
        Self { type_id: type_id_of(value), address: (&raw const *value).cast(), bytes, debug, items: None }
    }

    /// The same of a collection: `items` is the value again, or a reference to it if it is unsized.
    pub(crate) fn collection<T: ?Sized>(value: &'a T, debug: &'a dyn Debug, items: &'a dyn Items) -> Self {
        Self { items: Some(items), ..Self::new(value, debug) }
    }

    /// Its `Debug`.
    pub(crate) fn debug(&self) -> &'a dyn Debug {
        self.debug
    }

    /// Its items, if it is a collection that is known.
    pub(crate) fn items(&self) -> Option<&'a dyn Items> {
        self.items
    }

    /// The text that it is, or that it points to.
    pub(crate) fn as_text(&self) -> Option<&'a str> {
        if self.type_id == TypeId::of::<str>() {
            // SAFETY: the value lives for 'a and is a `str` of so many bytes.
            return Some(unsafe {
                let bytes = std::slice::from_raw_parts(self.address.cast(), self.bytes);
                std::str::from_utf8_unchecked(bytes)
            });
        }
        if let Some(text) = self.as_a::<&'static str>() {
            return Some(text);
        }
        let owned = self.as_a::<String>().map(String::as_str).or_else(|| self.as_a::<Box<str>>().map(AsRef::as_ref));
        let shared =
            || self.as_a::<Arc<str>>().map(AsRef::as_ref).or_else(|| self.as_a::<Rc<str>>().map(AsRef::as_ref));
        // What is said to be 'static here may live only for 'a, and is handed out for no longer.
        owned.or_else(shared).or_else(|| self.as_a::<Cow<'static, str>>().map(AsRef::as_ref))
    }

    /// The value, if it is a `U` or a reference to one. `U` must be a type without lifetimes in it.
    pub(crate) fn as_a<U: 'static>(&self) -> Option<&'a U> {
        if self.type_id == TypeId::of::<U>() {
            // SAFETY: the value lives for 'a and is a `U`: a type without lifetimes is known by its id.
            return Some(unsafe { &*self.address.cast::<U>() });
        }
        if self.type_id == TypeId::of::<&'static U>() {
            // SAFETY: the value lives for 'a and is a reference to a `U` that lives at least as long. Ids do not tell
            // lifetimes apart, so nothing longer than 'a is concluded from it.
            return Some(unsafe { *self.address.cast::<&'a U>() });
        }
        None
    }
}

/// `TypeId::of`, also for types that hold references.
fn type_id_of<T: ?Sized>(_: &T) -> TypeId {
    use std::{marker::PhantomData, mem::transmute};

    trait NamedType {
        fn id(&self) -> TypeId
        where
            Self: 'static;
    }

    impl<T: ?Sized> NamedType for PhantomData<T> {
        fn id(&self) -> TypeId
        where
            Self: 'static,
        {
            TypeId::of::<T>()
        }
    }

    let phantom: &dyn NamedType = &PhantomData::<T>;
    // SAFETY: only the lifetime bound of the trait object changes. Its one method uses no value of type `T`, and lifetimes
    // are gone when code is generated.
    unsafe { transmute::<&dyn NamedType, &(dyn NamedType + 'static)>(phantom) }.id()
}

#[cfg(test)]
mod tests {
    use super::Erased;

    #[test]
    fn a_value_is_recognised_by_itself_and_through_a_reference() {
        let value = vec![String::from("x")];
        assert_eq!(Erased::new(&value, &value).as_a::<Vec<String>>(), Some(&value));
        let reference = &value;
        assert_eq!(Erased::new(&reference, &reference).as_a::<Vec<String>>(), Some(&value));
        assert_eq!(Erased::new(&value, &value).as_a::<Vec<u8>>(), None);
    }

    #[test]
    fn text_is_recognised_in_all_its_forms() {
        let owned = String::from("é");
        let text = owned.as_str();
        assert_eq!(Erased::new(text, &text).as_text(), Some("é"), "unsized");
        assert_eq!(Erased::new(&text, &text).as_text(), Some("é"));
        assert_eq!(Erased::new(&&text, &text).as_text(), Some("é"));
        assert_eq!(Erased::new(&owned, &owned).as_text(), Some("é"));
        assert_eq!(Erased::new(&&owned, &owned).as_text(), Some("é"));
        let (boxed, shared) = (Box::<str>::from(text), std::sync::Arc::<str>::from(text));
        assert_eq!(Erased::new(&boxed, &boxed).as_text(), Some("é"));
        assert_eq!(Erased::new(&shared, &shared).as_text(), Some("é"));
        let cow = std::borrow::Cow::Borrowed(text);
        assert_eq!(Erased::new(&cow, &cow).as_text(), Some("é"));
        assert_eq!(Erased::new(&1, &1).as_text(), None);
    }

    #[test]
    fn unsized_values_are_only_shown() {
        let text: &str = "x";
        let seen = Erased::new(text, &text);
        assert_eq!(seen.as_a::<String>(), None);
        assert_eq!(format!("{:?}", seen.debug()), "\"x\"");
    }
}
