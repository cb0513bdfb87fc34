//! Golden scripts: what each way of searching costs, which was chosen, and what was counted in the end.

mod codes;
mod script;

macro_rules! scripts {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let commands = include_str!(concat!("scripts/", stringify!($name), ".txt"));
            insta::assert_snapshot!(stringify!($name), script::transcript(commands));
        }
    )*};
}

scripts!(plan segments explain);
