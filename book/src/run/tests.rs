//! Is a post that shows what is not so caught? Small crates without dependencies, built by the real cargo.

use std::fs;

use super::*;

const START: &str = "\
# 2. T

**`Cargo.toml`** (new)

```toml
[package]
name = \"kith\"
edition = \"2024\"
```

**`src/main.rs`** (new)

```rust
fn main() {
    println!(\"hello\");
}
```

";

/// Runs the start and what follows it, in a book of its own.
fn run_after_start(more: &str) -> (tempfile::TempDir, Ran) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Cargo.lock"), "version = 4\n").unwrap();
    let ran = again(folder.path(), more);
    (folder, ran)
}

fn again(root: &std::path::Path, more: &str) -> Ran {
    let post = Post::parse("2".parse().unwrap(), "02-t.md", &format!("{START}{more}")).unwrap();
    run(&Book { root: root.to_owned() }, &post).unwrap()
}

/// What is found wrong, without the words.
fn proofs(ran: &Ran) -> Vec<Proof> {
    ran.faults.iter().map(|(proof, _)| *proof).collect()
}

#[test]
fn what_a_post_shows_is_run() {
    let more = r#"
**`src/main.rs`** (try, red)

```diff
-    println!("hello");
+    let a: String = 1;
```

```text error=types show=E0308
```

**`src/main.rs`** (try, warns)

```diff
+fn nobody() {}
+
 fn main() {
```

```text error=unused
```

**`examples/ch02_naive.rs`** (new)

```rust
fn main() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    panic!("lost {line}");
}
```

```console run=naive fails stdin=a b
$ cargo run -p ch02
$ cargo run \
    --example ch02_naive
```

<!-- naive: ch02_naive fails with "lost a b" and exits 101 -->

<details><summary>One</summary>

**`src/main.rs`** (solution)

```diff
     println!("hello");
 }
+
+#[test]
+fn passes() {}
```

</details>
"#;
    let (folder, ran) = run_after_start(more);
    assert_eq!(ran.faults, []);
    assert!(ran.outputs["types"].starts_with("error[E0308]: mismatched types\n --> src/main.rs:2:21\n"));
    assert!(ran.outputs["unused"].starts_with("warning: function `nobody` is never used\n"));
    let naive = &ran.outputs["naive"];
    let head = "$ cargo run -p ch02\nhello\n$ cargo run \\\n    --example ch02_naive\n";
    assert!(naive.starts_with(head) && naive.contains("lost a b"), "{naive}");

    // Seen once: nothing is built again, whatever the prose says.
    fs::remove_dir_all(folder.path().join("target/book/kith")).unwrap();
    assert_eq!(again(folder.path(), &format!("Words.\n{more}")).outputs, ran.outputs);
    assert!(!folder.path().join("target/book/kith").exists());
}

#[test]
fn what_is_not_so_is_caught() {
    let edit = |flags: &str, line: &str| {
        format!("**`src/main.rs`**{flags}\n\n```diff\n+{line}\n fn main() {{\n```\n\n")
    };
    let error = "```text error=a\n```\n\n";
    let solution = |test: &str| {
        format!(
            "<details>\n\n**`tests/a.rs`** (new, solution)\n\n```rust\n#[test]\nfn a() {{ {test} }}\n```\n\n</details>\n"
        )
    };
    let run = |words: &str, command: &str| format!("```console run=a{words}\n$ {command}\n```\n\n");
    let cases = [
        (edit("", "type A = B;"), Proof::Steps, "does not compile after this listing\nerror[E0425]"),
        (edit("", "fn unused() {}"), Proof::Steps, "is warned of"),
        (edit(" (red)", "const _: u8 = 1;") + error, Proof::Steps, "but it compiles"),
        (edit(" (warns)", "const _: u8 = 1;") + error, Proof::Steps, "nothing is warned of"),
        (edit(" (red)", "type A = B;"), Proof::Steps, "has to show how"),
        (error.to_owned(), Proof::Steps, "rustc says nothing"),
        (run("", "exit 3"), Proof::Outputs, "ends with Code(3)"),
        (run(" fails", "true"), Proof::Outputs, "ends well"),
        (run(" server", "true"), Proof::Outputs, "does not listen"),
        (
            run("", "echo ch02_n") + "<!-- naive: ch02_n fails with \"lost\" -->\n",
            Proof::Naive,
            "does not hold",
        ),
        (solution("panic!(\"wrong\")"), Proof::Solutions, "the solution fails"),
        (solution("").replace("#[test]\n", "#[cfg(any())]\n"), Proof::Solutions, "no test of its own"),
        (
            "**`Cargo.toml`**\n\n```diff\n [package]\n+nmae = \"x\"\n```\n\n".into(),
            Proof::Steps,
            "unused manifest key",
        ),
    ];
    let (folder, ran) = run_after_start("");
    assert_eq!(ran.faults, []);
    for (more, proof, words) in cases {
        let ran = again(folder.path(), &more);
        assert!(proofs(&ran).contains(&proof), "{more}: {:?}", ran.faults);
        assert!(
            ran.faults.iter().any(|(_, fault)| fault.message.contains(words)),
            "{more}: {:?}",
            ran.faults
        );
    }
}

#[test]
fn a_program_runs_beside_the_commands() {
    let more = r#"**`src/main.rs`** (replace)

```rust
use std::{env, io::{Read, Write}, net::TcpListener};

fn main() {
    let listener = TcpListener::bind(env::var("KITH_LISTEN").unwrap()).unwrap();
    println!("listening on {}", listener.local_addr().unwrap());
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        // Who only looks whether anybody listens says nothing, and is gone at once.
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nsee 127.0.0.1:6333\n");
    }
}
```

```console run=talk server
$ curl -s http://127.0.0.1:6333/
```

```console run=end server
$ kill -9
```
"#;
    let (_folder, ran) = run_after_start(more);
    assert_eq!(ran.faults, []);
    assert_eq!(ran.outputs["talk"], "$ curl -s http://127.0.0.1:6333/\nsee 127.0.0.1:6333\n");
    assert_eq!(ran.outputs["end"], "$ kill -9\nlistening on 127.0.0.1:6333\n");
}
