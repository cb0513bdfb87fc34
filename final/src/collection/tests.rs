//! Golden scripts: a file of commands and, beside it as a snapshot, all that the collection showed.
//! And the crash matrix: the power fails at every step of a life, and every acknowledged write is there afterwards.

mod crash;
mod fallback;
mod flush;
mod script;

macro_rules! scripts {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let name = stringify!($name);
            let commands = include_str!(concat!("scripts/", stringify!($name), ".txt"));
            insta::assert_snapshot!(name, script::run(commands));
        }
    )*};
}

scripts!(wal manifest recovery fallback no_way_back snapshot merge);
