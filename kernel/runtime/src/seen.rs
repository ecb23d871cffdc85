//! Values looked at without knowing their types.

use std::{any::TypeId, fmt::Debug};

/// A value that is looked at without knowing its type: only this much of it is compiled anew for each type.
pub(crate) struct Seen<'a> {
    type_id: TypeId,
    address: *const (),
    debug: &'a dyn Debug,
}

impl<'a> Seen<'a> {
    /// `debug` is the value again, or a reference to it if it is unsized.
    pub(crate) fn new<T: ?Sized>(value: &'a T, debug: &'a dyn Debug) -> Self {
        Self { type_id: type_id_of(value), address: (&raw const *value).cast(), debug }
    }

    /// Its `Debug`.
    pub(crate) fn debug(&self) -> &'a dyn Debug {
        self.debug
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
    use super::Seen;

    #[test]
    fn a_value_is_recognised_by_itself_and_through_a_reference() {
        let value = vec![String::from("x")];
        assert_eq!(Seen::new(&value, &value).as_a::<Vec<String>>(), Some(&value));
        let reference = &value;
        assert_eq!(Seen::new(&reference, &reference).as_a::<Vec<String>>(), Some(&value));
        assert_eq!(Seen::new(&value, &value).as_a::<Vec<u8>>(), None);
    }

    #[test]
    fn unsized_values_are_only_shown() {
        let text: &str = "x";
        let seen = Seen::new(text, &text);
        assert_eq!(seen.as_a::<String>(), None);
        assert_eq!(format!("{:?}", seen.debug()), "\"x\"");
    }
}
