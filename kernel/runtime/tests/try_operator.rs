//! `?` at the level of a cell.
#![deny(warnings)]

use loopbook::__private::{
    DescribeDebug as _, DescribeDisplay as _, DescribeError as _, DescribeName as _, DescribePointer as _, Described,
    Reason,
};
use std::{error::Error, fmt, ops::ControlFlow};

macro_rules! described {
    ($error:expr) => {
        (&&&&&Reason($error)).describe()
    };
}

fn text(message: &str) -> Described {
    Described { message: message.to_owned(), chain: vec![] }
}

#[derive(Debug)]
struct Outer(std::num::ParseIntError);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the file has a bad line")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn a_good_value_is_handed_on() {
    async fn cell(reached: &mut bool) {
        let n: i32 = loopbook::__try!("5".parse());
        let later = loopbook::__try!(async { Some("x") }.await);
        let go_on = loopbook::__try!(ControlFlow::<(), _>::Continue(1));
        assert_eq!((n, later, go_on), (5, "x", 1));
        println!("{}", loopbook::__try!("7".parse::<u8>()));
        *reached = true;
    }
    let mut reached = false;
    async_std::task::block_on(cell(&mut reached));
    assert!(reached);
}

#[test]
fn a_failure_leaves_the_cell() {
    fn cell() {
        let _: i32 = loopbook::__try!("five".parse());
        unreachable!("the cell went on");
    }
    cell();
    fn nothing() {
        loopbook::__try!(None::<()>);
        unreachable!("the cell went on");
    }
    nothing();
}

#[test]
fn errors_tell_their_sources() {
    let outer = || Outer("x".parse::<i32>().expect_err("x is no number"));
    let expected = Described {
        message: "the file has a bad line".to_owned(),
        chain: vec!["invalid digit found in string".to_owned()],
    };
    assert_eq!(described!(outer()), expected);
    assert_eq!(described!(Box::<dyn Error>::from(outer())), expected);
    assert_eq!(described!(Box::<dyn Error + Send + Sync>::from(outer())), expected);
}

#[test]
fn what_is_no_error_says_what_it_can() {
    #[derive(Debug)]
    #[allow(dead_code)]
    struct OnlyDebug {
        code: u8,
    }
    struct Nothing;
    assert_eq!(described!("a text"), text("a text"));
    assert_eq!(described!(String::from("a text")), text("a text"));
    assert_eq!(described!(OnlyDebug { code: 3 }), text("OnlyDebug { code: 3 }"));
    assert_eq!(described!(Nothing), text("an error of type `Nothing`, which has neither Display nor Debug"));
    assert_eq!(described!(loopbook::__private::NoValue), text("the value is None"));
}
